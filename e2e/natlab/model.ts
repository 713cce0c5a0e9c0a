/** What a laboratory consists of, as it is recorded in its folder. The record is changed in place by the verbs and saved after each. */

export const natKinds = ['none', 'full-cone', 'restricted', 'port-restricted', 'symmetric', 'udp-blocked', 'cgnat'] as const;
export type NatKind = (typeof natKinds)[number];
export type PortChoice = 'random' | 'preserve';

/** What may be said of a router in the topology, and again with the verb `nat`. */
export interface RouterOptions {
  readonly hairpin?: boolean;
  readonly ports?: PortChoice;
  /** How long an idle UDP mapping lives. */
  readonly timeoutSeconds?: number;
  /** Of a `cgnat` router: the kind of the home router, and of the carrier's. */
  readonly inner?: NatKind;
  readonly carrier?: NatKind;
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

interface NodeCommon {
  readonly name: string;
  /** Names the devices of the node. */
  readonly id: number;
  /** The bridge that its uplink is plugged into. */
  segment: string;
  /** Of the uplink, each with the length of its prefix. */
  addresses: readonly string[];
  gateway: string | undefined;
  link: 'up' | 'down';
  emulation: Emulation | undefined;
}

export interface PublicNode extends NodeCommon { readonly type: 'public' }

export interface HostNode extends NodeCommon { readonly type: 'host'; readonly router: string }

export interface RouterNode extends NodeCommon {
  readonly type: 'router';
  /** Number of its own networks, 1 to 250. */
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
  inner: NatKind | undefined;
  /** Kind of the carrier's router above it, and the first three numbers of the network between. */
  carrier: NatKind | undefined;
  carrierLan: string | undefined;
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
