/**
 * What the driver needs of a store: requests applied in the order in which they were handed in, each answered after the commit of its
 * batch. The storage worker's client implements it; tests use one in memory.
 */
import { toErrorView, WaypostError } from '../../shared/errors.ts';
import type { MailOperation, MailRequest, MailResults } from '../engine/mail/mail-store.ts';
import type { StoreFailure, VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults } from '../engine/mail/visor-store.ts';

export type StoreOutcome<Result> = { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly failure: StoreFailure };

export interface EngineStore {
  /** The callback runs once, after the commit, and never before `submit` has returned. Callbacks of one batch run in a row. */
  submit(store: 'visor', request: VisorRequest, done: (outcome: StoreOutcome<VisorResults[VisorOperation]>) => void): void;
  submit(store: 'mail', request: MailRequest, done: (outcome: StoreOutcome<MailResults[MailOperation]>) => void): void;
  /** Everything that a visor starts from; opens the files again where an earlier failure closed them. Rejects with a WaypostError. */
  load(): Promise<VisorResults['load']>;
  openMail(request: Extract<MailRequest, { op: 'open' }>): Promise<MailResults['open']>;
  /** Rejects with a WaypostError. */
  query<Q extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Q }>): Promise<VisorQueryResults[Q]>;
  /** Waits for what was handed in, then closes the files. */
  close(): Promise<void>;
}

const storeCodes = ['disk-full', 'database-corrupt', 'database-newer', 'profile-unwritable', 'internal'] as const;

const isStoreCode = (code: unknown): code is StoreFailure['code'] => storeCodes.some((known) => known === code);

/** Any rejection of a store as a failure with a code and a sentence; unknown ones keep their text out. */
export function toStoreFailure(thrown: unknown): StoreFailure {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown && isStoreCode(thrown.code) && typeof thrown.message === 'string') {
    return { code: thrown.code, message: thrown.message };
  }
  return { code: 'internal', message: toErrorView(thrown).message };
}

export const storeError = (failure: StoreFailure): WaypostError => new WaypostError(failure.code, failure.message);
