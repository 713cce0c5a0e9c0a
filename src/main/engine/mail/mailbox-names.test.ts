import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { decodeHoldResponse } from '../wire/responses.ts';
import { createNamedRecord } from '../wire/named-record.ts';
import { namedRecordsMaximum } from './mailbox-names.ts';
import { RelayWorld, device, recordOf } from './mailbox-testing.ts';
import type { NamedRecordArguments } from '../wire/named-record.ts';
import type { SessionId } from '../session/types.ts';
import type { NamedRecord, RequestBody } from '../wire/types.ts';
import type { Device } from './mailbox-testing.ts';

const alice = device(1);
const mallory = device(2);
const hourMs = 3_600_000;
const daySeconds = 86_400;
const secondsOf = (world: RelayWorld): number => Math.floor(world.now.wallMs / 1_000);
const register = { verb: 'register', tokensVersion: 0 } as const;
const content = { root: nobleCrypto.blake3(new Uint8Array(9)), length: 9 };
const ask = (path: string): RequestBody => ({ verb: 'record', kind: 'named', identity: alice.mailbox.identity, path });
const publish = (object: { readonly bytes: Uint8Array }): RequestBody => ({ verb: 'publish', kind: 'named', object: object.bytes });

function named(world: RelayWorld, changes: Partial<NamedRecordArguments> = {}, owner: Device = alice): NamedRecord {
  const seconds = secondsOf(world);
  return createNamedRecord({ identitySecret: owner.secret, path: 'a/b.txt', sequence: seconds, notAfterSeconds: seconds + 7 * daySeconds, content, mediaType: 'text/plain', ...changes });
}

function registered(world: RelayWorld, owner: Device = alice): SessionId {
  const session = world.connect(owner);
  expect(world.verdict(session, register)).toBe('ok');
  return session;
}

