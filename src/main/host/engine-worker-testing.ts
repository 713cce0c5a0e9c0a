/** The engine's thread as it is, except that two sentences given as notices make it break: for tests of what survives that. */
import { parentPort } from 'node:worker_threads';

/** Throws where nothing catches. */
export const breakNotice = 'Break.';
/** Ends the thread without an error. */
export const endNotice = 'End.';
export const breakMessage = 'the engine broke';
export const breakingWorker = new URL(import.meta.url);

// A test imports this file too, for the names above.
if (parentPort !== null) {
  await import('./engine-worker.ts');
  parentPort.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null || !('notices' in message) || !Array.isArray(message.notices)) return;
    if (message.notices.includes(breakNotice)) throw new Error(breakMessage);
    if (message.notices.includes(endNotice)) process.exit(3);
  });
}
