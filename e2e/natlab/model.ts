/** What a laboratory consists of, as it is recorded in its folder. The record is changed in place by the verbs and saved after each. */

import type { Dependence, PortControl, Refresh } from './translator/policy.ts';

/** Each has a number that is part of its addresses: 198.19.0.N, and 198.18.N.1 and 10.77.N.1; so has every carrier's router. */
export const publicHostsMaximum = 250;
export const routersMaximum = 250;

/** The kinds whose rules are the kernel's alone, without a program beside them: those that a `cgnat` is made of. */
export const plainKinds = ['none', 'full-cone', 'restricted', 'port-restricted', 'symmetric', 'udp-blocked'] as const;
export type PlainKind = (typeof plainKinds)[number];
export const natKinds = [...plainKinds, 'cgnat', 'translator', 'captive-portal'] as const;
export type NatKind = (typeof natKinds)[number];
/** The last two are for a `translator` only. */
export type PortChoice = 'random' | 'preserve' | 'sequential' | 'block';
/** What the IPv6 router lets in: answers to what went out, or everything. */
export type Ipv6Filtering = 'firewall' | 'open';

/** What may be said of a router in the topology, and again with the verb `nat`. What is left out stays as it was. */
export interface RouterOptions {
  readonly hairpin?: boolean;
  readonly ports?: PortChoice;
  /** How long an idle UDP mapping lives. */
  readonly timeoutSeconds?: number;
  /** Of a `cgnat` router: the kind of the home router, and of the carrier's. */
  readonly inner?: PlainKind;
  readonly carrier?: PlainKind;
  /** Of a `translator`: what a mapping depends on, and what its filter admits. */
  readonly mapping?: Dependence;
  readonly filtering?: Dependence;
  /** Of a `translator` with sequential ports: from one new mapping to the next. */
  readonly deltaPorts?: number;
  /** Of a `translator` with blocks of ports: how many each inner host has. */
  readonly blockPorts?: number;
  readonly refresh?: Refresh;
  readonly portControl?: PortControl;
  /** The longest life that PCP and NAT-PMP are granted. */
  readonly grantMaximumSeconds?: number;
  /** Whether its hosts have global IPv6 addresses too; it can change, but not come and go, while the laboratory is up. */
  readonly ipv6?: Ipv6Filtering;
  /** Of `udp-blocked`: whether all of TCP passes, or port 443 alone. */
  readonly tcp?: 'any' | '443';
}

/** One direction of an emulated link; what is left out is not emulated. */
export interface LinkSettings {
  /** One way. */
  readonly delayMs?: number;
  /** Adds between minus and plus this; keeps the order. */
  readonly jitterMs?: number;
  /** From 0 to 1, at random, before the queue. ARP is spared. */
  readonly lossShare?: number;
  readonly rateBitsPerSecond?: number;
  /** How long the queue before the rate may be; the rest is dropped. */
  readonly queueMs?: number;
  /** This share is held back by `gapMs`, so that later ones overtake. */
  readonly reorderShare?: number;
  readonly gapMs?: number;
  readonly duplicateShare?: number;
}

/** `out` is away from the node. The seed fixes which frames are hit, by their place in the sequence. */
export interface Emulation {
  readonly out: LinkSettings;
  readonly in: LinkSettings;
  readonly seed: number;
}

/** Addresses with the lengths of their prefixes. */
export interface Ipv6Place {
  readonly address: string;
  readonly gateway: string | undefined;
  /** Of a router: its own address on its LAN, and the LAN. */
  readonly lan: { readonly address: string; readonly network: string } | undefined;
}

interface NodeCommon {
  readonly name: string;
  /** Names the devices of the node. */
  readonly id: number;
  /** The bridge that its uplink is plugged into. */
  segment: string;
  /** Of the uplink, each with the length of its prefix. */
  addresses: readonly string[];
  gateway: string | undefined;
  /** Undefined: it speaks IPv4 only. */
  ipv6: Ipv6Place | undefined;
  link: 'up' | 'down';
  emulation: Emulation | undefined;
}

/** A LAN in which a router has the addresses from `firstNumber` on. */
export interface Upstream {
  readonly lan: string;
  readonly bridge: string;
  readonly firstNumber: number;
  readonly addresses: number;
}

export interface PublicNode extends NodeCommon { readonly type: 'public' }

export interface HostNode extends NodeCommon { readonly type: 'host'; readonly router: string }

export interface RouterNode extends NodeCommon {
  readonly type: 'router';
  /** Number of its own networks, 1 to `routersMaximum`. */
  readonly network: number;
  /** The first three numbers of its LAN. */
  readonly lan: string;
  readonly lanBridge: string;
  readonly isCarrier: boolean;
  /** Which of its possible public addresses it has. */
  addressNumber: number;
  kind: NatKind;
  hairpin: boolean;
  ports: PortChoice;
  timeoutSeconds: number;
  inner: PlainKind | undefined;
  /** Kind of the carrier's router above it. */
  carrier: PlainKind | undefined;
  /** Where its uplink is plugged in, if not in the public network: a `cgnat` in its carrier's LAN, any other in that of the router it is `behind`. */
  upstream: Upstream | undefined;
  mapping: Dependence;
  filtering: Dependence;
  deltaPorts: number;
  blockPorts: number;
  refresh: Refresh;
  portControl: PortControl;
  grantMaximumSeconds: number;
  /** By how much the clock of a `translator` was put forward. */
  clockAheadSeconds: number;
  /** Its UDP goes by the translator. */
  isDiverted: boolean;
  ipv6Filtering: Ipv6Filtering | undefined;
  tcp: 'any' | '443';
  /** Counts changes: each has a conntrack zone and a range of ports of its own. */
  generation: number;
  /** Mappings were dropped, and no port may be the same again. */
  isRebound: boolean;
  /** The address over which its neighbours reach its LAN, where it does not translate. */
  routedVia: string | undefined;
}

export type LabNode = PublicNode | HostNode | RouterNode;

export interface LabState {
  readonly lab: string;
  nextId: number;
  nextNetwork: number;
  readonly nodes: Record<string, LabNode>;
}

/** What the emulator counted in one direction. */
export interface LinkCounts {
  frames: number;
  lost: number;
  overflow: number;
  reordered: number;
  duplicated: number;
  /** Of the frames that were passed on. */
  passedBytes: number;
}

export function isNatKind(text: string | undefined): text is NatKind {
  return natKinds.some((kind) => kind === text);
}

/** Without the length of the prefix. */
export const plainAddress = (address: string): string => address.split('/')[0] ?? address;

export const uplinkAddress = (node: LabNode): string => plainAddress(node.addresses[0] ?? '');
