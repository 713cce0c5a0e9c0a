/** From where an address can be reached at all, and whom somebody may have a packet sent to. RFC 6890 and the IANA registries of special addresses, as far as that matters. */
import { isAllZero } from '../wire/bytes.ts';
import { canonicalHost } from '../wire/host.ts';
import { hostToBytes, ipv4Bytes } from '../wire/socket-address.ts';
import type { AddressFamily } from '../../../shared/network-report.ts';

/**
 * `none`: nobody, or more than one (unspecified, multicast, broadcast, link-local, reserved), and what is no literal address. `private`: RFC 1918 and RFC 4193. `shared`:
 * between a carrier and its customers (RFC 6598). Ranges for documentation and benchmarks count as public: laboratories are made of them, and nowhere else
 * does a machine have one.
 */
export type AddressScope = 'none' | 'loopback' | 'private' | 'shared' | 'public';

/** How far what is sent there goes; who is in one network may send to all that are no nearer. */
const reach: Readonly<Record<AddressScope, number>> = { none: 0, loopback: 1, private: 2, shared: 2, public: 3 };

export const familyOf = (host: string): AddressFamily => (host.includes(':') ? 'ipv6' : 'ipv4');

/** IPv4 in IPv6 is what the IPv4 address is. */
export function scopeOf(host: string): AddressScope {
  const bytes = hostToBytes(host);
  if (bytes === undefined) return 'none';
  return bytes.length === ipv4Bytes ? scopeOfIpv4(bytes) : scopeOfIpv6(bytes);
}

/** Whether others could reach a machine there, told by the text that is used everywhere: another text for the same address is not taken for another address. */
export function isReachable(host: string): boolean {
  return reach[scopeOf(host)] >= reach.private && canonicalHost(host) === host && (familyOf(host) === 'ipv4' || !host.includes('.'));
}

/** Whoever is seen at `asker` may have a packet sent to `target`: to anywhere public, and into such networks as it is in itself. */
export function mayHaveSentTo(asker: string, target: string): boolean {
  const from = reach[scopeOf(asker)];
  return from > 0 && reach[scopeOf(target)] >= from;
}

function scopeOfIpv4(bytes: Uint8Array): AddressScope {
  const [first = 0, second = 0, third = 0] = bytes;
  if (first === 127) return 'loopback';
  // 0/8, multicast and reserved, link-local, broadcast of everything.
  if (first === 0 || first >= 224 || (first === 169 && second === 254)) return 'none';
  // Protocol assignments (192.0.0.0/24) and the old 6to4 anycast (192.88.99.0/24): no machines.
  if ((first === 192 && second === 0 && third === 0) || (first === 192 && second === 88 && third === 99)) return 'none';
  if (first === 100 && second >= 64 && second < 128) return 'shared';
  return first === 10 || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168) ? 'private' : 'public';
}

function scopeOfIpv6(bytes: Uint8Array): AddressScope {
  const [first = 0, second = 0] = bytes;
  if (isAllZero(bytes.subarray(0, 15))) return bytes[15] === 1 ? 'loopback' : 'none';
  // Unique local (RFC 4193).
  if ((first & 0xfe) === 0xfc) return 'private';
  // 2000::/3 is all that is given out; of it 2002::/16 (6to4) and 2001::/32 (Teredo) carry an IPv4 address that was not looked at.
  if ((first & 0xe0) !== 0x20 || (first === 0x20 && second === 0x02) || (first === 0x20 && second === 0x01 && bytes[2] === 0 && bytes[3] === 0)) return 'none';
  return 'public';
}
