/**
 * What every MailStore must do, as one suite: SQLite runs it here, any other store (a cluster's PostgreSQL) runs the same. Sentences are
 * the specification; the contract's comments are the short form. The store is given empty and opened.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DepositArguments, MailStore } from '../../../engine/mail/mail-store.ts';
import { bytesOf, deviceOf, identityOf, letterIdOf, letterOf, mailboxOf, purgeHashOf, roomyQuota, rootOf, tokenHashOf } from './test-letters.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export interface ConformanceSubject {
  readonly store: MailStore;
  readonly close: () => void;
}

export function mailStoreConformance(name: string, createStore: () => ConformanceSubject): void {
  describe(`${name} keeps the mail store contract`, () => {
    let subject: ConformanceSubject;
    let store: MailStore;
    const mailbox = mailboxOf(1);

    const deposit = (value: number, changes: Partial<DepositArguments> = {}) => store.apply<'deposit'>({ op: 'deposit', ...letterOf(value, changes) });
    const check = (value: number, changes: Partial<DepositArguments> = {}) => {
      const { body, ...rest } = letterOf(value, changes);
      return store.apply<'check-deposit'>({ op: 'check-deposit', ...rest, bodyLength: body.length });
    };
    const list = (elapsedMs: number, afterSequence = 0, mostBytes = 1_000_000) => store.apply<'list'>({ op: 'list', mailbox, afterSequence, mostBytes, elapsedMs });
    const stateOf = (value: number, elapsedMs: number) => store.apply<'status'>({ op: 'status', mailbox, letterIds: [letterIdOf(value)], elapsedMs }).states[0];
    const ack = (value: number, elapsedMs: number, verdict: 'committed' | 'unopenable' = 'committed') =>
      store.apply<'ack'>({ op: 'ack', mailbox, elapsedMs, letters: [{ letterId: letterIdOf(value), verdict }] });
    const withdraw = (value: number, elapsedMs: number, purgeHash = purgeHashOf(value)) =>
      store.apply<'withdraw'>({ op: 'withdraw', mailbox, letterId: letterIdOf(value), purgeHash, elapsedMs }).state;
    const expire = (elapsedMs: number, most = 100) => store.apply<'expire'>({ op: 'expire', elapsedMs, most });
    const register = () => store.apply<'register'>({ op: 'register', mailbox, elapsedMs: 0 });
    const tokens = (version: number, reset: boolean, ...changes: readonly (readonly [token: number, granted: boolean])[]) =>
      store.apply<'tokens'>({ op: 'tokens', mailbox, version, reset, tokens: changes.map(([token, granted]) => ({ granted, hash: tokenHashOf(token) })) });
    const refusals = () => store.apply<'refusals'>({ op: 'refusals', mailbox }).hashes;
    const body = (value: number, length = 272) => store.apply<'body'>({ op: 'body', root: rootOf(value), length }).body;

    beforeEach(() => {
      subject = createStore();
      store = subject.store;
      store.apply<'open'>({ op: 'open', freshEpoch: new Uint8Array(8).fill(1), wallMs: 5 });
      register();
      tokens(1, false, [1, true], [2, true]);
    });
    afterEach(() => { subject.close(); });

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
  });
}
