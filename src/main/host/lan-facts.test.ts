import { describe, expect, it } from 'vitest';
import { lanInterfaces, lanNetworks, readLanFacts, type LanSources } from './lan-facts.ts';
import { isAttached, isSameNetwork, readUntrusted, writeUntrusted, type LanNetwork } from '../engine/path/lan-network.ts';

type Interfaces = Parameters<typeof lanInterfaces>[0];
const everywhere = { address: { host: '::', port: 4_711 }, reachesIpv6: true };
const ipv4 = (address: string, bits: number, internal = false): NonNullable<Interfaces[string]>[number] => ({ address, netmask: '255.255.255.0', family: 'IPv4', mac: '02:00:00:00:00:01', internal, cidr: `${address}/${String(bits)}` });
const ipv6 = (address: string, scopeid: number): NonNullable<Interfaces[string]>[number] => ({ address, netmask: 'ffff:ffff:ffff:ffff::', family: 'IPv6', mac: '02:00:00:00:00:01', internal: false, cidr: `${address}/64`, scopeid });
const machine: Interfaces = {
  lo: [ipv4('127.0.0.1', 8, true)], eth0: [ipv4('192.168.7.11', 24), ipv6('fe80::11', 2), ipv6('2001:db8::11', 0)], tun0: [ipv4('10.8.0.2', 24)], docker0: [ipv4('172.17.0.1', 16)], ppp9: [ipv4('198.51.100.9', 32)], lte0: [ipv4('203.0.113.9', 32)],
};

describe('the interfaces in which neighbours are looked for', () => {
  it('are those of real networks: no tunnels, no containers, no loopback, nothing without others in it', () => {
    expect(lanInterfaces(machine, everywhere, 'linux')).toEqual([{ host: '192.168.7.11', prefixBits: 24 }, { host: 'fe80::11%eth0', prefixBits: 64 }]);
    expect(lanInterfaces(machine, everywhere, 'win32').map(({ host }) => host)).toEqual(['192.168.7.11', 'fe80::11%2']);
  });

  it('are only the one that the main socket listens at, and none where it listens to this machine alone', () => {
    expect(lanInterfaces(machine, { address: { host: '0.0.0.0', port: 1 }, reachesIpv6: false }, 'linux').map(({ host }) => host)).toEqual(['192.168.7.11']);
    expect(lanInterfaces(machine, { address: { host: '10.8.0.2', port: 1 }, reachesIpv6: false }, 'linux')).toEqual([]);
    expect(lanInterfaces(machine, { address: { host: '127.0.0.1', port: 1 }, reachesIpv6: false }, 'linux')).toEqual([]);
  });

  it('come with the port, and with what the network is known by', async () => {
    const sources: LanSources = {
      interfaces: () => machine, platform: 'linux', arpTable: () => Promise.resolve('IP address HW type Flags HW address Mask Device\n192.168.7.1 0x1 0x2 AA:bb:cc:00:11:22 * eth0\n'),
      findGateways: () => Promise.resolve({ state: 'known', gateways: [{ family: 'ipv4', address: '192.168.7.1', localAddress: '192.168.7.11' }] }),
    };
    expect(await readLanFacts(everywhere, sources)).toMatchObject({ port: 4_711, networks: [{ gateway: '192.168.7.1', gatewayMac: 'aa:bb:cc:00:11:22', prefix: '192.168.7.0/24' }] });
    const broken: LanSources = { ...sources, arpTable: () => Promise.reject(new Error('no such file')), findGateways: () => Promise.resolve({ state: 'not-checked', reason: 'test' }) };
    expect((await readLanFacts(everywhere, broken)).networks).toEqual([{ gateway: undefined, gatewayMac: undefined, prefix: '192.168.7.0/24' }]);
    expect(await readLanFacts(everywhere, { ...sources, interfaces: () => { throw new Error('forbidden'); } })).toEqual({ port: undefined, interfaces: [], networks: [] });
    expect(await readLanFacts(undefined, sources)).toEqual({ port: undefined, interfaces: [], networks: [] });
  });

  it('without IPv4 are told apart by the router of IPv6', () => {
    expect(lanNetworks([{ host: 'fe80::11%eth0', prefixBits: 64 }], [{ address: 'fe80::1%eth0', localAddress: '2001:db8::11' }], '')).toEqual([{ gateway: 'fe80::1', gatewayMac: undefined, prefix: 'fe80::/64' }]);
    expect(lanNetworks([{ host: '10.1.2.3', prefixBits: 20 }], [], '')).toEqual([{ gateway: undefined, gatewayMac: undefined, prefix: '10.1.0.0/20' }]);
  });
});

describe('somebody in a network of this machine', () => {
  it('is told by the real prefix, and of IPv6 by the zone', () => {
    const interfaces = [{ host: '10.1.16.3', prefixBits: 20 }, { host: 'fe80::11%eth0', prefixBits: 64 }];
    expect(['10.1.16.1', '10.1.31.254', 'fe80::9%eth0'].map((host) => isAttached(host, interfaces))).toEqual([true, true, true]);
    expect(['10.1.32.1', '10.1.15.255', 'fe80::9%eth1', 'fe80::9', '2001:db8::1', 'rubbish', ''].map((host) => isAttached(host, interfaces))).toEqual([false, false, false, false, false, false, false]);
  });
});

describe('networks that are not trusted', () => {
  const cafe: LanNetwork = { gateway: '192.168.1.1', gatewayMac: 'aa:bb:cc:00:11:22', prefix: '192.168.1.0/24' };

  it('are known again, also by less than was known of them', () => {
    const kept = readUntrusted(writeUntrusted([], [cafe], false));
    expect(kept).toEqual([cafe]);
    const isKnown = (network: LanNetwork): boolean => kept.some((one) => isSameNetwork(one, network));
    expect([cafe, { ...cafe, gatewayMac: undefined }, { ...cafe, gateway: undefined }].map(isKnown)).toEqual([true, true, true]);
    expect([{ ...cafe, gatewayMac: 'aa:bb:cc:00:11:23' }, { ...cafe, gateway: '192.168.1.254' }, { ...cafe, prefix: '192.168.2.0/24' }].map(isKnown)).toEqual([false, false, false]);
  });

  it('are forgotten when they are trusted again, and kept to a number', () => {
    const many = Array.from({ length: 100 }, (_, index): LanNetwork => ({ ...cafe, prefix: `10.0.${String(index)}.0/24` }));
    const text = many.reduce((kept, network) => writeUntrusted(readUntrusted(kept), [network], false), '[]');
    expect(readUntrusted(text).length).toBe(64);
    expect(readUntrusted(writeUntrusted(readUntrusted(text), [{ ...cafe, prefix: '10.0.99.0/24' }], true)).map(({ prefix }) => prefix)).not.toContain('10.0.99.0/24');
  });

  it('survive damage as far as there is something left', () => {
    for (const text of [undefined, '', '{', '7', 'null', '[7]', '[[1,2,3]]', '{"a":1}', `[["${'x'.repeat(200)}",null,null]]`]) expect(readUntrusted(text)).toEqual([]);
    expect(readUntrusted('[["a","b","c"],null]')).toEqual([{ gateway: 'a', gatewayMac: 'b', prefix: 'c' }]);
  });
});
