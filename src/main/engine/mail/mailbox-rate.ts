/**
 * How often one neighbourhood of the network may do what costs and needs no credentials. By prefix, since single addresses are free: /24
 * of IPv4 and /56 of IPv6 are about what one customer or one small network has.
 */

import { hostOfTcp } from '../wire/tcp-address.ts';

/** Prefixes remembered; the longest unused are forgotten first, which forgives them at most one burst. */
const prefixesMaximum = 10_000;

export class PrefixRate {
  readonly #perMinute: number;
  /** Least recently used first. */
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(perMinute: number) { this.#perMinute = perMinute; }

  get size(): number { return this.#buckets.size; }

  /** The seconds until there are `count`; undefined when there are that many now. */
  waitSeconds(host: string, count: number, nowMs: number): number | undefined {
    const known = this.#buckets.get(addressPrefix(host));
    return this.#missing((known === undefined ? this.#perMinute : this.#refilled(known, nowMs)) - (count - 1));
  }

  /** Takes one; undefined when it was there, otherwise the seconds until the next one. */
  take(host: string, nowMs: number): number | undefined {
    const prefix = addressPrefix(host);
    const known = this.#buckets.get(prefix);
    const available = known === undefined ? this.#perMinute : this.#refilled(known, nowMs);
    this.#buckets.delete(prefix);
    this.#buckets.set(prefix, { tokens: available >= 1 ? available - 1 : available, atMs: nowMs });
    if (this.#buckets.size > prefixesMaximum) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    return this.#missing(available);
  }

  #refilled(bucket: { readonly tokens: number; readonly atMs: number }, nowMs: number): number {
    return Math.min(this.#perMinute, bucket.tokens + ((nowMs - bucket.atMs) * this.#perMinute) / 60_000);
  }

  #missing(available: number): number | undefined { return available >= 1 ? undefined : Math.ceil(((1 - available) * 60) / this.#perMinute); }
}

/** The /24 or /56 of a literal address, as text that is the same for all of the prefix. Anything else is its own prefix. */
export function addressPrefix(text: string): string {
  const host = hostOfTcp(text);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host;
  const octets = mapped.split('.');
  if (octets.length === 4) return octets.slice(0, 3).join('.');
  if (!host.includes(':')) return host;
  const [head = '', tail] = (host.split('%')[0] ?? host).split('::');
  const groupsOf = (text: string): string[] => text === '' ? [] : text.split(':');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = [...before, ...zeros, ...after].slice(0, 4).map((group) => Number.parseInt(group, 16));
  return groups.map((group, index) => (index === 3 ? group & 0xff00 : group).toString(16)).join(':');
}
