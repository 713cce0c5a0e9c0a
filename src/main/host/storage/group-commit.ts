/**
 * Group commit: requests queue while a batch commits; a batch is one transaction; results leave only after its COMMIT. A failed
 * commit fails the whole batch, since no part of it is known to be on disk, and the target is reopened. Knows no SQLite and no threads: the
 * target does the work, `schedule` says when the next batch may run (a worker's turn, or an explicit call in the simulated world).
 */
import type { StoreFailure } from '../../engine/mail/visor-store.ts';

/** Bounds of one batch: enough requests to share an fsync well, few enough that nobody waits long behind them. */
export const mostRequestsPerBatch = 512;
export const mostBytesPerBatch = 4 * 1024 * 1024;

export type Outcome<Result> = { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly failure: StoreFailure };
export type Callback<Result> = (outcome: Outcome<Result>) => void;

export interface BatchTarget<Request, Result> {
  /** Applies all requests in one transaction and commits. On a throw nothing was applied as far as anybody may assume. */
  commit(requests: readonly Request[]): readonly Result[];
  /** After a throw: rolls back, reopens, and says what to tell the senders. Must not throw. */
  recover(thrown: unknown): StoreFailure;
  /** Between batches: checkpoints and the like. A failure here has lost nothing; it must not throw. */
  maintain(): void;
  /** Roughly what the request adds to the transaction, in bytes. */
  sizeOf(request: Request): number;
}

export interface GroupCommitOptions {
  /** Called when the queue becomes non-empty: runs `flush` some time later. Absent: the owner calls `flush`. */
  readonly schedule?: (flush: () => void) => void;
  /** Called when all callbacks of a batch have run, to send what they collected. */
  readonly answered?: () => void;
  readonly mostRequests?: number;
  readonly mostBytes?: number;
}

interface Queued<Request, Result> { readonly request: Request; readonly callback: Callback<Result> }

export class GroupCommit<Request, Result> {
  readonly #target: BatchTarget<Request, Result>;
  readonly #schedule: ((flush: () => void) => void) | undefined;
  readonly #answered: () => void;
  readonly #mostRequests: number;
  readonly #mostBytes: number;
  #queue: Queued<Request, Result>[] = [];
  #isScheduled = false;

  constructor(target: BatchTarget<Request, Result>, options: GroupCommitOptions = {}) {
    this.#target = target;
    this.#schedule = options.schedule;
    this.#answered = options.answered ?? (() => undefined);
    this.#mostRequests = options.mostRequests ?? mostRequestsPerBatch;
    this.#mostBytes = options.mostBytes ?? mostBytesPerBatch;
  }

  /** Requests that are not committed yet. */
  get pending(): number {
    return this.#queue.length;
  }

  /** Always true: the request is taken, the callback will run (or never, after `forget`). */
  submit(request: Request, callback: Callback<Result>): true {
    this.#queue.push({ request, callback });
    this.#arm();
    return true;
  }

  /** Commits one batch, in order of submission; returns how many requests it answered. Callbacks may submit: that is the next batch. */
  flush(): number {
    this.#isScheduled = false;
    const batch = this.#takeBatch();
    if (batch.length === 0) return 0;
    const outcomes = this.#commit(batch);
    for (const [index, { callback }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) callback(outcome);
    }
    this.#answered();
    // After the answers: nobody waits for a checkpoint.
    this.#target.maintain();
    if (this.#queue.length > 0) this.#arm();
    return batch.length;
  }

  /** Until nothing is queued: at an orderly end. */
  drain(): void {
    while (this.flush() > 0);
  }

  /** A crash after the commit but before the answers: queued requests still commit, their callbacks never run. */
  silence(): void {
    this.#queue = this.#queue.map(({ request }) => ({ request, callback: () => undefined }));
  }

  /** A crash: queued requests vanish and their callbacks never run. */
  forget(): void {
    this.#queue = [];
  }

  #arm(): void {
    if (this.#isScheduled || this.#schedule === undefined) return;
    this.#isScheduled = true;
    this.#schedule(() => { this.flush(); });
  }

  #takeBatch(): readonly Queued<Request, Result>[] {
    let bytes = 0;
    let count = 0;
    for (const { request } of this.#queue) {
      bytes += this.#target.sizeOf(request);
      // The first always goes, however large it is.
      if (count > 0 && (count >= this.#mostRequests || bytes > this.#mostBytes)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  #commit(batch: readonly Queued<Request, Result>[]): readonly Outcome<Result>[] {
    try {
      return this.#target.commit(batch.map(({ request }) => request)).map((result) => ({ ok: true, result }));
    } catch (error) {
      const failure = this.#target.recover(error);
      return batch.map(() => ({ ok: false, failure }));
    }
  }
}
