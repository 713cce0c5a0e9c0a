/**
 * The mappings of one NAT device: which external port stands for which inside endpoint, towards whom, until when, and whom each lets in. Without clock, randomness and
 * packets: they are handed in.
 *
 * A mapping is found from inside by its key, which holds as much of the remote end as the policy's mapping depends on, and from outside by its port. Each remembers
 * the remote ends it was used towards: its filter. An explicit mapping, asked for by PCP or NAT-PMP, lives as long as was granted, lets in everybody, and also carries
 * what its inside endpoint sends.
 */
import type { PortAllocator } from './port-allocator.ts';
import type { Dependence, TranslatorPolicy } from './policy.ts';

export interface Endpoint { readonly address: string; readonly port: number }

export const textOf = ({ address, port }: Endpoint): string => `${address}:${port}`;

const secondMs = 1_000;

interface Mapping {
  readonly key: string;
  readonly inside: Endpoint;
  readonly port: number;
  expiresAtMs: number;
  /** Until when each remote end is let in; undefined: everybody is. */
  readonly admits: Map<string, number> | undefined;
  /** Who asked for it: of an explicit mapping only. */
  readonly nonce: string | undefined;
}

/** What a host asks for; port 0: any. */
export interface ExplicitRequest {
  readonly inside: Endpoint;
  readonly suggestedPort: number;
  readonly lifetimeSeconds: number;
  /** Told by PCP, so that another program cannot change the mapping. */
  readonly nonce: string;
  /** Rather nothing than another port. */
  readonly isExact: boolean;
}

export type ExplicitAnswer =
  | { readonly outcome: 'mapped'; readonly port: number }
  | { readonly outcome: 'not-authorized' | 'cannot-provide' | 'no-resources' };

export class MappingTable {
  readonly #policy: TranslatorPolicy;
  readonly #allocator: PortAllocator;
  /** Ports of before a rebind. */
  readonly #avoided: ReadonlySet<number>;
  readonly #byKey = new Map<string, Mapping>();
  readonly #byPort = new Map<number, Mapping>();

  constructor(policy: TranslatorPolicy, allocator: PortAllocator, avoided: ReadonlySet<number>) {
    this.#policy = policy;
    this.#allocator = allocator;
    this.#avoided = avoided;
  }

