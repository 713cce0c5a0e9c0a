/** What lies in one blob store, known without asking: filled at the start, kept up by what is answered. Everything goes to the store through it. */
import { nameKey } from '../directed/datum.ts';
import { snapshotBytes } from '../lockstep/snapshot.ts';
import type { ContentName } from '../wire/types.ts';
import type { BlobPort } from './blob-port.ts';
import type { BlobInfo, BlobRequest, BlobResult } from './blob-store.ts';

export class BlobShelf {
  readonly #port: BlobPort;
  readonly #blobs = new Map<string, BlobInfo>();

  constructor(port: BlobPort, blobs: readonly BlobInfo[]) {
    this.#port = port;
    for (const blob of blobs) this.#blobs.set(nameKey(blob.name), blob);
  }

  /** Undefined: nothing of it is here. */
  info(name: ContentName): BlobInfo | undefined { return this.#blobs.get(nameKey(name)); }
  isComplete(name: ContentName): boolean { return this.info(name)?.complete === true; }
  /** Bytes of it that are durable here. */
  storedBytes(name: ContentName): number {
    const info = this.info(name);
    if (info?.complete === true) return name.length;
    return info?.snapshot === undefined ? 0 : snapshotBytes(info.snapshot);
  }
  get all(): Iterable<BlobInfo> { return this.#blobs.values(); }

  readonly ask: BlobPort = (request, done) => {
    const asked: BlobRequest = request;
    // What is to go does not count as here any more: nobody may be told that it is held, or go on from what it had.
    if (asked.op === 'delete') this.#blobs.delete(nameKey(asked.name));
    this.#port(request, (result, now) => {
      this.#learn(request, result);
      done(result, now);
    });
  };

  /** A file of the person's was sealed beside the engine. */
  added(name: ContentName): void { this.#blobs.set(nameKey(name), { name, complete: true, snapshot: undefined }); }

  #isWhole(key: string): boolean { return this.#blobs.get(key)?.complete === true; }

  #learn(request: BlobRequest, result: BlobResult): void {
    if (request.op === 'load') return;
    const key = nameKey(request.name);
    if (!result.ok) {
      // A partial blob that is gone says nothing about a whole one that took its place.
      const isPartial = request.op === 'write' || request.op === 'checkpoint';
      if (result.failure === 'damaged' || (result.failure === 'gone' && !(isPartial && this.#isWhole(key)))) this.#blobs.delete(key);
      return;
    }
    switch (request.op) {
      case 'begin':
        if (!this.#blobs.has(key)) this.#blobs.set(key, { name: request.name, complete: false, snapshot: undefined });
        return;
      case 'checkpoint': if (!this.#isWhole(key)) this.#blobs.set(key, { name: request.name, complete: false, snapshot: request.snapshot }); return;
      case 'complete': this.#blobs.set(key, { name: request.name, complete: true, snapshot: undefined }); return;
      case 'delete': this.#blobs.delete(key); return;
      case 'write': case 'read': case 'read-record': return;
    }
  }
}
