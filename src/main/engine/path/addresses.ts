/** Addresses as the observe protocol carries them: 19 bytes, one encoding each; and which of them somebody may have a packet sent to. */
import { Reader, Writer, isAllZero } from '../wire/bytes.ts';
import { canonicalHost } from '../wire/host.ts';
import type { SocketAddress } from '../wire/types.ts';

/** Family (1), address (16; of IPv4 the first 4, then zeros), port (2). */
export const addressBytes = 1 + 16 + 2;
const hostBytes = 16;
const ipv4Bytes = 4;
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

/** What an address is good for; a later one reaches further. `none`: nobody, or more than one (unspecified, multicast, broadcast, link-local, reserved). */
const scopes = ['none', 'loopback', 'private', 'public'] as const;
export type Scope = (typeof scopes)[number];

/** RFC 6890 and the IANA registries of special addresses, as far as it matters where a packet may go. */
export function scopeOf(host: string): Scope {
  const bytes = hostToBytes(host);
  if (bytes === undefined) return 'none';
  return bytes.length === ipv4Bytes ? scopeOfIpv4(bytes) : scopeOfIpv6(bytes);
}

/** Whoever is seen at `asker` may have a packet sent to `target`: to anywhere public, and into such networks as it is in itself. */
export function mayHaveSentTo(asker: string, target: string): boolean {
  const targetScope = scopeOf(target);
  return targetScope !== 'none' && scopes.indexOf(targetScope) >= scopes.indexOf(scopeOf(asker)) && scopeOf(asker) !== 'none';
}

function scopeOfIpv4(bytes: Uint8Array): Scope {
  const [first = 0, second = 0, third = 0] = bytes;
  if (first === 127) return 'loopback';
  // 0/8, multicast and reserved, link-local, broadcast of everything.
  if (first === 0 || first >= 224 || (first === 169 && second === 254)) return 'none';
  // Protocol assignments (192.0.0.0/24) and the old 6to4 anycast (192.88.99.0/24): no machines.
  if ((first === 192 && second === 0 && third === 0) || (first === 192 && second === 88 && third === 99)) return 'none';
  const isPrivate = first === 10 || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168);
  // 100.64/10 is shared by the customers of one provider (RFC 6598).
  return isPrivate || (first === 100 && second >= 64 && second < 128) ? 'private' : 'public';
}

function scopeOfIpv6(bytes: Uint8Array): Scope {
  const [first = 0, second = 0] = bytes;
  if (isAllZero(bytes.subarray(0, 15))) return bytes[15] === 1 ? 'loopback' : 'none';
  // Unique local (RFC 4193).
  if ((first & 0xfe) === 0xfc) return 'private';
  // 2000::/3 is all that is given out; of it 2002::/16 (6to4) and 2001::/32 (Teredo) carry an IPv4 address that was not looked at.
  if ((first & 0xe0) !== 0x20 || (first === 0x20 && second === 0x02) || (first === 0x20 && second === 0x01 && bytes[2] === 0 && bytes[3] === 0)) return 'none';
  return 'public';
}

function hostToBytes(text: string): Uint8Array | undefined {
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
