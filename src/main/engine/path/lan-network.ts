/** The local networks that this machine is in, as its host tells them: where neighbours are, and by what a network is known again. */
import { hostToBytes, ipv4Bytes } from '../wire/socket-address.ts';

/** An address of this machine in a network where others are, and how much of it they have in common. A link-local one of IPv6 has its zone. */
export interface LanInterface { readonly host: string; readonly prefixBits: number }

/**
 * What tells one network from another: its gateway, by address and (where the system tells it) by the number of its network card, and its addresses. Networks that
 * cannot be told apart are taken for the same one.
 */
export interface LanNetwork { readonly gateway: string | undefined; readonly gatewayMac: string | undefined; readonly prefix: string }

/** What the host says at the start, and whenever the network may be another one. */
export interface LanFacts {
  /** Of the main socket; undefined: there is none that neighbours could reach. */
  readonly port: number | undefined;
  readonly interfaces: readonly LanInterface[];
  /** All that the machine is in. */
  readonly networks: readonly LanNetwork[];
}

export const untrustedKey = 'untrusted-networks';
/** Of those that are not trusted; the oldest is forgotten. */
const untrustedMaximum = 64;
const textMaximum = 128;

/** Whether somebody who is seen at that address is in a network that one of the interfaces is attached to. Our own addresses are. */
export function isAttached(host: string, interfaces: readonly LanInterface[]): boolean {
  const [literal = '', zone] = host.split('%');
  const bytes = hostToBytes(literal);
  if (bytes === undefined) return false;
  return interfaces.some((one) => {
    const [ownLiteral = '', ownZone] = one.host.split('%');
    const own = hostToBytes(ownLiteral);
    return own?.length === bytes.length && ownZone === zone && hasPrefix(bytes, own, one.prefixBits);
  });
}

export const isIpv4 = (host: string): boolean => hostToBytes(host)?.length === ipv4Bytes;

function hasPrefix(bytes: Uint8Array, own: Uint8Array, bits: number): boolean {
  return own.every((byte, index) => {
    const inByte = Math.max(0, Math.min(8, bits - 8 * index));
    const mask = (0xff << (8 - inByte)) & 0xff;
    return ((bytes[index] ?? 0) & mask) === (byte & mask);
  });
}

const mayBe = (left: string | undefined, right: string | undefined): boolean => left === undefined || right === undefined || left === right;

/** What the system did not tell this time is no reason to take one network for another one: that would be a way around a mark. */
export const isSameNetwork = (left: LanNetwork, right: LanNetwork): boolean => left.prefix === right.prefix && mayBe(left.gateway, right.gateway) && mayBe(left.gatewayMac, right.gatewayMac);

/** What is kept in the store's named values; damage reads as what is left of it. */
export function readUntrusted(text: string | undefined): readonly LanNetwork[] {
  if (text === undefined) return [];
  try {
    const rows: unknown = JSON.parse(text);
    return Array.isArray(rows) ? rows.flatMap((row: unknown): readonly LanNetwork[] => {
      if (!Array.isArray(row)) return [];
      const [gateway, gatewayMac, prefix] = row.map((one: unknown) => (typeof one === 'string' && one.length <= textMaximum ? one : undefined));
      return prefix === undefined ? [] : [{ gateway, gatewayMac, prefix }];
    }).slice(-untrustedMaximum) : [];
  } catch {
    return [];
  }
}

/** The list with those marked, or without them. */
export function writeUntrusted(known: readonly LanNetwork[], current: readonly LanNetwork[], isTrusted: boolean): string {
  const others = known.filter((one) => !current.some((network) => isSameNetwork(one, network)));
  const rows = isTrusted ? others : [...others, ...current].slice(-untrustedMaximum);
  return JSON.stringify(rows.map(({ gateway, gatewayMac, prefix }) => [gateway ?? null, gatewayMac ?? null, prefix]));
}
