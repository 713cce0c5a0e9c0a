/** What is shown of a file that we send, from its row and what is known of its way. */
import { isReleased } from './holder-drops.ts';
import type { FileStatus } from '../inspection-types.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { Instant } from '../wire/types.ts';
import type { Upload } from './upload.ts';

/** @param relayHoldsBytes the most that the recipient's relays hold of one file; undefined while nobody has said. */
export function uploadStatus(row: FileRow, upload: Upload | undefined, relayHoldsBytes: () => number | undefined, now: Instant): FileStatus {
  const known = isReleased(row) ? [] : row.heldBy;
  const holders = upload === undefined ? known.map((relay) => ({ relay, heldBytes: row.blobBytes, complete: true })) : [...upload.holders].map(([relay, holder]) => ({ relay, ...holder }));
  if (row.stage === 'failed') return { state: { state: 'failed', reason: row.failure ?? 'gone' }, holders };
  if (row.stage === 'ready' || holders.some(({ complete }) => complete)) return { state: { state: 'ready' }, holders };
  const doneBytes = holders.reduce((bytes, holder) => Math.max(bytes, holder.heldBytes), 0);
  if (row.stage === 'paused') return { state: { state: 'waiting', reason: 'paused', doneBytes }, holders };
  if (upload !== undefined && upload.othersFirst > 0 && (upload.reason === undefined || upload.reason === 'letter-first')) {
    return { state: { state: 'waiting', reason: 'others-first', othersFirst: upload.othersFirst, doneBytes }, holders };
  }
  if (upload === undefined || upload.reason !== undefined) {
    const mostBytes = relayHoldsBytes();
    return { state: { state: 'waiting', reason: upload?.reason ?? 'no-source', doneBytes, ...(mostBytes === undefined ? {} : { relayHoldsBytes: mostBytes }) }, holders };
  }
  const bytesPerSecond = upload.rate.bytesPerSecond(doneBytes, now.monotonicMs);
  const remaining = bytesPerSecond > 0 ? { remainingMs: (row.blobBytes - doneBytes) * 1_000 / bytesPerSecond } : {};
  return { state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources: [] }, holders };
}
