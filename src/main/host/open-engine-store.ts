/** The storage thread as the driver's store: started when it is needed, and started again after it broke. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MailOperation, MailRequest, MailResults } from '../engine/mail/mail-store.ts';
import type { VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults } from '../engine/mail/visor-store.ts';
import { storeError, type EngineStore, type StoreOutcome } from './engine-store.ts';
import { StorageClient } from './storage/client.ts';
import { workerFile } from './worker-file.ts';

export interface StoreOptions {
  readonly directory: string;
  readonly localKey: Uint8Array;
  /** Whether a relay's mail is kept too. */
  readonly relay: boolean;
  /** A damaged database was set aside under this name, and a new one begun. */
  readonly quarantined: (store: 'visor' | 'mail', file: string) => void;
}

const ownerOnlyDirectory = 0o700;

const isOpened = (result: MailResults[MailOperation]): result is MailResults['open'] => 'epoch' in result && 'lastWallMs' in result;

class WorkerStore implements EngineStore {
  readonly #options: StoreOptions;
  #client: StorageClient | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  submit(store: 'visor', request: VisorRequest, done: (outcome: StoreOutcome<VisorResults[VisorOperation]>) => void): void;
  submit(store: 'mail', request: MailRequest, done: (outcome: StoreOutcome<MailResults[MailOperation]>) => void): void;
  submit(...submission:
    | [store: 'visor', request: VisorRequest, done: (outcome: StoreOutcome<VisorResults[VisorOperation]>) => void]
    | [store: 'mail', request: MailRequest, done: (outcome: StoreOutcome<MailResults[MailOperation]>) => void]): void {
    if (submission[0] === 'visor') this.#running().submit('visor', submission[1], submission[2]);
    else this.#running().submit('mail', submission[1], submission[2]);
  }

  async load(): Promise<VisorResults['load']> {
    const client = this.#running();
    await client.opened();
    return new Promise((resolve, reject) => {
      client.submit('visor', { op: 'load' }, (outcome) => {
        if (!outcome.ok) reject(storeError(outcome.failure));
        else if ('contacts' in outcome.result) resolve(outcome.result);
        else reject(storeError({ code: 'internal', message: 'The storage gave an answer to another question. Start Waypost again.' }));
      });
    });
  }

  openMail(request: Extract<MailRequest, { op: 'open' }>): Promise<MailResults['open']> {
    return new Promise((resolve, reject) => {
      this.#running().submit('mail', request, (outcome: StoreOutcome<MailResults[MailOperation]>) => {
        if (!outcome.ok) reject(storeError(outcome.failure));
        else if (isOpened(outcome.result)) resolve(outcome.result);
        else reject(storeError({ code: 'internal', message: 'The storage gave an answer to another question. Start Waypost again.' }));
      });
    });
  }

  query<Q extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Q }>): Promise<VisorQueryResults[Q]> {
    return this.#running().query(query);
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  #running(): StorageClient {
    if (this.#client !== undefined) return this.#client;
    const { directory, localKey, relay, quarantined } = this.#options;
    const client = new StorageClient({
      entry: pathToFileURL(workerFile('storage-worker')),
      configuration: { visorPath: path.join(directory, 'visor.db'), localKey, ...(relay ? { mailPath: path.join(directory, 'mail.db') } : {}) },
      quarantined,
      // Whatever was pending has failed, so the driver comes back with `load` after its pause.
      stopped: () => { this.#client = undefined; },
    });
    this.#client = client;
    return client;
  }
}

/** @throws WaypostError with a store's code when the databases do not open. */
export async function openEngineStore(options: StoreOptions): Promise<EngineStore> {
  await mkdir(options.directory, { recursive: true, mode: ownerOnlyDirectory });
  return new WorkerStore(options);
}
