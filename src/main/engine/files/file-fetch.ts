/** One incoming file that is wanted: what is known of its way here. What there is of it lies in the blob store, and what is to happen in its row. */
import { RateMeter } from './rate-meter.ts';
import type { FileWaitReason } from '../../../shared/file-views.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { ContentName } from '../wire/types.ts';
import type { BlobDownload } from './blob-download.ts';

export interface FileFetch {
  readonly id: string;
  readonly name: ContentName;
  readonly rate: RateMeter;
  download: BlobDownload | undefined;
  /** Relays, and the sender, that are not to be asked before. */
  readonly notBeforeMs: Map<string, { atMs: number; failures: number }>;
  reason: FileWaitReason;
  retryAtMs: number;
  damaged: number;
  shownBytes: number;
}

export const newFetch = (row: FileRow): FileFetch => ({
  id: row.messageId, name: { root: row.root, length: row.blobBytes }, rate: new RateMeter(), download: undefined, notBeforeMs: new Map(), reason: 'no-source', retryAtMs: 0, damaged: 0, shownBytes: -1,
});

/** It has sources, or is about to: the disk makes it ready, or reads all of it once more. */
export const isMoving = ({ download }: FileFetch): boolean => download !== undefined && (!download.isStarted || download.sources.length > 0 || download.isCompleting);
