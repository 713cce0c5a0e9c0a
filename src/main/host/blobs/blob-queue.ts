/**
 * Work on blobs: in order on each of them, side by side on different ones. Writes that wait and follow each other in the file become one.
 */
import type { BlobFailure, BlobRequest } from '../../engine/files/blob-store.ts';
import { sliceBytes } from './file-slices.ts';

type WriteRequest = Extract<BlobRequest, { op: 'write' }>;

export interface QueuedWrite {
  readonly kind: 'write';
  readonly request: WriteRequest;
  /** Undefined: it succeeded. */
  readonly answer: (failure: BlobFailure | undefined) => void;
}
/** `run` never rejects. */
type Job = QueuedWrite | { readonly kind: 'run'; readonly run: () => Promise<void> };

export class BlobQueue {
  readonly #writeRow: (base: string, row: readonly QueuedWrite[]) => Promise<BlobFailure | undefined>;
  readonly #jobs = new Map<string, Job[]>();

  /** `writeRow` gets writes of which each begins where the one before ends, and never rejects. */
  constructor(writeRow: (base: string, row: readonly QueuedWrite[]) => Promise<BlobFailure | undefined>) {
    this.#writeRow = writeRow;
  }

  get busyCount(): number { return this.#jobs.size; }

  add(base: string, job: Job): void {
    const waiting = this.#jobs.get(base);
    if (waiting !== undefined) {
      waiting.push(job);
      return;
    }
    const jobs = [job];
    this.#jobs.set(base, jobs);
    void this.#work(base, jobs);
  }

  /** Work in its turn, with what it gives or throws. */
  exclusive<Result>(base: string, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.add(base, { kind: 'run', run: () => work().then(resolve, reject) });
    });
  }

  /** Resolves when everything that was added before is done. */
  async settled(): Promise<void> {
    await Promise.all([...this.#jobs.keys()].map((base) => this.exclusive(base, () => Promise.resolve())));
  }

  async #work(base: string, jobs: Job[]): Promise<void> {
    // What is added in the same turn is in before the first one is taken.
    await Promise.resolve();
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      if (job.kind === 'run') {
        await job.run();
        continue;
      }
      const row = [job, ...takeFollowing(job.request, jobs)];
      const failure = await this.#writeRow(base, row);
      for (const { answer } of row) answer(failure);
    }
    this.#jobs.delete(base);
  }
}

function takeFollowing(first: WriteRequest, jobs: Job[]): readonly QueuedWrite[] {
  const following: QueuedWrite[] = [];
  let sizeBytes = first.bytes.length;
  for (const job of jobs) {
    if (job.kind !== 'write' || job.request.offset !== first.offset + sizeBytes || sizeBytes + job.request.bytes.length > sliceBytes) break;
    sizeBytes += job.request.bytes.length;
    following.push(job);
  }
  jobs.splice(0, following.length);
  return following;
}
