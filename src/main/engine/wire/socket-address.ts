/** Addresses as they travel in probes, sights and lists of candidates: 19 bytes, one encoding each. */
import { Reader, Writer, isAllZero } from './bytes.ts';
import { canonicalHost } from './host.ts';
import type { SocketAddress } from './types.ts';

/** Family (1), address (16; of IPv4 the first 4, then zeros), port (2). */
export const addressBytes = 1 + 16 + 2;
const hostBytes = 16;
export const ipv4Bytes = 4;
const groupsOfIpv6 = 8;
const mappedPrefix = '::ffff:';
const ipv4Pattern = /^\d+\.\d+\.\d+\.\d+$/;

/** Undefined for what is no literal address, such as one with a zone: it means something on one machine only. IPv4 in IPv6 is told as IPv4. */
export function encodeAddress({ host, port }: SocketAddress): Uint8Array | undefined {
  const bytes = hostToBytes(host);
  if (bytes === undefined || !Number.isInteger(port) || port <= 0 || port > 0xffff) return undefined;
  const isIpv4 = bytes.length === ipv4Bytes;
  return new Writer(addressBytes).u8(isIpv4 ? 4 : 6).bytes(bytes).zeros(hostBytes - bytes.length).u16(port).finish();
}

/** Undefined for anything that `encodeAddress` would not have written. */
export function decodeAddress(bytes: Uint8Array): SocketAddress | undefined {
  const reader = new Reader(bytes);
  const family = reader.u8();
  const address = reader.bytes(hostBytes);
  const port = reader.u16();
  if (!reader.atEnd || port === 0) return undefined;
  if (family === 4) return isAllZero(address.subarray(ipv4Bytes)) ? { host: address.subarray(0, ipv4Bytes).join('.'), port } : undefined;
  if (family !== 6) return undefined;
  const groups = Array.from({ length: groupsOfIpv6 }, (_, index) => (((address[2 * index] ?? 0) << 8) | (address[2 * index + 1] ?? 0)).toString(16));
  const host = canonicalHost(groups.join(':'));
  return host === undefined || host.startsWith(mappedPrefix) ? undefined : { host, port };
}

/** The same text for the same address, however it came to be written. Undefined as for `encodeAddress`. */
export function canonicalAddress(address: SocketAddress): SocketAddress | undefined {
  const bytes = encodeAddress(address);
  return bytes === undefined ? undefined : decodeAddress(bytes);
}

/** 4 or 16 bytes; undefined for what is no literal address. IPv4 in IPv6 is told as IPv4. */
export function hostToBytes(text: string): Uint8Array | undefined {
  const canonical = canonicalHost(text);
  if (canonical === undefined) return undefined;
  const host = canonical.startsWith(mappedPrefix) && canonical.includes('.') ? canonical.slice(mappedPrefix.length) : canonical;
  if (ipv4Pattern.test(host)) return Uint8Array.from(host.split('.').map(Number));
  if (!host.includes(':')) return undefined;
  const [head = '', tail] = host.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const groups = [...before, ...new Array<number>(groupsOfIpv6 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

const groupsOf = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
