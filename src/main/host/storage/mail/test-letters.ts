/** Makes requests for the tests of mail stores: small numbers name mailboxes, letters, bodies and tokens. */
import type { DepositArguments, MailboxQuota } from '../../../engine/mail/mail-store.ts';
import type { Mailbox } from '../../../engine/wire/types.ts';

export const bytesOf = (kind: number, value: number, sizeBytes: number): Uint8Array => {
  const bytes = new Uint8Array(sizeBytes).fill(kind);
  new DataView(bytes.buffer).setUint32(1, value);
  return bytes;
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export const identityOf = (value: number): string => hex(bytesOf(2, value, 33));
export const deviceOf = (value: number): string => hex(bytesOf(3, value, 16));
export const mailboxOf = (value: number, device = 0): Mailbox => ({ identity: identityOf(value), deviceId: deviceOf(device) });
export const letterIdOf = (value: number): Uint8Array => bytesOf(4, value, 32);
export const tokenHashOf = (value: number): Uint8Array => bytesOf(5, value, 32);
export const purgeHashOf = (value: number): Uint8Array => bytesOf(6, value, 32);
export const rootOf = (value: number): Uint8Array => bytesOf(7, value, 32);

export const roomyQuota: MailboxQuota = { letters: 1_000, bytes: 10_000_000, lettersPerToken: 128, strangerLetters: 50, receipts: 100 };

/** A letter of 100 + 272 bytes that lives an hour, deposited under token 1 at time 0. */
export function letterOf(value: number, changes: Partial<DepositArguments> = {}): DepositArguments {
  return {
    mailbox: mailboxOf(1), tokenHash: tokenHashOf(1), lane: 'letter', letterId: letterIdOf(value), header: bytesOf(8, value, 100), bodyRoot: rootOf(value),
    body: bytesOf(9, value, 272), purgeHash: purgeHashOf(value), ttlSeconds: 3_600, elapsedMs: 0, wallMs: 1_700_000_000_000, quota: roomyQuota, ...changes,
  };
}
