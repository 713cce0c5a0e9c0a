/** The requests about large contents in short, and what they answer: names are `rootOf` a small number, of one MiB unless told. */
import type { BlobQuota, MailRequest, MailStore } from '../../../engine/mail/mail-store.ts';
import type { Mailbox } from '../../../engine/wire/types.ts';
import { deviceOf, identityOf, mailboxOf, rootOf, tokenHashOf } from './test-letters.ts';

export const mib = 1_048_576;
export const roomyBlobQuota: BlobQuota = { bytes: 1e12, bytesPerToken: 1e12, blobs: 1_000 };

type Hold = Partial<Extract<MailRequest, { op: 'hold-blob' }>>;
interface Name { readonly root: Uint8Array; readonly length: number }

export const nameOf = (value: number, length = mib): Name => ({ root: rootOf(value), length });
export const partial = (value: number, length = mib) => ({ ...nameOf(value, length), complete: false });
export const whole = (value: number, length = mib) => ({ ...nameOf(value, length), complete: true });
export const noted = (remainingSeconds = 3_600, complete = false) => ({ outcome: 'noted', complete, remainingSeconds });
/** Contract and stores promise no order. */
const byName = (one: Name, two: Name): number => Buffer.compare(one.root, two.root) || one.length - two.length;

export type BlobWorld = ReturnType<typeof blobWorld>;

/** `other` is a second mailbox, which `prepare` opens with token 1 granted. */
export function blobWorld(store: MailStore) {
  const mailbox = mailboxOf(1);
  const other = mailboxOf(2);
  const prepare = (): void => {
    store.apply<'register'>({ op: 'register', mailbox: other, elapsedMs: 0 });
    store.apply<'tokens'>({ op: 'tokens', mailbox: other, version: 1, reset: false, tokens: [{ granted: true, hash: tokenHashOf(1) }] });
  };
  const hold = (value: number, changes: Hold = {}) => store.apply<'hold-blob'>({
    op: 'hold-blob', mailbox, tokenHash: tokenHashOf(1), root: rootOf(value), length: mib, ttlSeconds: 3_600, elapsedMs: 0, quota: roomyBlobQuota, ...changes,
  });
  const complete = (value: number, length = mib) => store.apply<'blob-complete'>({ op: 'blob-complete', ...nameOf(value, length) });
  const drop = (value: number, from: Mailbox = mailbox, length = mib) => store.apply<'drop-blob'>({ op: 'drop-blob', mailbox: from, ...nameOf(value, length) }).orphaned;
  const blobs = (elapsedMs = 0) => [...store.apply<'blobs'>({ op: 'blobs', elapsedMs }).blobs].sort(byName);
  const expireBlobs = (elapsedMs: number, most = 100) => {
    const { orphaned, more } = store.apply<'expire-blobs'>({ op: 'expire-blobs', elapsedMs, most });
    return { orphaned: [...orphaned].sort(byName), more };
  };
  const revoke = () => store.apply<'revoke-device'>({ op: 'revoke-device', identity: identityOf(1), keepDeviceIds: [deviceOf(1)], elapsedMs: 0 });
  return { other, prepare, hold, complete, drop, blobs, expireBlobs, revoke };
}
