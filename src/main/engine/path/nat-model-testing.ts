/** A small model of the networks that a check meets, in virtual time: routers by policy, relays that observe, and links that lose datagrams. For tests. */
import type { Filtering, Mapping, PortAllocation } from '../../../shared/network-report.ts';
import { sameAddress, socketAddressKey, type SocketAddress } from '../wire/types.ts';
import type { AnswerFrom } from './types.ts';

export type ModelAllocation = PortAllocation['kind'];

export interface RouterPolicy {
  /** `none`: it filters and translates nothing. */
  readonly mapping: Mapping;
  readonly filtering: Filtering;
  readonly allocation: ModelAllocation;
  readonly delta: number;
  readonly blockPorts: number;
  readonly hairpin: boolean;
  /** A port that is in use towards one place is given again towards another, to the same inner place: as if mappings did not depend on the other end, if ports are preserved. */
  readonly overloads?: boolean;
  /** Its outer addresses; with several, each new mapping gets the next one. */
  readonly outerHosts: readonly string[];
}

interface Entry {
  readonly inner: SocketAddress;
  readonly outer: SocketAddress;
  /** Opened on request: everybody is let in. */
  readonly isOpen: boolean;
  readonly hosts: Set<string>;
  readonly places: Set<string>;
}

const portFirst = 1_024;
const portsAll = 64_512;

export class ModelRouter {
  readonly policy: RouterPolicy;
  readonly #random: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #opened = new Map<string, Entry>();
  readonly #blockFirst: number;
  #last: number;
  #hostTurn = 0;

  constructor(policy: RouterPolicy, random: () => number) {
    this.policy = policy;
    this.#random = random;
    this.#blockFirst = portFirst + Math.floor(random() * (portsAll - policy.blockPorts));
    this.#last = portFirst + Math.floor(random() * portsAll);
  }

  hasOuter(host: string): boolean { return this.policy.mapping !== 'none' && this.policy.outerHosts.includes(host); }

  out(inner: SocketAddress, to: SocketAddress): SocketAddress {
    const entry = this.#opened.get(socketAddressKey(inner)) ?? this.#entry(inner, to);
    entry.hosts.add(to.host);
    entry.places.add(socketAddressKey(to));
    return entry.outer;
  }

