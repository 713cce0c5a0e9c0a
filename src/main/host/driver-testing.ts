/** What a driver under test needs and a test has no interest in. */
import { MemoryBlobs } from '../engine/files/memory-blobs.ts';
import { nobleCrypto } from '../engine/noble-crypto.ts';
import type { BlobOperation, BlobRequest, BlobResult } from '../engine/files/blob-store.ts';
import type { MailOperation, MailRequest, MailResults } from '../engine/mail/mail-store.ts';
import type { VisorOperation, VisorRequest, VisorResults } from '../engine/mail/visor-store.ts';
import type { DriverOptions } from './driver-options.ts';
import { storeError, type EngineStore, type StoreOutcome } from './engine-store.ts';
import { createMemoryStores } from './storage/direct.ts';

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

/** Stores in memory that commit in the next turn of the loop. */
export function memoryEngineStore(): EngineStore {
  const stores = createMemoryStores();
  const commitLater = (): void => { setImmediate(() => { stores.commit(); }); };
  return {
    submit: (...submission:
      | [store: 'visor', request: VisorRequest, done: (outcome: StoreOutcome<VisorResults[VisorOperation]>) => void]
      | [store: 'mail', request: MailRequest, done: (outcome: StoreOutcome<MailResults[MailOperation]>) => void]) => {
      if (submission[0] === 'visor') stores.submit('visor', submission[1], submission[2]);
      else stores.submit('mail', submission[1], submission[2]);
      commitLater();
    },
    load: () => new Promise((resolve, reject) => {
      stores.submit('visor', { op: 'load' }, (outcome) => {
        if (outcome.ok) resolve(outcome.result as VisorResults['load']);
        else reject(storeError(outcome.failure));
      });
      commitLater();
    }),
    openMail: (request) => new Promise((resolve, reject) => {
      stores.submit('mail', request, (outcome) => {
        if (outcome.ok) resolve(outcome.result as MailResults['open']);
        else reject(storeError(outcome.failure));
      });
      commitLater();
    }),
    query: (query) => Promise.resolve(stores.query(query)),
    close: () => {
      stores.commit();
      return Promise.resolve();
    },
  };
}
