/** Large contents over time: noted again, complete, dropped, forgotten, left by a mailbox that ended. */
import { describe, expect, it } from 'vitest';
import type { BlobQuota } from '../../../engine/mail/mail-store.ts';
import { type BlobWorld, mib, nameOf, noted, partial, roomyBlobQuota, whole } from './conformance-blob-world.ts';
import type { ConformanceWorld } from './conformance-world.ts';
import { mailboxOf, tokenHashOf } from './test-letters.ts';

const hourMs = 3_600_000;

export function blobEndingConformance({ register, tokens, expire }: ConformanceWorld, { other, hold, complete, drop, blobs, expireBlobs, revoke }: BlobWorld): void {
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
}
