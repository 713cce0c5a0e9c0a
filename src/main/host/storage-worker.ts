/** Entry of the storage thread: an fsync here never stalls packets. Takes one configuration, then requests, then perhaps a close. */
import { parentPort } from 'node:worker_threads';
import { toStoreFailure } from './storage/failure.ts';
import { StorageService } from './storage/storage-service.ts';
import type { FromWorker, ToWorker } from './storage/worker-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('storage-worker.ts is the entry of a worker thread');

const send = (message: FromWorker): void => { port.postMessage(message); };
let service: StorageService | undefined;

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'open':
      try {
        // setImmediate: all messages that have come by then join the batch.
        service = new StorageService(message.configuration, send, (flush) => { setImmediate(flush); });
        service.open();
      } catch (error) {
        send({ kind: 'not-opened', failure: toStoreFailure(error) });
      }
      return;
    case 'requests':
      service?.take(message.requests);
      return;
    case 'close':
      service?.close();
      port.close();
      return;
  }
});
