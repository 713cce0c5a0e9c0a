/**
 * A machine's disk: the real stores over memory, with batches that take time to become durable. A batch collects what was asked while
 * the one before it was being written; it becomes durable as a whole, and its results come back a moment later. A crash may fall before
 * the commit (the batch never was), between the commits of the two stores, or after them, when all is durable and nobody has heard of it.
 */
import { MemoryBlobs } from '../src/main/engine/files/memory-blobs.ts';
import { createMemoryStores, type MemoryStores } from '../src/main/host/storage/direct.ts';
import type { EventQueue } from './clock.ts';
import type { SeededRandom } from './random.ts';
import type { Crypto } from '../src/main/engine/crypto.ts';
import type { BlobShelfName } from '../src/main/engine/engine-types.ts';
import type { BlobFailure, BlobRequest, BlobResult } from '../src/main/engine/files/blob-store.ts';
import type { MailOperation, MailRequest, MailResults } from '../src/main/engine/mail/mail-store.ts';
import type { StoreFailure, VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults } from '../src/main/engine/mail/visor-store.ts';

export type StoreResult = VisorResults[VisorOperation] | MailResults[MailOperation];
export type StoreAsk = { readonly store: 'visor'; readonly request: VisorRequest } | { readonly store: 'mail'; readonly request: MailRequest };
interface Job { readonly ask: StoreAsk; readonly deliver: (result: StoreResult) => void }

export type CrashStep = 'before-commit' | 'between-stores' | 'after-commit';

export interface DiskEvents {
  /** It is durable. Called in order of commit, before any result is delivered. */
  committed(ask: StoreAsk, result: StoreResult): void;
  /** The batch failed as a whole; nothing of it is durable. */
  failed(failure: StoreFailure): void;
  /** A store refused by itself what the engine gave it. */
  refused(asks: readonly StoreAsk[], failure: StoreFailure): void;
  /** A blob store did what it was asked. */
  blobDone(shelf: BlobShelfName, request: BlobRequest): void;
  /** The planned crash step was reached: the machine is to stop here. */
  crashStep(step: CrashStep): void;
  /** No results may be delivered now (the machine sleeps): until that world time. */
  readonly asleepUntilMs: () => number;
}

/** From a fast SSD to a slow one; now and then it has something else to do. */
const fsyncMinimumMs = 0.3;
const fsyncMaximumMs = 12;
const stallChance = 0.01;
const stallMaximumMs = 900;
const deliveryMaximumMs = 1.5;
const blobMinimumMs = 0.1;

export class Disk {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #events: DiskEvents;
  #visor: MemoryStores = createMemoryStores();
  #mail: MemoryStores = createMemoryStores();
  #waiting: Job[] = [];
  #writing: readonly Job[] | undefined;
  /** Rises at every crash: what was under way before it ends nowhere. */
  #power = 0;
  #crashAt: CrashStep | undefined;
  #failNext = false;
  #deliveredMs = 0;
  #blobsDoneMs = 0;

  readonly blobs: Readonly<Record<BlobShelfName, MemoryBlobs>>;

  constructor(queue: EventQueue, random: SeededRandom, crypto: Crypto, events: DiskEvents) {
    this.blobs = { 'own-blobs': new MemoryBlobs(crypto), 'held-blobs': new MemoryBlobs(crypto) };
    this.#queue = queue;
    this.#random = random;
    this.#events = events;
  }

  /** At once, for the start of a machine. */
  applyNow(ask: StoreAsk): StoreResult {
    let result: StoreResult | undefined;
    this.#submit({ ask, deliver: (value) => { result = value; } }, (failure) => { throw new Error(`the simulated disk failed: ${failure.message}`); });
    this.#commitAll();
    if (result === undefined) throw new Error('the store did not answer');
    this.#events.committed(ask, result);
    return result;
  }

