/** Sorting of table rows: stable, text by the rules of the language, numbers by size. */

export interface SortOrder {
  readonly columnId: string;
  readonly descending: boolean;
}
interface Sortable<Row> {
  readonly id: string;
  readonly sortBy?: (row: Row) => string | number;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

export function sortRows<Row>(rows: readonly Row[], order: SortOrder | undefined, columns: readonly Sortable<Row>[]): readonly Row[] {
  const sortBy = columns.find((column) => column.id === order?.columnId)?.sortBy;
  if (order === undefined || sortBy === undefined) return rows;
  const sign = order.descending ? -1 : 1;
  return rows.toSorted((first, second) => {
    const [a, b] = [sortBy(first), sortBy(second)];
    return sign * (typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b)));
  });
}
