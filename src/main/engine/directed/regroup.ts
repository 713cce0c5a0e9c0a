/** Which stretches stay verified when a content is cut into leaves of another size. */
import { rangesMaximum } from '../lockstep/snapshot.ts';
import type { Geometry } from '../lockstep/geometry.ts';
import type { LeafRange } from '../lockstep/snapshot.ts';

/** Whole leaves of the new size that were verified in the old one. */
export function regrouped(verified: readonly LeafRange[], before: Geometry, after: Geometry): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  for (const { start, end } of verified) {
    const first = Math.ceil((start * before.leafBytes) / after.leafBytes);
    const last = end === before.leafCount ? after.leafCount : Math.floor((end * before.leafBytes) / after.leafBytes);
    if (last > first) ranges.push({ start: first, end: last });
  }
  // One place is kept for the start of the content.
  return ranges.slice(0, rangesMaximum - 1);
}
