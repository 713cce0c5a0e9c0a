import { describe, expect, it } from 'vitest';
import { circuitAddress } from '../circuits/tunnel.ts';
import { compareTiers, isInOwnNetwork, pathTiers, tierOf } from './path-tier.ts';

const own = ['192.168.1.20', '198.18.9.9', '2001:db8:1:7::20', '127.0.0.1', '::1'];

describe('the tier of an address', () => {
  it.each([
    ['192.168.1.7', 'lan'], ['10.200.0.1', 'lan'], ['172.20.1.1', 'lan'], ['fd00::5', 'lan'], ['169.254.3.3', 'lan'], ['fe80::1', 'lan'], ['fe80::1%eth0', 'lan'], ['febf::1', 'lan'], ['127.0.0.1', 'lan'], ['::1', 'lan'],
    ['198.18.9.200', 'lan'], ['2001:db8:1:7:ffff::1', 'lan'],
    ['198.18.8.9', 'direct'], ['100.64.7.2', 'direct'], ['2001:db8:1:8::20', 'direct'], ['8.8.8.8', 'direct'], ['fec0::1', 'direct'], ['name.example', 'direct'], ['', 'direct'],
  ] as const)('%s is %s', (host, tier) => { expect(tierOf({ host, port: 7 }, own)).toBe(tier); });

  it('is a circuit whatever else is true', () => { expect(tierOf(circuitAddress(3, 9), own)).toBe('circuit'); });

  it('puts a network of both first and a circuit last', () => {
    expect(pathTiers.toReversed().toSorted(compareTiers)).toEqual(['lan', 'direct', 'circuit']);
    expect(compareTiers('direct', 'direct')).toBe(0);
    expect(compareTiers('lan', 'circuit')).toBeLessThan(0);
  });

  it('takes no two families for one network, and nothing for the network of no address', () => {
    expect(isInOwnNetwork('2001:db8:1:7::1', ['32.1.13.184'])).toBe(false);
    expect(isInOwnNetwork('192.168.1.9', [])).toBe(false);
    expect(isInOwnNetwork('nonsense', ['nonsense'])).toBe(false);
  });
});
