/**
 * The payloads of a content's responses. All lengths follow from the geometry, so no field tells one: what has another length is refused
 * before anything is read from it, and a value has one encoding. Decoding never throws, and gives out views of its input.
 *
 * A *fragment* is hashes (none, the pair, or the proof of up to four leaves), then the leaf. A *proof* is one byte for the part, then hashes:
 * `path` (the leaf's value and its siblings, from below), `ahead` (the chains, from left to right), or `whole` (both, when they fit one response).
 */
import { hashBytes } from '../blake3/blake3-layout.ts';
import { chainHashes, chainsOf, fragmentHashBytes, isLeaf, leafLength, pathOf, proofRoomHashes } from './geometry.ts';
import type { Geometry } from './geometry.ts';

export const proofParts = ['whole', 'path', 'ahead'] as const;
export type ProofPart = (typeof proofParts)[number];

export type PayloadFault = 'no-such-leaf' | 'wrong-length' | 'unknown-part';
export type Decoded<Value> = { readonly kind: 'decoded'; readonly value: Value } | { readonly kind: 'refused'; readonly reason: PayloadFault };

export interface Fragment {
  readonly hashes: Uint8Array;
  readonly leaf: Uint8Array;
}

export interface Proof {
  readonly part: ProofPart;
  readonly hashes: Uint8Array;
}

const partBytes = 1;
const refused = (reason: PayloadFault): { readonly kind: 'refused'; readonly reason: PayloadFault } => ({ kind: 'refused', reason });

export const fragmentPayloadBytes = (geometry: Geometry, index: number): number => fragmentHashBytes(geometry, index) + leafLength(geometry, index);

/** Into `output` at 0, without allocating; returns the length. @throws RangeError when a part has the wrong length or there is no room. */
export function encodeFragment(geometry: Geometry, index: number, { hashes, leaf }: Fragment, output: Uint8Array): number {
  if (!isLeaf(geometry, index) || hashes.length !== fragmentHashBytes(geometry, index) || leaf.length !== leafLength(geometry, index)) {
    throw new RangeError(`fragment ${index} has ${hashes.length} bytes of hashes and a leaf of ${leaf.length}`);
  }
  output.set(hashes);
  output.set(leaf, hashes.length);
  return hashes.length + leaf.length;
}

export function decodeFragment(geometry: Geometry, index: number, payload: Uint8Array): Decoded<Fragment> {
  if (!isLeaf(geometry, index)) return refused('no-such-leaf');
  const start = fragmentHashBytes(geometry, index);
  if (payload.length !== start + leafLength(geometry, index)) return refused('wrong-length');
  return { kind: 'decoded', value: { hashes: payload.subarray(0, start), leaf: payload.subarray(start) } };
}

const pathHashes = (geometry: Geometry, first: number): number => 1 + pathOf(geometry, first).length;
const aheadHashes = (geometry: Geometry, first: number): number => chainsOf(geometry, first).reduce((sum, chain) => sum + chainHashes(chain), 0);

/** The parts in which the proof of a leaf travels, in the order in which they are understood. Two only for seeks in very long content. */
export const partsOf = (geometry: Geometry, first: number): readonly ProofPart[] =>
  pathHashes(geometry, first) + aheadHashes(geometry, first) <= proofRoomHashes(geometry) ? ['whole'] : ['path', 'ahead'];

/** How many hashes a part has; `path` and `ahead` also of a proof that is sent whole. */
export function partHashes(geometry: Geometry, first: number, part: ProofPart): number {
  switch (part) {
    case 'whole': return pathHashes(geometry, first) + aheadHashes(geometry, first);
    case 'path': return pathHashes(geometry, first);
    case 'ahead': return aheadHashes(geometry, first);
  }
}

/** @throws RangeError when the hashes are not those of the part by number. */
export function encodeProof(geometry: Geometry, first: number, { part, hashes }: Proof): Uint8Array {
  if (!isLeaf(geometry, first) || !partsOf(geometry, first).includes(part) || hashes.length !== partHashes(geometry, first, part) * hashBytes) {
    throw new RangeError(`the proof of ${first} has no part ${part} of ${hashes.length} bytes`);
  }
  const payload = new Uint8Array(partBytes + hashes.length);
  payload[0] = proofParts.indexOf(part);
  payload.set(hashes, partBytes);
  return payload;
}

export function decodeProof(geometry: Geometry, first: number, payload: Uint8Array): Decoded<Proof> {
  if (!isLeaf(geometry, first)) return refused('no-such-leaf');
  const part = proofParts[payload[0] ?? proofParts.length];
  if (part === undefined || !partsOf(geometry, first).includes(part)) return refused('unknown-part');
  if (payload.length !== partBytes + partHashes(geometry, first, part) * hashBytes) return refused('wrong-length');
  return { kind: 'decoded', value: { part, hashes: payload.subarray(partBytes) } };
}
