/**
 * The strands of a content that is being verified: a *strand* is a stretch of verified leaves with the frontier at its end. There is one at the start of the content, and one
 * more wherever a proof was taken. A strand that reaches the next one is joined with it.
 */
import { isHeaded } from './geometry.ts';
import { rangesMaximum } from './snapshot.ts';
import type { Frontier } from './frontier.ts';
import type { Geometry } from './geometry.ts';
import type { LeafRange } from './snapshot.ts';

export interface Strand {
  readonly start: number;
  /** The first leaf behind it. */
  next: number;
  frontier: Frontier | undefined;
  /** The verified first half of a proof for `next`. */
  path: Uint8Array | undefined;
}

export class Strands {
  readonly #geometry: Geometry;
  /** In order, none touching another. The first one starts at leaf 0 and may be empty. */
  readonly #strands: Strand[] = [];

  /** @throws RangeError for more ranges than there may be strands. */
  constructor(geometry: Geometry, verified: readonly LeafRange[]) {
    this.#geometry = geometry;
    if (verified[0]?.start !== 0) this.#strands.push({ start: 0, next: 0, frontier: undefined, path: undefined });
    for (const { start, end } of verified) this.#strands.push({ start, next: end, frontier: undefined, path: undefined });
    if (this.#strands.length > rangesMaximum) throw new RangeError(`there are at most ${rangesMaximum} strands, and these ranges make ${this.#strands.length}`);
  }

  get all(): readonly Strand[] { return this.#strands; }
  get first(): Strand | undefined { return this.#strands[0]; }

  /** Values held for what is to come, over all strands. */
  get valueCount(): number { return this.#strands.reduce((sum, { frontier }) => sum + (frontier?.valueCount ?? 0), 0); }

  get verifiedRanges(): readonly LeafRange[] {
    return this.#strands.filter(({ start, next }) => next > start).map(({ start, next }) => ({ start, end: next }));
  }

  get proofsWanted(): readonly number[] {
    return this.#strands.filter(({ next, frontier }) => frontier === undefined && next < this.#geometry.leafCount && !isHeaded(this.#geometry, next)).map(({ next }) => next);
  }

  /** The last strand that starts at the leaf or before it. */
  before(index: number): Strand | undefined {
    for (let position = this.#strands.length - 1; position >= 0; position -= 1) {
      const strand = this.#strands[position];
      if (strand !== undefined && strand.start <= index) return strand;
    }
    return undefined;
  }

  insert(first: number): Strand {
    const strand: Strand = { start: first, next: first, frontier: undefined, path: undefined };
    const position = this.#strands.findIndex(({ start }) => start > first);
    this.#strands.splice(position < 0 ? this.#strands.length : position, 0, strand);
    return strand;
  }

  /** False: it has not reached the next one. */
  join(strand: Strand): boolean {
    const following = this.#strands[this.#strands.indexOf(strand) + 1];
    if (following?.start !== strand.next) return false;
    // What is known behind the joined strand is the same, whichever way it was learned.
    strand.next = following.next;
    strand.frontier = following.frontier;
    strand.path = following.path;
    this.#strands.splice(this.#strands.indexOf(following), 1);
    return true;
  }
}
