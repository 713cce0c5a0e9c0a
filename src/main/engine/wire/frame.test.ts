import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { toHex } from './bytes.ts';
import { decodeFrame, decodeNegative, encodeLeafResponse, encodeNegative, encodeRequest, encodeResponse, frameMaximumBytes, pullRequestId, responsePayloadMaximumBytes } from './frame.ts';
import { bytesOf, deviceId, holdsAgainstNoise, holdsAsCodec, keyLike, listEntry, mailbox, namePath, u32, u64 } from './codec-testing.ts';
import { negativeCodes, guessMappings, guessRoles, inbounds, offeredKinds } from './types.ts';
import type { Frame, LeafRun, Negative, RequestBody } from './types.ts';
import { bitmapHas, bitmapOf } from './verbs.ts';

const token = bytesOf(16).filter((bytes) => bytes.some((byte) => byte !== 0));
const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined });

/** Without leaves it asks for the proof alone. */
const leafRun: fc.Arbitrary<LeafRun> = fc.tuple(u32, fc.uniqueArray(fc.nat(63)), fc.boolean(), bytesOf(8), fc.nat(255)).map(([first, wanted, proof, nonce, hopLimit]) => ({
  first, count: wanted.length === 0 ? 0 : Math.max(...wanted) + 1, bitmap: bitmapOf(wanted), proof: proof || wanted.length === 0, nonce, hopLimit,
}));

