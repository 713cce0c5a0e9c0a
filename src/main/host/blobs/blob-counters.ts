/** What a blob store has done since it was opened, for diagnostics. */
import type { BlobFailure } from '../../engine/files/blob-store.ts';

export interface BlobCounters {
  begun: number; writes: number; writtenBytes: number; writeCalls: number; checkpoints: number; completed: number; reads: number; readBytes: number;
  deleted: number; imported: number; exported: number; recordsRemade: number; diskFull: number; damaged: number; ioFailures: number;
}

export const newBlobCounters = (): BlobCounters => ({
  begun: 0, writes: 0, writtenBytes: 0, writeCalls: 0, checkpoints: 0, completed: 0, reads: 0, readBytes: 0, deleted: 0, imported: 0, exported: 0,
  recordsRemade: 0, diskFull: 0, damaged: 0, ioFailures: 0,
});

export function countFailure(counters: BlobCounters, failure: BlobFailure): void {
  switch (failure) {
    case 'disk-full': counters.diskFull += 1; return;
    case 'damaged': counters.damaged += 1; return;
    case 'io': counters.ioFailures += 1; return;
    case 'gone': return;
  }
}
