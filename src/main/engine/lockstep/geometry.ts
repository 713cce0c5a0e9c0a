/**
 * Where the leaves and nodes of a content's tree lie, and which hashes travel with which fragment. Arithmetic only: everything follows from
 * the content's length and the size of its leaf groups, so both sides know it without being told.
 *
 * A node is named by its level (0: leaves) and its index there; it covers leaves [index x 2^level, (index + 1) x 2^level), cut off at the
 * content's end. An odd last node of a level moves up unchanged, which gives BLAKE3's shape. Leaf numbers go beyond 32 bits, so powers of
 * two are multiplied and not shifted.
 */
import { chunkBytes, hashBytes } from '../blake3/blake3-layout.ts';

/** The largest leaf group has 32 KiB: of the next size not one would fit a UDP datagram (65,507 bytes). */
export const groupShiftMaximum = 5;
export const pairBytes = 2 * hashBytes;
/** Up to this many leaves the proof fits the place of the pair, which the first leaf does not have. */
const headedLeavesMaximum = 4;

export interface Geometry {
  readonly lengthBytes: number;
  /** A leaf group has 2^groupShift chunks of 1,024 bytes. */
  readonly groupShift: number;
  /** Bytes of a full leaf. */
  readonly leafBytes: number;
  /** At least 1: empty content is one empty leaf. */
  readonly leafCount: number;
  /** Levels above the leaves. */
  readonly depth: number;
}

/** Undefined for a length or a group size out of range, and for more leaves than one proof can reach (8 TiB of 1 KiB leaves). */
export function geometryOf(lengthBytes: number, groupShift: number): Geometry | undefined {
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 0) return undefined;
  if (!Number.isInteger(groupShift) || groupShift < 0 || groupShift > groupShiftMaximum) return undefined;
  const leafBytes = chunkBytes * 2 ** groupShift;
  const leafCount = Math.max(1, Math.ceil(lengthBytes / leafBytes));
  let depth = 0;
  while (2 ** depth < leafCount) depth += 1;
  const geometry: Geometry = { lengthBytes, groupShift, leafBytes, leafCount, depth };
  return 1 + depth > proofRoomHashes(geometry) ? undefined : geometry;
}

/** A part of a proof is never longer than a fragment with a pair, so it needs no larger datagram. */
export const proofRoomHashes = (geometry: Geometry): number => (geometry.leafBytes + pairBytes) / hashBytes;

export const isLeaf = (geometry: Geometry, index: number): boolean => Number.isSafeInteger(index) && index >= 0 && index < geometry.leafCount;

export const levelCount = (geometry: Geometry, level: number): number => Math.ceil(geometry.leafCount / 2 ** level);

export const leafLength = (geometry: Geometry, index: number): number =>
  index < geometry.leafCount - 1 ? geometry.leafBytes : geometry.lengthBytes - index * geometry.leafBytes;

/** The number of zeros at the end of a leaf number above 0. */
export function trailingZeros(index: number): number {
  const low = index | 0;
  if (low !== 0) return 31 - Math.clz32(low & -low);
  const high = index / 2 ** 32;
  return 32 + 31 - Math.clz32(high & -high);
}

/** 2^ctz(index), for a leaf number above 0. */
function lowestBit(index: number): number {
  const bit = index & -index;
  // Zero when the low 32 bits are; negative when it is the last one of them.
  return bit > 0 ? bit : 2 ** trailingZeros(index);
}

/** Whether the fragment carries the two children of the node that starts 2^ctz(index) leaves on, twice as wide. */
export const hasPair = (geometry: Geometry, index: number): boolean => index > 0 && index + 2 * lowestBit(index) < geometry.leafCount;

/** Whether the fragment carries the whole proof, less its own value: the first leaf of two to four. */
export const isHeaded = (geometry: Geometry, index: number): boolean =>
  index === 0 && geometry.leafCount > 1 && geometry.leafCount <= headedLeavesMaximum;

/** Bytes of hashes before the leaf in a fragment's payload. */
export function fragmentHashBytes(geometry: Geometry, index: number): number {
  if (isHeaded(geometry, index)) return geometry.depth * hashBytes;
  return hasPair(geometry, index) ? pairBytes : 0;
}

export interface PathStep {
  readonly level: number;
  /** The sibling's index on its level. */
  readonly sibling: number;
  readonly side: 'left' | 'right';
}

/** The siblings of a leaf and its ancestors, from the leaf up; joining with all of them gives the root. At most `depth`. */
export function pathOf(geometry: Geometry, leaf: number): readonly PathStep[] {
  const steps: PathStep[] = [];
  let index = leaf;
  for (let level = 0; level < geometry.depth; level += 1) {
    if (index % 2 === 1) steps.push({ level, sibling: index - 1, side: 'left' });
    else if (index + 1 < levelCount(geometry, level)) steps.push({ level, sibling: index + 1, side: 'right' });
    index = Math.floor(index / 2);
  }
  return steps;
}

/**
 * A node on the right of a path that earlier pairs have already taken apart along its left edge: into the node at `fromLevel` where it starts,
 * and for each level up to `toLevel` the node that follows on it.
 */
export interface Chain {
  /** The first leaf that it covers. */
  readonly start: number;
  readonly fromLevel: number;
  readonly toLevel: number;
}

/** How many hashes a chain has: one for its start and one a level. */
export const chainHashes = (chain: Chain): number => chain.toLevel - chain.fromLevel + 2;

/**
 * What in-order reading knows before `leaf` about the step's sibling, where that is more than its own value: the pair of an earlier leaf
 * `start - 2^h` below `leaf` split it at level h + 1.
 */
export function chainOf(geometry: Geometry, leaf: number, step: PathStep): Chain | undefined {
  if (step.side === 'left') return undefined;
  const start = step.sibling * 2 ** step.level;
  let fromLevel = step.level;
  while (fromLevel > 0 && 2 ** (fromLevel - 1) > start - leaf) fromLevel -= 1;
  let toLevel = step.level - 1;
  while (toLevel >= fromLevel && 2 ** toLevel >= geometry.leafCount - start) toLevel -= 1;
  return toLevel < fromLevel ? undefined : { start, fromLevel, toLevel };
}

/** The chains that come with the proof of a leaf, from left to right. */
export const chainsOf = (geometry: Geometry, leaf: number): readonly Chain[] =>
  pathOf(geometry, leaf).map((step) => chainOf(geometry, leaf, step)).filter((chain) => chain !== undefined);
