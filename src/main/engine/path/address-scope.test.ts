import { describe, expect, it } from 'vitest';
import { isReachable, mayHaveSentTo, scopeOf } from './address-scope.ts';

describe('the scope of an address', () => {
  it.each([
    ['0.0.0.0', 'none'], ['0.1.2.3', 'none'], ['224.0.0.1', 'none'], ['239.255.255.250', 'none'], ['255.255.255.255', 'none'], ['240.0.0.1', 'none'], ['169.254.169.254', 'none'],
    ['192.0.0.8', 'none'], ['192.88.99.1', 'none'], ['127.0.0.1', 'loopback'], ['127.255.0.1', 'loopback'], ['10.1.2.3', 'private'], ['172.16.0.1', 'private'], ['172.32.0.1', 'public'], ['192.168.1.1', 'private'],
    ['100.64.0.1', 'shared'], ['100.127.255.254', 'shared'], ['100.128.0.1', 'public'], ['8.8.8.8', 'public'], ['198.18.7.1', 'public'], ['192.167.1.1', 'public'], ['172.31.255.1', 'private'], ['::', 'none'], ['::1', 'loopback'], ['::2', 'none'], ['ff02::1', 'none'], ['fe80::1', 'none'], ['fc00::1', 'private'], ['fd12::1', 'private'],
    ['2001:db8::1', 'public'], ['2a00::1', 'public'], ['2002:7f00:1::1', 'none'], ['2001:0:7f00:1::', 'none'], ['64:ff9b::7f00:1', 'none'], ['::ffff:127.0.0.1', 'loopback'], ['::ffff:10.0.0.1', 'private'], ['localhost', 'none'], ['febf::1', 'none'], ['fec0::1', 'none'], ['100::1', 'none'], ['fdff::1', 'private'],
    ['01.2.3.4', 'none'], ['a.b.c.d', 'none'], ['1.2.3', 'none'], ['', 'none'], ['fe80::1%1', 'none'],
  ] as const)('%s is %s', (host, scope) => { expect(scopeOf(host)).toBe(scope); });

  it('lets packets be sent to anywhere public, and into such a network as one is in oneself', () => {
    const hosts = ['224.0.0.1', '127.0.0.1', '10.0.0.1', '100.64.0.1', '8.8.8.8'] as const;
    const table = hosts.map((asker) => hosts.map((target) => mayHaveSentTo(asker, target)));
    expect(table).toEqual([
      [false, false, false, false, false],
      [false, true, true, true, true],
      [false, false, true, true, true],
      [false, false, true, true, true],
      [false, false, false, false, true],
    ]);
  });

  it.each([['8.8.8.8', true], ['100.64.0.1', true], ['fc00::1', true], ['2001:db8::1', true], ['2001:DB8::1', false], ['::ffff:1.2.3.4', false], ['127.0.0.1', false], ['::1', false], ['fe80::1', false], ['name', false]] as const)(
    'tells whether others could reach %s, in the one text that is used for it: %s', (host, isIt) => { expect(isReachable(host)).toBe(isIt); },
  );
});
