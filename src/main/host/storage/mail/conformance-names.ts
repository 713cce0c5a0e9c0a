/** What is published under names: named records, and contents that a mailbox's owner has held. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobQuota } from '../../../engine/mail/mail-store.ts';
import { blobWorld, mib, nameOf, noted, partial, roomyBlobQuota, whole } from './conformance-blob-world.ts';
import type { ConformanceWorld } from './conformance-world.ts';
import { bytesOf, deviceOf, identityOf, mailboxOf, tokenHashOf } from './test-letters.ts';

interface Put { readonly owner?: number; readonly endSeconds?: number; readonly most?: number }

export function nameConformance(world: ConformanceWorld): void {
  const { store, mailbox, tokens } = world;

  describe('named records', () => {
    const put = (path: string, sequence: number, content: number, { owner = 1, endSeconds = 99, most = 10 }: Put = {}) => store.apply<'put-record'>({
      op: 'put-record', kind: 'named', identity: identityOf(owner), deviceId: '', path, sequence, notAfterSeconds: endSeconds, bytes: bytesOf(1, content, 40), most,
    }).outcome;
    const get = (path: string, owner = 1) => store.apply<'get-record'>({ op: 'get-record', kind: 'named', identity: identityOf(owner), deviceId: '', path });
    const expire = (nowSeconds: number, most = 10) => store.apply<'expire-records'>({ op: 'expire-records', nowSeconds, most });
    const none = { bytes: undefined, sequence: 0 };

    it('never let a lower sequence replace a higher one', () => {
      expect(get('a')).toEqual(none);
      expect([put('a', 5, 1), put('a', 5, 1), put('a', 4, 1), put('a', 5, 2), put('a', 6, 3)]).toEqual(['stored', 'unchanged', 'stale', 'stale', 'stored']);
      expect(get('a')).toEqual({ bytes: bytesOf(1, 3, 40), sequence: 6 });
    });
    it('are apart by path and identity, and from the other records', () => {
      put('a', 5, 1);
      put('a/b', 4, 2);
      put('a', 3, 3, { owner: 2 });
      store.apply<'put-record'>({ op: 'put-record', kind: 'identity', identity: identityOf(1), deviceId: '', sequence: 9, notAfterSeconds: 1, bytes: bytesOf(1, 9, 40) });
      store.apply<'put-record'>({ op: 'put-record', kind: 'prekey', identity: identityOf(1), deviceId: deviceOf(1), sequence: 8, notAfterSeconds: 1, bytes: bytesOf(1, 8, 40) });
      expect([get('a').sequence, get('a/b').sequence, get('a', 2).sequence, get('').sequence, get('b').sequence]).toEqual([5, 4, 3, 0, 0]);
    });
    it('are limited for each identity, where those that are there can be replaced', () => {
      const most = 2;
      expect([put('a', 1, 1, { most }), put('b', 1, 1, { most }), put('c', 1, 1, { most })]).toEqual(['stored', 'stored', 'quota']);
      expect([put('a', 2, 2, { most }), put('c', 1, 1, { owner: 2, most })]).toEqual(['stored', 'stored']);
      expect(get('c')).toEqual(none);
    });
    it('are forgotten at their end, in batches, and nothing else is', () => {
      for (const [index, path] of ['a', 'b', 'c'].entries()) put(path, 1, 1, { endSeconds: 10 + index });
      store.apply<'put-record'>({ op: 'put-record', kind: 'identity', identity: identityOf(1), deviceId: '', sequence: 9, notAfterSeconds: 1, bytes: bytesOf(1, 9, 40) });
      expect(expire(9)).toEqual({ expired: 0, more: false });
      expect(expire(11, 1)).toEqual({ expired: 1, more: true });
      expect(expire(11, 1)).toEqual({ expired: 1, more: false });
      expect([get('a').sequence, get('b').sequence, get('c').sequence]).toEqual([0, 0, 1]);
      expect(store.apply<'get-record'>({ op: 'get-record', kind: 'identity', identity: identityOf(1), deviceId: '' }).sequence).toBe(9);
      expect(put('a', 1, 1)).toBe('stored');
    });
  });

  describe('large contents of the owner', () => {
    const { prepare, hold, complete, blobs, drop, expireBlobs } = blobWorld(store);
    const own = { owner: true, tokenHash: undefined };
    const dropOwn = (value: number) => store.apply<'drop-blob'>({ op: 'drop-blob', mailbox, ...nameOf(value), owner: true }).orphaned;
    beforeEach(prepare);

    it('need no token, but a mailbox and room', () => {
      const quota: BlobQuota = { ...roomyBlobQuota, bytes: mib };
      expect(hold(1, { ...own, quota })).toEqual(noted());
      expect(hold(2, { ...own, quota })).toEqual({ outcome: 'quota' });
      expect(hold(2, { ...own, mailbox: mailboxOf(3) })).toEqual({ outcome: 'no-mailbox' });
      expect(hold(2, { owner: false, tokenHash: undefined })).toEqual({ outcome: 'stranger' });
      expect(hold(2, { ...own, tokenHash: tokenHashOf(9) })).toEqual(noted());
    });
    it('end like others, and are renewed', () => {
      hold(1, own);
      expect(hold(1, { ...own, elapsedMs: 1_000_000 })).toEqual(noted());
      expect(expireBlobs(3_600_000)).toEqual({ orphaned: [], more: false });
      expect(expireBlobs(4_600_000)).toEqual({ orphaned: [nameOf(1)], more: false });
    });
    it('are dropped by nobody else', () => {
      hold(1, own);
      complete(1);
      expect(drop(1)).toBe(false);
      expect(blobs()).toEqual([whole(1)]);
      expect(dropOwn(1)).toBe(true);
      expect(blobs()).toEqual([]);
    });
    it('stay the owner’s when a contact has them held too, before or after, and whatever becomes of its token', () => {
      hold(1);
      hold(1, own);
      hold(2, own);
      hold(2, { elapsedMs: 500 });
      tokens(2, false, [1, false]);
      expect([drop(1), drop(2)]).toEqual([false, false]);
      expect(blobs()).toEqual([partial(1), partial(2)]);
      expect([dropOwn(1), dropOwn(2)]).toEqual([true, true]);
    });
    it('can be dropped by their owner also where a contact had them held', () => {
      hold(1);
      expect(dropOwn(1)).toBe(true);
    });
  });
}
