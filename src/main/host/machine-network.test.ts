import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { localHostsOf, MachineNetwork, portControlResult, type MachineNetworkOptions, type MainSocket } from './machine-network.ts';
import type { NetworkAnswer, NetworkRequest } from '../engine/path/observation-port.ts';

const one = (address: string, internal = false) => ({ address, internal, netmask: '', mac: '', cidr: null, ...(address.includes(':') ? { family: 'IPv6' as const, scopeid: 0 } : { family: 'IPv4' as const }) });
const interfaces = { lo: [one('127.0.0.1', true), one('::1', true)], eth0: [one('10.0.0.5'), one('fe80::1'), one('2001:db8::5')], eth1: [one('169.254.3.4'), one('10.0.0.5')] };
const everywhere: MainSocket = { address: { host: '::', port: 7_400 }, reachesIpv6: true };

function machine(change: Partial<MachineNetworkOptions> = {}): MachineNetwork {
  return new MachineNetwork({ clock: systemClock, random: randomBytes, log: () => undefined, interfaces: () => interfaces, findGateways: () => Promise.resolve({ state: 'known', gateways: [] }), ...change });
}
const ask = (network: MachineNetwork, request: NetworkRequest, main: MainSocket | undefined = everywhere): Promise<NetworkAnswer> => new Promise((resolve) => { network.ask(request, main, resolve); });

describe('what the machine knows', () => {
  it('are the addresses that the main socket sends from', async () => {
    expect(localHostsOf(interfaces, everywhere)).toEqual(['10.0.0.5', '2001:db8::5']);
    expect(localHostsOf(interfaces, { ...everywhere, reachesIpv6: false })).toEqual(['10.0.0.5']);
    expect(localHostsOf(interfaces, { address: { host: '127.0.0.1', port: 1 }, reachesIpv6: false })).toEqual([]);
    expect(localHostsOf(interfaces, { address: { host: '10.0.0.5', port: 1 }, reachesIpv6: false })).toEqual(['10.0.0.5']);
    const facts = (main: MainSocket | undefined): Promise<NetworkAnswer> => ask(machine(), { kind: 'interfaces', check: 3 }, main);
    expect(await facts(everywhere)).toEqual({ kind: 'interfaces', check: 3, localHosts: ['10.0.0.5', '2001:db8::5'], mainPorts: { ipv4: 7_400, ipv6: 7_400 } });
    expect(await facts({ address: { host: '0.0.0.0', port: 5 }, reachesIpv6: false })).toMatchObject({ localHosts: ['10.0.0.5'], mainPorts: { ipv4: 5 } });
    expect(await facts({ address: { host: '2001:db8::5', port: 5 }, reachesIpv6: true })).toMatchObject({ localHosts: ['2001:db8::5'], mainPorts: { ipv6: 5 } });
  });

  it('is nothing where it may not look', async () => {
    const network = machine({ interfaces: () => { throw new Error('forbidden'); } });
    expect(await ask(network, { kind: 'interfaces', check: 1 })).toMatchObject({ localHosts: [] });
  });

  it('is not what a router would have said that could not be asked', async () => {
    const network = machine();
    expect(await ask(network, { kind: 'port-control', check: 1, port: 7_400 })).toEqual({ kind: 'port-control', check: 1, result: undefined });
    await network.stop();
  });

  it('is that a router keeps silent', async () => {
    const network = machine({ findGateways: () => Promise.resolve({ state: 'known', gateways: [{ family: 'ipv4', address: '127.0.0.1', localAddress: '127.0.0.1' }] }) });
    const answers = await Promise.all([1, 2].map((check) => ask(network, { kind: 'port-control', check, port: 7_400 })));
    expect(answers).toEqual([1, 2].map((check) => ({ kind: 'port-control', check, result: { outcome: 'silent', timesSent: 5 } })));
    await network.stop();
    let isAnswered = false;
    network.ask({ kind: 'interfaces', check: 1 }, everywhere, () => { isAnswered = true; });
    expect(isAnswered).toBe(false);
  });

  it('is whether a portal answers, and nothing of TCP', async () => {
    const to = { host: '192.0.2.1', port: 80 };
    const network = machine({ askForPage: () => Promise.resolve('intercepted') });
    expect(await ask(network, { kind: 'tcp-probe', check: 1, protocol: 'http', to })).toEqual({ kind: 'tcp-probe', check: 1, result: { protocol: 'http', to, outcome: 'intercepted' } });
    expect(await ask(network, { kind: 'tcp-probe', check: 1, protocol: 'tcp', to })).toMatchObject({ result: { outcome: 'failed' } });
  });

  it('is of port control what a check can use', () => {
    const external = { host: '198.18.7.1', port: 7_400 };
    expect(portControlResult({ kind: 'mapped', external, lifetimeSeconds: 600, expiresAtMs: 1, method: 'nat-pmp' })).toEqual({ outcome: 'mapped', protocol: 'nat-pmp', external });
    expect([portControlResult({ kind: 'refused', reason: 'no-resources' }), portControlResult({ kind: 'checking' }), portControlResult({ kind: 'idle' })]).toEqual([{ outcome: 'refused' }, 'pending', 'pending']);
  });
});
