/**
 * Which of the own relays come first: the first three are told to others, and who writes lays letters down at two of those. What the person said counts
 * before anything that is measured: pinned relays first, whatever happens there. Of the others those that keep their word come before those that
 * do not; then in the order that the person put them in, and where they did not say, by what is measured (relay-grades.ts), the older first.
 */
import type { RelayRow } from '../mail/visor-store.ts';

export interface RelayOpinion {
  /** It has not kept its word lately. */
  isDoubtful(relay: string): boolean;
  /** Lower is better. */
  grade(relay: string): number;
}

export const noOpinion: RelayOpinion = { isDoubtful: () => false, grade: () => 0 };

export function inOrder(rows: Iterable<RelayRow>, opinion: RelayOpinion): RelayRow[] {
  const isLast = (row: RelayRow): boolean => row.choice !== 'pinned' && opinion.isDoubtful(row.publicKey);
  const rank = (row: RelayRow): number => row.rank ?? Number.MAX_SAFE_INTEGER;
  return [...rows].sort((left, right) => Number(right.choice === 'pinned') - Number(left.choice === 'pinned')
    || Number(isLast(left)) - Number(isLast(right))
    || rank(left) - rank(right)
    || opinion.grade(left.publicKey) - opinion.grade(right.publicKey)
    || left.addedAtMs - right.addedAtMs
    || (left.publicKey < right.publicKey ? -1 : 1));
}
