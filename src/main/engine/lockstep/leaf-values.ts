/** The values of leaves that came: one leaf or group at a time, or the single chunks of a batch in the lanes of BLAKE3. */
import { chunkBytes, hashBytes } from '../blake3/blake3-layout.ts';
import { leafLength } from './geometry.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { Geometry } from './geometry.ts';

export class LeafValues {
  readonly #tree: Blake3Tree;
  readonly #geometry: Geometry;
  /** Leaves at once. */
  readonly batchMaximum: number;
  /** Of a batch's leaves, in the order in which they were added, and behind them one more for a leaf that is hashed by itself. */
  readonly values: Uint8Array;
  readonly aloneOffset: number;
  /** The hashed leaves of a batch, and where they stand in it. */
  readonly #indexes: number[] = [];
  readonly #positions: number[] = [];

  constructor(tree: Blake3Tree, geometry: Geometry) {
    this.#tree = tree;
    this.#geometry = geometry;
    this.batchMaximum = tree.windowBytes / chunkBytes;
    this.aloneOffset = this.batchMaximum * hashBytes;
    this.values = new Uint8Array(this.aloneOffset + hashBytes);
  }

  /** Of one leaf, at this offset of `values`. */
  hash(index: number, payload: Uint8Array, valueOffset: number): void {
    const start = payload.length - leafLength(this.#geometry, index);
    const leaf = start === 0 ? payload : payload.subarray(start);
    const role = this.#geometry.leafCount === 1 ? 'root' : 'inner';
    if (this.#geometry.groupShift === 0) this.#tree.chunk(leaf, index, role, this.values, valueOffset);
    else this.#tree.group(leaf, index * 2 ** this.#geometry.groupShift, role, this.values, valueOffset);
  }

  /** False where nothing is gained: groups fill the lanes by themselves. */
  startBatch(): boolean {
    this.#indexes.length = 0;
    this.#positions.length = 0;
    return this.#geometry.groupShift === 0 && this.#geometry.leafCount > 1;
  }

  /** Full single chunks only; any other is left to be hashed alone. */
  add(position: number, index: number, payload: Uint8Array): void {
    if (leafLength(this.#geometry, index) < chunkBytes) return;
    this.#tree.window.set(payload.length === chunkBytes ? payload : payload.subarray(payload.length - chunkBytes), this.#indexes.length * chunkBytes);
    this.#indexes.push(index);
    this.#positions.push(position);
  }

  hashBatch(): void {
    if (this.#indexes.length > 0) this.#tree.chunksAt(this.#tree.window.subarray(0, this.#indexes.length * chunkBytes), this.#indexes, this.values);
  }

  /** Where the leaf stands that was added as this one of the batch. */
  positionOf(ordinal: number): number | undefined { return this.#positions[ordinal]; }
}