const bodies: { readonly [Verb in RequestBody['verb']]: fc.Arbitrary<Extract<RequestBody, { verb: Verb }>> } = {
  echo: fc.constant({ verb: 'echo' }),
  refusals: fc.constant({ verb: 'refusals' }),
  observe: fc.constant({ verb: 'observe' }),
  circuit: fc.record({ verb: fc.constant('circuit'), mailbox, token }),
  connect: fc.record({ verb: fc.constant('connect'), circuit: u32, tokenHash: bytesOf(32) }),
  'hang-up': fc.record({ verb: fc.constant('hang-up'), circuit: u32 }),
  probe: fc.record({ verb: fc.constant('probe'), random: bytesOf(8) }),
  candidates: fc.tuple(u32, fc.record({ ipv4: fc.constantFrom(undefined, ...inbounds), ipv6: fc.constantFrom(undefined, ...inbounds) }), fc.array(fc.record({ kind: fc.constantFrom(...offeredKinds), address: fc.record({ host: fc.ipV4(), port: fc.integer({ min: 1, max: 65_535 }) }) }), { maxLength: 16 }))
    .map(([generation, inbound, candidates]) => ({ verb: 'candidates', offer: { generation, inbound, candidates } })),
  guess: fc.record({
    verb: fc.constant('guess'),
    offer: fc.record({
      generation: u32, role: fc.constantFrom(...guessRoles),
      facts: fc.record({
        address: fc.record({ host: fc.ipV4(), port: fc.integer({ min: 1, max: 65_535 }) }), mapping: optional(fc.constantFrom(...guessMappings)), filtering: optional(fc.constantFrom(...guessMappings)), onePublicHost: optional(fc.boolean()),
        allocation: optional(fc.oneof(
          fc.constantFrom({ kind: 'preserving' } as const, { kind: 'random' } as const), fc.record({ kind: fc.constant('sequential'), delta: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: -1_000, max: -1 })) }),
          fc.integer({ min: 1, max: 65_535 }).chain((first) => fc.record({ kind: fc.constant('block'), first: fc.constant(first), count: fc.integer({ min: 1, max: 65_536 - first }) })),
        )),
      }),
    }),
  }),
  letter: fc.record({ verb: fc.constant('letter'), bodyRoot: bytesOf(32), bodyLength: u32, header: fc.uint8Array({ maxLength: 600 }), inlineBody: optional(fc.uint8Array({ minLength: 1, maxLength: 256 })) }),
  resolve: fc.record({ verb: fc.constant('resolve'), identity: keyLike, onward: fc.boolean() }),
  challenge: bytesOf(8).map((random) => ({ verb: 'challenge', random })),
  close: fc.nat(255).map((reason) => ({ verb: 'close', reason })),
  pull: fc.tuple(bytesOf(32), u64, fc.nat(5), leafRun).map(([root, length, groupShift, run]) => ({ verb: 'pull', name: { root, length }, groupShift, ...run })),
  pad: fc.nat(65_535).map((datagramBytes) => ({ verb: 'pad', datagramBytes })),
  hold: fc.record({ verb: fc.constant('hold'), mailbox, token: optional(token), ttlSeconds: u32, name: fc.record({ root: bytesOf(32), length: u64 }) }),
  drop: fc.record({ verb: fc.constant('drop'), mailbox, name: fc.record({ root: bytesOf(32), length: u64 }) }),
  more: leafRun.map((run) => ({ verb: 'more', ...run })),
  record: fc.oneof(
    keyLike.map((identity) => ({ verb: 'record', kind: 'identity', identity, deviceId: undefined }) as const),
    fc.tuple(keyLike, deviceId).map(([identity, device]) => ({ verb: 'record', kind: 'prekey', identity, deviceId: device }) as const),
    fc.tuple(keyLike, namePath).map(([identity, path]) => ({ verb: 'record', kind: 'named', identity, path }) as const),
  ),
  publish: fc.record({ verb: fc.constant('publish'), kind: fc.constantFrom('identity', 'prekey', 'named'), object: fc.uint8Array({ maxLength: 1_152 }) }),
  register: u64.map((tokensVersion) => ({ verb: 'register', tokensVersion })),
  tokens: fc.record({
    verb: fc.constant('tokens'), version: u64, reset: fc.boolean(), tokens: fc.array(fc.record({ granted: fc.boolean(), hash: bytesOf(32) }), { maxLength: 32 }),
  }),
  deposit: fc.record({
    verb: fc.constant('deposit'), mailbox, token: optional(token), lane: fc.constantFrom('letter', 'receipt'), ttlSeconds: u32, purgeHash: bytesOf(32),
    bodyRoot: bytesOf(32), bodyLength: u32, header: fc.uint8Array({ maxLength: 600 }), inlineBody: optional(fc.uint8Array({ minLength: 1, maxLength: 256 })),
  }),
  list: fc.record({ verb: fc.constant('list'), epoch: bytesOf(8), afterSequence: u64, mostFragments: fc.integer({ min: 1, max: 16 }) }),
  ack: fc.record({
    verb: fc.constant('ack'), letters: fc.array(fc.record({ letterId: bytesOf(32), verdict: fc.constantFrom('committed', 'unopenable') }), { maxLength: 32 }),
  }),
  withdraw: fc.record({ verb: fc.constant('withdraw'), mailbox, letterId: bytesOf(32), purgeKey: bytesOf(32) }),
  status: fc.record({ verb: fc.constant('status'), mailbox, letterIds: fc.array(bytesOf(32), { maxLength: 32 }) }),
  notify: fc.record({ verb: fc.constant('notify'), epoch: bytesOf(8), highestSequence: u64, entry: optional(listEntry) }),
};

const requestOf = (body: fc.Arbitrary<RequestBody>): fc.Arbitrary<Frame> => fc.tuple(bytesOf(16), body).map(([requestId, parsed]) => ({ type: 'request', requestId, body: parsed }));
const response: fc.Arbitrary<Frame> = fc.record({
  type: fc.constant('response'), requestId: bytesOf(16), fragment: u32, final: fc.boolean(), negative: fc.constant(false), proof: fc.constant(false),
  payload: fc.uint8Array({ maxLength: responsePayloadMaximumBytes }),
});

function encode(frame: Frame): Uint8Array {
  if (frame.type === 'request') return encodeRequest(frame.requestId, frame.body);
  const bytes = encodeResponse(frame.requestId, frame.fragment, frame.final, frame.payload);
  return frame.negative ? bytes.with(21, (bytes[21] ?? 0) | 2) : bytes;
}

