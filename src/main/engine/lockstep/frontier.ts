/**
 * What in-order reading knows before a leaf: the values of nodes that cover everything from there to the end, finer near the front. With the
 * leaf taken, its value goes and its pair replaces the node that it describes. At most floor(log2(leaves)) + 2 values, in memory taken once.
 *
 * Only values are kept: which nodes they are follows from the leaf's number. The node that the pair of leaf i describes starts 2^ctz(i) leaves
 * on, and between lie the leaf itself and one node for each level below ctz(i), so its place in the list is ctz(i) + 1.
 */
import { hashBytes } from '../blake3/blake3-layout.ts';
import { chainHashes, chainOf, pairBytes, pathOf, trailingZeros } from './geometry.ts';
import type { Blake3Tree, NodeRole } from '../blake3/blake3-tree.ts';
import type { Geometry } from './geometry.ts';

/** Not secret: stops at the first difference. Offsets instead of views, so that nothing is allocated. */
export function sameHash(left: Uint8Array, leftOffset: number, right: Uint8Array, rightOffset: number): boolean {
  for (let position = 0; position < hashBytes; position += 1) if (left[leftOffset + position] !== right[rightOffset + position]) return false;
  return true;
}

const hashAt = (hashes: Uint8Array, index: number): Uint8Array => hashes.subarray(index * hashBytes, (index + 1) * hashBytes);

/** Whether a leaf's value and its siblings (`hashes`, from below) lead to the root. */
export function pathLeadsTo(tree: Blake3Tree, geometry: Geometry, leaf: number, hashes: Uint8Array, root: Uint8Array): boolean {
  const steps = pathOf(geometry, leaf);
  const value = hashes.slice(0, hashBytes);
  for (const [position, { side }] of steps.entries()) {
    const role: NodeRole = position === steps.length - 1 ? 'root' : 'inner';
    const sibling = hashAt(hashes, position + 1);
    if (side === 'left') tree.parent(sibling, value, role, value);
    else tree.parent(value, sibling, role, value);
  }
  return sameHash(value, 0, root, 0);
}

export class Frontier {
  readonly #tree: Blake3Tree;
  /** The last value is the first node's: leaves are taken from the end of the list. */
  readonly #values: Uint8Array;
  readonly #joined = new Uint8Array(hashBytes);
  #count = 0;

  constructor(tree: Blake3Tree, depth: number) {
    this.#tree = tree;
    this.#values = new Uint8Array((depth + 2) * hashBytes);
  }

  get valueCount(): number { return this.#count; }

  /** @param values from left to right. */
  static of(tree: Blake3Tree, depth: number, values: readonly Uint8Array[]): Frontier {
    const frontier = new Frontier(tree, depth);
    for (const value of values.toReversed()) frontier.#push(value);
    return frontier;
  }

  /** From a path that leads to the root, and the chains that are due with it. Undefined when the chains do not lead to the path's nodes. */
  static from(tree: Blake3Tree, geometry: Geometry, leaf: number, path: Uint8Array, ahead: Uint8Array): Frontier | undefined {
    const values = [hashAt(path, 0)];
    let used = 0;
    for (const [position, step] of pathOf(geometry, leaf).entries()) {
      if (step.side === 'left') continue;
      const node = hashAt(path, position + 1);
      const chain = chainOf(geometry, leaf, step);
      if (chain === undefined) { values.push(node); continue; }
      const joined = hashAt(ahead, used).slice();
      values.push(hashAt(ahead, used));
      for (let link = 1; link < chainHashes(chain); link += 1) {
        values.push(hashAt(ahead, used + link));
        tree.parent(joined, hashAt(ahead, used + link), 'inner', joined);
      }
      if (!sameHash(joined, 0, node, 0)) return undefined;
      used += chainHashes(chain);
    }
    return Frontier.of(tree, geometry.depth, values);
  }

  /** Whether the value is the next leaf's. */
  isNext(value: Uint8Array, offset: number): boolean {
    return this.#count > 0 && sameHash(this.#values, (this.#count - 1) * hashBytes, value, offset);
  }

  /** Whether the first two values of `pair` are the children of the node that leaf `index`, the next one, describes. */
  isPair(index: number, pair: Uint8Array): boolean {
    const position = this.#count - 2 - trailingZeros(index);
    if (position < 0) return false;
    this.#tree.parents(pair.length === pairBytes ? pair : pair.subarray(0, pairBytes), this.#joined);
    return sameHash(this.#values, position * hashBytes, this.#joined, 0);
  }

  /** Goes on to the next leaf, after both checks. `pair` is undefined when the leaf has none. */
  advance(index: number, pair: Uint8Array | undefined): void {
    this.#count -= 1;
    if (pair === undefined) return;
    const at = (this.#count - 1 - trailingZeros(index)) * hashBytes;
    this.#values.copyWithin(at + 2 * hashBytes, at + hashBytes, this.#count * hashBytes);
    for (let position = 0; position < hashBytes; position += 1) {
      this.#values[at + position] = pair[hashBytes + position] ?? 0;
      this.#values[at + hashBytes + position] = pair[position] ?? 0;
    }
    this.#count += 1;
  }

  #push(value: Uint8Array): void {
    this.#values.set(value, this.#count * hashBytes);
    this.#count += 1;
  }
}
