import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, holdsAgainstNoise, holdsAsCodec } from './codec-testing.ts';
import { canonicalHost } from './host.ts';
import { addressBytes, canonicalAddress, decodeAddress, encodeAddress } from './socket-address.ts';
import type { SocketAddress } from './types.ts';

const port = fc.integer({ min: 1, max: 0xffff });
const ipv6 = fc.ipV6().map((text) => canonicalHost(text)).filter((host) => host !== undefined && !host.startsWith('::ffff:')).map((host) => host ?? '');
const address: fc.Arbitrary<SocketAddress> = fc.record({ host: fc.oneof(fc.ipV4(), ipv6), port });

describe('addresses in datagrams', () => {
  it('round-trip, have one encoding and survive damage', () => {
    const encode = (value: SocketAddress): Uint8Array => encodeAddress(value) ?? new Uint8Array(0);
    holdsAsCodec({ values: address, encode, decode: decodeAddress, selfDelimiting: true });
    holdsAgainstNoise(decodeAddress);
    fc.assert(fc.property(bytesOf(addressBytes), fc.constantFrom(4, 6), (bytes, family) => {
      const decoded = decodeAddress(bytes.with(0, family));
      if (decoded !== undefined) expect(encodeAddress(decoded)).toEqual(bytes.with(0, family));
    }));
  });

  it('are the same however they were written', () => {
    expect(canonicalAddress({ host: '::FFFF:192.0.2.1', port: 9 })).toEqual({ host: '192.0.2.1', port: 9 });
    expect(canonicalAddress({ host: '2001:DB8:0::1', port: 9 })).toEqual({ host: '2001:db8::1', port: 9 });
    expect(decodeAddress(encodeAddress({ host: '::', port: 1 }) ?? new Uint8Array(0))).toEqual({ host: '::', port: 1 });
  });

  it.each(['relay.example', 'fe80::1%eth0', '', '1.2.3', '1.2.3.4.5', '[::1]'])('are no names and have no zones: %s', (host) => {
    expect(encodeAddress({ host, port: 1 })).toBeUndefined();
  });

  it.each([0, -1, 65_536, 1.5, Number.NaN])('have a port: %s', (wrong) => {
    expect(encodeAddress({ host: '192.0.2.1', port: wrong })).toBeUndefined();
  });
});
