/**
 * Whose connections are counted together. One person has an address of IPv4, or a network of 64 bits of IPv6; who has more of these mostly has them from one provider, side by side: 256 addresses, or the
 * 65,536 networks of a site (RFC 6177). So there are two shares, a small one and a larger one around it.
 */
import type { TcpServerLimits } from './tcp-server.ts';

const ipv6Groups = 8;
const ipv6NetworkGroups = 4;
const ipv6SiteGroups = 3;
const ipv4SiteOctets = 3;

/** An address of IPv4, the first four groups of one of IPv6. */
export const neighbourhoodOf = (host: string): string => (host.includes(':') ? groupsOf(host, ipv6NetworkGroups) : host);

/** The first 24 bits of an address of IPv4, the first 48 of one of IPv6. */
export const siteOf = (host: string): string => (host.includes(':') ? `${groupsOf(host, ipv6SiteGroups)} site` : `${host.split('.').slice(0, ipv4SiteOctets).join('.')} site`);

function groupsOf(host: string, count: number): string {
  const [head = '', tail] = (host.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, ipv6Groups - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, count).join(':');
}

/** How many connections each has. Nothing is kept of those that have none. */
export class Neighbourhoods {
  readonly #limits: Pick<TcpServerLimits, 'connectionsOfOne' | 'connectionsOfSite'>;
  readonly #counts = new Map<string, number>();

  constructor(limits: Pick<TcpServerLimits, 'connectionsOfOne' | 'connectionsOfSite'>) { this.#limits = limits; }

  get size(): number { return this.#counts.size; }

  /** What is used up of the shares of this host. */
  full(host: string): 'one' | 'site' | undefined {
    if ((this.#counts.get(neighbourhoodOf(host)) ?? 0) >= this.#limits.connectionsOfOne) return 'one';
    return (this.#counts.get(siteOf(host)) ?? 0) >= this.#limits.connectionsOfSite ? 'site' : undefined;
  }

  add(host: string): void { for (const key of keysOf(host)) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1); }

  remove(host: string): void {
    for (const key of keysOf(host)) {
      const left = (this.#counts.get(key) ?? 0) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    }
  }
}

const keysOf = (host: string): readonly string[] => [neighbourhoodOf(host), siteOf(host)];
