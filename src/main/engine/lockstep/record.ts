/**
 * What a publisher keeps about a content besides its bytes: the values of its tree from a certain level up. Every pair and every proof is
 * answered from it by pure functions, for any number of requesters at once.
 *
 * MEMORY: 64 bytes for each node of the lowest level kept. With that at the leaves nothing is ever computed again; when it would be too
 * much, whole subtrees of 2^keptLevel leaves (*blocks*, at most 128 KiB) are kept by their top value only, and what lies below is computed
 * from the block's bytes, which a publisher has at hand when it sends them. The values of the two blocks used last stay (16 KiB),
 * so in-order requests compute each block once; no answer depends on that.
 *
 * LEAF GROUPS are subtrees of one tree, so the levels that are kept serve every size of them: `atGroupShift` looks at them as levels of that size.
 */
import { chunkBytes, hashBytes } from '../blake3/blake3-layout.ts';
import { chainsOf, geometryOf, hasPair, isHeaded, isLeaf, levelCount, pairBytes, pathOf, trailingZeros } from './geometry.ts';
import { nextLevel, windowLevel } from './node-levels.ts';
import { encodeProof, partsOf } from './codec.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { Geometry } from './geometry.ts';

/** The bytes of a block (`blockBytes`, the last one shorter). */
export type ReadBlock = (block: number) => Uint8Array;

interface NodeRange { readonly level: number; readonly index: number; readonly count: number }
interface BlockValues { readonly block: number; readonly levels: readonly Uint8Array[] }

export class LockstepRecord {
  readonly geometry: Geometry;
  /** The content's ordinary BLAKE3 hash. */
  readonly root: Uint8Array;
  readonly keptLevel: number;
  readonly blockBytes: number;
  readonly #tree: Blake3Tree;
  /** From `keptLevel` up to the level of two nodes. */
  readonly #levels: readonly Uint8Array[];
  /** The two blocks used last: towards the end of a block, its pairs are about the next one. */
  #recent: BlockValues | undefined;
  #previous: BlockValues | undefined;

  constructor(tree: Blake3Tree, geometry: Geometry, root: Uint8Array, keptLevel: number, levels: readonly Uint8Array[]) {
    this.#tree = tree;
    this.geometry = geometry;
    this.root = root;
    this.keptLevel = keptLevel;
    this.blockBytes = geometry.leafBytes * 2 ** keptLevel;
    this.#levels = levels;
  }

  /** Levels above the chunks of 1,024 bytes of the lowest one kept, whatever the leaf group. */
  get keptChunkLevel(): number { return this.geometry.groupShift + this.keptLevel; }

  /**
   * The values of one level, counted from the chunks: a view. Empty for one that has a single node, since that is the root.
   * Undefined for a level below those kept.
   */
  levelValues(chunkLevel: number): Uint8Array | undefined {
    return chunkLevel < this.keptChunkLevel ? undefined : this.#levels[chunkLevel - this.keptChunkLevel] ?? new Uint8Array(0);
  }

