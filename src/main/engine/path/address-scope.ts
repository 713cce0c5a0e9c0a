/** From where an address can be reached at all. Texts are canonical (`wire/host.ts`); what is not an address of a host is `unusable`. */
import type { AddressFamily } from '../../../shared/network-report.ts';
import { canonicalHost } from '../wire/host.ts';

/**
 * `shared`: between a carrier and its customers (RFC 6598). `local`: RFC 1918 and RFC 4193. Ranges for documentation and benchmarks count as
 * public: laboratories are made of them, and nowhere else does a machine have one.
 */
export type AddressScope = 'public' | 'shared' | 'local' | 'unusable';

export const familyOf = (host: string): AddressFamily => (host.includes(':') ? 'ipv6' : 'ipv4');

export function scopeOf(host: string): AddressScope {
  if (canonicalHost(host) !== host) return 'unusable';
  return host.includes(':') ? ipv6Scope(host) : ipv4Scope(host);
}

function ipv4Scope(host: string): AddressScope {
  const octets = host.split('.').map(Number);
  const [first = 0, second = 0] = octets;
  // A name is no address.
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet))) return 'unusable';
  // This network, loopback, link-local; multicast, reserved, broadcast.
  if (first === 0 || first === 127 || (first === 169 && second === 254) || first >= 224) return 'unusable';
  if (first === 100 && second >= 64 && second <= 127) return 'shared';
  if (first === 10 || (first === 172 && second >= 16 && second <= 31) || (first === 192 && second === 168)) return 'local';
  return 'public';
}

/** The canonical text begins with the first group, or with `::` where that is zero. */
function ipv6Scope(host: string): AddressScope {
  // Unspecified, loopback, IPv4 in disguise, and the translation prefix 64:ff9b::/96, which means something on one network only.
  if (host.startsWith('::') || host.startsWith('64:ff9b:')) return 'unusable';
  const group = Number.parseInt(host, 16);
  // Discard-only.
  if (group === 0x100) return 'unusable';
  if ((group & 0xfe00) === 0xfc00) return 'local';
  // Link-local, site-local (abandoned), multicast.
  if ((group & 0xffc0) === 0xfe80 || (group & 0xffc0) === 0xfec0 || (group & 0xff00) === 0xff00) return 'unusable';
  return 'public';
}
