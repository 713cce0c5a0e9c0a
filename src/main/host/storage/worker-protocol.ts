/**
 * What passes between the storage worker and its client. Both directions carry arrays: one message per turn of the loop and one per batch,
 * since the cost of a message is per message. Everything is plain data for the structured clone.
 */
import type { MailOperation, MailRequest, MailResults } from '../../engine/mail/mail-store.ts';
import type { StoreFailure, VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults } from '../../engine/mail/visor-store.ts';

export interface StorageConfiguration {
  /** Database files; a store without a path is not opened. */
  readonly visorPath?: string;
  readonly mailPath?: string;
  /** 32 bytes; seals the columns of the visor store. */
  readonly localKey: Uint8Array;
}

export type StoreName = 'visor' | 'mail';
export type StoreRequest =
  | { readonly ticket: number; readonly store: 'visor'; readonly request: VisorRequest }
  | { readonly ticket: number; readonly store: 'mail'; readonly request: MailRequest };
export interface QueryRequest { readonly ticket: number; readonly query: VisorQuery }

export type ToWorker =
  | { readonly kind: 'open'; readonly configuration: StorageConfiguration }
  | { readonly kind: 'requests'; readonly requests: readonly (StoreRequest | QueryRequest)[] }
  | { readonly kind: 'close' };

export type StoreResult = VisorResults[VisorOperation] | MailResults[MailOperation] | VisorQueryResults[VisorQuery['query']];
export type Reply =
  | { readonly ticket: number; readonly ok: true; readonly result: StoreResult }
  | { readonly ticket: number; readonly ok: false; readonly failure: StoreFailure };

export type FromWorker =
  | { readonly kind: 'opened' }
  | { readonly kind: 'not-opened'; readonly failure: StoreFailure }
  /** A damaged database was moved to `path` and a new one begun. */
  | { readonly kind: 'quarantined'; readonly store: StoreName; readonly path: string }
  | { readonly kind: 'replies'; readonly replies: readonly Reply[] }
  | { readonly kind: 'closed' };
