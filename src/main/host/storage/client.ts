/**
 * The other side of the storage worker. `submit` takes a callback and costs no promise: the engine's host calls it thousands of times a
 * second. Requests of one turn of the loop travel together. When the worker dies everything pending fails, and so does all that follows.
 */
import type { Worker } from 'node:worker_threads';
import { WaypostError } from '../../../shared/errors.ts';
import type { MailOperation, MailRequest, MailResults } from '../../engine/mail/mail-store.ts';
import type { StoreFailure, VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults } from '../../engine/mail/visor-store.ts';
import { startThread } from '../thread.ts';
import type { Outcome } from './group-commit.ts';
import type { FromWorker, QueryRequest, Reply, StorageConfiguration, StoreName, StoreRequest, StoreResult, ToWorker } from './worker-protocol.ts';

const workerGone: StoreFailure = { code: 'internal', message: 'The storage of Waypost has stopped. Start Waypost again.' };

export interface StorageClientOptions {
  /** The built or source file of `storage-worker.ts`. */
  readonly entry: URL;
  readonly configuration: StorageConfiguration;
  /** A damaged database was set aside; may come while opening and at any time after. */
  readonly quarantined?: (store: StoreName, path: string) => void;
  /** The worker ended without being asked to; everything pending has failed. */
  readonly stopped?: (failure: StoreFailure) => void;
}

type Settle = (outcome: Outcome<StoreResult>) => void;

export class StorageClient {
  readonly #worker: Worker;
  readonly #options: StorageClientOptions;
  readonly #pending = new Map<number, Settle>();
  readonly #opened = Promise.withResolvers<undefined>();
  readonly #closed = Promise.withResolvers<undefined>();
  #outgoing: (StoreRequest | QueryRequest)[] = [];
  #nextTicket = 1;
  #state: 'running' | 'closing' | 'gone' = 'running';

  constructor(options: StorageClientOptions) {
    this.#options = options;
    this.#worker = startThread(options.entry, { name: 'storage' });
    this.#worker.on('message', (message: FromWorker) => { this.#receive(message); });
    this.#worker.on('error', () => { this.#end(); });
    this.#worker.on('exit', () => { this.#end(); });
    // A rejection that nobody waits for must not end the process.
    this.#opened.promise.catch(() => undefined);
    this.#post({ kind: 'open', configuration: options.configuration });
  }

  /** Resolves when both databases are open; rejects with a WaypostError of a `StoreFailure` code. */
  opened(): Promise<undefined> {
    return this.#opened.promise;
  }

  /** Requests without an answer: the caller's measure of back-pressure. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Applied in order. The callback runs once, after the commit, never before `submit` has returned. */
  submit(store: 'visor', request: VisorRequest, callback: (outcome: Outcome<VisorResults[VisorOperation]>) => void): void;
  submit(store: 'mail', request: MailRequest, callback: (outcome: Outcome<MailResults[MailOperation]>) => void): void;
  submit(...[store, request, callback]:
    | readonly ['visor', VisorRequest, (outcome: Outcome<never>) => void]
    | readonly ['mail', MailRequest, (outcome: Outcome<never>) => void]): void {
    // The ticket ties the answer to the request, and with it to the callback's type, which the table of pending ones cannot say.
    const ticket = this.#ticket(callback as Settle);
    this.#send(store === 'visor' ? { ticket, store, request: compact(request) } : { ticket, store, request: compact(request) });
  }

  /** Sees everything submitted before it. Rejects with a WaypostError. */
  query<Name extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Name }>): Promise<VisorQueryResults[Name]> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome<VisorQueryResults[Name]>): void => {
        if (outcome.ok) resolve(outcome.result);
        else reject(new WaypostError(outcome.failure.code, outcome.failure.message));
      };
      this.#send({ ticket: this.#ticket(settle as Settle), query });
    });
  }

  /** Commits what was submitted, answers it, closes the databases and ends the thread. */
  async close(): Promise<void> {
    if (this.#state === 'running') {
      this.#flush();
      this.#state = 'closing';
      this.#post({ kind: 'close' });
    }
    await this.#closed.promise;
  }

  #ticket(settle: Settle): number {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#pending.set(ticket, settle);
    return ticket;
  }

  #send(request: StoreRequest | QueryRequest): void {
    if (this.#state !== 'running') {
      queueMicrotask(() => { this.#settle({ ticket: request.ticket, ok: false, failure: workerGone }); });
      return;
    }
    this.#outgoing.push(request);
    if (this.#outgoing.length === 1) queueMicrotask(() => { this.#flush(); });
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return;
    const requests = this.#outgoing;
    this.#outgoing = [];
    this.#post({ kind: 'requests', requests });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'opened': this.#opened.resolve(undefined); return;
      case 'not-opened': this.#opened.reject(new WaypostError(message.failure.code, message.failure.message)); return;
      case 'quarantined': this.#options.quarantined?.(message.store, message.path); return;
      case 'replies': for (const reply of message.replies) this.#settle(reply); return;
      case 'closed': return;
    }
  }

  #settle(reply: Reply): void {
    const settle = this.#pending.get(reply.ticket);
    this.#pending.delete(reply.ticket);
    settle?.(reply.ok ? { ok: true, result: reply.result } : { ok: false, failure: reply.failure });
  }

  #end(): void {
    if (this.#state === 'gone') return;
    const wasAsked = this.#state === 'closing';
    this.#state = 'gone';
    for (const ticket of [...this.#pending.keys()]) this.#settle({ ticket, ok: false, failure: workerGone });
    this.#opened.reject(new WaypostError(workerGone.code, workerGone.message));
    this.#closed.resolve(undefined);
    if (!wasAsked) this.#options.stopped?.(workerGone);
  }
}

/**
 * A view into a larger buffer would travel with all of that buffer: a header of 453 bytes with the 64 KiB it was cut from. Most requests hold
 * no such view and are passed on as they are.
 */
const compact = <Value>(value: Value): Value => (holdsView(value) ? copied(value) : value);

function holdsView(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.byteLength !== value.buffer.byteLength;
  if (typeof value !== 'object' || value === null || value instanceof Map) return false;
  return Object.values(value).some(holdsView);
}

function copied<Value>(value: Value): Value {
  if (value instanceof Uint8Array) return (value.byteLength === value.buffer.byteLength ? value : value.slice()) as Value;
  if (Array.isArray(value)) return value.map(copied) as Value;
  if (typeof value !== 'object' || value === null || value instanceof Map) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copied(field)])) as Value;
}
