/**
 * What a check of the network has found out, as the engine hands it on and as windows, command line and diagnostics show it. Everything is
 * three-valued: what was not checked, or rests on too little, says so with a reason and is never told as a no.
 */

/** Why something is not known. Stable: diagnostics carry these words. */
export const notCheckedReasons = [
  'not-yet', 'no-address', 'no-relay', 'no-answer', 'too-few-answers', 'too-much-loss', 'too-few-relays', 'no-second-port', 'no-other-relay', 'hidden-by-router', 'not-needed', 'contradictory', 'not-learned', 'no-port-control',
] as const;
export type NotCheckedReason = (typeof notCheckedReasons)[number];

export interface NotChecked {
  readonly state: 'not-checked';
  readonly reason: NotCheckedReason;
}
export type Known<Value> = NotChecked | { readonly state: 'known'; readonly value: Value; /** Observations it rests on. */ readonly samples: number };

/** `at-least`: the true value is this or more; nothing larger was tried. */
export type KnownBound<Value> = Known<Value> | { readonly state: 'at-least'; readonly value: Value; readonly samples: number };

/** RFC 4787 section 4.1, in the terms of RFC 5780. `none`: no translation. */
export type Mapping = 'none' | 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';
/** RFC 4787 section 5. `none`: everything comes in. */
export type Filtering = 'none' | 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';
/**
 * How outer ports follow inner ones, or each other. A block is the range that the ports seen span: the real one may be larger.
 */
export type PortAllocation =
  | { readonly kind: 'preserving' }
  | { readonly kind: 'sequential'; readonly delta: number }
  | { readonly kind: 'block'; readonly first: number; readonly count: number }
  | { readonly kind: 'random' };

export const addressFamilies = ['ipv4', 'ipv6'] as const;
export type AddressFamily = (typeof addressFamilies)[number];

export interface FamilyReport {
  readonly udpBlocked: Known<boolean>;
  readonly mapping: Known<Mapping>;
  readonly filtering: Known<Filtering>;
  readonly allocation: Known<PortAllocation>;
  /** The longest silence that a mapping outlived; 0: none that was tried. */
  readonly mappingLifetimeMs: KnownBound<number>;
  /** Whether two hosts behind the router reach each other by its outer address. */
  readonly hairpin: Known<boolean>;
  readonly doubleNat: Known<boolean>;
  /** Outer addresses that relays saw, sorted. */
  readonly publicHosts: Known<readonly string[]>;
  /** Whether all conversations leave by one outer address: "paired" in RFC 4787, REQ-2. */
  readonly onePublicHost: Known<boolean>;
  /** Packets, with the headers of IP and UDP, that come through in one piece from every relay that this was tried with. */
  readonly pathMtuBytes: KnownBound<number>;
}

export interface RelayRoundTrip {
  readonly relay: string;
  /** The fastest answer. */
  readonly roundTripMs: Known<number>;
  /** Packets that come through from there in one piece; absent: nobody was there to know. */
  readonly pathMtuBytes?: KnownBound<number> | undefined;
}

/** `host`: an address of the machine. `mapped`: opened by the router on request. `reflexive`: as relays see us. */
export type CandidateKind = 'host' | 'mapped' | 'reflexive';
export interface Candidate {
  readonly kind: CandidateKind;
  readonly family: AddressFamily;
  readonly host: string;
  readonly port: number;
  /** False: the port is another one for every other side, only the address is sure. */
  readonly isPortSure: boolean;
}

export type PortControlProtocol = 'pcp' | 'nat-pmp';

export interface NetworkReport {
  readonly families: Readonly<Record<AddressFamily, FamilyReport>>;
  /** Whether IPv6 lets in what nobody here asked for. */
  readonly ipv6Inbound: Known<'open' | 'filtered'>;
  readonly captivePortal: Known<boolean>;
  /** How the router opens ports on request, if it does; `refused`: it knows how, and does not do it for us. */
  readonly portControl: Known<PortControlProtocol | 'none' | 'refused'>;
  readonly relays: readonly RelayRoundTrip[];
  /** Best first, at most 16. */
  readonly candidates: readonly Candidate[];
  /** Nothing more will come of this check. */
  readonly isComplete: boolean;
}

export const known = <Value>(value: Value, samples: number): Known<Value> => ({ state: 'known', value, samples });
export const notChecked = (reason: NotCheckedReason): NotChecked => ({ state: 'not-checked', reason });
/** The value, or undefined where it is not known. */
export const valueOf = <Value>(fact: Known<Value>): Value | undefined => (fact.state === 'known' ? fact.value : undefined);