describe('named records at a relay', () => {
  it('are kept for their publisher and given to anybody, also after a restart', () => {
    const world = new RelayWorld();
    const session = registered(world);
    expect(world.verdict(world.connect(), ask('a/b.txt'))).toBe('not-found');
    const record = named(world);
    expect(world.verdict(session, publish(record))).toBe('ok');
    expect(world.verdict(session, publish(record))).toBe('ok');
    expect(world.role.counters['names-verified']).toBe(1);
    expect(world.ask(world.connect(), ask('a/b.txt'))).toEqual({ kind: 'answered', payloads: [record.bytes] });
    expect(world.verdict(world.connect(), ask('a/c.txt'))).toBe('not-found');
    world.restart('drop');
    expect(world.ask(world.connect(), ask('a/b.txt'))).toEqual({ kind: 'answered', payloads: [record.bytes] });
  });

  it('are taken from nobody else, and not before there is a mailbox', () => {
    const world = new RelayWorld();
    const record = named(world);
    expect(world.verdict(world.connect(), publish(record))).toBe('unauthenticated');
    expect(world.verdict(world.connect(alice), publish(record))).toBe('no-mailbox');
    expect(world.verdict(registered(world, mallory), publish(record))).toBe('refused');
    const session = registered(world);
    expect(world.verdict(session, publish({ bytes: record.bytes.with(-1 + record.bytes.length, (record.bytes.at(-1) ?? 0) ^ 1) }))).toBe('malformed');
    expect(world.verdict(session, publish({ bytes: record.bytes.subarray(1) }))).toBe('malformed');
    expect(world.verdict(world.connect(), ask('a/b.txt'))).toBe('not-found');
  });

  it('are not taken from a device that the identity has dropped', () => {
    const world = new RelayWorld();
    const session = registered(world);
    expect(world.verdict(session, { verb: 'publish', kind: 'identity', object: recordOf([device(1, 2)], secondsOf(world)).bytes })).toBe('ok');
    expect(world.verdict(session, publish(named(world)))).toBe('revoked');
  });

  it('are refused when older, different with the same number, over, or too far ahead', () => {
    const world = new RelayWorld();
    const session = registered(world);
    const seconds = secondsOf(world);
    const verdict = (changes: Partial<NamedRecordArguments>): string => world.verdict(session, publish(named(world, changes)));
    expect(verdict({ sequence: seconds })).toBe('ok');
    expect(verdict({ sequence: seconds - 1 })).toBe('stale');
    expect(verdict({ sequence: seconds, content: undefined, mediaType: '' })).toBe('stale');
    expect(verdict({ sequence: seconds + 3 * daySeconds })).toBe('too-far-ahead');
    expect(verdict({ sequence: seconds + 1, notAfterSeconds: seconds + 40 * daySeconds })).toBe('too-far-ahead');
    expect(verdict({ sequence: seconds + 1, notAfterSeconds: seconds })).toBe('stale');
    expect(verdict({ sequence: seconds + 1, content: undefined, mediaType: '' })).toBe('ok');
  });

  it('are not served after their end, and forgotten', () => {
    const world = new RelayWorld();
    const session = registered(world);
    const record = named(world, { notAfterSeconds: secondsOf(world) + 600 });
    expect(world.verdict(session, publish(record))).toBe('ok');
    world.pair.run(hourMs);
    expect(world.verdict(world.connect(), ask('a/b.txt'))).toBe('not-found');
    expect(world.store.apply<'get-record'>({ op: 'get-record', kind: 'named', identity: alice.mailbox.identity, deviceId: '', path: 'a/b.txt' }).bytes).toBeUndefined();
  });

  it('are limited in number and in rate', () => {
    const world = new RelayWorld();
    const session = registered(world);
    for (let index = 0; index < namedRecordsMaximum; index += 1) {
      const { identity, sequence, notAfterSeconds, bytes } = named(world, { path: 'x' });
      world.store.apply<'put-record'>({ op: 'put-record', kind: 'named', identity, deviceId: '', path: `n${String(index)}`, sequence, notAfterSeconds, bytes });
    }
    expect(world.verdict(session, publish(named(world)))).toBe('quota');
    expect(world.verdict(session, publish(named(world, { path: 'n7', sequence: secondsOf(world) + 1 })))).toBe('ok');
    const record = publish(named(world, { path: 'n8', sequence: secondsOf(world) + 1 }));
    const verdicts: string[] = [];
    for (let count = 0; count < 300; count += 1) {
      world.start(session, record, (outcome) => { verdicts.push(outcome.kind === 'negative' ? outcome.negative.code : outcome.kind); });
      if (count % 20 === 19) world.pair.run(100);
    }
    world.pair.run(5_000);
    expect(verdicts.filter((verdict) => verdict === 'answered').length).toBeGreaterThanOrEqual(200);
    expect(verdicts.filter((verdict) => verdict === 'busy').length).toBeGreaterThan(10);
  });
});

describe('contents that a mailbox’s owner has held', () => {
  const hold: RequestBody = { verb: 'hold', mailbox: alice.mailbox, token: undefined, ttlSeconds: 7 * daySeconds, name: content };
  const drop: RequestBody = { verb: 'drop', mailbox: alice.mailbox, name: content };

  it('need no token, are given to anybody, and dropped by nobody else', () => {
    const world = new RelayWorld();
    const session = registered(world);
    world.pair.left.publisher.offer(content, new Uint8Array(9));
    expect(world.verdict(world.connect(), hold)).toBe('refused');
    expect(world.verdict(world.connect(alice), hold)).toBe('refused');
    expect(world.verdict(registered(world, mallory), hold)).toBe('refused');
    const first = world.ask(session, hold);
    expect(first.kind === 'answered' && decodeHoldResponse(first.payloads[0] ?? new Uint8Array(0))).toMatchObject({ state: 'taking' });
    world.pair.run(5_000);
    const then = world.ask(session, hold);
    expect(then.kind === 'answered' && decodeHoldResponse(then.payloads[0] ?? new Uint8Array(0))).toMatchObject({ state: 'held', heldBytes: 9 });
    expect(world.verdict(world.connect(), drop)).toBe('ok');
    expect(world.verdict(registered(world, mallory), drop)).toBe('ok');
    world.pair.run(1_000);
    expect(world.blobs.all).toHaveLength(1);
    expect(world.verdict(session, drop)).toBe('ok');
    world.pair.run(1_000);
    expect(world.blobs.all).toEqual([]);
  });
});