  query<Name extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Name }>): VisorQueryResults[Name] { return this.#visor.query(query); }

  /** A look at relay mail that changes nothing that matters. */
  lookAtMail(request: MailRequest): StoreResult | undefined {
    let result: StoreResult | undefined;
    this.#mail.submit('mail', request, (outcome) => { if (outcome.ok) result = outcome.result; });
    this.#mail.commit();
    return result;
  }

  submit(ask: StoreAsk, deliver: (result: StoreResult) => void): void {
    this.#waiting.push({ ask, deliver });
    if (this.#writing === undefined) this.#startBatch();
  }

  /** Large contents do not go through the batches: each request takes its own time, in the order in which they came. */
  submitBlob(shelf: BlobShelfName, request: BlobRequest, deliver: (result: BlobResult) => void): void {
    const power = this.#power;
    const tookMs = this.#random.logarithmic(blobMinimumMs, request.op === 'write' || request.op === 'read' ? blobMinimumMs * 10 : fsyncMaximumMs);
    this.#blobsDoneMs = Math.max(this.#blobsDoneMs, this.#queue.nowMs + tookMs);
    this.#queue.at(this.#blobsDoneMs, () => {
      this.#whenAwake(power, () => {
        const result = this.blobs[shelf].apply(request);
        if (result.ok) this.#events.blobDone(shelf, request);
        deliver(result);
      });
    });
  }

  /** From now on these fail for files, and only these. */
  failBlobs(operations: readonly BlobRequest['op'][], failure: BlobFailure): void {
    for (const blobs of Object.values(this.blobs)) blobs.failing = (request) => (operations.includes(request.op) ? failure : undefined);
  }

  /** The next batch ends in a crash at that step. */
  planCrash(step: CrashStep): void { this.#crashAt = step; }
  planFailure(): void { this.#failNext = true; }

  /** Nothing that was planned happens any more. */
  calm(): void {
    this.#crashAt = undefined;
    this.#failNext = false;
    this.failBlobs([], 'io');
  }

  /** Power is gone: what is not durable never will be. */
  crash(): void {
    this.#power += 1;
    for (const blobs of Object.values(this.blobs)) blobs.crash();
    this.#waiting = [];
    this.#writing = undefined;
    this.#crashAt = undefined;
    this.#failNext = false;
  }

  /** An orderly end: everything handed in becomes durable. */
  flush(): void {
    const jobs = [...(this.#writing ?? []), ...this.#waiting];
    this.crash();
    this.#write(jobs);
  }

  loseMail(): void { this.#mail.close(); this.#mail = createMemoryStores(); }
  loseAll(): void { this.loseMail(); this.#visor.close(); this.#visor = createMemoryStores(); }
  close(): void { this.#visor.close(); this.#mail.close(); }

  #startBatch(): void {
    if (this.#waiting.length === 0) { this.#writing = undefined; return; }
    const jobs = this.#waiting;
    this.#waiting = [];
    this.#writing = jobs;
    const stallMs = this.#random.chance(stallChance) ? this.#random.between(0, stallMaximumMs) : 0;
    const power = this.#power;
    this.#queue.after(this.#random.logarithmic(fsyncMinimumMs, fsyncMaximumMs) + stallMs, () => { this.#whenAwake(power, () => { this.#finishBatch(jobs); }); });
  }

  #whenAwake(power: number, run: () => void): void {
    if (power !== this.#power) return;
    const wakeMs = this.#events.asleepUntilMs();
    if (wakeMs > this.#queue.nowMs) this.#queue.at(wakeMs, () => { this.#whenAwake(power, run); });
    else run();
  }

  #finishBatch(jobs: readonly Job[]): void {
    const step = this.#crashAt;
    this.#crashAt = undefined;
    if (step === 'before-commit') { this.#events.crashStep(step); return; }
    if (this.#failNext) { this.#events.failed({ code: 'disk-full', message: 'The disk is full.' }); return; }
    const visorJobs = jobs.filter((job) => job.ask.store === 'visor');
    const mailJobs = jobs.filter((job) => job.ask.store === 'mail');
    const results = this.#write(step === 'between-stores' ? visorJobs : [...visorJobs, ...mailJobs]);
    if (results === undefined) return;
    if (step !== undefined) { this.#events.crashStep(step); return; }
    const power = this.#power;
    // Results come back in the order of the batches.
    this.#deliveredMs = Math.max(this.#deliveredMs, this.#queue.nowMs + this.#random.between(0, deliveryMaximumMs));
    this.#queue.at(this.#deliveredMs, () => {
      this.#whenAwake(power, () => {
        for (const job of jobs) {
          // A result may bring the machine down (a failed check); the rest is then for nobody.
          if (power !== this.#power) return;
          const result = results.get(job);
          if (result !== undefined) job.deliver(result);
        }
      });
    });
    this.#startBatch();
  }

  #write(jobs: readonly Job[]): ReadonlyMap<Job, StoreResult> | undefined {
    let refused: StoreFailure | undefined;
    const results = new Map<Job, StoreResult>();
    for (const job of jobs) {
      this.#submit({ ask: job.ask, deliver: (result) => { results.set(job, result); } }, (failure) => { refused = failure; });
    }
    this.#commitAll();
    if (refused !== undefined) { this.#events.refused(jobs.map((job) => job.ask), refused); return undefined; }
    for (const job of jobs) {
      const result = results.get(job);
      if (result !== undefined) this.#events.committed(job.ask, result);
    }
    return results;
  }

  #submit({ ask, deliver }: Job, failed: (failure: StoreFailure) => void): void {
    if (ask.store === 'visor') this.#visor.submit('visor', ask.request, (outcome) => { if (outcome.ok) deliver(outcome.result); else failed(outcome.failure); });
    else this.#mail.submit('mail', ask.request, (outcome) => { if (outcome.ok) deliver(outcome.result); else failed(outcome.failure); });
  }

  #commitAll(): void {
    while (this.#visor.pending > 0) this.#visor.commit();
    while (this.#mail.pending > 0) this.#mail.commit();
  }
}
