/** Attempts put together: for each cell and system how many were direct, and medians over those; and the table that people read. */
import { natMatrix, type MatrixCell } from '../../e2e/natlab/nat-matrix.ts';
import type { Attempt } from './attempt.ts';

export interface Outcome {
  readonly cell: string;
  readonly system: string;
  readonly attempts: readonly Attempt[];
}

export interface CellSummary {
  readonly cell: string;
  readonly theory: string;
  readonly system: string;
  readonly attempts: number;
  readonly direct: number;
  readonly relay: number;
  readonly none: number;
  /** Medians over the attempts that have one, whole milliseconds; null: none has. */
  readonly firstByteMs: number | null;
  readonly directMs: number | null;
  readonly failedMs: number | null;
  readonly failures: readonly string[];
}

const cellCharacters = 22;
const theoryCharacters = 16;
const systemCharacters = 30;

export const nameOf = ({ left, right }: MatrixCell): string => `${left}:${right}`;

/** The words of nat-matrix.ts; a cell in which one way alone is direct by plain punching has a mark. */
export const theoryOf = ({ best, listener }: MatrixCell): string => (listener === undefined ? best : `${best} (*)`);

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : Math.round((upper + lower) / 2);
}

const present = (values: readonly (number | undefined)[]): readonly number[] => values.filter((value) => value !== undefined);

export function summarize({ cell, system, attempts }: Outcome): CellSummary {
  const matrixCell = natMatrix.find((each) => nameOf(each) === cell);
  const count = (path: Attempt['path']): number => attempts.filter((each) => each.path === path).length;
  return {
    cell, theory: matrixCell === undefined ? '' : theoryOf(matrixCell), system, attempts: attempts.length,
    direct: count('direct'), relay: count('relay'), none: count('none'),
    firstByteMs: median(present(attempts.map(({ firstByteMs }) => firstByteMs))),
    directMs: median(present(attempts.map(({ directMs }) => directMs))),
    failedMs: median(present(attempts.map(({ failedMs }) => failedMs))),
    failures: [...new Set(attempts.map(({ failure }) => failure ?? '').filter((failure) => failure !== ''))],
  };
}

/** As `direct 2/3, 84 ms`; with how long the first byte took where that was by another path before. */
function wordsFor({ attempts, direct, relay, none, firstByteMs, directMs, failedMs }: CellSummary): string {
  if (attempts === 0) return '-';
  const share = (count: number): string => (count === attempts ? '' : ` ${count}/${attempts}`);
  if (direct > 0) return `direct${share(direct)}, ${directMs ?? '?'} ms${firstByteMs !== null && firstByteMs < (directMs ?? 0) ? ` (first ${firstByteMs})` : ''}`;
  return relay > 0 ? `relay${share(relay)}, ${firstByteMs ?? '?'} ms` : `none${share(none)}${failedMs === null ? '' : `, after ${failedMs} ms`}`;
}

export function tableOf(summaries: readonly CellSummary[], systems: readonly string[]): string {
  const row = (cell: string, theory: string, rest: readonly string[]): string => `${cell.padEnd(cellCharacters)}${theory.padEnd(theoryCharacters)}${rest.map((text) => text.padEnd(systemCharacters)).join('')}`.trimEnd();
  const cells = natMatrix.filter((cell) => summaries.some((summary) => summary.cell === nameOf(cell)));
  const rows = cells.map((cell) => row(nameOf(cell), theoryOf(cell), systems.map((system) => {
    const summary = summaries.find((each) => each.cell === nameOf(cell) && each.system === system);
    return summary === undefined ? '-' : wordsFor(summary);
  })));
  return [row('dialling:serving', 'theory', systems), ...rows].join('\n');
}
