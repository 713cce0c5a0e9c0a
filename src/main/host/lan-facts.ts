/**
 * Which local networks this machine is in: the addresses by which neighbours reach its main socket, and by what each network is known again (engine/path/lan-network.ts).
 * Nothing here throws; what the system does not tell is left out.
 */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { LanFacts, LanInterface, LanNetwork } from '../engine/path/lan-network.ts';
import { findGateways, type GatewayFinding } from './gateway.ts';
import { localHostsOf, type MainSocket } from './machine-network.ts';

/** A machine with more has them for its guests. */
const interfacesMaximum = 8;
/** An IPv4 network with nobody else in it. */
const prefixBitsMaximum = 30;
const arpTableMaximumCharacters = 256 * 1024;
/** Of containers, virtual machines and tunnels: behind them is no network of neighbours, or not one of this place. */
const madeByPrograms = /^(docker|veth|virbr|vmnet|vboxnet|br-[0-9a-f]{12}$|cni|flannel|tun|tap|wg|utun|ipsec|ppp|gif|stf|awdl|llw|zt|tailscale|nordlynx|proton|vEthernet)/;
const linkLocalIpv6 = /^fe[89ab]/i;

type Interfaces = ReturnType<typeof networkInterfaces>;

export interface LanSources {
  readonly interfaces: () => Interfaces;
  readonly findGateways: () => Promise<GatewayFinding>;
  /** Text of Linux's /proc/net/arp. */
  readonly arpTable: () => Promise<string>;
  readonly platform: NodeJS.Platform;
}

const systemSources: LanSources = { interfaces: networkInterfaces, findGateways: () => findGateways(), arpTable: () => readFile('/proc/net/arp', 'latin1'), platform: process.platform };

const nowhere: LanFacts = { port: undefined, interfaces: [], networks: [] };

export async function readLanFacts(main: MainSocket | undefined, sources: LanSources = systemSources): Promise<LanFacts> {
  if (main === undefined) return nowhere;
  let all: Interfaces;
  try {
    all = sources.interfaces();
  } catch {
    // Some sandboxes forbid looking.
    return nowhere;
  }
  const interfaces = lanInterfaces(all, main, sources.platform);
  if (interfaces.length === 0) return nowhere;
  const [finding, arp] = await Promise.all([sources.findGateways(), sources.arpTable().catch(() => '')]);
  return { port: main.address.port, interfaces, networks: lanNetworks(interfaces, finding.state === 'known' ? finding.gateways : [], arp.slice(0, arpTableMaximumCharacters)) };
}

/** Of IPv4 all addresses in networks; of IPv6 the link-local ones, which are there in every network and have no other meaning. Pure. */
export function lanInterfaces(all: Interfaces, main: MainSocket, platform: NodeJS.Platform): readonly LanInterface[] {
  const reachable = new Set(localHostsOf(all, main));
  const isEverywhere = main.address.host === '::';
  const found = Object.entries(all).filter(([name]) => !madeByPrograms.test(name)).flatMap(([name, addresses]) => (addresses ?? []).flatMap((one): readonly LanInterface[] => {
    const prefixBits = Number(one.cidr?.split('/')[1] ?? Number.NaN);
    if (one.internal || !Number.isInteger(prefixBits)) return [];
    if (one.family === 'IPv4') return reachable.has(one.address) && prefixBits <= prefixBitsMaximum ? [{ host: one.address, prefixBits }] : [];
    return isEverywhere && main.reachesIpv6 && linkLocalIpv6.test(one.address) ? [{ host: `${one.address}%${platform === 'win32' ? String(one.scopeid) : name}`, prefixBits }] : [];
  }));
  return found.slice(0, interfacesMaximum);
}

/** Where there is IPv4 its networks tell one place from another; elsewhere the router of IPv6 does. Pure. */
export function lanNetworks(interfaces: readonly LanInterface[], gateways: readonly { readonly address: string; readonly localAddress: string }[], arpTable: string): readonly LanNetwork[] {
  const ofIpv4 = interfaces.filter(({ host }) => !host.includes(':'));
  if (ofIpv4.length > 0) {
    return ofIpv4.map(({ host, prefixBits }) => {
      const gateway = gateways.find(({ localAddress }) => localAddress === host)?.address;
      return { gateway, gatewayMac: gateway === undefined ? undefined : macOf(gateway, arpTable), prefix: prefixText(host, prefixBits) };
    });
  }
  const gateway = gateways.find(({ address }) => address.includes(':'))?.address.split('%')[0];
  return interfaces.length === 0 ? [] : [{ gateway, gatewayMac: undefined, prefix: 'fe80::/64' }];
}

function prefixText(host: string, bits: number): string {
  const number = host.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const network = Math.floor(number / 2 ** (32 - bits)) * 2 ** (32 - bits);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.')}/${String(bits)}`;
}

/** Rows of address, type, flags, card, mask, device. Undefined: it is not known (yet). */
function macOf(host: string, arpTable: string): string | undefined {
  for (const line of arpTable.split('\n')) {
    const [address, , , mac = ''] = line.trim().split(/\s+/);
    if (address === host && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac) && mac !== '00:00:00:00:00:00') return mac.toLowerCase();
  }
  return undefined;
}