const openEnded: readonly string[] = ['publish', 'deposit', 'notify', 'letter'];

describe('frames', () => {
  it.each(Object.entries(bodies))('%s requests round-trip, have one encoding and survive damage', (verb, body) => {
    holdsAsCodec({ values: requestOf(body), encode, decode: decodeFrame, selfDelimiting: !openEnded.includes(verb), numRuns: 100 });
  });

  it('responses round-trip, have one encoding and survive damage', () => {
    holdsAsCodec({ values: response, encode, decode: decodeFrame, selfDelimiting: false });
  });

  it('decoding never throws and never makes more than its input justifies', () => {
    holdsAgainstNoise(decodeFrame);
    for (let verb = 0; verb <= 31; verb += 1) holdsAgainstNoise(decodeFrame, [1, verb]);
  });

  it('numbers the verbs as the protocol does', () => {
    const numbers = Object.fromEntries(fc.sample(fc.record(bodies), { numRuns: 1, seed: 1 }).flatMap((all) => Object.values(all))
      .map((body) => [body.verb, encodeRequest(new Uint8Array(16), body)[1]]));
    expect(numbers).toEqual({
      echo: 1, challenge: 2, close: 3, pull: 4, record: 5, publish: 6, register: 7, tokens: 8, deposit: 9, list: 10, ack: 11, withdraw: 12, status: 13,
      notify: 14, refusals: 15, more: 16, pad: 17, hold: 18, drop: 19, observe: 20, circuit: 21, connect: 22, 'hang-up': 23, probe: 24, candidates: 25, letter: 26, guess: 27, resolve: 28,
    });
  });

  it('lays out what is asked about records as before names, and a name after its kind', () => {
    const identity = `02${'11'.repeat(32)}`;
    const ask = (body: RequestBody): string => toHex(encodeRequest(new Uint8Array(16), body)).slice(36);
    expect(ask({ verb: 'record', kind: 'identity', identity, deviceId: undefined })).toBe(`01${identity}${'00'.repeat(16)}`);
    expect(ask({ verb: 'record', kind: 'prekey', identity, deviceId: '22'.repeat(16) })).toBe(`02${identity}${'22'.repeat(16)}`);
    expect(ask({ verb: 'record', kind: 'named', identity, path: 'a/b' })).toBe(`03${identity}03612f62`);
    expect(() => encodeRequest(new Uint8Array(16), { verb: 'record', kind: 'named', identity, path: '../b' })).toThrow(RangeError);
  });

  it('lays out an echo request byte by byte', () => {
    expect(toHex(encodeRequest(new Uint8Array(16).fill(0xab), { verb: 'echo' }))).toBe(`0101${'ab'.repeat(16)}`);
  });

  it('refuses frames over 1,171 bytes, and responses that no datagram can hold', () => {
    const id = new Uint8Array(16);
    expect(encodeResponse(id, 0, true, new Uint8Array(responsePayloadMaximumBytes))).toHaveLength(frameMaximumBytes);
    expect(() => encodeResponse(id, 0, true, new Uint8Array(responsePayloadMaximumBytes + 1))).toThrow(RangeError);
    expect(() => encodeRequest(id, { verb: 'publish', kind: 'identity', object: new Uint8Array(1_153) })).toThrow(RangeError);
    expect(decodeFrame(Uint8Array.of(...encodeRequest(id, { verb: 'publish', kind: 'identity', object: new Uint8Array(1_152) }), 0))).toBeUndefined();
    const longest = encodeLeafResponse(id, 7, 'fragment', 65_507 - 29 - 22, (payload) => { payload.fill(1); });
    expect(decodeFrame(longest)).toMatchObject({ type: 'response', fragment: 7, proof: false, negative: false });
    expect(decodeFrame(Uint8Array.of(...longest, 0))).toBeUndefined();
    expect(() => encodeLeafResponse(id, 7, 'proof', 65_507 - 29 - 21, () => undefined)).toThrow(RangeError);
    expect(decodeFrame(encodeLeafResponse(id, 7, 'proof', 3, (payload) => { payload.fill(9); }))).toMatchObject({ fragment: 7, proof: true, payload: new Uint8Array(3).fill(9) });
  });

  it('refuses unknown kinds, verbs and flags, and counts out of range', () => {
    const id = Array.from({ length: 16 }, () => 1);
    expect(decodeFrame(Uint8Array.of())).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(3, ...id, 0, 0, 0, 0, 0))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(1, 0, ...id))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(1, 21, ...id))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(2, ...id, 0, 0, 0, 0, 5))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(1, 10, ...id, ...new Uint8Array(16), 17))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(1, 4, ...id, ...new Uint8Array(46), 0, ...new Uint8Array(17)))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(1, 4, ...id, ...new Uint8Array(46), 65, ...new Uint8Array(17)))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(1, 11, ...id, 33, ...new Uint8Array(33 * 33).fill(1)))).toBeUndefined();
  });
});

