/**
 * Leaves that came and are not verified yet. A host hands over what one look at its socket brought before it lets the engine act, so the leaves of one content are
 * verified together: single chunks four at a time in the lanes of BLAKE3, and what is missing next is asked for once, in long runs. Their bytes stay where they came.
 */
import { pairBytes } from '../lockstep/geometry.ts';
import type { IncomingFragment } from '../lockstep/lockstep.ts';
import type { Download } from './download.ts';
import type { Source } from './source.ts';

/** 32 leaves of 1 KiB with their pairs: what BLAKE3 takes at once, and what a host reads in one go. Beyond it they are verified without waiting for the rest. */
const gatheredMaximumBytes = 32 * (1_024 + pairBytes);

/** One leaf of a content, as the verifier takes it, and who brought it. */
export interface GatheredLeaf extends IncomingFragment {
  readonly from: Source;
}

/** Of one content, cut as it was when they came. */
export interface GatheredLeaves {
  readonly download: Download;
  readonly groupShift: number;
  readonly leaves: readonly GatheredLeaf[];
}

export class Gathering {
  #groups: { readonly download: Download; readonly groupShift: number; readonly leaves: GatheredLeaf[] }[] = [];
  #sizeBytes = 0;

  get isEmpty(): boolean { return this.#groups.length === 0; }
  get isFull(): boolean { return this.#sizeBytes >= gatheredMaximumBytes; }

  add(from: Source, index: number, payload: Uint8Array): void {
    const { download, ordinal } = from;
    let group = this.#groups.find((each) => each.download === download && each.groupShift === download.groupShift);
    if (group === undefined) {
      group = { download, groupShift: download.groupShift, leaves: [] };
      this.#groups.push(group);
    }
    group.leaves.push({ index, payload, source: ordinal, from });
    this.#sizeBytes += payload.length;
  }

  /** All of them, in the order of their coming within each content. */
  take(): readonly GatheredLeaves[] {
    const groups = this.#groups;
    this.#groups = [];
    this.#sizeBytes = 0;
    return groups;
  }
}
