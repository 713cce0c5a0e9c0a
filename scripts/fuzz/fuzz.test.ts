import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../sim/random.ts';
import { HandshakeState, generateKeyPair } from '../../src/main/engine/noise/index.ts';
import { concatBytes, utf8Encode } from '../../src/main/engine/wire/bytes.ts';
import { decodeFrame, frameMaximumBytes } from '../../src/main/engine/wire/frame.ts';
import { decodeObserve, isObserveDatagram, openProbe } from '../../src/main/engine/path/observe-codec.ts';
import { decodeNamedRecord, verifyNamedRecord } from '../../src/main/engine/wire/named-record.ts';
import { identityPublicKey } from '../../src/main/engine/wire/identity.ts';
import { chooseCrypto } from '../../src/main/host/crypto.ts';
import { genuinePayload, handshake1, newHandshake, transport, withCookie } from './handshake-bytes.ts';
import { closeFrame, hostileFrame, hostilePayload } from './hostile-frames.ts';
import { hostileObserve } from './hostile-observe.ts';
import { hostileRecord, signedRecords } from './hostile-records.ts';
import { fuzzFetches, fuzzNameCodecs } from './lying-relay.ts';
import { residentBytes } from './memory.ts';
import { mutate, mutationKinds } from './mutations.ts';

const random = new SeededRandom('fuzz tests');
const speaker = { identity: identityPublicKey(random.bytes(32)), deviceId: '0a'.repeat(16) };

describe('Mutations', () => {
  it('leave the genuine datagram alone and stay within what a socket sends', () => {
    const genuine = random.bytes(1_200);
    const copy = genuine.slice();
    for (const kind of mutationKinds) {
      for (let count = 0; count < 200; count += 1) expect(mutate(random, kind, genuine, random.bytes(500)).length).toBeLessThanOrEqual(1_700);
    }
    expect(genuine).toEqual(copy);
  });

  it('take an empty datagram', () => {
    const empty = new Uint8Array(0);
    for (const kind of mutationKinds) expect(mutate(random, kind, empty, empty)).toBeInstanceOf(Uint8Array);
  });
});

describe('Hostile frames', () => {
  it('fit a frame, and are partly well-formed and partly not', () => {
    let wellFormed = 0;
    const verbs = new Set<string>();
    for (let count = 0; count < 2_000; count += 1) {
      const frame = hostileFrame(random, speaker, [random.bytes(158)]);
      expect(frame.length).toBeGreaterThan(0);
      expect(frame.length).toBeLessThanOrEqual(frameMaximumBytes);
      const decoded = decodeFrame(frame);
      if (decoded === undefined) continue;
      wellFormed += 1;
      if (decoded.type === 'request') verbs.add(decoded.body.verb);
    }
    expect(wellFormed).toBeGreaterThan(500);
    expect(wellFormed).toBeLessThan(1_900);
    expect(verbs.size).toBeGreaterThan(10);
    expect(verbs.has('close')).toBe(false);
    expect(decodeFrame(closeFrame(random))).toMatchObject({ body: { verb: 'close' } });
  });
});

describe('Hostile probes', () => {
  it('are partly genuine and partly not, of all kinds, with and without tickets', () => {
    const { crypto } = chooseCrypto();
    const tickets = [1, 2].map((number) => ({ id: random.bytes(8), key: random.bytes(32), lastsSeconds: 60, probes: 24, secondPort: number, seen: { host: '127.0.0.1', port: 9 } }));
    const kinds = new Set<string>();
    let opened = 0;
    for (let count = 0; count < 2_000; count += 1) {
      const datagram = hostileObserve(random, crypto, count % 4 === 0 ? [] : tickets, 7_400);
      expect(isObserveDatagram(datagram)).toBe(true);
      const decoded = decodeObserve(datagram);
      kinds.add(decoded?.type ?? 'malformed');
      if (decoded?.type === 'probe' && tickets.some(({ key }) => openProbe(crypto, key, decoded) !== undefined)) opened += 1;
    }
    expect(kinds).toEqual(new Set(['probe', 'request', 'answer', 'passed-answer', 'malformed']));
    expect(opened).toBeGreaterThan(100);
    expect(opened).toBeLessThan(1_500);
  });
});

describe('What is published under names', () => {
  const nowSeconds = 1_770_000_000;
  const signed = signedRecords(random, random.bytes(32), nowSeconds);

  it('is signed records of many kinds, and damaged ones', () => {
    const decoded = signed.map((bytes) => decodeNamedRecord(bytes));
    expect(decoded.every((record) => record !== undefined && verifyNamedRecord(record))).toBe(true);
    expect(decoded.some((record) => record?.content === undefined)).toBe(true);
    expect(new Set(decoded.map((record) => record?.path)).size).toBeGreaterThan(2);
    const damaged = Array.from({ length: 300 }, () => hostileRecord(random, signed));
    const readable = damaged.filter((bytes) => decodeNamedRecord(bytes) !== undefined).length;
    expect(readable).toBeGreaterThan(50);
    expect(readable).toBeLessThan(290);
  });

  it('is said to a relay in frames that it reads', () => {
    const kinds = new Set<string>();
    for (let count = 0; count < 3_000; count += 1) {
      const frame = decodeFrame(hostileFrame(random, { ...speaker, records: signed }));
      if (frame?.type === 'request' && (frame.body.verb === 'record' || frame.body.verb === 'publish')) kinds.add(`${frame.body.verb} ${frame.body.kind}`);
    }
    expect([...kinds]).toEqual(expect.arrayContaining(['record named', 'publish named']));
  });

  it('is read or refused, and fetched from a relay that lies as far as it is true', () => {
    expect(fuzzNameCodecs(random, signed, 500).wrong).toBe(0);
    expect(fuzzFetches(new SeededRandom('lying'), 30)).toMatchObject({ rounds: 30, thrown: undefined, misjudged: 0, isHeldInTheEnd: true });
  }, 60_000);
});

describe('Handshakes from the document', () => {
  it('are read by a responder, with hostile payloads too', () => {
    const { crypto } = chooseCrypto();
    const [ours, theirs] = [generateKeyPair(crypto, random.bytes), generateKeyPair(crypto, random.bytes)];
    for (const payload of [genuinePayload(random.bytes, new Uint8Array(0)), hostilePayload(random, genuinePayload(random.bytes, random.bytes(194)))]) {
      const datagram = handshake1(newHandshake(crypto, random.bytes, 'IK', ours, theirs.publicKey), 'IK', 7, payload);
      expect(datagram).toHaveLength(1_200);
      const responder = new HandshakeState({
        crypto, pattern: 'IK', initiator: false, prologue: concatBytes(utf8Encode('waypost link'), new Uint8Array([1, 1, 1])), staticKeyPair: theirs,
        generateKeyPair: () => generateKeyPair(crypto, random.bytes),
      });
      expect(responder.readMessage(datagram.subarray(24))?.subarray(0, payload.length)).toEqual(payload);
      const cookie = random.bytes(16);
      expect(withCookie(datagram, cookie).subarray(6, 22)).toEqual(cookie);
    }
    expect(transport(1, 2, random.bytes(16))).toHaveLength(29);
  });
});

describe('Memory of a process', () => {
  it('is known for one that runs and unknown for one that does not', () => {
    expect(residentBytes(process.pid)).toBeGreaterThan(1_000_000);
    expect(residentBytes(2 ** 30)).toBeUndefined();
  });
});
