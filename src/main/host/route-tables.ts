/**
 * The default routes in what the three systems tell of their routing tables: the kernel's files on Linux, `netstat -rn` on macOS, `route print` on Windows. Pure, and made
 * for text that is not as expected: headings and words in any language are passed over, rows count by their form alone, and every length has a bound.
 */
import { endianness } from 'node:os';
import { addressField, addressText, isIpv4Field, isUnicast } from '../engine/path/port-control/address-field.ts';

export type Family = 'ipv4' | 'ipv6';

export interface DefaultRoute {
  readonly family: Family;
  /** Canonical text; a link-local address of IPv6 with its zone, as sockets write it. */
  readonly gateway: string;
  /** The interface by name, or on Windows by index; undefined where the system tells the local address instead. */
  readonly interfaceName: string | undefined;
  readonly localAddress: string | undefined;
  /** The lowest is used. */
  readonly metric: number;
}

/** A default route is among the first rows wherever there are many. */
const linesMaximum = 10_000;
const lineMaximumCharacters = 512;
const routesMaximum = 16;
/** Of Linux, <linux/route.h>. */
const flagUp = 0x1;
const flagGateway = 0x2;
const flagReject = 0x200;

function linesOf(text: string): readonly string[] {
  return text.split('\n', linesMaximum).filter((line) => line.length <= lineMaximumCharacters);
}

const wordsOf = (line: string): readonly string[] => line.trim().split(/\s+/);

/** Undefined: what stands there is no address that datagrams can be sent to ("On-link", "link#5", 0.0.0.0). */
export function gatewayText(text: string, interfaceName?: string): { readonly family: Family; readonly gateway: string } | undefined {
  const [address = '', zone, ...more] = text.split('%');
  const field = more.length === 0 ? addressField(address) : undefined;
  const canonical = field !== undefined && isUnicast(field) ? addressText(field) : undefined;
  if (field === undefined || canonical === undefined) return undefined;
  if (isIpv4Field(field)) return zone === undefined ? { family: 'ipv4', gateway: canonical } : undefined;
  if (!isLinkLocal(canonical)) return { family: 'ipv6', gateway: canonical };
  const scope = zone ?? interfaceName;
  // macOS shows routes into tunnels with the bare prefix.
  if (scope === undefined || !/^[\w.:-]{1,32}$/.test(scope) || canonical === 'fe80::') return undefined;
  return { family: 'ipv6', gateway: `${canonical}%${scope}` };
}

export const isLinkLocal = (address: string): boolean => /^fe[89ab]/.test(address);

/** The best first, and none twice. */
function sorted(routes: readonly DefaultRoute[]): readonly DefaultRoute[] {
  const seen = new Set<string>();
  return [...routes].sort((left, right) => left.metric - right.metric).filter(({ gateway, interfaceName, localAddress }) => {
    const key = `${gateway} ${interfaceName ?? ''} ${localAddress ?? ''}`;
    return seen.has(key) ? false : seen.add(key);
  }).slice(0, routesMaximum);
}

/** @param text /proc/net/route: addresses are numbers in the order of bytes of the machine. */
export function linuxIpv4Routes(text: string, order: 'LE' | 'BE' = endianness()): readonly DefaultRoute[] {
  const address = (word: string): string => {
    const bytes = (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
    return (order === 'LE' ? bytes.reverse() : bytes).join('.');
  };
  return sorted(linesOf(text).flatMap((line) => {
    const [interfaceName = '', destination = '', next = '', flagsText = '', , , metricText = '', mask = ''] = wordsOf(line);
    const flags = Number.parseInt(flagsText, 16);
    if (destination !== '00000000' || mask !== '00000000' || !/^[0-9A-Fa-f]{8}$/.test(next) || !isUsable(flags)) return [];
    const gateway = gatewayText(address(next));
    return gateway === undefined ? [] : [{ ...gateway, interfaceName, localAddress: undefined, metric: metricOf(metricText, 10) }];
  }));
}

/** @param text /proc/net/ipv6_route: destination, length, source, length, next hop, metric, two counts, flags, interface. */
export function linuxIpv6Routes(text: string): readonly DefaultRoute[] {
  return sorted(linesOf(text).flatMap((line) => {
    const [destination = '', length, , , next = '', metricText = '', , , flagsText = '', interfaceName = ''] = wordsOf(line);
    if (!/^0{32}$/.test(destination) || length !== '00' || !/^[0-9a-f]{32}$/i.test(next) || !isUsable(Number.parseInt(flagsText, 16))) return [];
    const gateway = gatewayText((next.match(/..../g) ?? []).join(':'), interfaceName);
    return gateway?.family === 'ipv6' ? [{ ...gateway, interfaceName, localAddress: undefined, metric: metricOf(metricText, 16) }] : [];
  }));
}

const isUsable = (flags: number): boolean => (flags & flagUp) !== 0 && (flags & flagGateway) !== 0 && (flags & flagReject) === 0;

function metricOf(text: string, radix: 10 | 16): number {
  const metric = Number.parseInt(text, radix);
  return Number.isSafeInteger(metric) && metric >= 0 ? metric : Number.MAX_SAFE_INTEGER;
}

/** @param text `netstat -rn`. It has no metric: routes that hold for one interface alone (flag I) come after the others. */
export function macRoutes(text: string): readonly DefaultRoute[] {
  let interfaceColumn = -1;
  return sorted(linesOf(text).flatMap((line, row) => {
    const words = wordsOf(line);
    if (words.includes('Netif')) interfaceColumn = words.indexOf('Netif');
    const [destination, next = '', flags = ''] = words;
    const interfaceName = words[interfaceColumn];
    if (destination !== 'default' || interfaceName === undefined || !/^[A-Za-z0-9]+$/.test(flags) || !flags.includes('U') || !flags.includes('G') || /[RB]/.test(flags)) return [];
    const gateway = gatewayText(next, interfaceName);
    return gateway === undefined ? [] : [{ ...gateway, interfaceName, localAddress: undefined, metric: row + (flags.includes('I') ? linesMaximum : 0) }];
  }));
}

/** Destination, mask, gateway, the interface's address, metric. A route that is only kept for later ("persistent") has no interface and does not fit. */
const windowsIpv4Row = /^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+(\d[\d.]*)\s+(\d[\d.]*)\s+(\d{1,9})\s*$/;
/** Interface, metric, destination, gateway; a long gateway stands in the next line alone. */
const windowsIpv6Row = /^\s*(\d{1,9})\s+(\d{1,9})\s+::\/0(?:\s+(\S+))?\s*$/;

/** @param text `route print`. */
export function windowsRoutes(text: string): readonly DefaultRoute[] {
  const lines = linesOf(text);
  return sorted(lines.flatMap((line, row): readonly DefaultRoute[] => {
    const ipv4 = windowsIpv4Row.exec(line);
    if (ipv4 !== null) {
      const [, next = '', local = '', metric = ''] = ipv4;
      const [gateway, localAddress] = [gatewayText(next), gatewayText(local)?.gateway];
      return gateway === undefined || localAddress === undefined ? [] : [{ ...gateway, interfaceName: undefined, localAddress, metric: metricOf(metric, 10) }];
    }
    const ipv6 = windowsIpv6Row.exec(line);
    if (ipv6 === null) return [];
    const [, interfaceName = '', metric = '', beside] = ipv6;
    const gateway = gatewayText(beside ?? (lines[row + 1] ?? '').trim(), interfaceName);
    return gateway?.family === 'ipv6' ? [{ ...gateway, interfaceName, localAddress: undefined, metric: metricOf(metric, 10) }] : [];
  }));
}