  /**
   * The record of the same content in leaf groups of 2^groupShift KiB, over the same memory: levels below the larger leaves are left out, and what
   * smaller leaves need besides is computed from blocks, of the same size as here. Undefined for a size out of range.
   */
  atGroupShift(groupShift: number): LockstepRecord | undefined {
    if (groupShift === this.geometry.groupShift) return this;
    const geometry = geometryOf(this.geometry.lengthBytes, groupShift);
    if (geometry === undefined) return undefined;
    if (geometry.leafCount === 1) return new LockstepRecord(this.#tree, geometry, this.root, 0, []);
    const keptLevel = Math.max(0, this.keptChunkLevel - groupShift);
    return new LockstepRecord(this.#tree, geometry, this.root, keptLevel, this.#levels.slice(Math.max(0, groupShift - this.keptChunkLevel)));
  }

  get sizeBytes(): number { return this.#levels.reduce((sum, level) => sum + level.length, 0); }

  /** The blocks whose bytes `hashesFor` will read; at most one. */
  blocksForHashes(index: number): readonly number[] { return this.#blocksOf(this.#fragmentNodes(index)); }

  /** The blocks whose bytes `proofFor` will read; at most two. */
  blocksForProof(first: number): readonly number[] { return this.#blocksOf([...this.#pathNodes(first), ...this.#aheadNodes(first)]); }

  /** The hashes that go before a leaf in its fragment: none, a pair, or all siblings of the first of two to four leaves. @throws RangeError without such a leaf. */
  hashesFor(index: number, read: ReadBlock): Uint8Array {
    this.#check(index);
    if (hasPair(this.geometry, index)) {
      const level = trailingZeros(index);
      // In memory a pair is a pair: no copy.
      if (level >= this.keptLevel) return this.#kept(level, index / 2 ** level + 1, pairBytes);
    }
    return this.#collect(this.#fragmentNodes(index), read);
  }

  /** The payloads that let a requester begin at a leaf: one, or two in the order `path`, `ahead`. @throws RangeError without such a leaf. */
  proofFor(first: number, read: ReadBlock): readonly Uint8Array[] {
    this.#check(first);
    const path = this.#pathNodes(first);
    const ahead = this.#aheadNodes(first);
    return partsOf(this.geometry, first).map((part) => {
      const nodes = part === 'whole' ? [...path, ...ahead] : part === 'path' ? path : ahead;
      return encodeProof(this.geometry, first, { part, hashes: this.#collect(nodes, read) });
    });
  }

  #check(index: number): void {
    if (!isLeaf(this.geometry, index)) throw new RangeError(`there is no leaf ${index} among ${this.geometry.leafCount}`);
  }

  #fragmentNodes(index: number): readonly NodeRange[] {
    if (isHeaded(this.geometry, index)) return this.#pathNodes(index).slice(1);
    if (!hasPair(this.geometry, index)) return [];
    const level = trailingZeros(index);
    return [{ level, index: index / 2 ** level + 1, count: 2 }];
  }

  #pathNodes(first: number): readonly NodeRange[] {
    return [{ level: 0, index: first, count: 1 }, ...pathOf(this.geometry, first).map(({ level, sibling }) => ({ level, index: sibling, count: 1 }))];
  }

  #aheadNodes(first: number): readonly NodeRange[] {
    return chainsOf(this.geometry, first).flatMap(({ start, fromLevel, toLevel }) => {
      const nodes: NodeRange[] = [{ level: fromLevel, index: start / 2 ** fromLevel, count: 1 }];
      for (let level = fromLevel; level <= toLevel; level += 1) nodes.push({ level, index: start / 2 ** level + 1, count: 1 });
      return nodes;
    });
  }

  #blockOf({ level, index }: NodeRange): number { return Math.floor(index / 2 ** (this.keptLevel - level)); }

  #blocksOf(nodes: readonly NodeRange[]): readonly number[] {
    const blocks: number[] = [];
    for (const node of nodes) {
      if (node.level >= this.keptLevel) continue;
      const block = this.#blockOf(node);
      // One or two: a set for each leaf that is served costs more than looking.
      if (!blocks.includes(block)) blocks.push(block);
    }
    return blocks;
  }

  #collect(nodes: readonly NodeRange[], read: ReadBlock): Uint8Array {
    const hashes = new Uint8Array(nodes.reduce((sum, { count }) => sum + count, 0) * hashBytes);
    let offset = 0;
    for (const node of nodes) {
      const sizeBytes = node.count * hashBytes;
      hashes.set(this.#values(node, sizeBytes, read), offset);
      offset += sizeBytes;
    }
    return hashes;
  }

  #values(node: NodeRange, sizeBytes: number, read: ReadBlock): Uint8Array {
    if (this.geometry.leafCount === 1) return this.root;
    if (node.level >= this.keptLevel) return this.#kept(node.level, node.index, sizeBytes);
    const block = this.#blockOf(node);
    const start = (node.index - block * 2 ** (this.keptLevel - node.level)) * hashBytes;
    return (this.#blockLevels(block, read)[node.level] ?? new Uint8Array(0)).subarray(start, start + sizeBytes);
  }

  #kept(level: number, index: number, sizeBytes: number): Uint8Array {
    return (this.#levels[level - this.keptLevel] ?? new Uint8Array(0)).subarray(index * hashBytes, index * hashBytes + sizeBytes);
  }

  #blockLevels(block: number, read: ReadBlock): readonly Uint8Array[] {
    if (this.#recent?.block === block) return this.#recent.levels;
    const other = this.#previous;
    this.#previous = this.#recent;
    this.#recent = other?.block === block ? other : { block, levels: this.#computeBlock(block, read) };
    return this.#recent.levels;
  }

  #computeBlock(block: number, read: ReadBlock): readonly Uint8Array[] {
    const bytes = read(block);
    const expected = Math.min(this.blockBytes, this.geometry.lengthBytes - block * this.blockBytes);
    if (bytes.length !== expected) throw new RangeError(`block ${block} has ${expected} bytes, and these are ${bytes.length}`);
    const leaves = new Uint8Array(Math.ceil(bytes.length / chunkBytes) * hashBytes);
    let count = windowLevel(this.#tree, bytes, (block * this.blockBytes) / chunkBytes, this.geometry.groupShift, leaves);
    const levels = [leaves];
    let below = leaves;
    for (let level = 1; level < this.keptLevel; level += 1) {
      const above = new Uint8Array(Math.ceil(count / 2) * hashBytes);
      count = nextLevel(this.#tree, below, count, above);
      levels.push(above);
      below = above;
    }
    return levels;
  }
}

/** Bytes of a record that keeps the nodes of `keptLevel` and above. */
export function recordBytes(geometry: Geometry, keptLevel: number): number {
  let nodes = 0;
  for (let level = keptLevel; level < geometry.depth; level += 1) nodes += levelCount(geometry, level);
  return nodes * hashBytes;
}
