/**
 * A content on its way from other machines to our disk: a download (engine/directed) whose proved bytes are written as a blob. It can stop at any
 * moment and go on from what was made durable, here or after a restart.
 */
import { snapshotBytes } from '../lockstep/snapshot.ts';
import { BlobWriter } from './blob-writer.ts';
import type { Directed, DownloadHandle, SourceEnd } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobPort } from './blob-port.ts';
import type { BlobFailure } from './blob-store.ts';

/** Memory for fragments that came before their turn: a window of 100 Mbit/s over 300 ms. */
const keptMaximumBytes = 4 * 1_048_576;

export interface BlobDownloadEvents {
  /** All of it is durable here. Nothing comes after it. */
  completed(now: Instant): void;
  /** It cannot go on; what was verified stays, unless it was damaged. Nothing comes after it. */
  failed(failure: BlobFailure, now: Instant): void;
  sourceEnded(sessionId: SessionId, reason: SourceEnd, now: Instant): void;
}

export class BlobDownload {
  readonly name: ContentName;
  readonly #directed: Directed;
  readonly #blobs: BlobPort;
  readonly #events: BlobDownloadEvents;
  readonly #writer: BlobWriter;
  #handle: DownloadHandle | undefined;
  /** Sources that were added before the disk was ready. */
  readonly #early = new Set<SessionId>();
  readonly #storedBytes: number;
  #stopped = false;
  #completing = false;
  /** Wait for the end of what the disk is doing. */
  readonly #afterCompleting: ((now: Instant) => void)[] = [];

  /** Begins at once; `snapshot` is what the blob store had stored for it. */
  constructor(directed: Directed, blobs: BlobPort, name: ContentName, snapshot: Uint8Array | undefined, events: BlobDownloadEvents) {
    this.#directed = directed;
    this.#blobs = blobs;
    this.name = name;
    this.#events = events;
    this.#storedBytes = snapshot === undefined ? 0 : snapshotBytes(snapshot);
    this.#writer = new BlobWriter(blobs, name, {
      snapshot: () => this.#handle?.snapshot ?? new Uint8Array(0),
      hold: (held, now) => { this.#handle?.hold(held, now); },
      failed: (failure, now) => { this.#fail(failure, now); },
    });
    this.#blobs<'begin'>({ op: 'begin', name }, (result, now) => {
      if (this.#stopped) return;
      if (!result.ok) { this.#fail(result.failure, now); return; }
      this.#start(snapshot, now);
    });
  }

  get verifiedBytes(): number { return this.#handle?.verifiedBytes ?? this.#storedBytes; }
  /** With those that will be asked as soon as the disk is ready: to whoever looks, it is on its way. */
  get sources(): DownloadHandle['sources'] { return this.#handle?.sources ?? [...this.#early].map((sessionId) => ({ sessionId, receivedBytes: 0, badFragments: 0 })); }
  get checkpointAtMs(): number | undefined { return this.#writer.checkpointAtMs; }

  addSource(sessionId: SessionId, now: Instant): void {
    if (this.#handle === undefined) this.#early.add(sessionId);
    else this.#handle.addSource(sessionId, now);
  }

  removeSource(sessionId: SessionId, now: Instant): void {
    this.#early.delete(sessionId);
    this.#handle?.removeSource(sessionId, now);
  }

  /** The disk is ready, so that sources can be asked. */
  get isStarted(): boolean { return this.#handle !== undefined; }

  /** All of it is with the disk. */
  get isCompleting(): boolean { return this.#completing; }

  checkpoint(): void { if (!this.#stopped && !this.#completing && this.#handle !== undefined) this.#writer.checkpoint(); }

  /** `stopped` runs when what has come is durable; the blob store then has a snapshot to go on from. */
  stop(now: Instant, stopped?: (now: Instant) => void): void {
    if (this.#stopped) {
      if (this.#completing && stopped !== undefined) this.#afterCompleting.push(stopped);
      else stopped?.(now);
      return;
    }
    this.#stopped = true;
    this.#handle?.cancel(now);
    if (this.#handle === undefined) { stopped?.(now); return; }
    // All of it is with the disk; there is nothing left that a snapshot could keep.
    if (this.#completing) {
      if (stopped !== undefined) this.#afterCompleting.push(stopped);
      return;
    }
    this.#writer.checkpoint((at) => {
      this.#writer.end();
      stopped?.(at);
    });
  }

  #start(snapshot: Uint8Array | undefined, now: Instant): void {
    this.#handle = this.#directed.download(this.name, {
      trafficClass: 'bulk',
      keptMaximumBytes,
      ...(snapshot === undefined ? {} : { snapshot }),
      verified: (offset, bytes, at) => { this.#writer.write(offset, bytes, at); },
      completed: () => { this.#complete(); },
      sourceEnded: (sessionId, reason, at) => { if (!this.#stopped) this.#events.sourceEnded(sessionId, reason, at); },
    }, now);
    if (this.#handle === undefined) { this.#fail('damaged', now); return; }
    // Nothing is missing but the last reading of it.
    if (this.#handle.verifiedBytes === this.name.length) { this.#complete(); return; }
    for (const sessionId of this.#early) this.#handle.addSource(sessionId, now);
    this.#early.clear();
  }

  #complete(): void {
    this.#completing = true;
    this.#writer.complete((at) => {
      this.#completing = false;
      this.#runAfterCompleting(at);
      if (this.#stopped) return;
      this.#stopped = true;
      this.#events.completed(at);
    });
  }

  #fail(failure: BlobFailure, now: Instant): void {
    this.#completing = false;
    this.#runAfterCompleting(now);
    if (this.#stopped) return;
    this.#stopped = true;
    this.#handle?.cancel(now);
    this.#writer.end();
    this.#events.failed(failure, now);
  }

  #runAfterCompleting(now: Instant): void {
    for (const run of this.#afterCompleting.splice(0)) run(now);
  }
}
