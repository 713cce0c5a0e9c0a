/**
 * The storage worker's work without the thread: two stores with a group commit each, and queries that run after everything submitted before
 * them has been committed. `schedule` gives the event loop a turn, in which more requests gather for the next batch.
 */
import type { MailOperation, MailRequest, MailResults } from '../../engine/mail/mail-store.ts';
import type { StoreFailure, VisorOperation, VisorRequest, VisorResults } from '../../engine/mail/visor-store.ts';
import { toStoreFailure } from './failure.ts';
import { createFieldCipher } from './field-cipher.ts';
import { GroupCommit } from './group-commit.ts';
import { MailFile, VisorFile } from './store-files.ts';
import type { FromWorker, QueryRequest, Reply, StorageConfiguration, StoreName, StoreRequest } from './worker-protocol.ts';

const notConfigured: StoreFailure = { code: 'internal', message: 'This part of the storage is not in use in this profile.' };

export class StorageService {
  readonly #send: (message: FromWorker) => void;
  readonly #visorFile: VisorFile | undefined;
  readonly #mailFile: MailFile | undefined;
  readonly #visor: GroupCommit<VisorRequest, VisorResults[VisorOperation]> | undefined;
  readonly #mail: GroupCommit<MailRequest, MailResults[MailOperation]> | undefined;
  #replies: Reply[] = [];

  constructor(configuration: StorageConfiguration, send: (message: FromWorker) => void, schedule: (flush: () => void) => void) {
    this.#send = send;
    const { visorPath, mailPath, localKey } = configuration;
    const wallMs = (): number => Date.now();
    const quarantined = (store: StoreName) => (path: string): void => { send({ kind: 'quarantined', store, path }); };
    const answered = (): void => { this.#answer(); };
    if (visorPath !== undefined) {
      this.#visorFile = new VisorFile({ path: visorPath, wallMs, quarantined: quarantined('visor'), cipher: createFieldCipher(localKey) });
      this.#visor = new GroupCommit(this.#visorFile, { schedule, answered });
    }
    if (mailPath !== undefined) {
      this.#mailFile = new MailFile({ path: mailPath, wallMs, quarantined: quarantined('mail') });
      this.#mail = new GroupCommit(this.#mailFile, { schedule, answered });
    }
  }

  open(): void {
    try {
      this.#visorFile?.open();
      this.#mailFile?.open();
      this.#send({ kind: 'opened' });
    } catch (error) {
      this.#send({ kind: 'not-opened', failure: toStoreFailure(error) });
    }
  }

  take(requests: readonly (StoreRequest | QueryRequest)[]): void {
    for (const request of requests) {
      if ('query' in request) this.#query(request);
      else this.#submit(request);
    }
    this.#answer();
  }

  /** Commits what is queued, then closes in order. */
  close(): void {
    this.#visor?.drain();
    this.#mail?.drain();
    this.#answer();
    this.#visorFile?.close();
    this.#mailFile?.close();
    this.#send({ kind: 'closed' });
  }

  #submit(request: StoreRequest): void {
    const { ticket } = request;
    const answer = (outcome: { readonly ok: true; readonly result: VisorResults[VisorOperation] | MailResults[MailOperation] } | { readonly ok: false; readonly failure: StoreFailure }): void => {
      this.#replies.push({ ticket, ...outcome });
    };
    const isTaken = request.store === 'visor' ? this.#visor?.submit(request.request, answer) : this.#mail?.submit(request.request, answer);
    if (isTaken !== true) answer({ ok: false, failure: notConfigured });
  }

  #query({ ticket, query }: QueryRequest): void {
    if (this.#visorFile === undefined) {
      this.#replies.push({ ticket, ok: false, failure: notConfigured });
      return;
    }
    // A query sees what was submitted before it.
    this.#visor?.drain();
    try {
      this.#replies.push({ ticket, ok: true, result: this.#visorFile.query(query) });
    } catch (error) {
      this.#replies.push({ ticket, ok: false, failure: toStoreFailure(error) });
    }
  }

  #answer(): void {
    if (this.#replies.length === 0) return;
    const replies = this.#replies;
    this.#replies = [];
    this.#send({ kind: 'replies', replies });
  }
}
