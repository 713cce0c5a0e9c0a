/** Letters on their way out: listed, fetched, acknowledged, taken back, expired. */
import { describe, expect, it } from 'vitest';
import type { ConformanceWorld } from './conformance-world.ts';
import { bytesOf, letterIdOf, letterOf, mailboxOf, purgeHashOf, rootOf } from './test-letters.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function retrievalConformance({ store, mailbox, deposit, list, stateOf, ack, withdraw, expire, register, body }: ConformanceWorld): void {
  describe('listing', () => {
    it('lists in order of sequence with everything the owner needs', () => {
      deposit(1, { elapsedMs: 2_000 });
      deposit(2, { body: bytesOf(9, 2, 273), lane: 'receipt' });
      expect(list(5_500)).toEqual({
        remaining: 0,
        entries: [
          { sequence: 1, letterId: letterIdOf(1), lane: 'letter', remainingSeconds: 3_596, heldForSeconds: 3, bodyRoot: rootOf(1), bodyLength: 272, header: letterOf(1).header, inlineBody: letterOf(1).body },
          { sequence: 2, letterId: letterIdOf(2), lane: 'receipt', remainingSeconds: 3_594, heldForSeconds: 5, bodyRoot: rootOf(2), bodyLength: 273, header: letterOf(2).header, inlineBody: undefined },
        ],
      });
    });
    it('pages by bytes, always with at least one letter, and says how many are left', () => {
      for (const value of [1, 2, 3, 4, 5]) deposit(value);
      const entrySizeBytes = 89 + 372;
      expect(list(0, 0, 2 * entrySizeBytes)).toMatchObject({ entries: [{ sequence: 1 }, { sequence: 2 }], remaining: 3 });
      expect(list(0, 2, 3 * entrySizeBytes - 1)).toMatchObject({ entries: [{ sequence: 3 }, { sequence: 4 }], remaining: 1 });
      expect(list(0, 4, 1)).toMatchObject({ entries: [{ sequence: 5 }], remaining: 0 });
      expect(list(0, 5)).toEqual({ entries: [], remaining: 0 });
    });
    it('leaves out letters whose time is over though not yet swept', () => {
      deposit(1);
      deposit(2, { ttlSeconds: 7_200 });
      expect(list(hourMs)).toMatchObject({ entries: [{ sequence: 2 }], remaining: 0 });
    });
    it('answers for an unknown mailbox with nothing', () => {
      expect(store.apply<'list'>({ op: 'list', mailbox: mailboxOf(8), afterSequence: 0, mostBytes: 1_000, elapsedMs: 0 })).toEqual({ entries: [], remaining: 0 });
    });
  });

  describe('fetched', () => {
    it('calls a letter fetched when it was listed with its body', () => {
      deposit(1);
      list(4_000);
      list(6_000);
      expect(stateOf(1, 9_000)).toEqual({ state: 'fetched', secondsSince: 5 });
    });
    it('calls a letter fetched when it was shown otherwise, and one that has ended what it was', () => {
      deposit(1);
      deposit(2);
      ack(2, 1_000);
      for (const number of [1, 2, 3]) store.apply<'shown'>({ op: 'shown', mailbox, letterId: letterOf(number).letterId, elapsedMs: 4_000 });
      expect(stateOf(1, 9_000)).toEqual({ state: 'fetched', secondsSince: 5 });
      expect(stateOf(2, 9_000)?.state).toBe('acked');
      expect(stateOf(3, 9_000)?.state).toBe('unknown');
    });
    it('calls a larger letter fetched when it was listed and its body was pulled then', () => {
      deposit(1, { body: bytesOf(9, 1, 1_040) });
      expect(body(1, 1_040)).toEqual(bytesOf(9, 1, 1_040));
      expect(stateOf(1, 1_000)?.state).toBe('held');
      list(2_000);
      expect(stateOf(1, 3_000)).toEqual({ state: 'held', secondsSince: 3 });
      body(1, 1_040);
      expect(stateOf(1, 5_000)).toEqual({ state: 'fetched', secondsSince: 2 });
      expect(deposit(1)).toMatchObject({ outcome: 'duplicate', state: 'fetched' });
    });
    it('knows a body by root and length, also when letters share it', () => {
      deposit(1, { bodyRoot: rootOf(7) });
      deposit(2, { bodyRoot: rootOf(7), body: letterOf(1).body });
      ack(1, 0);
      expect(body(7)).toEqual(letterOf(1).body);
      expect(body(7, 271)).toBeUndefined();
      ack(2, 0);
      expect(body(7)).toBeUndefined();
      expect(body(8)).toBeUndefined();
    });
  });

  describe('acknowledging', () => {
    it('deletes the bytes and remembers the verdict', () => {
      deposit(1);
      deposit(2);
      expect(ack(1, 2_000)).toEqual({ acked: 1 });
      expect(ack(2, 3_000, 'unopenable')).toEqual({ acked: 1 });
      expect(list(3_000).entries).toEqual([]);
      expect(body(1)).toBeUndefined();
      expect(store.apply<'status'>({ op: 'status', mailbox, letterIds: [1, 2, 3].map(letterIdOf), elapsedMs: 10_000 }).states).toEqual([
        { state: 'acked', secondsSince: 8 }, { state: 'unopenable', secondsSince: 7 }, { state: 'unknown', secondsSince: 0 },
      ]);
    });
    it('counts a repetition as nothing new', () => {
      deposit(1);
      ack(1, 0);
      expect(ack(1, 5_000)).toEqual({ acked: 0 });
      expect(ack(2, 5_000)).toEqual({ acked: 0 });
      expect(stateOf(1, 5_000)).toEqual({ state: 'acked', secondsSince: 5 });
    });
    it('takes the word of the owner after expiry and withdrawal, and never turns acked into anything else', () => {
      deposit(1);
      deposit(2);
      deposit(3);
      expire(hourMs);
      ack(1, hourMs);
      expect(stateOf(1, hourMs)?.state).toBe('acked');
      ack(2, hourMs, 'unopenable');
      ack(2, hourMs);
      expect(stateOf(2, hourMs)?.state).toBe('acked');
      ack(2, hourMs, 'unopenable');
      expect(stateOf(2, hourMs)?.state).toBe('acked');
      expect(withdraw(2, hourMs)).toBe('acked');
    });
    it('does not let one owner ack in another mailbox', () => {
      store.apply<'register'>({ op: 'register', mailbox: mailboxOf(2), elapsedMs: 0 });
      deposit(1);
      expect(store.apply<'ack'>({ op: 'ack', mailbox: mailboxOf(2), elapsedMs: 0, letters: [{ letterId: letterIdOf(1), verdict: 'committed' }] })).toEqual({ acked: 0 });
      expect(stateOf(1, 0)?.state).toBe('held');
    });
  });

  describe('withdrawing', () => {
    it('needs the key whose hash came with the letter', () => {
      deposit(1);
      expect(withdraw(1, 0, purgeHashOf(2))).toBe('held');
      expect(list(0).entries).toHaveLength(1);
      expect(withdraw(1, 0)).toBe('withdrawn');
      expect(withdraw(1, 0, purgeHashOf(2))).toBe('withdrawn');
      expect(list(0).entries).toEqual([]);
    });
    it('takes back a fetched letter, but nothing that has ended', () => {
      deposit(1);
      deposit(2);
      list(0);
      expect(withdraw(1, 0)).toBe('withdrawn');
      expect(withdraw(2, hourMs)).toBe('expired');
      expect(withdraw(3, 0)).toBe('unknown');
    });
  });

  describe('expiring', () => {
    it('expires at the end of the TTL and dates it then, whenever the sweep comes', () => {
      deposit(1);
      expect(stateOf(1, hourMs - 1)?.state).toBe('held');
      expect(stateOf(1, hourMs + 5_000)).toEqual({ state: 'expired', secondsSince: 5 });
      expect(expire(hourMs - 1)).toEqual({ expired: 0, more: false });
      expect(expire(hourMs + 60_000)).toEqual({ expired: 1, more: false });
      expect(stateOf(1, hourMs + 60_000)).toEqual({ state: 'expired', secondsSince: 60 });
      expect(body(1)).toBeUndefined();
    });
    it('works in batches, oldest first', () => {
      for (const value of [1, 2, 3]) deposit(value, { ttlSeconds: 100 - value });
      expect(expire(hourMs, 2)).toEqual({ expired: 2, more: true });
      expect(register().letters).toBe(1);
      expect(expire(hourMs, 2)).toEqual({ expired: 1, more: false });
    });
    it('sweeps forgotten ids in batches too', () => {
      for (const value of [1, 2, 3]) deposit(value);
      expect(expire(hourMs)).toEqual({ expired: 3, more: false });
      expect(expire(hourMs + dayMs, 2)).toEqual({ expired: 0, more: true });
      expect(expire(hourMs + dayMs, 2)).toEqual({ expired: 0, more: false });
    });
  });
}
