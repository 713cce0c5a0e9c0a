import { describe, expect, it } from 'vitest';
import { decodeIdentityRecord } from '../wire/record.ts';
import { RelayWorld, bundleOf, depositOf, device, letter, recordOf } from './mailbox-testing.ts';
import { decodeStatusResponse } from '../wire/responses.ts';
import type { RequestBody } from '../wire/types.ts';

const publish = (object: { readonly bytes: Uint8Array }, kind: 'identity' | 'prekey' = 'identity'): RequestBody => ({ verb: 'publish', kind, object: object.bytes });
const sequence = 1_800_000_000;
const alice = device(1);
const register = { verb: 'register', tokensVersion: 0 } as const;

describe('published identity records', () => {
  it('are kept and given to anybody', () => {
    const world = new RelayWorld();
    const record = recordOf([alice], sequence);
    const ask: RequestBody = { verb: 'record', kind: 'identity', identity: alice.mailbox.identity, deviceId: undefined };
    expect(world.verdict(world.connect(), ask)).toBe('not-found');
    expect(world.verdict(world.connect(alice), publish(record))).toBe('ok');
    expect(world.ask(world.connect(), ask)).toEqual({ kind: 'answered', payloads: [record.bytes] });
    world.restart('drop');
    expect(world.ask(world.connect(), ask)).toEqual({ kind: 'answered', payloads: [record.bytes] });
  });

  it('are verified, once for the same bytes', () => {
    const world = new RelayWorld();
    const session = world.connect(alice);
    const record = recordOf([alice], sequence);
    const forged = record.bytes.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    expect(world.verdict(session, publish({ bytes: forged }))).toBe('malformed');
    expect(world.verdict(session, publish({ bytes: record.bytes.subarray(1) }))).toBe('malformed');
    expect(world.role.counters['records-verified']).toBe(1);
    for (let times = 0; times < 3; times += 1) expect(world.verdict(session, publish(record))).toBe('ok');
    expect(world.role.counters['records-verified']).toBe(2);
  });

  it('are refused when lower, different with the same sequence, or more than two days ahead', () => {
    const world = new RelayWorld();
    const session = world.connect(alice);
    expect(world.verdict(session, publish(recordOf([alice], sequence)))).toBe('ok');
    expect(world.verdict(session, publish(recordOf([alice], sequence - 1)))).toBe('stale');
    expect(world.verdict(session, publish(recordOf([alice, device(1, 2)], sequence)))).toBe('stale');
    const limit = Math.floor(world.now.wallMs / 1_000) + 2 * 86_400;
    expect(world.verdict(session, publish(recordOf([alice], limit + 60)))).toBe('too-far-ahead');
    expect(world.verdict(session, publish(recordOf([alice], limit)))).toBe('ok');
    const answer = world.ask(session, { verb: 'record', kind: 'identity', identity: alice.mailbox.identity, deviceId: undefined });
    expect(answer.kind === 'answered' && decodeIdentityRecord(answer.payloads[0] ?? new Uint8Array(0))?.sequence).toBe(limit);
  });

  it('of identities that the operator does not list are refused', () => {
    const world = new RelayWorld({ registration: { list: [device(2).mailbox.identity] } });
    expect(world.verdict(world.connect(alice), publish(recordOf([alice], sequence)))).toBe('refused');
    expect(world.verdict(world.connect(), publish(recordOf([device(2)], sequence)))).toBe('ok');
  });

  it('published for others are rated by address prefix', () => {
    const world = new RelayWorld();
    const record = publish(recordOf([alice], sequence));
    const verdicts = Array.from({ length: 31 }, (_, index) => world.verdict(world.connect(undefined, `192.0.2.${String(index)}`), record));
    expect(verdicts.filter((verdict) => verdict === 'ok').length).toBeGreaterThanOrEqual(30);
    const before = Array.from({ length: 40 }, () => world.connect(undefined, '198.51.100.7'));
    const outcomes: string[] = [];
    for (const session of before) world.start(session, record, (outcome) => outcomes.push(outcome.kind === 'negative' ? outcome.negative.code : outcome.kind));
    world.pair.run(1_000);
    expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(10);
    expect(world.verdict(world.connect(alice, '198.51.100.8'), record)).toBe('ok');
  });
});

