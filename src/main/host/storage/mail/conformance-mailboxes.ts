/** Mailboxes: the clock of the store, registration, tokens, other devices, and records. */
import { describe, expect, it } from 'vitest';
import type { ConformanceWorld } from './conformance-world.ts';
import { bytesOf, deviceOf, identityOf, mailboxOf, roomyQuota, tokenHashOf } from './test-letters.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function mailboxConformance({ store, deposit, check, list, stateOf, ack, expire, register, tokens, refusals }: ConformanceWorld): void {
  describe('opening and the mail clock', () => {
    it('keeps its epoch when it is opened again', () => {
      expect(store.apply<'open'>({ op: 'open', freshEpoch: new Uint8Array(8).fill(9), wallMs: 6 })).toEqual({ epoch: new Uint8Array(8).fill(1), elapsedMs: 0, lastWallMs: undefined });
    });
    it('returns the clock and the wall time of the last tick, and the clock never runs backwards', () => {
      store.apply<'tick'>({ op: 'tick', elapsedMs: 700, wallMs: 90 });
      store.apply<'tick'>({ op: 'tick', elapsedMs: 600, wallMs: 80 });
      expect(store.apply<'open'>({ op: 'open', freshEpoch: new Uint8Array(8), wallMs: 100 })).toMatchObject({ elapsedMs: 700, lastWallMs: 80 });
    });
  });

  describe('registering', () => {
    it('refuses deposits for a mailbox that its owner did not register', () => {
      expect(deposit(1, { mailbox: mailboxOf(2) })).toEqual({ outcome: 'no-mailbox' });
      expect(check(1, { mailbox: mailboxOf(1, 7) })).toEqual({ outcome: 'no-mailbox' });
    });
    it('says what waits, the version of the tokens and the highest sequence given', () => {
      expect(register()).toEqual({ tokensVersion: 1, letters: 0, bytes: 0, highestSequence: 0 });
      deposit(1);
      deposit(2, { tokenHash: undefined });
      deposit(3, { lane: 'receipt' });
      expect(register()).toEqual({ tokensVersion: 1, letters: 3, bytes: 3 * 372, highestSequence: 3 });
      ack(3, 0);
      expect(register()).toEqual({ tokensVersion: 1, letters: 2, bytes: 2 * 372, highestSequence: 3 });
    });
  });

  describe('tokens', () => {
    it('refuses a revoked token and takes it again once granted', () => {
      tokens(2, false, [1, false]);
      expect(deposit(1)).toEqual({ outcome: 'token-revoked' });
      tokens(3, false, [1, true]);
      expect(deposit(1).outcome).toBe('stored');
    });
    it('treats a token that it was not told of like a stranger', () => {
      expect(deposit(1, { tokenHash: tokenHashOf(9), quota: { ...roomyQuota, strangerLetters: 0 } })).toEqual({ outcome: 'quota', scope: 'strangers' });
      expect(deposit(1, { tokenHash: tokenHashOf(9) })).toMatchObject({ outcome: 'stored', byStranger: true });
      expect(refusals()).toEqual([]);
    });
    it('forgets other grants on a reset but keeps revocations and the count of what waits', () => {
      const quota = { ...roomyQuota, lettersPerToken: 1, strangerLetters: 0 };
      deposit(1, { quota });
      tokens(2, false, [2, false]);
      tokens(0, true, [3, true]);
      expect(register().tokensVersion).toBe(0);
      expect(deposit(2, { quota })).toEqual({ outcome: 'quota', scope: 'strangers' });
      expect(deposit(2, { quota, tokenHash: tokenHashOf(2) })).toEqual({ outcome: 'token-revoked' });
      expect(deposit(2, { quota, tokenHash: tokenHashOf(3) }).outcome).toBe('stored');
      tokens(3, false, [1, true]);
      expect(deposit(3, { quota })).toEqual({ outcome: 'quota', scope: 'token' });
      expect(register().tokensVersion).toBe(3);
    });
    it('ignores tokens of a mailbox that does not exist', () => {
      expect(store.apply<'tokens'>({ op: 'tokens', mailbox: mailboxOf(3), version: 1, reset: true, tokens: [] })).toEqual({});
    });
  });

  describe('revoked devices', () => {
    it('ends the mailboxes of the other devices and calls their letters unopenable', () => {
      store.apply<'register'>({ op: 'register', mailbox: mailboxOf(1, 1), elapsedMs: 0 });
      store.apply<'register'>({ op: 'register', mailbox: mailboxOf(2), elapsedMs: 0 });
      deposit(1);
      deposit(2);
      ack(2, 0);
      deposit(3, { mailbox: mailboxOf(2), tokenHash: undefined });
      const revoke = { op: 'revoke-device', identity: identityOf(1), keepDeviceIds: [deviceOf(1)], elapsedMs: 1_000 } as const;
      expect(store.apply<'revoke-device'>(revoke)).toEqual({ mailboxes: 1, letters: 1 });
      expect(store.apply<'revoke-device'>(revoke)).toEqual({ mailboxes: 0, letters: 0 });
      expect(stateOf(1, 3_000)).toEqual({ state: 'unopenable', secondsSince: 2 });
      expect(stateOf(2, 3_000)?.state).toBe('acked');
      expect(deposit(1)).toMatchObject({ outcome: 'duplicate', state: 'unopenable' });
      expect(deposit(4)).toEqual({ outcome: 'no-mailbox' });
      expect(deposit(4, { mailbox: mailboxOf(1, 1), tokenHash: undefined }).outcome).toBe('stored');
      expect(deposit(4, { mailbox: mailboxOf(2), tokenHash: undefined }).outcome).toBe('stored');
      expect(list(0).entries).toEqual([]);
    });
    it('forgets an ended mailbox with its last letter, and opens it again when it is registered', () => {
      deposit(1);
      store.apply<'revoke-device'>({ op: 'revoke-device', identity: identityOf(1), keepDeviceIds: [], elapsedMs: 0 });
      expect(register()).toMatchObject({ tokensVersion: 0, letters: 0, highestSequence: 1 });
      expect(deposit(2).outcome).toBe('stored');
      store.apply<'revoke-device'>({ op: 'revoke-device', identity: identityOf(1), keepDeviceIds: [], elapsedMs: 0 });
      expire(hourMs + dayMs);
      expect(register()).toMatchObject({ highestSequence: 0 });
    });
  });

  describe('records', () => {
    const put = (sequence: number, content: number, kind: 'identity' | 'prekey' = 'identity', device = '') =>
      store.apply<'put-record'>({ op: 'put-record', kind, identity: identityOf(1), deviceId: device, sequence, notAfterSeconds: 99, bytes: bytesOf(1, content, 40) }).outcome;
    const get = (kind: 'identity' | 'prekey', device = '') => store.apply<'get-record'>({ op: 'get-record', kind, identity: identityOf(1), deviceId: device });

    it('never lets a lower sequence replace a higher one', () => {
      expect(get('identity')).toEqual({ bytes: undefined, sequence: 0 });
      expect([put(5, 1), put(5, 1), put(4, 1), put(5, 2), put(6, 3)]).toEqual(['stored', 'unchanged', 'stale', 'stale', 'stored']);
      expect(get('identity')).toEqual({ bytes: bytesOf(1, 3, 40), sequence: 6 });
    });
    it('keeps kinds and devices apart', () => {
      put(5, 1);
      put(3, 2, 'prekey', deviceOf(1));
      put(2, 3, 'prekey', deviceOf(2));
      expect([get('identity').sequence, get('prekey', deviceOf(1)).sequence, get('prekey', deviceOf(2)).sequence, get('prekey').sequence]).toEqual([5, 3, 2, 0]);
    });
  });
}
