/** Letters on their way in: what is taken, what is refused, and who may fill how much. */
import { describe, expect, it } from 'vitest';
import type { ConformanceWorld } from './conformance-world.ts';
import { mailboxOf, roomyQuota, tokenHashOf } from './test-letters.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function depositConformance({ store, deposit, check, list, stateOf, ack, withdraw, expire, register, refusals }: ConformanceWorld): void {
  describe('depositing', () => {
    it('stores a letter once and recognises it afterwards, under whatever token', () => {
      expect(deposit(1)).toEqual({ outcome: 'stored', sequence: 1, remainingSeconds: 3_600, state: 'held', byStranger: false });
      expect(deposit(2)).toMatchObject({ outcome: 'stored', sequence: 2 });
      expect(deposit(1, { elapsedMs: 10_500, tokenHash: undefined })).toEqual({ outcome: 'duplicate', sequence: 1, remainingSeconds: 3_589, state: 'held' });
      expect(list(0).entries).toHaveLength(2);
    });
    it('tells a repeated depositor what became of the letter', () => {
      for (const value of [1, 2, 3, 4]) deposit(value);
      ack(1, 1);
      ack(2, 1, 'unopenable');
      withdraw(3, 1);
      expire(hourMs);
      const states = [1, 2, 3, 4].map((value) => deposit(value, { elapsedMs: hourMs }));
      expect(states).toEqual(['acked', 'unopenable', 'withdrawn', 'expired'].map((state, index) => ({ outcome: 'duplicate', sequence: index + 1, remainingSeconds: 0, state })));
    });
    it('answers a question beforehand as the deposit would, and stores nothing', () => {
      expect(check(1)).toEqual({ outcome: 'would-store' });
      expect(list(0).entries).toEqual([]);
      deposit(1);
      expect(check(1)).toMatchObject({ outcome: 'duplicate', sequence: 1 });
      expect(check(2, { quota: { ...roomyQuota, letters: 1 } })).toEqual({ outcome: 'quota', scope: 'mailbox' });
    });
    it('keeps the same letter id apart in two mailboxes', () => {
      store.apply<'register'>({ op: 'register', mailbox: mailboxOf(2), elapsedMs: 0 });
      expect(deposit(1)).toMatchObject({ outcome: 'stored', sequence: 1 });
      expect(deposit(1, { mailbox: mailboxOf(2), tokenHash: undefined })).toMatchObject({ outcome: 'stored', sequence: 1 });
    });
    it('remembers a letter id until one day after its own expiry', () => {
      deposit(1);
      expire(hourMs);
      expect(deposit(1, { elapsedMs: hourMs + dayMs - 1 })).toMatchObject({ outcome: 'duplicate', state: 'expired' });
      expect(deposit(1, { elapsedMs: hourMs + dayMs })).toMatchObject({ outcome: 'stored', sequence: 2 });
    });
    it('forgets at that time also when nothing was swept', () => {
      deposit(1);
      expect(stateOf(1, hourMs + dayMs)).toEqual({ state: 'unknown', secondsSince: 0 });
      expect(deposit(1, { elapsedMs: hourMs + dayMs })).toMatchObject({ outcome: 'stored', sequence: 2 });
      expect(register()).toMatchObject({ letters: 1 });
    });
  });

  describe('quotas', () => {
    it('limits the letters of a mailbox by count and by bytes', () => {
      const quota = { ...roomyQuota, letters: 2 };
      expect([1, 2, 3].map((value) => deposit(value, { quota }).outcome)).toEqual(['stored', 'stored', 'quota']);
      expect(deposit(4, { quota: { ...roomyQuota, bytes: 3 * 372 - 1 } })).toEqual({ outcome: 'quota', scope: 'mailbox' });
      expect(deposit(4, { quota: { ...roomyQuota, bytes: 3 * 372 } }).outcome).toBe('stored');
    });
    it('limits the letters under one token without touching another', () => {
      const quota = { ...roomyQuota, lettersPerToken: 1 };
      deposit(1, { quota });
      expect(deposit(2, { quota })).toEqual({ outcome: 'quota', scope: 'token' });
      expect(deposit(3, { quota, tokenHash: tokenHashOf(2) }).outcome).toBe('stored');
    });
    it('gives the room back when a letter is acked, withdrawn or expires', () => {
      const quota = { ...roomyQuota, lettersPerToken: 3, letters: 3 };
      for (const value of [1, 2, 3]) deposit(value, { quota });
      ack(1, 0);
      withdraw(2, 0);
      expect(deposit(4, { quota }).outcome).toBe('stored');
      expect(deposit(5, { quota }).outcome).toBe('stored');
      expect(deposit(6, { quota }).outcome).toBe('quota');
      expire(hourMs);
      expect(deposit(6, { quota, elapsedMs: hourMs }).outcome).toBe('stored');
    });
    it('keeps strangers, letters and receipts from filling each other\'s place', () => {
      const quota = { ...roomyQuota, letters: 1, strangerLetters: 1, receipts: 1 };
      const stranger = { quota, tokenHash: undefined };
      const receipt = { quota, lane: 'receipt' } as const;
      expect([deposit(1, stranger), deposit(2, stranger)].map((result) => result.outcome)).toEqual(['stored', 'quota']);
      expect([deposit(3, { quota }), deposit(4, { quota })].map((result) => result.outcome)).toEqual(['stored', 'quota']);
      expect([deposit(5, receipt), deposit(6, receipt)].map((result) => result.outcome)).toEqual(['stored', 'quota']);
      expect(deposit(7, stranger)).toEqual({ outcome: 'quota', scope: 'strangers' });
      expect(deposit(7, receipt)).toEqual({ outcome: 'quota', scope: 'receipts' });
    });
    it('does not count receipts under a token, and treats a receipt without one as a stranger\'s letter', () => {
      const quota = { ...roomyQuota, lettersPerToken: 1, strangerLetters: 0 };
      deposit(1, { quota });
      expect(deposit(2, { quota, lane: 'receipt' }).outcome).toBe('stored');
      expect(deposit(3, { quota, lane: 'receipt', tokenHash: undefined })).toEqual({ outcome: 'quota', scope: 'strangers' });
    });
    it('gives strangers the same share of the bytes as of the letters', () => {
      const quota = { ...roomyQuota, letters: 100, strangerLetters: 5, bytes: 372 * 20 * 2 };
      expect([1, 2, 3].map((value) => deposit(value, { quota, tokenHash: undefined }).outcome)).toEqual(['stored', 'stored', 'quota']);
    });
    it('tells the owner once which tokens were refused, also when only asked', () => {
      const quota = { ...roomyQuota, lettersPerToken: 0 };
      deposit(1, { quota });
      deposit(2, { quota });
      check(3, { quota, tokenHash: tokenHashOf(2) });
      deposit(4, { quota: { ...roomyQuota, strangerLetters: 0 }, tokenHash: undefined });
      expect(refusals()).toEqual([tokenHashOf(1), tokenHashOf(2)]);
      expect(refusals()).toEqual([]);
    });
  });
}
