/**
 * Takes the bytes of a download as they are proved and has them written: gathered into larger stretches, with a bound on what the disk has not
 * taken yet, and with a snapshot now and then, so that a crash costs no more than the last few megabytes.
 */
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobFailure } from './blob-store.ts';
import type { BlobPort } from './blob-port.ts';

/** Written at once: two leaves of the largest size. */
const stretchBytes = 65_536;
/** Handed to the disk and not taken yet: above the first the download is held, below the second it goes on. */
const pendingMaximumBytes = 16 * 1_048_576;
const pendingResumeBytes = 8 * 1_048_576;
/** Between two snapshots: what a crash may cost, in bytes and in time. */
const checkpointBytes = 16 * 1_048_576;
const checkpointMs = 10_000;

export interface BlobWriterEvents {
  /** Which leaves are proved by now; all their bytes have been handed over. */
  snapshot(): Uint8Array;
  /** The disk cannot follow: nothing more is to be asked for; or it can again. */
  hold(held: boolean, now: Instant): void;
  failed(failure: BlobFailure, now: Instant): void;
}

export class BlobWriter {
  readonly #blobs: BlobPort;
  readonly #name: ContentName;
  readonly #events: BlobWriterEvents;
  #stretch = new Uint8Array(0);
  #stretchOffset = 0;
  #stretchLength = 0;
  #pendingBytes = 0;
  #held = false;
  #sinceCheckpointBytes = 0;
  #checkpointAtMs: number | undefined;
  #checkpointing = false;
  #ended = false;

  constructor(blobs: BlobPort, name: ContentName, events: BlobWriterEvents) {
    this.#blobs = blobs;
    this.#name = name;
    this.#events = events;
  }

  /** Copies. */
  write(offset: number, bytes: Uint8Array, now: Instant): void {
    if (this.#ended) return;
    if (offset !== this.#stretchOffset + this.#stretchLength || this.#stretchLength + bytes.length > this.#stretch.length) {
      this.#flush();
      this.#stretch = new Uint8Array(Math.max(stretchBytes, bytes.length));
      this.#stretchOffset = offset;
    }
    this.#stretch.set(bytes, this.#stretchLength);
    this.#stretchLength += bytes.length;
    this.#sinceCheckpointBytes += bytes.length;
    this.#checkpointAtMs ??= now.monotonicMs + checkpointMs;
    if (this.#sinceCheckpointBytes >= checkpointBytes) this.checkpoint();
    if (!this.#held && this.#pendingBytes > pendingMaximumBytes) {
      this.#held = true;
      this.#events.hold(true, now);
    }
  }

  /** When the next snapshot is due. */
  get checkpointAtMs(): number | undefined { return this.#checkpointing ? undefined : this.#checkpointAtMs; }

  checkpoint(done?: (now: Instant) => void): void {
    this.#flush();
    if (this.#checkpointing && done === undefined) return;
    this.#checkpointing = true;
    this.#sinceCheckpointBytes = 0;
    this.#checkpointAtMs = undefined;
    this.#blobs<'checkpoint'>({ op: 'checkpoint', name: this.#name, snapshot: this.#events.snapshot() }, (result, now) => {
      this.#checkpointing = false;
      if (!result.ok) this.#fail(result.failure, now);
      done?.(now);
    });
  }

  /** Everything is written: have it read once more and made durable. */
  complete(done: (now: Instant) => void): void {
    this.#flush();
    this.#blobs<'complete'>({ op: 'complete', name: this.#name }, (result, now) => {
      if (this.#ended) return;
      this.#ended = true;
      if (result.ok) done(now);
      else this.#events.failed(result.failure, now);
    });
  }

  /** Nothing more happens; what was written stays. */
  end(): void { this.#ended = true; }

  #flush(): void {
    if (this.#stretchLength === 0) return;
    const bytes = this.#stretch.subarray(0, this.#stretchLength);
    this.#stretch = new Uint8Array(0);
    this.#stretchLength = 0;
    this.#pendingBytes += bytes.length;
    this.#blobs<'write'>({ op: 'write', name: this.#name, offset: this.#stretchOffset, bytes }, (result, now) => {
      this.#pendingBytes -= bytes.length;
      if (!result.ok) { this.#fail(result.failure, now); return; }
      if (!this.#held || this.#pendingBytes > pendingResumeBytes || this.#ended) return;
      this.#held = false;
      this.#events.hold(false, now);
    });
  }

  #fail(failure: BlobFailure, now: Instant): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.failed(failure, now);
  }
}
