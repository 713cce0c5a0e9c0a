/**
 * Which gateways this machine has towards the Internet, and from which of its addresses it speaks to them. Node does not tell, so the system is asked: on Linux by
 * reading its routing tables, elsewhere by running the program that prints them, without a shell and by its full path. What could not be found out is "not checked" with
 * a reason, never "none"; nothing here throws.
 *
 * With a VPN of which the route has no gateway ("on-link") the gateway of the network beneath is found. Asking it does no harm; what it grants is a candidate that has
 * yet to prove that it works, like every other.
 */
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { gatewayText, isLinkLocal, linuxIpv4Routes, linuxIpv6Routes, macRoutes, windowsRoutes, type DefaultRoute, type Family } from './route-tables.ts';

export interface Gateway {
  readonly family: Family;
  /** Literal; a link-local one of IPv6 with its zone. */
  readonly address: string;
  /** The address of ours that the gateway knows us by. */
  readonly localAddress: string;
}

export type GatewayFinding =
  /** The best first; none: there is no way out of here. */
  | { readonly state: 'known'; readonly gateways: readonly Gateway[] }
  | { readonly state: 'not-checked'; readonly reason: string };

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The machine, as far as it is asked. Both may reject. */
export interface GatewaySources {
  readonly platform: NodeJS.Platform;
  readonly interfaces: () => Interfaces;
  readonly readText: (file: string) => Promise<string>;
  readonly runProgram: (program: string, words: readonly string[]) => Promise<string>;
}

/** Programs print their table in some milliseconds; one that hangs is given up. */
const programTimeoutMs = 3_000;
/** A table of ten thousand routes. */
const textMaximumBytes = 1024 * 1024;
const systemRootDefault = 'C:\\Windows';

export const systemSources: GatewaySources = {
  platform: process.platform,
  interfaces: networkInterfaces,
  readText,
  runProgram: (program, words) => new Promise((resolve, reject) => {
    // Windows prints in the code page of the console: rows that matter are ASCII in all of them.
    const options = { timeout: programTimeoutMs, maxBuffer: textMaximumBytes, windowsHide: true, encoding: 'latin1', env: { ...process.env, LC_ALL: 'C' } } as const;
    execFile(program, words, options, (error, output) => {
      if (error === null) resolve(output);
      else reject(new Error(`${program} failed`, { cause: error }));
    });
  }),
};

/** Files of /proc have no size to ask for beforehand. */
async function readText(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(textMaximumBytes);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) return bytes.toString('latin1', 0, length);
    }
  } finally {
    await handle.close();
  }
}

export async function findGateways(sources: GatewaySources = systemSources): Promise<GatewayFinding> {
  let routes: readonly DefaultRoute[];
  try {
    routes = await readRoutes(sources);
  } catch (error) {
    return { state: 'not-checked', reason: `The system did not tell its routes (${codeOf(error)}).` };
  }
  let interfaces: Interfaces;
  try {
    interfaces = sources.interfaces();
  } catch (error) {
    return { state: 'not-checked', reason: `The system did not tell its addresses (${codeOf(error)}).` };
  }
  const gateways = routes.flatMap((route): readonly Gateway[] => {
    const localAddress = localAddressTowards(route, interfaces);
    return localAddress === undefined ? [] : [{ family: route.family, address: route.gateway, localAddress }];
  });
  if (gateways.length === 0 && routes.length > 0) return { state: 'not-checked', reason: 'No address of this computer fits its default route.' };
  return { state: 'known', gateways };
}

async function readRoutes({ platform, readText: read, runProgram }: GatewaySources): Promise<readonly DefaultRoute[]> {
  switch (platform) {
    case 'linux': {
      const ipv4 = linuxIpv4Routes(await read('/proc/net/route'));
      // A kernel without IPv6 has no such file.
      const ipv6 = await read('/proc/net/ipv6_route').catch(() => '');
      return [...ipv4, ...linuxIpv6Routes(ipv6)];
    }
    case 'darwin': return macRoutes(await runProgram('/usr/sbin/netstat', ['-rn']));
    case 'win32': return windowsRoutes(await runProgram(path.win32.join(process.env['SystemRoot'] ?? systemRootDefault, 'System32', 'route.exe'), ['print']));
    default: throw Object.assign(new Error('unknown system'), { code: platform });
  }
}

/** An exit code, or what the system said. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given';
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) return String(error.code);
  return error.cause === undefined ? 'no reason given' : codeOf(error.cause);
}

/** Of the interface of the route: for IPv4 an address of the gateway's network before others, for IPv6 one that is valid outside. Pure. */
export function localAddressTowards(route: DefaultRoute, interfaces: Interfaces): string | undefined {
  const all = Object.entries(interfaces).flatMap(([name, addresses]) => (addresses ?? []).map((address) => ({ name, ...address })));
  // Told by the system: but the address may be gone by now.
  if (route.localAddress !== undefined) return all.some(({ address }) => address === route.localAddress) ? route.localAddress : undefined;
  const names = new Set(all.filter((one) => one.name === route.interfaceName || ('scopeid' in one && one.scopeid !== 0 && String(one.scopeid) === route.interfaceName)).map(({ name }) => name));
  const own = all.filter(({ name, internal, family }) => names.has(name) && !internal && family === (route.family === 'ipv4' ? 'IPv4' : 'IPv6'));
  const known = own.map(({ address, netmask }) => ({ address: gatewayText(address)?.gateway, netmask })).filter((one): one is { address: string; netmask: string } => one.address !== undefined);
  if (route.family === 'ipv4') return (known.find(({ address, netmask }) => isSameNetwork(address, route.gateway, netmask)) ?? known[0])?.address;
  const outside = known.filter(({ address }) => !isLinkLocal(address));
  return (outside.find(({ address }) => /^[23]/.test(address)) ?? outside[0])?.address;
}

function isSameNetwork(left: string, right: string, netmask: string): boolean {
  const [leftNumber, rightNumber, mask] = [left, right, netmask].map((text) => text.split('.').reduce((number, part) => (number << 8) | Number(part), 0));
  return leftNumber !== undefined && rightNumber !== undefined && mask !== undefined && (leftNumber & mask) === (rightNumber & mask);
}

/** Whether the way out of this machine is another one. What was not checked tells of no change. */
export function haveGatewaysChanged(before: GatewayFinding, after: GatewayFinding): boolean {
  if (before.state !== 'known' || after.state !== 'known') return false;
  const text = (gateways: readonly Gateway[]): string => gateways.map(({ address, localAddress }) => `${address} ${localAddress}`).join('\n');
  return text(before.gateways) !== text(after.gateways);
}
