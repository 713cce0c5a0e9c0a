/**
 * A table that sorts, resizes and draws only the rows in sight, so that 10,000 rows cost as much as twenty. Where it is too narrow for its
 * columns every row becomes a card (see `.table` in ui.css): leading columns one below the other, the others side by side under their titles.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { sortRows, type SortOrder } from './sort-rows.ts';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** Starting width in pixels; a growing column takes what is left over as well. */
  readonly width: number;
  readonly grow?: boolean;
  readonly end?: boolean;
  /** In a card: a line of its own without its title, which what it says makes plain. */
  readonly lead?: boolean;
  /** What the column sorts by; without it the column does not sort. */
  readonly sortBy?: (row: Row) => string | number;
  readonly cell: (row: Row) => ReactNode;
}

interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}

const rowHeight = 52;
const narrowestColumn = 64;
const keyboardStep = 16;

/** A column without a title holds the actions of its row: it stays in sight when the table is scrolled sideways. */
function cellClass<Row>(column: Column<Row>): string {
  return `table__cell${column.end === true ? ' table__cell--end' : ''}${column.title === '' ? ' table__cell--pinned' : column.lead === true ? ' table__cell--lead' : ' table__cell--fact'}`;
}

export function DataTable<Row>({ label, columns, rows, keyOf }: DataTableProps<Row>) {
  const [widths, setWidths] = useState<Readonly<Record<string, number>>>({});
  const [order, setOrder] = useState<SortOrder | undefined>(undefined);
  const scroller = useRef<HTMLDivElement>(null);
  const sorted = sortRows(rows, order, columns);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is meant to be read on every render here
  const virtualizer = useVirtualizer({ count: sorted.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 8, getItemKey: (index) => { const row = sorted[index]; return row === undefined ? index : keyOf(row); } });

  const widthOf = (column: Column<Row>): number => widths[column.id] ?? column.width;
  const gridTemplateColumns = columns.map((column) => (column.grow === true && widths[column.id] === undefined ? `minmax(${String(column.width)}px, 1fr)` : `${String(widthOf(column))}px`)).join(' ');
  // Said outright, or the heading and each row would find widths of their own once the columns are wider than the table.
  const totalWidth = columns.reduce((sum, column) => sum + widthOf(column), 0);
  const lineStyle: CSSProperties & Readonly<Record<`--${string}`, string>> = { '--columns': gridTemplateColumns, '--columns-width': `${String(totalWidth)}px` };
  const resize = (column: Column<Row>, width: number): void => setWidths({ ...widths, [column.id]: Math.max(narrowestColumn, Math.round(width)) });
  const sortByColumn = (id: string): void => setOrder(order?.columnId === id ? { columnId: id, descending: !order.descending } : { columnId: id, descending: false });

  return (
    <div className="table" role="table" aria-label={label} aria-rowcount={rows.length + 1} ref={scroller} tabIndex={0} style={lineStyle}>
      <div className="table__head" role="rowgroup">
        <div className="table__row" role="row">
          {columns.map((column) => (
            <Heading key={column.id} column={column} order={order} width={widthOf(column)} onSort={() => sortByColumn(column.id)} onResize={(width) => resize(column, width)} />
          ))}
        </div>
      </div>
      <div className="table__body" role="rowgroup" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const row = sorted[item.index];
          return row === undefined ? null : (
            <div key={item.key} className="table__row" role="row" aria-rowindex={item.index + 2} data-index={item.index} ref={virtualizer.measureElement} style={{ transform: `translateY(${String(item.start)}px)` }}>
              {columns.map((column) => <div key={column.id} role="cell" className={cellClass(column)} data-title={column.title}>{column.cell(row)}</div>)}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly order: SortOrder | undefined;
  readonly width: number;
  readonly onSort: () => void;
  readonly onResize: (width: number) => void;
}

function Heading<Row>({ column, order, width, onSort, onResize }: HeadingProps<Row>) {
  const active = order?.columnId === column.id;
  const Arrow = active && order.descending ? ArrowDown : ArrowUp;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowLeft' ? -keyboardStep : event.key === 'ArrowRight' ? keyboardStep : 0;
    if (step !== 0) onResize(width + step);
  };
  const onPointerDown = (event: PointerEvent<HTMLSpanElement>): void => {
    const startX = event.clientX;
    const startWidth = event.currentTarget.parentElement?.offsetWidth ?? width;
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (move) => onResize(startWidth + move.clientX - startX);
    handle.onpointerup = () => { handle.onpointermove = null; };
  };
  return (
    <div role="columnheader" className={`${cellClass(column)} table__heading`} aria-sort={active ? (order.descending ? 'descending' : 'ascending') : undefined}>
      {column.sortBy === undefined
        ? <span className={column.title === '' ? 'visually-hidden' : 'table__sort'}>{column.title === '' ? 'Actions' : column.title}</span>
        : <button type="button" className="table__sort" onClick={onSort}><span className="truncate">{column.title}</span>{active ? <Arrow size={16} strokeWidth={1.75} aria-hidden /> : null}</button>}
      {column.title === '' ? null : <span className="table__resize" role="separator" aria-orientation="vertical" aria-label={`Width of ${column.title}`} aria-valuenow={width} aria-valuemin={narrowestColumn} aria-valuemax={1_000} tabIndex={0} onKeyDown={onKeyDown} onPointerDown={onPointerDown} />}
    </div>
  );
}
