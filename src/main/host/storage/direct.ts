/**
 * Both stores in this thread over memory, for the simulated world: the same batching, SQL and rules as on disk, but a batch commits only when
 * told to, and a crash can be staged. The databases outlive a crash as a disk would; what was not committed does not.
 */
import type { MailOperation, MailRequest, MailResults } from '../../engine/mail/mail-store.ts';
import type { FieldCipher, StoreFailure, VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults } from '../../engine/mail/visor-store.ts';
import { memoryPath } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import type { BatchTarget, Callback } from './group-commit.ts';
import { MailFile, VisorFile } from './store-files.ts';

/** Nothing of the simulated world is secret, and sealing would draw randomness. */
const plainCipher: FieldCipher = { seal: (plaintext) => plaintext, open: (sealed) => sealed };

export class MemoryStores {
  readonly #visorFile: VisorFile;
  readonly #mailFile: MailFile;
  readonly #visor: GroupCommit<VisorRequest, VisorResults[VisorOperation]>;
  readonly #mail: GroupCommit<MailRequest, MailResults[MailOperation]>;
  #failure: StoreFailure | undefined;

  constructor() {
    const wallMs = (): number => 0;
    this.#visorFile = new VisorFile({ path: memoryPath, wallMs, cipher: plainCipher });
    this.#mailFile = new MailFile({ path: memoryPath, wallMs });
    this.#visor = new GroupCommit(this.#failing(this.#visorFile));
    this.#mail = new GroupCommit(this.#failing(this.#mailFile));
  }

  submit(store: 'visor', request: VisorRequest, callback: Callback<VisorResults[VisorOperation]>): void;
  submit(store: 'mail', request: MailRequest, callback: Callback<MailResults[MailOperation]>): void;
  submit(...[store, request, callback]:
    | readonly ['visor', VisorRequest, Callback<VisorResults[VisorOperation]>]
    | readonly ['mail', MailRequest, Callback<MailResults[MailOperation]>]): void {
    if (store === 'visor') this.#visor.submit(request, callback);
    else this.#mail.submit(request, callback);
  }

  /** Of what is committed. */
  query<Name extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Name }>): VisorQueryResults[Name] {
    return this.#visorFile.query(query);
  }

  /** Requests that wait for `commit`. */
  get pending(): number {
    return this.#visor.pending + this.#mail.pending;
  }

  /** One batch of each store; callbacks run inside, and what they submit waits for the next call. Returns how many were answered. */
  commit(): number {
    const mail = this.#mail.pending;
    return this.#visor.flush() + (mail > 0 ? this.#mail.flush() : 0);
  }

  /** The next batch (of either store) fails as a whole with this, once. */
  failNextCommit(failure: StoreFailure): void {
    this.#failure = failure;
  }

  /**
   * The process ends: no callback of a pending request ever runs. `drop`: what was pending is lost. `keep`: it had reached the disk, only the
   * answer was lost.
   */
  crash(pending: 'drop' | 'keep'): void {
    if (pending === 'keep') {
      this.#visor.silence();
      this.#mail.silence();
      this.#visor.drain();
      this.#mail.drain();
    }
    this.#visor.forget();
    this.#mail.forget();
  }

  close(): void {
    this.#visorFile.close();
    this.#mailFile.close();
  }

  #failing<Request, Result>(target: BatchTarget<Request, Result>): BatchTarget<Request, Result> {
    return {
      commit: (requests) => {
        if (this.#failure !== undefined) throw new StagedFailure();
        return target.commit(requests);
      },
      recover: (thrown) => {
        if (!(thrown instanceof StagedFailure) || this.#failure === undefined) return target.recover(thrown);
        const failure = this.#failure;
        this.#failure = undefined;
        target.recover(thrown);
        return failure;
      },
      maintain: () => { target.maintain(); },
      sizeOf: (request) => target.sizeOf(request),
    };
  }
}

class StagedFailure extends Error {
  override readonly name = 'StagedFailure';
}

export const createMemoryStores = (): MemoryStores => new MemoryStores();
