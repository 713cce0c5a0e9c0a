/** What is shown of a file that others sent us, from its row and what is known of its way. */
import type { FileSource } from '../../../shared/file-views.ts';
import type { FileStatus } from '../inspection-types.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant } from '../wire/types.ts';
import type { FileFetch } from './file-fetch.ts';

/** @param keptBytes what is here of it. @param sourceOf who is at the other end of a session. */
export function fetchStatus(row: FileRow, fetch: FileFetch | undefined, keptBytes: () => number, sourceOf: (sessionId: SessionId) => FileSource, now: Instant): FileStatus {
  const holders: FileStatus['holders'] = [];
  switch (row.stage) {
    case 'ready': return { state: { state: 'ready' }, holders };
    case 'failed': return { state: { state: 'failed', reason: row.failure ?? 'gone' }, holders };
    case 'offered': return { state: { state: 'waiting', reason: 'not-asked', doneBytes: 0 }, holders };
    case 'paused': return { state: { state: 'waiting', reason: 'paused', doneBytes: keptBytes() }, holders };
    case 'wanted': break;
  }
  const download = fetch?.download;
  const sources = download?.sources ?? [];
  // All bytes are here and are being read once more.
  if (download?.verifiedBytes === row.blobBytes) return { state: { state: 'moving', doneBytes: row.blobBytes, bytesPerSecond: 0, remainingMs: 0, sources: [] }, holders };
  if (fetch === undefined || download === undefined || sources.length === 0) return { state: { state: 'waiting', reason: fetch?.reason ?? 'no-source', doneBytes: keptBytes() }, holders };
  const doneBytes = download.verifiedBytes;
  const bytesPerSecond = fetch.rate.bytesPerSecond(doneBytes, now.monotonicMs);
  const remaining = bytesPerSecond > 0 ? { remainingMs: (row.blobBytes - doneBytes) * 1_000 / bytesPerSecond } : {};
  return { state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources: sources.map(({ sessionId }) => sourceOf(sessionId)) }, holders };
}
