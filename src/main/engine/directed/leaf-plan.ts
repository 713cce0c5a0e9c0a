/**
 * Which leaves of a content are still to be asked for, and in which order: what was lost or refused first, then the gaps between what is
 * verified, from the start. Numbers only; who is asked, and how much at once, is decided elsewhere.
 */
import { pullCountMaximum } from '../wire/verbs.ts';
import type { LeafRange } from '../lockstep/snapshot.ts';

/** Leaves from `start` up to but not including `end` that nobody had when the plan was made. */
interface Gap {
  readonly start: number;
  readonly end: number;
  /** The verifier cannot go on at `start` without its proof. */
  proof: 'needless' | 'wanted' | 'asked';
}

export interface PlannedRun {
  readonly first: number;
  readonly proof: boolean;
  /** Ascending; none when only the proof is asked for. */
  readonly leaves: readonly number[];
}

/** Which leaves may be asked for now: up to the bound of what the verifier keeps. */
export type Reach = (leaf: number) => boolean;

export class LeafPlan {
  readonly #gaps: Gap[] = [];
  /** Asked for before and needed again; ascending. */
  readonly #again: number[] = [];
  #gap = 0;
  #next = 0;

  /** @param verified ascending, with gaps between them. @param needsProof whether a gap that starts at this leaf needs one. */
  constructor(leafCount: number, verified: readonly LeafRange[], needsProof: (first: number) => boolean) {
    let start = 0;
    for (const range of [...verified, { start: leafCount, end: leafCount }]) {
      if (range.start > start) this.#gaps.push({ start, end: range.start, proof: needsProof(start) ? 'wanted' : 'needless' });
      start = range.end;
    }
    this.#next = this.#gaps[0]?.start ?? leafCount;
  }

  get againCount(): number { return this.#again.length; }

  /** Whether anything can be asked for now. */
  hasWork(reach: Reach): boolean {
    const [again] = this.#again;
    if (again !== undefined && reach(again)) return true;
    for (let position = 0; position <= this.#gap && position < this.#gaps.length; position += 1) if (this.#gaps[position]?.proof === 'wanted') return true;
    const gap = this.#gaps[this.#gap];
    return gap !== undefined && reach(this.#next);
  }

  /** Takes the next run of at most `leafMaximum` leaves out of the plan; undefined when nothing can be asked for now. */
  take(leafMaximum: number, reach: Reach): PlannedRun | undefined {
    const proofOf = this.#proofWanted();
    if (proofOf !== undefined) {
      proofOf.proof = 'asked';
      return { first: proofOf.start, proof: true, leaves: this.#collect(proofOf.start, leafMaximum, reach) };
    }
    const [again] = this.#again;
    const gap = this.#gaps[this.#gap];
    const fresh = gap !== undefined && reach(this.#next) ? this.#next : undefined;
    const first = again !== undefined && reach(again) ? Math.min(again, fresh ?? again) : fresh;
    if (first === undefined) return undefined;
    const leaves = this.#collect(first, leafMaximum, reach);
    return leaves.length === 0 ? undefined : { first, proof: false, leaves };
  }

  /** A leaf that was taken is needed again. */
  again(leaf: number): void {
    const position = this.#positionOf(leaf);
    if (this.#again[position] !== leaf) this.#again.splice(position, 0, leaf);
  }

  proofAgain(first: number): void {
    for (const gap of this.#gaps) if (gap.start === first && gap.proof === 'asked') gap.proof = 'wanted';
  }

  /** It came after all. */
  settled(leaf: number): void {
    const position = this.#positionOf(leaf);
    if (this.#again[position] === leaf) this.#again.splice(position, 1);
  }

  #proofWanted(): Gap | undefined {
    for (let position = 0; position <= this.#gap && position < this.#gaps.length; position += 1) {
      const gap = this.#gaps[position];
      if (gap?.proof === 'wanted') return gap;
    }
    return undefined;
  }

  /** Leaves of [first, first + 64) that are needed, in reach, at most so many. */
  #collect(first: number, leafMaximum: number, reach: Reach): number[] {
    const leaves: number[] = [];
    let again = this.#positionOf(first);
    const takenFrom = again;
    const end = first + pullCountMaximum;
    while (leaves.length < leafMaximum) {
      const lost = this.#again[again] ?? Infinity;
      const gap = this.#gaps[this.#gap];
      const fresh = gap === undefined || this.#next < first ? Infinity : this.#next;
      const leaf = Math.min(lost, fresh);
      if (leaf >= end || !reach(leaf)) break;
      leaves.push(leaf);
      if (leaf === lost) again += 1;
      else this.#advance();
    }
    this.#again.splice(takenFrom, again - takenFrom);
    return leaves;
  }

  #advance(): void {
    const gap = this.#gaps[this.#gap];
    if (gap === undefined) return;
    this.#next += 1;
    if (this.#next < gap.end) return;
    this.#gap += 1;
    this.#next = this.#gaps[this.#gap]?.start ?? gap.end;
  }

  #positionOf(leaf: number): number {
    let low = 0;
    let high = this.#again.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#again[middle] ?? Infinity) < leaf) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
