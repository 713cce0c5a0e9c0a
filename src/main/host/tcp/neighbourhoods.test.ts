import { describe, expect, it } from 'vitest';
import { Neighbourhoods, neighbourhoodOf, siteOf } from './neighbourhoods.ts';
import { tcpServerLimits } from './tcp-server.ts';

describe('connections', () => {
  it.each([
    ['203.0.113.5', '203.0.113.5', '203.0.113 site'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2', '2001:db8:1 site'],
    ['2001:db8::6', '2001:db8:0:0', '2001:db8:0 site'],
    ['fe80::1%eth0', 'fe80:0:0:0', 'fe80:0:0 site'],
    ['::1', '0:0:0:0', '0:0:0 site'],
  ])('of %s count for %s and for %s', (host, neighbourhood, site) => {
    expect([neighbourhoodOf(host), siteOf(host)]).toEqual([neighbourhood, site]);
  });

  it.each([
    ['a /48', (number: number) => `2001:db8:7:${number.toString(16)}::1`],
    ['a /24', (number: number) => `198.51.100.${String(number % 256)}`],
  ])('of %s take no more than an eighth of the places, however many addresses it has', (_name, hostOf) => {
    const counted = new Neighbourhoods(tcpServerLimits);
    let taken = 0;
    for (let number = 0; number < 10_000; number += 1) {
      if (counted.full(hostOf(number)) !== undefined) continue;
      counted.add(hostOf(number));
      taken += 1;
    }
    expect(taken).toBe(tcpServerLimits.connections / 8);
    expect(counted.full(hostOf(20_001))).toBe('site');
    expect([counted.full('192.0.2.1'), counted.full('2001:db8:8::1')]).toEqual([undefined, undefined]);
  });

  it('of one address take its share alone, and leave nothing behind', () => {
    const counted = new Neighbourhoods({ connectionsOfOne: 2, connectionsOfSite: 3 });
    for (const host of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) counted.add(host);
    expect([counted.full('192.0.2.1'), counted.full('192.0.2.2')]).toEqual(['one', 'site']);
    counted.remove('192.0.2.1');
    expect(counted.full('192.0.2.3')).toBeUndefined();
    for (const host of ['192.0.2.1', '192.0.2.2']) counted.remove(host);
    expect(counted.size).toBe(0);
  });
});
