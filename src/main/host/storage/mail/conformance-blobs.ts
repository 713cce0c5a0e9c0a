/** Large contents held for mailboxes: who may have how much noted. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobQuota } from '../../../engine/mail/mail-store.ts';
import { blobEndingConformance } from './conformance-blob-endings.ts';
import { blobWorld, mib, nameOf, noted, partial, roomyBlobQuota, whole } from './conformance-blob-world.ts';
import type { ConformanceWorld } from './conformance-world.ts';
import { mailboxOf, tokenHashOf } from './test-letters.ts';

const hourMs = 3_600_000;

export function blobConformance(world: ConformanceWorld): void {
  const { store, mailbox, tokens } = world;
  const blobsOfWorld = blobWorld(store);
  const { other, prepare, hold, complete, drop, blobs, expireBlobs } = blobsOfWorld;

  describe('large contents', () => {
    beforeEach(prepare);

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

    blobEndingConformance(world, blobsOfWorld);
  });
}