describe('negatives', () => {
  const negative: fc.Arbitrary<Negative> = fc.record({
    code: fc.constantFrom(...negativeCodes).filter((code) => code !== 'ok'), retryAfterSeconds: u32, detail: u32,
  });

  it('round-trip through a frame that is final and marked', () => {
    fc.assert(fc.property(bytesOf(16), negative, (requestId, value) => {
      const frame = decodeFrame(encodeNegative(requestId, value));
      expect(frame).toMatchObject({ type: 'response', fragment: 0, final: true, negative: true });
      expect(frame?.type === 'response' ? decodeNegative(frame.payload) : undefined).toEqual(value);
    }));
  });

  it('have the numbers of the protocol', () => {
    const codeOf = (code: Negative['code']): number | undefined => encodeNegative(new Uint8Array(16), { code, retryAfterSeconds: 0, detail: 0 })[22];
    expect([codeOf('not-found'), codeOf('quota'), codeOf('unauthenticated')]).toEqual([1, 6, 13]);
    expect(decodeNegative(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0))).toBeUndefined();
    expect(decodeNegative(Uint8Array.of(15, 0, 0, 0, 0, 0, 0, 0, 0))).toBeUndefined();
  });

  it('decode from nothing but nine bytes', () => { holdsAgainstNoise(decodeNegative); });
});

describe('pulls', () => {
  it('share an id for one name and differ for another length or another size of leaves', () => {
    const root = new Uint8Array(32).fill(1);
    expect(pullRequestId(nobleCrypto, { root, length: 5 }, 2)).toEqual(nobleCrypto.blake3(Uint8Array.of(...root, 0, 0, 0, 0, 0, 0, 0, 5, 2)).slice(0, 16));
    expect(pullRequestId(nobleCrypto, { root, length: 6 }, 2)).not.toEqual(pullRequestId(nobleCrypto, { root, length: 5 }, 2));
    expect(pullRequestId(nobleCrypto, { root, length: 5 }, 1)).not.toEqual(pullRequestId(nobleCrypto, { root, length: 5 }, 2));
  });

  it('count bitmap bits from the least significant, and drop those beyond the count', () => {
    expect([...bitmapOf([0, 9, 63])]).toEqual([1, 2, 0, 0, 0, 0, 0, 128]);
    const all = new Uint8Array(8).fill(255);
    const frame = decodeFrame(encodeRequest(new Uint8Array(16), { verb: 'pull', name: { root: new Uint8Array(32), length: 9 }, groupShift: 0, first: 0, count: 9, bitmap: all, proof: false, nonce: new Uint8Array(8), hopLimit: 1 }));
    const bitmap = frame?.type === 'request' && frame.body.verb === 'pull' ? frame.body.bitmap : undefined;
    expect(bitmap && [...bitmap]).toEqual([255, 1, 0, 0, 0, 0, 0, 0]);
    expect(Array.from({ length: 10 }, (_, index) => bitmapHas(bitmap ?? new Uint8Array(8), index))).toEqual([true, true, true, true, true, true, true, true, true, false]);
  });
});
