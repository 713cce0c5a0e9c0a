/**
 * What a host keeps of large contents. A *blob* is a content as it travels: sealed bytes under a content name (BLAKE3 root and length). The same
 * bytes lie at the sender, at relays and at the recipient, so each of them can serve the others, and none but the two ends can read them.
 *
 * A blob is *partial* until all of it has been verified, written and synced; its snapshot (engine/lockstep) says which leaves were made durable.
 * The engine asks, the host answers each request once, in any order. A failure is an answer: unlike a failed commit it ends no engine.
 */
import type { ContentName } from '../wire/types.ts';

export interface BlobInfo {
  readonly name: ContentName;
  readonly complete: boolean;
  /** Of a partial one: what `checkpoint` stored last; undefined when nothing was. */
  readonly snapshot: Uint8Array | undefined;
  /** Of a complete one: it was sealed or copied for a command, and whether that was ever committed is not known, since the last run ended in between. */
  readonly unclaimed?: boolean;
}

export type BlobRequest =
  /** All blobs that are here. */
  | { readonly op: 'load' }
  /** Makes an empty partial blob, or leaves the one that is there. Refused as `disk-full` when the rest of it would not fit. */
  | { readonly op: 'begin'; readonly name: ContentName }
  /** Not durable yet. The host copies nothing: the bytes belong to it from now on. */
  | { readonly op: 'write'; readonly name: ContentName; readonly offset: number; readonly bytes: Uint8Array }
  /** Syncs all that was written before, then stores the snapshot in one step. */
  | { readonly op: 'checkpoint'; readonly name: ContentName; readonly snapshot: Uint8Array }
  /** Reads all of it once more: if it hashes to its name it is synced, with its folder, and complete from then on; if not, it is deleted (`damaged`). */
  | { readonly op: 'complete'; readonly name: ContentName }
  /** Of a complete blob, within its length. */
  | { readonly op: 'read'; readonly name: ContentName; readonly offset: number; readonly sizeBytes: number }
  /** Of a complete blob: the tree values that `decodeRecord` (engine/lockstep) reads. */
  | { readonly op: 'read-record'; readonly name: ContentName }
  /** Whether it is there or not. */
  | { readonly op: 'delete'; readonly name: ContentName };
export type BlobOperation = BlobRequest['op'];

/** `gone`: there is no such blob (any more). `damaged`: what lies there does not hash to its name. `io`: the disk failed. */
export type BlobFailure = 'disk-full' | 'gone' | 'damaged' | 'io';

export interface BlobValues {
  'load': readonly BlobInfo[];
  'begin': void; 'write': void; 'checkpoint': void; 'complete': void; 'delete': void;
  'read': Uint8Array;
  'read-record': Uint8Array;
}
export type BlobResult<Op extends BlobOperation = BlobOperation> =
  { readonly ok: true; readonly value: BlobValues[Op] } | { readonly ok: false; readonly failure: BlobFailure };
export type BlobResults = { readonly [Op in BlobOperation]: BlobResult<Op> };
