/** What a driver under test needs and a test has no interest in. */
import { MemoryBlobs } from '../engine/files/memory-blobs.ts';
import { nobleCrypto } from '../engine/noble-crypto.ts';
import type { BlobOperation, BlobRequest, BlobResult } from '../engine/files/blob-store.ts';
import type { DriverOptions } from './driver.ts';

/** Blob stores in memory that answer in a microtask. */
export function memoryBlobs(): DriverOptions['blobs'] {
  const store = (): DriverOptions['blobs']['own-blobs'] => {
    const blobs = new MemoryBlobs(nobleCrypto);
    return {
      submit: <Op extends BlobOperation>(request: Extract<BlobRequest, { op: Op }>, done: (result: BlobResult<Op>) => void): void => {
        // The store answers each request with the result of its own kind.
        queueMicrotask(() => { done(blobs.apply(request) as BlobResult<Op>); });
      },
    };
  };
  return { 'own-blobs': store(), 'held-blobs': store() };
}
