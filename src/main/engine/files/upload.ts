/** One file of ours that the recipient has not got: what is known of its way. What is to happen stands in its row, its bytes lie in the blob store. */
import { RateMeter } from './rate-meter.ts';
import type { FileWaitReason } from '../../../shared/file-views.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { ContentName } from '../wire/types.ts';
import type { BlobDatum } from './blob-datum.ts';

interface Holder { heldBytes: number; complete: boolean }

export interface Upload {
  readonly id: string;
  readonly name: ContentName;
  readonly holders: Map<string, Holder>;
  readonly refusedUntilMs: Map<string, number>;
  /** Relays that could not be reached: not to be asked before, unless things change for the better. */
  readonly missedUntilMs: Map<string, number>;
  readonly rate: RateMeter;
  /** `waiting` for its turn, at it, or `resting` until its deadline: only one that is at it has more than this in memory. */
  turn: 'waiting' | 'active' | 'resting';
  /** Turns that brought it nowhere, since things last changed for the better. */
  turnsInVain: number;
  /** Others that go first, as counted last; more than are told apart count as one more than those. */
  othersFirst: number;
  progressAtMs: number;
  /** When its turn began. */
  activeSinceMs: number;
  /** Offered to whoever shows its name. */
  datum: BlobDatum | undefined;
  asking: boolean;
  failures: number;
  reason: FileWaitReason | undefined;
  shownBytes: number;
}

export const newUpload = (row: FileRow): Upload => ({
  id: row.messageId, name: { root: row.root, length: row.blobBytes }, holders: new Map(row.heldBy.map((relay) => [relay, { heldBytes: row.blobBytes, complete: true }])),
  refusedUntilMs: new Map(), missedUntilMs: new Map(), rate: new RateMeter(), turn: 'waiting', turnsInVain: 0, othersFirst: 0, progressAtMs: 0, activeSinceMs: 0, datum: undefined, asking: false, failures: 0,
  reason: 'letter-first', shownBytes: -1,
});

/** A relay has all of it: it is only asked now and then whether that is still so. */
export const isHeld = (upload: Upload): boolean => {
  for (const { complete } of upload.holders.values()) if (complete) return true;
  return false;
};