  get ports(): ReadonlySet<number> { return new Set([...this.#byPort.keys(), ...this.#avoided]); }

  /** The external port for a datagram from inside; undefined when none is left. */
  outbound(inside: Endpoint, remote: Endpoint, nowMs: number): number | undefined {
    const explicit = this.#live(this.#byKey.get(explicitKey(inside)), nowMs);
    if (explicit !== undefined) return explicit.port;
    const key = keyOf(this.#policy.mapping, inside, remote);
    const expiresAtMs = nowMs + this.#policy.lifetimeSeconds * secondMs;
    let mapping = this.#live(this.#byKey.get(key), nowMs);
    if (mapping === undefined) {
      const port = this.#allocator.allocate(inside, (candidate) => this.#isFree(candidate, nowMs));
      if (port === undefined) return undefined;
      mapping = { key, inside, port, expiresAtMs, admits: this.#policy.filtering === 'independent' ? undefined : new Map(), nonce: undefined };
      this.#put(mapping);
    }
    mapping.expiresAtMs = expiresAtMs;
    mapping.admits?.set(partOf(this.#policy.filtering, remote), expiresAtMs);
    return mapping.port;
  }

  /** The inside endpoint for a datagram from outside; undefined when it is not let in. */
  inbound(port: number, remote: Endpoint, nowMs: number): Endpoint | undefined {
    const mapping = this.#live(this.#byPort.get(port), nowMs);
    if (mapping === undefined) return undefined;
    const from = partOf(this.#policy.filtering, remote);
    if (mapping.admits !== undefined && (mapping.admits.get(from) ?? -Infinity) <= nowMs) return undefined;
    if (this.#policy.refresh === 'both' && mapping.nonce === undefined) {
      mapping.expiresAtMs = nowMs + this.#policy.lifetimeSeconds * secondMs;
      mapping.admits?.set(from, mapping.expiresAtMs);
    }
    return mapping.inside;
  }

  /** Makes or prolongs an explicit mapping. */
  open({ inside, suggestedPort, lifetimeSeconds, nonce, isExact }: ExplicitRequest, nowMs: number): ExplicitAnswer {
    const key = explicitKey(inside);
    const known = this.#live(this.#byKey.get(key), nowMs);
    if (known !== undefined) {
      if (known.nonce !== nonce) return { outcome: 'not-authorized' };
      if (isExact && suggestedPort !== 0 && suggestedPort !== known.port) return { outcome: 'cannot-provide' };
      known.expiresAtMs = nowMs + lifetimeSeconds * secondMs;
      return { outcome: 'mapped', port: known.port };
    }
    // Where there is one port for all remote ends, it is this one from now on (RFC 6887 section 11.3).
    const implicit = this.#policy.mapping === 'independent' ? this.#live(this.#byKey.get(textOf(inside)), nowMs) : undefined;
    const isSuggestionFree = suggestedPort !== 0 && this.#isFree(suggestedPort, nowMs);
    if (isExact && suggestedPort !== 0 && !isSuggestionFree && implicit?.port !== suggestedPort) return { outcome: 'cannot-provide' };
    const port = implicit?.port ?? (isSuggestionFree ? suggestedPort : this.#allocator.allocate(inside, (candidate) => this.#isFree(candidate, nowMs)));
    if (port === undefined) return { outcome: 'no-resources' };
    if (isExact && suggestedPort !== 0 && port !== suggestedPort) return { outcome: 'cannot-provide' };
    if (implicit !== undefined) this.#remove(implicit);
    this.#put({ key, inside, port, expiresAtMs: nowMs + lifetimeSeconds * secondMs, admits: undefined, nonce });
    return { outcome: 'mapped', port };
  }

  /** Ends an explicit mapping; there may be none. @returns whether the nonce was the right one. */
  close(inside: Endpoint, nonce: string, nowMs: number): boolean {
    const mapping = this.#live(this.#byKey.get(explicitKey(inside)), nowMs);
    if (mapping === undefined) return true;
    if (mapping.nonce !== nonce) return false;
    this.#remove(mapping);
    return true;
  }

  /** Ends those of a host that this nonce made. */
  closeAll(address: string, nonce: string): void {
    for (const mapping of [...this.#byPort.values()]) {
      if (mapping.inside.address === address && mapping.nonce === nonce) this.#remove(mapping);
    }
  }

  /** Drops what has expired, so that ports come free and memory does not grow. */
  sweep(nowMs: number): void {
    for (const mapping of [...this.#byPort.values()]) this.#live(mapping, nowMs);
  }

  #isFree(port: number, nowMs: number): boolean {
    return this.#live(this.#byPort.get(port), nowMs) === undefined && !this.#avoided.has(port);
  }

  #live(mapping: Mapping | undefined, nowMs: number): Mapping | undefined {
    if (mapping === undefined || mapping.expiresAtMs > nowMs) return mapping;
    this.#remove(mapping);
    return undefined;
  }

  #put(mapping: Mapping): void {
    this.#byKey.set(mapping.key, mapping);
    this.#byPort.set(mapping.port, mapping);
  }

  #remove(mapping: Mapping): void {
    this.#byKey.delete(mapping.key);
    this.#byPort.delete(mapping.port);
  }
}

const explicitKey = (inside: Endpoint): string => `explicit ${textOf(inside)}`;

/** As much of the remote end as counts. */
function partOf(dependence: Dependence, remote: Endpoint): string {
  switch (dependence) {
    case 'independent': return '';
    case 'address': return remote.address;
    case 'port': return textOf(remote);
  }
}

function keyOf(dependence: Dependence, inside: Endpoint, remote: Endpoint): string {
  return dependence === 'independent' ? textOf(inside) : `${textOf(inside)} ${partOf(dependence, remote)}`;
}