  /** Undefined: kept out. */
  in(outer: SocketAddress, from: SocketAddress): SocketAddress | undefined {
    const entries = [...this.#opened.values(), ...this.#entries.values()].filter((each) => sameAddress(each.outer, outer));
    if (entries.length === 0) return this.policy.filtering === 'none' ? outer : undefined;
    return entries.find((each) => each.isOpen || this.#admits(each, from))?.inner;
  }

  open(inner: SocketAddress): SocketAddress {
    const outer = { host: this.policy.outerHosts[0] ?? '', port: this.#free(inner, 'random') };
    this.#opened.set(socketAddressKey(inner), { inner, outer, isOpen: true, hosts: new Set(), places: new Set() });
    return outer;
  }

  #admits({ hosts, places }: Entry, from: SocketAddress): boolean {
    switch (this.policy.filtering) {
      case 'none':
      case 'endpoint-independent': return true;
      case 'address-dependent': return hosts.has(from.host);
      case 'address-and-port-dependent': return places.has(socketAddressKey(from));
    }
  }

  #entry(inner: SocketAddress, to: SocketAddress): Entry {
    const key = `${socketAddressKey(inner)}>${this.#remotePart(to)}`;
    const found = this.#entries.get(key);
    if (found !== undefined) return found;
    const entry = { inner, outer: this.policy.mapping === 'none' ? inner : { host: this.#nextHost(), port: this.#free(inner, this.policy.allocation) }, isOpen: false, hosts: new Set<string>(), places: new Set<string>() };
    this.#entries.set(key, entry);
    return entry;
  }

  #remotePart(to: SocketAddress): string {
    switch (this.policy.mapping) {
      case 'none':
      case 'endpoint-independent': return '';
      case 'address-dependent': return to.host;
      case 'address-and-port-dependent': return socketAddressKey(to);
    }
  }

  #nextHost(): string {
    this.#hostTurn += 1;
    return this.policy.outerHosts[this.#hostTurn % this.policy.outerHosts.length] ?? '';
  }

  #free(inner: SocketAddress, kind: ModelAllocation): number {
    const blocking = [...this.#entries.values(), ...this.#opened.values()].filter((each) => this.policy.overloads !== true || !sameAddress(each.inner, inner));
    const taken = new Set(blocking.map(({ outer }) => outer.port));
    if (kind === 'preserving' && !taken.has(inner.port)) return inner.port;
    for (;;) {
      const port = this.#draw(kind);
      if (!taken.has(port)) return port;
    }
  }

  #draw(kind: ModelAllocation): number {
    switch (kind) {
      case 'preserving':
      case 'random': return portFirst + Math.floor(this.#random() * portsAll);
      case 'block': return this.#blockFirst + Math.floor(this.#random() * this.policy.blockPorts);
      case 'sequential':
        this.#last = portFirst + ((this.#last - portFirst + this.policy.delta) % portsAll);
        return this.#last;
    }
  }
}

export interface ModelRelay {
  readonly first: SocketAddress;
  readonly second: SocketAddress;
}

export interface NetworkModel {
  /** From the host outwards. */
  readonly routers: readonly ModelRouter[];
  readonly relays: readonly ModelRelay[];
  readonly udpBlocked: boolean;
  /** Of each datagram on the host's own link, in each direction. */
  readonly lossShare: number;
  readonly random: () => number;
}

export type Outcome =
  | { readonly kind: 'answer'; readonly from: SocketAddress; readonly seen: SocketAddress; readonly to: SocketAddress }
  | { readonly kind: 'hairpin'; readonly to: SocketAddress };

/** Where a datagram of the host ends: an answer that came back, a datagram that came back, or nothing. */
export function sendThrough(model: NetworkModel, inner: SocketAddress, to: SocketAddress, answerFrom: AnswerFrom): Outcome | undefined {
  if (model.udpBlocked || isLost(model)) return undefined;
  let source = inner;
  for (const [level, router] of model.routers.entries()) {
    const turnsBack = router.hasOuter(to.host);
    if (turnsBack && !router.policy.hairpin) return undefined;
    source = router.out(source, to);
    if (!turnsBack) continue;
    const back = inwards(model.routers.slice(0, level + 1), to, source);
    return back === undefined || isLost(model) ? undefined : { kind: 'hairpin', to: back };
  }
  const from = answeringPlace(model.relays, to, answerFrom);
  const back = from === undefined ? undefined : inwards(model.routers, source, from);
  return from === undefined || back === undefined || isLost(model) ? undefined : { kind: 'answer', from, seen: source, to: back };
}

function inwards(routers: readonly ModelRouter[], to: SocketAddress, from: SocketAddress): SocketAddress | undefined {
  return routers.toReversed().reduce<SocketAddress | undefined>((place, router) => (place === undefined ? undefined : router.in(place, from)), to);
}

function answeringPlace(relays: readonly ModelRelay[], to: SocketAddress, answerFrom: AnswerFrom): SocketAddress | undefined {
  const index = relays.findIndex(({ first, second }) => sameAddress(first, to) || sameAddress(second, to));
  const relay = relays[index];
  if (relay === undefined) return undefined;
  switch (answerFrom) {
    case 'asked': return to;
    case 'other-port': return sameAddress(to, relay.first) ? relay.second : relay.first;
    case 'other-relay': return relays[(index + 1) % relays.length]?.first;
  }
}

const isLost = ({ lossShare, random }: NetworkModel): boolean => random() < lossShare;

/** Numbers from 0 to 1 that are the same for the same seed (splitmix32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
