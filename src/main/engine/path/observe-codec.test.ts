import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { decodeDatagram } from '../session/datagram.ts';
import { bytesOf, holdsAgainstNoise, holdsAsCodec, u16 } from '../wire/codec-testing.ts';
import { answerBytes, decodeObserve, encodeAnswer, encodePassedAnswer, encodeProbe, encodeRequestTo, isObserveDatagram, isPermitted, openPassedAnswer, openProbe, openSight, passedAnswerBytes, permit, probeBytes, probesMaximum, requestBytes, sealSight, encodePassAnswer, openPassAnswer, passAnswerBytes, passBytes } from './observe-codec.ts';
import { decodeTicket, encodeTicket } from './ticket.ts';
import type { ObserveDatagram, ProbeName, Sight } from './observe-codec.ts';

const name: fc.Arbitrary<ProbeName> = fc.record({ ticket: bytesOf(8), number: fc.integer({ min: 1, max: probesMaximum }) });
const key = bytesOf(32);
const address = fc.record({ host: fc.ipV4(), port: fc.integer({ min: 1, max: 0xffff }) });
const noBytes = new Uint8Array(0);
const sightOf = (sealKey: Uint8Array, of: ProbeName, seen: { host: string; port: number }): Sight => {
  const sight = sealSight(crypto, sealKey, of, seen);
  if (sight === undefined) throw new Error('no address');
  return sight;
};
const known: { readonly key: Uint8Array; readonly name: ProbeName; readonly other: ProbeName } = {
  key: new Uint8Array(32).fill(3), name: { ticket: new Uint8Array(8).fill(1), number: 5 }, other: { ticket: new Uint8Array(8).fill(2), number: 7 },
};
const decodedAs = <Type extends ObserveDatagram['type']>(type: Type, bytes: Uint8Array): Extract<ObserveDatagram, { type: Type }> => {
  const decoded = decodeObserve(bytes);
  const isIt = (one: ObserveDatagram | undefined): one is Extract<ObserveDatagram, { type: Type }> => one?.type === type;
  if (!isIt(decoded)) throw new Error(`not a ${type}`);
  return decoded;
};