describe('prekey bundles', () => {
  const ask: RequestBody = { verb: 'record', kind: 'prekey', identity: alice.mailbox.identity, deviceId: alice.mailbox.deviceId };

  it('are verified with the device key that the session or the record shows', () => {
    const world = new RelayWorld();
    const bundle = bundleOf(alice, sequence);
    expect(world.verdict(world.connect(), publish(bundle, 'prekey'))).toBe('not-yet');
    expect(world.verdict(world.connect(alice), publish(bundleOf(alice, sequence, device(3).ed25519Seed), 'prekey'))).toBe('malformed');
    expect(world.verdict(world.connect(alice), publish(bundle, 'prekey'))).toBe('ok');
    expect(world.ask(world.connect(), ask)).toEqual({ kind: 'answered', payloads: [bundle.bytes] });
    world.verdict(world.connect(alice), publish(recordOf([alice], sequence)));
    expect(world.verdict(world.connect(), publish(bundleOf(alice, sequence + 1), 'prekey'))).toBe('ok');
  });

  it('are refused when older, far ahead, of a dropped device, or not a bundle', () => {
    const world = new RelayWorld();
    const session = world.connect(alice);
    expect(world.verdict(session, publish(bundleOf(alice, sequence), 'prekey'))).toBe('ok');
    expect(world.verdict(session, publish(bundleOf(alice, sequence - 1), 'prekey'))).toBe('stale');
    expect(world.verdict(session, publish(bundleOf(alice, sequence + 3 * 86_400), 'prekey'))).toBe('too-far-ahead');
    expect(world.verdict(session, publish(recordOf([alice], sequence), 'prekey'))).toBe('malformed');
    world.verdict(session, publish(recordOf([device(1, 2)], sequence)));
    expect(world.verdict(session, publish(bundleOf(alice, sequence + 1), 'prekey'))).toBe('revoked');
  });
});

describe('a newer record that drops a device', () => {
  it('ends its registration, makes its letters unopenable, and locks it out', () => {
    const world = new RelayWorld();
    const old = world.connect(alice);
    const phone = device(1, 2);
    const depositor = world.connect();
    const notified: number[] = [];
    world.pair.left.handle('notify', (sessionId, _, answer, now) => { notified.push(sessionId); answer.respond(new Uint8Array(0), now); });
    expect(world.verdict(old, publish(recordOf([alice], sequence)))).toBe('ok');
    expect(world.verdict(old, register)).toBe('ok');
    expect(world.verdict(depositor, depositOf(alice.mailbox, letter(1)))).toBe('ok');
    world.pair.run(500);
    expect(notified).toEqual([old]);

    const fresh = world.connect(phone);
    expect(world.verdict(fresh, publish(recordOf([phone], sequence + 1)))).toBe('ok');
    expect(world.verdict(fresh, register)).toBe('ok');
    const status = world.ask(depositor, { verb: 'status', mailbox: alice.mailbox, letterIds: [letter(1).letterId] });
    expect(status.kind === 'answered' && decodeStatusResponse(status.payloads[0] ?? new Uint8Array(0))?.map(({ state }) => state)).toEqual(['unopenable']);
    expect(world.verdict(depositor, depositOf(alice.mailbox, letter(2)))).toBe('no-mailbox');
    for (const body of [register, { verb: 'refusals' }, { verb: 'list', epoch: new Uint8Array(8), afterSequence: 0, mostFragments: 1 },
      { verb: 'ack', letters: [] }, { verb: 'tokens', version: 1, reset: true, tokens: [] }] as const) expect(world.verdict(old, body)).toBe('revoked');
    expect(world.verdict(depositor, depositOf(phone.mailbox, letter(3)))).toBe('ok');
    world.pair.run(500);
    expect(notified).toEqual([old, fresh]);
    world.restart('drop');
    expect(world.verdict(world.connect(alice), register)).toBe('revoked');
  });

  it('is carried out again when the relay died between the record and the revocation', () => {
    const world = new RelayWorld();
    const depositor = world.connect();
    world.verdict(world.connect(alice), register);
    world.verdict(depositor, depositOf(alice.mailbox, letter(1)));
    const record = recordOf([device(1, 2)], sequence);
    world.store.apply<'put-record'>({ op: 'put-record', kind: 'identity', identity: record.identity, deviceId: '', sequence, notAfterSeconds: sequence, bytes: record.bytes });
    world.restart('drop');
    expect(world.verdict(world.connect(), depositOf(alice.mailbox, letter(2)))).toBe('ok');
    expect(world.verdict(world.connect(device(1, 2)), publish(record))).toBe('ok');
    expect(world.verdict(world.connect(), depositOf(alice.mailbox, letter(3)))).toBe('no-mailbox');
  });

  it('goes by the device’s key too: a certificate of the same device id and another key is none', () => {
    const world = new RelayWorld();
    const impostor = { ...alice.certificate, x25519: device(5).certificate.x25519 };
    const session = world.connect({ ...alice, certificate: impostor });
    world.verdict(world.connect(alice), publish(recordOf([alice], sequence)));
    expect(world.verdict(session, register)).toBe('revoked');
    expect(world.verdict(world.connect(alice), register)).toBe('ok');
  });
});
