import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, holdsAgainstNoise, holdsAsCodec } from '../wire/codec-testing.ts';
import { canonicalHost } from '../wire/host.ts';
import { addressBytes, canonicalAddress, decodeAddress, encodeAddress, mayHaveSentTo, scopeOf } from './addresses.ts';
import type { SocketAddress } from '../wire/types.ts';

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

describe('where a packet may be sent', () => {
  it.each([
    ['0.0.0.0', 'none'], ['0.1.2.3', 'none'], ['224.0.0.1', 'none'], ['239.255.255.250', 'none'], ['255.255.255.255', 'none'], ['240.0.0.1', 'none'], ['169.254.169.254', 'none'],
    ['192.0.0.8', 'none'], ['192.88.99.1', 'none'], ['127.0.0.1', 'loopback'], ['127.255.0.1', 'loopback'], ['10.1.2.3', 'private'], ['172.16.0.1', 'private'], ['172.32.0.1', 'public'], ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'], ['100.128.0.1', 'public'], ['8.8.8.8', 'public'], ['::', 'none'], ['::1', 'loopback'], ['::2', 'none'], ['ff02::1', 'none'], ['fe80::1', 'none'], ['fc00::1', 'private'], ['fd12::1', 'private'],
    ['2001:db8::1', 'public'], ['2a00::1', 'public'], ['2002:7f00:1::1', 'none'], ['2001:0:7f00:1::', 'none'], ['64:ff9b::7f00:1', 'none'], ['::ffff:127.0.0.1', 'loopback'], ['::ffff:10.0.0.1', 'private'], ['localhost', 'none'],
  ] as const)('%s is %s', (host, scope) => { expect(scopeOf(host)).toBe(scope); });

  it('is to anywhere public, and into such a network as one is in oneself', () => {
    const hosts = ['224.0.0.1', '127.0.0.1', '10.0.0.1', '8.8.8.8'] as const;
    const table = hosts.map((asker) => hosts.map((target) => mayHaveSentTo(asker, target)));
    expect(table).toEqual([
      [false, false, false, false],
      [false, true, true, true],
      [false, false, true, true],
      [false, false, false, true],
    ]);
  });
});
