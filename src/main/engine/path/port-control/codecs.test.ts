/** Both codecs against bytes written down from the standards, and against whatever anybody may send. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../wire/bytes.ts';
import { addressField, addressText, isUnicast } from './address-field.ts';
import { decodeNatPmp, encodeNatPmpAddress, encodeNatPmpMap } from './nat-pmp-codec.ts';
import { decodePcp, encodePcpMap, pcpMapBytes } from './pcp-codec.ts';
import { bytesOf, ipv4Field, localAddress, natPmpAddressAnswer, natPmpMapAnswer, natPmpUnsupportedVersion, pcpMapAnswer, pcpShortAnswer } from './port-control-testing.ts';

const nonce = Uint8Array.from({ length: 12 }, (_, index) => index + 1);
const clientField = ipv4Field(localAddress);
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const port = fc.integer({ min: 1, max: 0xffff });
const publicAddress = fc.tuple(fc.integer({ min: 1, max: 126 }), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => parts.join('.'));

describe('PCP', () => {
  test('a request for a mapping has the bytes of RFC 6887 sections 7.1 and 11.1', () => {
    const bytes = encodePcpMap({ nonce, lifetimeSeconds: 3_600, clientField, internalPort: 0x1234, suggested: { host: '203.0.113.7', port: 0x5678 } });
    expect(toHex(bytes)).toBe('0201000000000e1000000000000000000000ffffc0a80122' + '0102030405060708090a0b0c' + '1100000012345678' + '00000000000000000000ffffcb007107');
  });

  test('without a wish the suggested address is the unspecified one of the family', () => {
    const ipv6 = addressField('2001:db8::5') ?? new Uint8Array(0);
    const at = pcpMapBytes - 16;
    expect(toHex(encodePcpMap({ nonce, lifetimeSeconds: 0, clientField, internalPort: 1, suggested: undefined }).subarray(at))).toBe('00000000000000000000ffff00000000');
    expect(toHex(encodePcpMap({ nonce, lifetimeSeconds: 0, clientField: ipv6, internalPort: 1, suggested: undefined }).subarray(at))).toBe('0'.repeat(32));
  });

  test('every answer that maps is read back as it was written', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), port, port, publicAddress, u32, u32, (given, internalPort, externalPort, address, lifetime, epochSeconds) => {
      const lifetimeSeconds = Math.max(1, lifetime);
      expect(decodePcp(pcpMapAnswer({ nonce: given, internalPort, externalPort, external: ipv4Field(address), lifetimeSeconds, epochSeconds })))
        .toEqual({ kind: 'mapped', echo: { nonce: given, internalPort }, external: { host: address, port: externalPort }, lifetimeSeconds, epochSeconds });
    }));
  });

  test.each([
    [2, 'not-authorised'], [3, 'unsupported'], [4, 'unsupported'], [7, 'network-failure'], [8, 'no-resources'], [9, 'unsupported'], [10, 'no-resources'],
    [11, 'no-resources'], [12, 'address-mismatch'], [13, 'unsupported'], [200, 'unsupported'],
  ] as const)('result %i is the refusal %s', (result, reason) => {
    expect(decodePcp(pcpMapAnswer({ nonce, result, lifetimeSeconds: 30 }))).toMatchObject({ kind: 'refused', reason, lifetimeSeconds: 30, echo: { nonce } });
  });

  test.each([
    ['nothing', new Uint8Array(0), 'too-short'],
    ['three bytes', Uint8Array.of(2, 0x81, 0), 'too-short'],
    ['a header cut short', pcpShortAnswer(1, 0, 1).subarray(0, 20), 'too-short'],
    ['a header alone', pcpShortAnswer(1, 0, 1), 'too-short'],
    ['a refusal without what was asked', pcpShortAnswer(1, 8, 1), 'too-short'],
    ['an odd length', bytesOf(pcpMapAnswer({ nonce }), [8, 0]), 'not-aligned'],
    ['more than any message has', new Uint8Array(1_104), 'too-long'],
    ['a request', encodePcpMap({ nonce, lifetimeSeconds: 1, clientField, internalPort: 1, suggested: undefined }), 'no-answer'],
    ['another version', bytesOf([8, 3], pcpMapAnswer({ nonce }).subarray(1)), 'wrong-version'],
    ['another operation', pcpShortAnswer(2, 0, 1), 'unknown-operation'],
    ['TCP', pcpMapAnswer({ nonce, protocol: 6 }), 'wrong-protocol'],
    ['port 0', pcpMapAnswer({ nonce, externalPort: 0 }), 'no-port'],
    ['no address', pcpMapAnswer({ nonce, external: ipv4Field('0.0.0.0') }), 'no-usable-address'],
    ['our own machine', pcpMapAnswer({ nonce, external: ipv4Field('127.0.0.1') }), 'no-usable-address'],
    ['a multicast address', pcpMapAnswer({ nonce, external: ipv4Field('224.0.0.1') }), 'no-usable-address'],
    ['everybody', pcpMapAnswer({ nonce, external: ipv4Field('255.255.255.255') }), 'no-usable-address'],
    ['an unspecified address of IPv6', pcpMapAnswer({ nonce, external: new Uint8Array(16) }), 'no-usable-address'],
  ])('%s is unreadable', (_name, bytes, reason) => {
    expect(decodePcp(bytes)).toEqual({ kind: 'unreadable', reason });
  });

  test('other versions, announcements and deletions are told apart', () => {
    expect(decodePcp(pcpShortAnswer(1, 1, 7, 1))).toEqual({ kind: 'other-version', version: 1 });
    expect(decodePcp(pcpShortAnswer(0, 1, 7).subarray(0, 8))).toEqual({ kind: 'other-version', version: 2 });
    expect(decodePcp(pcpShortAnswer(0, 0, 7))).toEqual({ kind: 'announced', epochSeconds: 7 });
    expect(decodePcp(pcpMapAnswer({ nonce, lifetimeSeconds: 0, externalPort: 0 }))).toMatchObject({ kind: 'deleted' });
  });

  test('options behind an answer do no harm', () => {
    expect(decodePcp(bytesOf(pcpMapAnswer({ nonce }), [8, 100], [8, 0], [16, 0xffff]))).toMatchObject({ kind: 'mapped' });
  });

  test('whatever comes, reading ends with a kind, and keeps nothing of the input', () => {
    const near = fc.tuple(fc.constant(pcpMapAnswer({ nonce })), fc.array(fc.tuple(fc.nat(63), fc.nat(255)), { maxLength: 6 }), fc.nat(64)).map(([bytes, edits, length]) => {
      const changed = bytes.slice(0, length);
      for (const [at, value] of edits) if (at < changed.length) changed[at] = value;
      return changed;
    });
    fc.assert(fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 1_200 })), (bytes) => {
      const answer = decodePcp(bytes);
      const before = JSON.stringify(answer);
      bytes.fill(0xee);
      expect(JSON.stringify(answer)).toBe(before);
    }), { numRuns: 1_000 });
  });
});

describe('NAT-PMP', () => {
  test('requests have the bytes of RFC 6886 sections 3.2 and 3.3', () => {
    expect(toHex(encodeNatPmpAddress())).toBe('0000');
    expect(toHex(encodeNatPmpMap({ internalPort: 0x1234, suggestedPort: 0x5678, lifetimeSeconds: 3_600 }))).toBe('000100001234567800000e10');
  });

  test('every answer is read back as it was written', () => {
    fc.assert(fc.property(port, port, publicAddress, u32, u32, (internalPort, externalPort, host, lifetime, epochSeconds) => {
      const lifetimeSeconds = Math.max(1, lifetime);
      expect(decodeNatPmp(natPmpAddressAnswer(host, epochSeconds))).toEqual({ kind: 'address', host, epochSeconds });
      expect(decodeNatPmp(natPmpMapAnswer(internalPort, externalPort, lifetimeSeconds, epochSeconds))).toEqual({ kind: 'mapped', internalPort, externalPort, lifetimeSeconds, epochSeconds });
      expect(decodeNatPmp(natPmpMapAnswer(internalPort, 0, 0, epochSeconds))).toEqual({ kind: 'deleted', internalPort, epochSeconds });
    }));
  });

  test.each([[2, 'not-authorised'], [3, 'network-failure'], [4, 'no-resources'], [5, 'unsupported'], [999, 'unsupported']] as const)('result %i is the refusal %s', (result, reason) => {
    expect(decodeNatPmp(natPmpMapAnswer(1, 0, 0, 9, result).subarray(0, 8))).toEqual({ kind: 'refused', operation: 'map', reason, epochSeconds: 9 });
    expect(decodeNatPmp(natPmpAddressAnswer('0.0.0.0', 9, result))).toEqual({ kind: 'refused', operation: 'address', reason, epochSeconds: 9 });
  });

  test('what it says to PCP is understood in both forms that devices use', () => {
    expect(decodeNatPmp(natPmpUnsupportedVersion)).toEqual({ kind: 'unsupported-version' });
    expect(decodeNatPmp(bytesOf([8, 0], [8, 0x81], [16, 1], [32, 5]))).toEqual({ kind: 'unsupported-version' });
  });

  test.each([
    ['nothing', new Uint8Array(0), 'too-short'],
    ['an address cut short', natPmpAddressAnswer('203.0.113.7', 1).subarray(0, 11), 'too-short'],
    ['a mapping cut short', natPmpMapAnswer(1, 2, 3, 4).subarray(0, 15), 'too-short'],
    ['a head cut short', natPmpMapAnswer(1, 2, 3, 4, 2).subarray(0, 7), 'too-short'],
    ['much more than an answer has', new Uint8Array(65), 'too-long'],
    ['a request', encodeNatPmpMap({ internalPort: 1, suggestedPort: 0, lifetimeSeconds: 1 }), 'no-answer'],
    ['another version', bytesOf([8, 1], natPmpMapAnswer(1, 2, 3, 4).subarray(1)), 'wrong-version'],
    ['TCP', bytesOf([8, 0], [8, 130], natPmpMapAnswer(1, 2, 3, 4).subarray(2)), 'unknown-operation'],
    ['port 0', natPmpMapAnswer(1, 0, 3, 4), 'no-port'],
    ['our own machine', natPmpAddressAnswer('127.0.0.1', 1), 'no-usable-address'],
    ['a multicast address', natPmpAddressAnswer('239.1.1.1', 1), 'no-usable-address'],
  ])('%s is unreadable', (_name, bytes, reason) => {
    expect(decodeNatPmp(bytes)).toEqual({ kind: 'unreadable', reason });
  });

  test('an external address of 0.0.0.0 is a gateway without a connection', () => {
    expect(decodeNatPmp(natPmpAddressAnswer('0.0.0.0', 1))).toMatchObject({ kind: 'refused', reason: 'network-failure' });
  });

  test('whatever comes, reading ends with a kind', () => {
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.tuple(fc.constantFrom(128, 129), u16, fc.uint8Array({ maxLength: 14 })).map(([operation, result, rest]) => bytesOf([8, 0], [8, operation], [16, result], rest))), (bytes) => {
      expect(decodeNatPmp(bytes).kind).toMatch(/^(?:address|mapped|deleted|refused|unsupported-version|unreadable)$/);
    }), { numRuns: 1_000 });
  });
});

describe('addresses', () => {
  test('go through the field of 16 bytes and come back in canonical text', () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => addressText(bytes) ?? '')), (text) => {
      const field = addressField(text);
      expect(field).toHaveLength(16);
      expect(field === undefined ? undefined : addressText(field)).toBe(text);
    }));
  });

  test.each(['2001:db8::1', '::', '::1', 'fe80::1', '1:2:3:4:5:6:7:8', '1::'])('%s too', (text) => {
    expect(addressText(addressField(text) ?? new Uint8Array(0))).toBe(text);
  });

  test.each(['', 'example.org', '1.2.3', '1.2.3.4.5', 'fe80::1%eth0', '01.2.3.4', '::g'])('%s is none', (text) => {
    expect(addressField(text)).toBeUndefined();
  });

  test('nobody is reached at unspecified, loopback, multicast and broadcast addresses', () => {
    for (const text of ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', 'ff02::1']) expect(isUnicast(addressField(text) ?? new Uint8Array(0))).toBe(false);
    for (const text of ['10.0.0.1', '203.0.113.7', '2001:db8::1']) expect(isUnicast(addressField(text) ?? new Uint8Array(0))).toBe(true);
  });
});
