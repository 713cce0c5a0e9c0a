/**
 * Which pairs of NATs let two hosts reach each other, and by what effort: the six kinds that differ for hole punching, and the 21 pairs of them, as data for tests to go
 * through.
 *
 * A kind is a mapping and a filtering in the terms of RFC 4787: EIM, ADM and EDM for a mapping that is endpoint-independent, address-dependent, and address-and-port-
 * dependent; EIF, ADF and APDF for a filter of the same three. Both hosts know where a public server sees the other, and send to it at the same time; whatever arrives
 * is answered where it came from, because a mapping that depends on the remote end shows its port only in what it sends.
 *
 * Three efforts are told apart. `plain`: sending to the address that the server sees is enough. `prediction`: one side has to hit a port of the other that nobody has
 * seen, by many sockets against many probes (256 against 1,024 succeed in 98.3 % where ports are random) or by the pattern in which ports are given out. `relay`: both
 * would have to hit a port of the other at once, at one pair in 2^32 a try.
 *
 * The expectations are derived, not measured: from the matrix in "NAT traversal", section 3 of the project's notes on its peers. The self-test of the laboratory holds
 * every cell against real routers: a `plain` one has to succeed by plain punching, the others have to fail at it.
 */
import type { RouterOptions } from './model.ts';
import type { Dependence } from './translator/policy.ts';

export const matrixKinds = ['eim-eif', 'eim-adf', 'eim-apdf', 'adm-adf', 'edm-eif', 'edm-apdf'] as const;
export type MatrixKind = (typeof matrixKinds)[number];

export interface KindBehaviour {
  readonly mapping: Dependence;
  readonly filtering: Dependence;
  /** The kind of the laboratory's own that behaves so, if the kernel's translation can. */
  readonly kernelKind: 'full-cone' | 'restricted' | 'port-restricted' | 'symmetric' | undefined;
}

export const kindBehaviours: Readonly<Record<MatrixKind, KindBehaviour>> = {
  'eim-eif': { mapping: 'independent', filtering: 'independent', kernelKind: 'full-cone' },
  'eim-adf': { mapping: 'independent', filtering: 'address', kernelKind: 'restricted' },
  'eim-apdf': { mapping: 'independent', filtering: 'port', kernelKind: 'port-restricted' },
  'adm-adf': { mapping: 'address', filtering: 'address', kernelKind: undefined },
  'edm-eif': { mapping: 'port', filtering: 'independent', kernelKind: undefined },
  'edm-apdf': { mapping: 'port', filtering: 'port', kernelKind: 'symmetric' },
};

/** For a router of the kind `translator` that behaves so. */
export function translatorOptions(kind: MatrixKind): RouterOptions {
  const { mapping, filtering } = kindBehaviours[kind];
  return { mapping, filtering, ports: 'random' };
}

/** The best path that theory allows, by the least effort. */
export type BestPath = 'plain' | 'prediction' | 'relay';

export interface MatrixCell {
  readonly left: MatrixKind;
  readonly right: MatrixKind;
  readonly best: BestPath;
  /** By plain punching one of the two hears the other and is not heard: that way is direct, the way back needs the relay. */
  readonly listener?: 'left' | 'right';
}

const cell = (left: MatrixKind, right: MatrixKind, best: BestPath, listener?: 'left' | 'right'): MatrixCell => ({ left, right, best, ...(listener === undefined ? {} : { listener }) });

/** Each pair once, in the order of the matrix: its upper triangle, row by row. */
export const natMatrix: readonly MatrixCell[] = [
  cell('eim-eif', 'eim-eif', 'plain'),
  cell('eim-eif', 'eim-adf', 'plain'),
  cell('eim-eif', 'eim-apdf', 'plain'),
  cell('eim-eif', 'adm-adf', 'plain'),
  cell('eim-eif', 'edm-eif', 'plain'),
  cell('eim-eif', 'edm-apdf', 'plain'),
  cell('eim-adf', 'eim-adf', 'plain'),
  cell('eim-adf', 'eim-apdf', 'plain'),
  cell('eim-adf', 'adm-adf', 'plain'),
  cell('eim-adf', 'edm-eif', 'plain'),
  cell('eim-adf', 'edm-apdf', 'plain'),
  cell('eim-apdf', 'eim-apdf', 'plain'),
  cell('eim-apdf', 'adm-adf', 'prediction'),
  // The open filter lets in what the other sends to the port that the server saw; the answer leaves by a port that the other has not sent to.
  cell('eim-apdf', 'edm-eif', 'prediction', 'right'),
  cell('eim-apdf', 'edm-apdf', 'prediction'),
  cell('adm-adf', 'adm-adf', 'prediction'),
  cell('adm-adf', 'edm-eif', 'plain'),
  cell('adm-adf', 'edm-apdf', 'prediction'),
  cell('edm-eif', 'edm-eif', 'plain'),
  // Nothing to predict pays here, but the open side hears the other at once.
  cell('edm-eif', 'edm-apdf', 'relay', 'left'),
  cell('edm-apdf', 'edm-apdf', 'relay'),
];

/** What is no pair of the six kinds, but comes down to one of them or to the relay (same section). */
export const beyondMatrix = {
  /** On either side: only a relay over TCP 443 is left. */
  udpBlocked: 'relay',
  /** A public address, or a port mapping by PCP, NAT-PMP or UPnP that works, counts as this kind. */
  portMapped: 'eim-eif',
  /** An IPv6 firewall filters as this kind does and translates nothing. */
  ipv6Firewall: 'eim-apdf',
} as const satisfies Readonly<Record<string, BestPath | MatrixKind>>;