describe('the datagrams of observing', () => {
  it('decode without throwing, and to nothing that their bytes do not justify', () => {
    holdsAgainstNoise(decodeObserve);
    for (const start of [[7, 1], [7, 3], [8, 1], [8, 2], [9]]) holdsAgainstNoise(decodeObserve, start);
    for (const [type, size] of [[7, probeBytes], [8, answerBytes], [8, passedAnswerBytes], [9, requestBytes]] as const) {
      fc.assert(fc.property(bytesOf(size), fc.nat(3), (bytes, second) => { expect(() => decodeObserve(bytes.with(0, type).with(1, second))).not.toThrow(); }));
    }
  });

  it('are no datagrams of sessions, nor the other way round', () => {
    for (let type = 0; type < 256; type += 1) {
      const bytes = new Uint8Array(probeBytes).fill(type, 0, 1);
      expect(isObserveDatagram(bytes)).toBe(type >= 7 && type <= 10);
      if (isObserveDatagram(bytes)) expect(decodeDatagram(bytes)).toBe('unknown-type');
    }
    expect(isObserveDatagram(noBytes)).toBe(false);
  });

  it('answers: round-trip, one encoding, self-delimiting', () => {
    const values: fc.Arbitrary<ObserveDatagram> = fc.record({ type: fc.constant('answer'), sight: fc.record({ name, sealed: bytesOf(35) }) });
    holdsAsCodec({ values, encode: (value) => (value.type === 'answer' ? encodeAnswer(value.sight) : noBytes), decode: decodeObserve, selfDelimiting: true });
  });

  it('requests to another relay: round-trip, one encoding, self-delimiting', () => {
    const values: fc.Arbitrary<ObserveDatagram> = fc.record({ type: fc.constant('request'), name, permission: bytesOf(16), to: address, sight: fc.record({ name, sealed: bytesOf(35) }) });
    holdsAsCodec({ values, encode: (value) => (value.type === 'request' ? encodeRequestTo(value, value.to, value.sight) : undefined) ?? noBytes, decode: decodeObserve, selfDelimiting: true });
  });

  it('probes: what was sealed opens, of one size whatever they ask for', () => {
    fc.assert(fc.property(key, name, fc.constantFrom('asked', 'other-port'), (secret, of, answerFrom) => {
      const bytes = encodeProbe(crypto, secret, of, answerFrom, undefined) ?? noBytes;
      const probe = decodedAs('probe', bytes);
      expect([bytes.length, probe.name, probe.answerFrom, openProbe(crypto, secret, probe)]).toEqual([probeBytes, of, answerFrom, { other: undefined }]);
    }));
    fc.assert(fc.property(key, name, name, address, bytesOf(16), (secret, of, otherName, at, permission) => {
      const other = { address: at, name: otherName, permission };
      const bytes = encodeProbe(crypto, secret, of, 'other-relay', other) ?? noBytes;
      expect([bytes.length, openProbe(crypto, secret, decodedAs('probe', bytes))]).toEqual([probeBytes, { other }]);
    }));
    expect(encodeProbe(crypto, known.key, known.name, 'other-relay', undefined)).toBeUndefined();
    expect(encodeProbe(crypto, known.key, known.name, 'asked', { address: { host: '192.0.2.1', port: 1 }, name: known.other, permission: new Uint8Array(16) })).toBeUndefined();
  });

  it('no changed byte of a probe or of an answer goes unnoticed, nor the key of another ticket', () => {
    const probe = encodeProbe(crypto, known.key, known.name, 'asked', undefined) ?? noBytes;
    const sight = sightOf(known.key, known.name, { host: '192.0.2.9', port: 99 });
    const answer = encodeAnswer(sight);
    const passed = encodePassedAnswer(crypto, known.key, known.other, sight);
    const seenIn = (bytes: Uint8Array, secret: Uint8Array): unknown => {
      const decoded = decodeObserve(bytes);
      if (decoded?.type === 'probe') return openProbe(crypto, secret, decoded);
      if (decoded?.type === 'answer') return openSight(crypto, secret, decoded.sight);
      if (decoded?.type === 'pass-answer') return openPassAnswer(crypto, secret, decoded);
      return decoded?.type === 'passed-answer' ? openPassedAnswer(crypto, secret, decoded) : undefined;
    };
    const pass = { place: { host: '192.0.2.9', port: 99 }, bytes: new Uint8Array(passBytes).fill(3) };
    const given = encodePassAnswer(crypto, known.key, known.name, pass) ?? noBytes;
    const shown = encodeProbe(crypto, known.key, known.name, 'by-pass', undefined, pass) ?? noBytes;
    expect([seenIn(given, known.key), seenIn(shown, known.key), shown.length]).toEqual([pass, { other: undefined, pass }, probeBytes]);
    for (const bytes of [probe, answer, passed, given, shown]) {
      expect(seenIn(bytes, known.key)).toBeDefined();
      expect(seenIn(bytes, known.key.with(0, 9))).toBeUndefined();
      for (let at = 0; at < bytes.length; at += 1) expect(seenIn(bytes.with(at, (bytes[at] ?? 0) ^ 1), known.key)).toBeUndefined();
    }
  });

  it('what was sealed for one purpose does not pass for another', () => {
    const permission = permit(crypto, known.key, known.name, known.other);
    expect(isPermitted(crypto, known.key, known.name, known.other, permission)).toBe(true);
    expect(isPermitted(crypto, known.key, known.name, { ...known.other, number: 8 }, permission)).toBe(false);
    expect(isPermitted(crypto, known.key, { ...known.name, number: 6 }, known.other, permission)).toBe(false);
    const sight = sightOf(known.key, known.name, { host: '2001:db8::1', port: 5 });
    expect(openSight(crypto, known.key, sight)).toEqual({ host: '2001:db8::1', port: 5 });
    expect(openSight(crypto, known.key, { ...sight, name: { ...known.name, number: 6 } })).toBeUndefined();
    expect(isPermitted(crypto, known.key, known.name, known.other, sight.sealed.subarray(0, 16))).toBe(false);
  });

  it('hide the address that was seen: a gateway that rewrites addresses in packets finds none', () => {
    const sight = sightOf(known.key, known.name, { host: '1.2.3.4', port: 0x0506 });
    const bytes = [encodeAnswer(sight), encodePassedAnswer(crypto, known.key, known.other, sight)].map((one) => one.join());
    for (const text of bytes) expect(text.includes('1,2,3,4') || text.includes('5,6')).toBe(false);
  });

  it('grow smaller at each step', () => {
    expect([probeBytes, requestBytes, passedAnswerBytes, passAnswerBytes, answerBytes]).toEqual([128, 89, 71, 66, 46]);
  });
});

describe('tickets', () => {
  it('round-trip, have one encoding and survive damage', () => {
    const values = fc.record({
      id: bytesOf(8), key, lastsSeconds: u16, probes: fc.integer({ min: 1, max: probesMaximum }), secondPort: fc.option(fc.integer({ min: 1, max: 0xffff }), { nil: undefined }), seen: address,
    });
    holdsAsCodec({ values, encode: (ticket) => encodeTicket(ticket) ?? noBytes, decode: decodeTicket, selfDelimiting: true });
    holdsAgainstNoise(decodeTicket);
  });

  it('are not made for an address that cannot be told', () => {
    expect(encodeTicket({ id: new Uint8Array(8), key: known.key, lastsSeconds: 60, probes: 24, secondPort: undefined, seen: { host: 'fe80::1%eth0', port: 4 } })).toBeUndefined();
  });
});
