/** Large contents held for mailboxes: who may have how much noted, until when, and when a name is nobody's. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobQuota, MailRequest } from '../../../engine/mail/mail-store.ts';
import type { Mailbox } from '../../../engine/wire/types.ts';
import type { ConformanceWorld } from './conformance-world.ts';
import { deviceOf, identityOf, mailboxOf, roomyBlobQuota, rootOf, tokenHashOf } from './test-letters.ts';

const hourMs = 3_600_000;
const mib = 1_048_576;

type Hold = Partial<Extract<MailRequest, { op: 'hold-blob' }>>;

export function blobConformance({ store, mailbox, register, tokens, expire }: ConformanceWorld): void {
  const other = mailboxOf(2);
  const nameOf = (value: number, length = mib) => ({ root: rootOf(value), length });
  const noted = (remainingSeconds = 3_600, complete = false) => ({ outcome: 'noted', complete, remainingSeconds });
  const hold = (value: number, changes: Hold = {}) => store.apply<'hold-blob'>({
    op: 'hold-blob', mailbox, tokenHash: tokenHashOf(1), root: rootOf(value), length: mib, ttlSeconds: 3_600, elapsedMs: 0, quota: roomyBlobQuota, ...changes,
  });
  const complete = (value: number, length = mib) => store.apply<'blob-complete'>({ op: 'blob-complete', ...nameOf(value, length) });
  const drop = (value: number, from: Mailbox = mailbox, length = mib) => store.apply<'drop-blob'>({ op: 'drop-blob', mailbox: from, ...nameOf(value, length) }).orphaned;
  const byName = (one: { readonly root: Uint8Array; readonly length: number }, two: typeof one): number => Buffer.compare(one.root, two.root) || one.length - two.length;
  const blobs = (elapsedMs = 0) => [...store.apply<'blobs'>({ op: 'blobs', elapsedMs }).blobs].sort(byName);
  const expireBlobs = (elapsedMs: number, most = 100) => {
    const { orphaned, more } = store.apply<'expire-blobs'>({ op: 'expire-blobs', elapsedMs, most });
    return { orphaned: [...orphaned].sort(byName), more };
  };
  const revoke = () => store.apply<'revoke-device'>({ op: 'revoke-device', identity: identityOf(1), keepDeviceIds: [deviceOf(1)], elapsedMs: 0 });
  const partial = (value: number, length = mib) => ({ ...nameOf(value, length), complete: false });
  const whole = (value: number, length = mib) => ({ ...nameOf(value, length), complete: true });

  describe('large contents', () => {
    beforeEach(() => {
      store.apply<'register'>({ op: 'register', mailbox: other, elapsedMs: 0 });
      store.apply<'tokens'>({ op: 'tokens', mailbox: other, version: 1, reset: false, tokens: [{ granted: true, hash: tokenHashOf(1) }] });
    });

    describe('are noted for those whose token the owner knows', () => {
      it('partial at first', () => {
        expect(hold(1)).toEqual(noted());
        expect(blobs()).toEqual([partial(1)]);
      });
      it('not for a mailbox that was not registered', () => {
        expect(hold(1, { mailbox: mailboxOf(3) })).toEqual({ outcome: 'no-mailbox' });
        expect(hold(1, { mailbox: mailboxOf(1, 7) })).toEqual({ outcome: 'no-mailbox' });
        expect(blobs()).toEqual([]);
      });
      it('not for strangers: without a token, with one that was not granted, or granted by another', () => {
        expect(hold(1, { tokenHash: undefined })).toEqual({ outcome: 'stranger' });
        expect(hold(1, { tokenHash: tokenHashOf(9) })).toEqual({ outcome: 'stranger' });
        expect(hold(1, { mailbox: other, tokenHash: tokenHashOf(2) })).toEqual({ outcome: 'stranger' });
        expect(blobs()).toEqual([]);
      });
      it('not under a token that a reset forgot, until it is granted again', () => {
        hold(1);
        tokens(0, true, [2, true]);
        expect(hold(2)).toEqual({ outcome: 'stranger' });
        tokens(2, false, [1, true]);
        expect(hold(2)).toEqual(noted());
        expect(blobs()).toEqual([partial(1), partial(2)]);
      });
      it('not under a revoked token, which cannot renew what it left here either', () => {
        hold(1);
        tokens(2, false, [1, false]);
        expect(hold(2)).toEqual({ outcome: 'token-revoked' });
        expect(hold(1, { elapsedMs: 1_000 })).toEqual({ outcome: 'token-revoked' });
        expect(blobs(1_000)).toEqual([partial(1)]);
        expect(expireBlobs(hourMs)).toEqual({ orphaned: [nameOf(1)], more: false });
      });
    });

    describe('are limited', () => {
      it('by the bytes of the mailbox, to the last one', () => {
        const quota: BlobQuota = { ...roomyBlobQuota, bytes: 3 * mib };
        expect(hold(1, { quota })).toEqual(noted());
        expect(hold(2, { quota, tokenHash: tokenHashOf(2) })).toEqual(noted());
        expect(hold(3, { quota, length: mib + 1 })).toEqual({ outcome: 'quota' });
        expect(hold(3, { quota })).toEqual(noted());
        expect(hold(4, { quota, length: 1 })).toEqual({ outcome: 'quota' });
        expect(blobs()).toEqual([partial(1), partial(2), partial(3)]);
      });
      it('by the bytes of one token, to the last one, without touching another', () => {
        const quota: BlobQuota = { ...roomyBlobQuota, bytesPerToken: 2 * mib };
        expect(hold(1, { quota })).toEqual(noted());
        expect(hold(2, { quota, length: mib + 1 })).toEqual({ outcome: 'quota' });
        expect(hold(2, { quota })).toEqual(noted());
        expect(hold(3, { quota, length: 1 })).toEqual({ outcome: 'quota' });
        expect(hold(3, { quota, length: 2 * mib, tokenHash: tokenHashOf(2) })).toEqual(noted());
      });
      it('by their number', () => {
        const quota: BlobQuota = { ...roomyBlobQuota, blobs: 2 };
        expect([1, 2, 3].map((value) => hold(value, { quota, tokenHash: tokenHashOf(1 + value % 2), length: 1 }).outcome)).toEqual(['noted', 'noted', 'quota']);
        expect(hold(3, { quota: { ...quota, blobs: 0 }, mailbox: other })).toEqual({ outcome: 'quota' });
      });
      it('each mailbox by itself', () => {
        const quota: BlobQuota = { bytes: mib, bytesPerToken: mib, blobs: 1 };
        expect(hold(1, { quota })).toEqual(noted());
        expect(hold(2, { quota, mailbox: other })).toEqual(noted());
      });
      it('with whole lengths from the start, whether they have arrived or not', () => {
        const quota: BlobQuota = { ...roomyBlobQuota, bytes: mib };
        hold(1, { quota });
        expect(hold(2, { quota })).toEqual({ outcome: 'quota' });
        complete(1);
        expect(hold(2, { quota })).toEqual({ outcome: 'quota' });
      });
      it('until there is room again: one was dropped, or forgotten after its time', () => {
        const quota: BlobQuota = { bytes: 2 * mib, bytesPerToken: 2 * mib, blobs: 2 };
        hold(1, { quota });
        hold(2, { quota });
        drop(1);
        expect(hold(3, { quota, elapsedMs: 1 })).toEqual(noted());
        expect(hold(4, { quota, elapsedMs: hourMs })).toEqual({ outcome: 'quota' });
        expireBlobs(hourMs);
        expect(hold(4, { quota, elapsedMs: hourMs })).toEqual(noted());
      });
      it('under one token across a reset of the tokens', () => {
        const quota: BlobQuota = { ...roomyBlobQuota, bytesPerToken: mib };
        hold(1, { quota });
        tokens(2, true, [1, true], [2, true]);
        expect(hold(2, { quota })).toEqual({ outcome: 'quota' });
        expect(hold(2, { quota, tokenHash: tokenHashOf(2) })).toEqual(noted());
      });
      it('not by lengths too large to count together', () => {
        const largest = Number.MAX_SAFE_INTEGER;
        const quota: BlobQuota = { bytes: largest, bytesPerToken: largest, blobs: 5_000 };
        expect(hold(1, { quota, length: largest })).toEqual(noted());
        expect(hold(2, { quota, length: 1 })).toEqual({ outcome: 'quota' });
        const endless: BlobQuota = { bytes: Infinity, bytesPerToken: Infinity, blobs: 5_000 };
        for (let value = 2; value <= 1_100; value += 1) hold(value, { quota: endless, length: largest });
        expect(hold(1_101, { quota: endless, length: 0 })).toEqual(noted());
        expect(hold(1_102, { quota, length: 1 })).toEqual({ outcome: 'quota' });
        expect(blobs()).toHaveLength(1_101);
        expect(blobs()[0]).toEqual(partial(1, largest));
        complete(1, largest);
        expect(blobs()[0]).toEqual(whole(1, largest));
        expect(drop(1, mailbox, largest - 1)).toBe(false);
        expect(drop(1, mailbox, largest)).toBe(true);
      });
    });

    describe('noted twice by one mailbox', () => {
      it('count once, also when there is no room for another', () => {
        const quota: BlobQuota = { bytes: mib, bytesPerToken: mib, blobs: 1 };
        expect(hold(1, { quota })).toEqual(noted());
        expect(hold(1, { quota })).toEqual(noted());
        expect(hold(1, { quota: { bytes: 0, bytesPerToken: 0, blobs: 0 } })).toEqual(noted());
        expect(blobs()).toEqual([partial(1)]);
        expect(drop(1)).toBe(true);
        expect(hold(2, { quota })).toEqual(noted());
      });
      it('stay until the later of both ends', () => {
        expect(hold(1, { ttlSeconds: 7_200 })).toEqual(noted(7_200));
        expect(hold(1, { elapsedMs: 500, ttlSeconds: 60 })).toEqual(noted(7_199));
        expect(expireBlobs(hourMs)).toEqual({ orphaned: [], more: false });
        expect(hold(1, { elapsedMs: hourMs, ttlSeconds: 3_601 })).toEqual(noted(3_601));
        expect(expireBlobs(2 * hourMs)).toEqual({ orphaned: [], more: false });
        expect(expireBlobs(2 * hourMs + 1_000)).toEqual({ orphaned: [nameOf(1)], more: false });
      });
      it('stay under the token they were noted with first', () => {
        const quota: BlobQuota = { ...roomyBlobQuota, bytesPerToken: mib };
        hold(1, { quota });
        hold(1, { quota, tokenHash: tokenHashOf(2) });
        expect(hold(2, { quota })).toEqual({ outcome: 'quota' });
        expect(hold(2, { quota, tokenHash: tokenHashOf(2) })).toEqual(noted());
      });
      it('are found as they stand, also after their time while they are not forgotten', () => {
        hold(1);
        complete(1);
        expect(hold(1, { elapsedMs: 1_500 })).toEqual(noted(3_600, true));
        expect(hold(1, { elapsedMs: 2 * hourMs })).toEqual(noted(3_600, true));
        expect(expireBlobs(2 * hourMs)).toEqual({ orphaned: [], more: false });
      });
      it('are partial again once they were forgotten or dropped in between', () => {
        hold(1);
        complete(1);
        expireBlobs(hourMs);
        expect(hold(1, { elapsedMs: hourMs })).toEqual(noted());
        complete(1);
        drop(1);
        expect(hold(1, { elapsedMs: hourMs })).toEqual(noted());
      });
    });

    describe('become complete', () => {
      it('for all mailboxes that have them noted at once, and for those that note them later', () => {
        hold(1);
        hold(1, { mailbox: other });
        expect(complete(1)).toEqual({});
        expect([hold(1), hold(1, { mailbox: other })]).toEqual([noted(3_600, true), noted(3_600, true)]);
        drop(1, other);
        expect(hold(1, { mailbox: other })).toEqual(noted(3_600, true));
        expect(complete(1)).toEqual({});
        expect(blobs()).toEqual([whole(1)]);
      });
      it('by root and length together', () => {
        hold(1);
        hold(1, { length: 2 * mib });
        hold(2);
        complete(1, 2 * mib);
        expect(blobs()).toEqual([partial(1), whole(1, 2 * mib), partial(2)]);
        expect(drop(1)).toBe(true);
        expect(blobs()).toEqual([whole(1, 2 * mib), partial(2)]);
      });
      it('only where they are noted', () => {
        expect(complete(1)).toEqual({});
        expect(blobs()).toEqual([]);
        expect(hold(1)).toEqual(noted());
      });
    });

    describe('are dropped', () => {
      it('and nobody\'s when the last mailbox drops them', () => {
        hold(1);
        hold(1, { mailbox: other });
        complete(1);
        expect(drop(1)).toBe(false);
        expect(blobs()).toEqual([whole(1)]);
        expect(drop(1, other)).toBe(true);
        expect(blobs()).toEqual([]);
        expect(drop(1, other)).toBe(false);
      });
      it('without effect where they are not noted', () => {
        expect(drop(1)).toBe(false);
        hold(1, { mailbox: other });
        expect(drop(1)).toBe(false);
        expect(drop(1, mailboxOf(3))).toBe(false);
        expect(drop(1, other, mib + 1)).toBe(false);
        expect(blobs()).toEqual([partial(1)]);
      });
      it('but are still another\'s whose time is over and who was not forgotten', () => {
        hold(1);
        hold(1, { mailbox: other, ttlSeconds: 60 });
        expect(drop(1)).toBe(false);
        expect(expireBlobs(60_000)).toEqual({ orphaned: [nameOf(1)], more: false });
      });
    });

    describe('are forgotten', () => {
      it('when their time is over, not a moment before', () => {
        hold(1);
        hold(2, { elapsedMs: 1 });
        expect(expireBlobs(hourMs - 1)).toEqual({ orphaned: [], more: false });
        expect(blobs(hourMs - 1)).toEqual([partial(1), partial(2)]);
        expect(expireBlobs(hourMs)).toEqual({ orphaned: [nameOf(1)], more: false });
        expect(blobs(hourMs)).toEqual([partial(2)]);
        expect(expireBlobs(hourMs)).toEqual({ orphaned: [], more: false });
      });
      it('at most so many at a time, with word of more', () => {
        for (const value of [3, 1, 2, 4]) hold(value, { ttlSeconds: value });
        hold(5);
        expect(expireBlobs(60_000, 2)).toEqual({ orphaned: [nameOf(1), nameOf(2)], more: true });
        expect(expireBlobs(60_000, 2)).toEqual({ orphaned: [nameOf(3), nameOf(4)], more: false });
        expect(expireBlobs(60_000, 2)).toEqual({ orphaned: [], more: false });
        expect(blobs(60_000)).toEqual([partial(5)]);
      });
      it('and nobody\'s when that was the last mailbox that had them', () => {
        hold(1, { ttlSeconds: 60 });
        hold(1, { mailbox: other });
        complete(1);
        expect(expireBlobs(60_000)).toEqual({ orphaned: [], more: false });
        expect(blobs(60_000)).toEqual([whole(1)]);
        expect(drop(1)).toBe(false);
        expect(expireBlobs(hourMs)).toEqual({ orphaned: [nameOf(1)], more: false });
        expect(blobs(hourMs)).toEqual([]);
      });
      it('as one name when they end for several mailboxes, together or one after another', () => {
        hold(1);
        hold(1, { mailbox: other });
        hold(2);
        hold(2, { mailbox: other });
        expect(expireBlobs(hourMs, 3)).toEqual({ orphaned: [nameOf(1)], more: true });
        expect(expireBlobs(hourMs, 3)).toEqual({ orphaned: [nameOf(2)], more: false });
      });
    });

    describe('of a mailbox that ended', () => {
      it('are dropped, and come out as nobody\'s at once', () => {
        hold(1);
        hold(2);
        hold(2, { mailbox: other });
        complete(1);
        expect(revoke()).toEqual({ mailboxes: 1, letters: 0 });
        expect(hold(1)).toEqual({ outcome: 'no-mailbox' });
        expect(drop(1)).toBe(false);
        expect(blobs()).toEqual([whole(1), partial(2)]);
        expect(expireBlobs(0)).toEqual({ orphaned: [nameOf(1)], more: false });
        expect(blobs()).toEqual([partial(2)]);
        expect(drop(2, other)).toBe(true);
      });
      it('come out also when the mailbox is already forgotten', () => {
        hold(1);
        revoke();
        expire(2 * hourMs);
        expect(register()).toMatchObject({ highestSequence: 0 });
        expect(expireBlobs(0)).toEqual({ orphaned: [nameOf(1)], more: false });
      });
      it('are not its own when it is registered again', () => {
        const quota: BlobQuota = { bytes: mib, bytesPerToken: mib, blobs: 1 };
        hold(1, { quota });
        hold(1, { mailbox: other });
        revoke();
        register();
        expect(hold(2, { quota })).toEqual({ outcome: 'stranger' });
        tokens(1, false, [1, true]);
        expect(drop(1)).toBe(false);
        expect(hold(2, { quota })).toEqual(noted());
        expect(hold(1, { quota })).toEqual({ outcome: 'quota' });
        expect(expireBlobs(0)).toEqual({ orphaned: [], more: false });
        expect(blobs()).toEqual([partial(1), partial(2)]);
      });
      it('stay when somebody notes them before they came out', () => {
        hold(1);
        complete(1);
        revoke();
        expect(hold(1, { mailbox: other })).toEqual(noted(3_600, true));
        expect(expireBlobs(0)).toEqual({ orphaned: [], more: false });
        expect(blobs()).toEqual([whole(1)]);
      });
      it('do not speak for bytes that another was the last to drop', () => {
        hold(1);
        hold(1, { mailbox: other });
        complete(1);
        revoke();
        expect(drop(1, other)).toBe(true);
        expect(blobs()).toEqual([]);
        expect(hold(1, { mailbox: other })).toEqual(noted());
        expect(expireBlobs(0)).toEqual({ orphaned: [], more: false });
      });
    });
  });
}
