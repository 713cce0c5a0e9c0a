/** How near an address of the other side is: what decides between two paths that both work, and which addresses go on being probed once one has answered. */
import { isCircuitAddress } from '../circuits/tunnel.ts';
import { hostToBytes, ipv4Bytes } from '../wire/socket-address.ts';
import { isTcpAddress } from '../wire/tcp-address.ts';
import type { SocketAddress } from '../wire/types.ts';
import { scopeOf } from './address-scope.ts';

/** Best first: a network of both, then anything that a datagram reaches by itself, then a relay in between. */
export const pathTiers = ['lan', 'direct', 'circuit'] as const;
export type PathTier = (typeof pathTiers)[number];

/** As networks are usually cut: of IPv4 /24, of IPv6 /64. The machine's real prefixes are not known here, and a wrong guess costs a few probes at most. */
const networkBytes = { ipv4: 3, ipv6: 8 };

/** @param ownHosts literal addresses of this machine */
export function tierOf(address: SocketAddress, ownHosts: readonly string[]): PathTier {
  if (isCircuitAddress(address) || isTcpAddress(address)) return 'circuit';
  const scope = scopeOf(address.host);
  if (scope === 'private' || scope === 'loopback' || isLinkLocal(address.host)) return 'lan';
  return isInOwnNetwork(address.host, ownHosts) ? 'lan' : 'direct';
}

/** Negative: `left` is better. Zero: neither. */
export const compareTiers = (left: PathTier, right: PathTier): number => pathTiers.indexOf(left) - pathTiers.indexOf(right);

/** Whether one of the own addresses shares its first 24 bits (IPv4) or 64 bits (IPv6). */
export function isInOwnNetwork(host: string, ownHosts: readonly string[]): boolean {
  const bytes = hostToBytes(host);
  if (bytes === undefined) return false;
  const length = bytes.length === ipv4Bytes ? networkBytes.ipv4 : networkBytes.ipv6;
  return ownHosts.some((ownHost) => {
    const own = hostToBytes(ownHost);
    return own?.length === bytes.length && bytes.subarray(0, length).every((byte, index) => byte === own[index]);
  });
}

/** 169.254.0.0/16 and fe80::/10 (RFC 3927, RFC 4291). A socket tells the latter with a zone, which no literal of the wire has. */
function isLinkLocal(host: string): boolean {
  const [first = 0, second = 0, ...rest] = hostToBytes(host.split('%')[0] ?? '') ?? [];
  return rest.length + 2 === ipv4Bytes ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80;
}
