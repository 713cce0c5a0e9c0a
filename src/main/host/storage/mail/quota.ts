/**
 * Is there room? Pure. Each pool has its own count and its own bytes:
 * letters under a token: `letters` and `bytes`; strangers: `strangerLetters` and the same share of `bytes`; receipts: `receipts` and a
 * fixed size each, so that mail can never keep a delivery receipt out and a receipt lane cannot be used to store bulk.
 */
import type { DepositResult, MailboxQuota } from '../../../engine/mail/mail-store.ts';
import type { Pool, Waiting } from './mailboxes.ts';

/** Room for one receipt: header (453) + a body of 4,096 (60 items), rounded up. */
export const receiptSizeBytes = 5 * 1024;

export type QuotaScope = Extract<DepositResult, { outcome: 'quota' }>['scope'];

export interface QuotaQuestion {
  readonly quota: MailboxQuota;
  readonly pool: Pool;
  readonly waiting: Readonly<Record<Pool, Waiting>>;
  /** Letters waiting under the same token. */
  readonly waitingUnderToken: number;
  readonly sizeBytes: number;
}

/** Undefined when the letter fits. */
export function exceededQuota({ quota, pool, waiting, waitingUnderToken, sizeBytes }: QuotaQuestion): QuotaScope | undefined {
  const { count, bytes } = waiting[pool];
  const fits = (mostLetters: number, mostBytes: number): boolean => count < mostLetters && bytes + sizeBytes <= mostBytes;
  switch (pool) {
    case 'letters':
      if (waitingUnderToken >= quota.lettersPerToken) return 'token';
      return fits(quota.letters, quota.bytes) ? undefined : 'mailbox';
    case 'strangers':
      return fits(quota.strangerLetters, quota.letters === 0 ? 0 : (quota.bytes * quota.strangerLetters) / quota.letters) ? undefined : 'strangers';
    case 'receipts':
      return fits(quota.receipts, quota.receipts * receiptSizeBytes) ? undefined : 'receipts';
  }
}
