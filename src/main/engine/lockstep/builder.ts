/**
 * Makes the record of a content as its bytes go by, once. Its length is known beforehand (a file has one), so that the memory is decided
 * and taken at the start: the record itself, within a bound that the caller states, and one window of 128 KiB for bytes that have to wait.
 */
import { chunkBytes, hashBytes } from '../blake3/blake3-layout.ts';
import { geometryOf, levelCount } from './geometry.ts';
import { nextLevel, windowLevel } from './node-levels.ts';
import { LockstepRecord, recordBytes } from './record.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { Geometry } from './geometry.ts';

export interface BuilderOptions {
  readonly lengthBytes: number;
  /** Leaf groups of 2^groupShift KiB. */
  readonly groupShift: number;
  /** Bound of the record; 64 bytes a leaf keep everything. Default: `recordMaximumBytes`. */
  readonly recordMaximumBytes?: number;
}

/** Everything up to 128 MiB in 1 KiB leaves; a content of 16 GiB in blocks of 128 KiB. */
export const recordMaximumBytes = 8 * 1_048_576;

/** `geometry`: the length or the group size is out of range. `record-too-large`: even blocks of a window do not get it below the bound. */
export type BuilderRefusal = { readonly kind: 'refused'; readonly reason: 'geometry' | 'record-too-large' };
export type BuilderStart = { readonly kind: 'builder'; readonly builder: LockstepBuilder } | BuilderRefusal;

export function startRecord(tree: Blake3Tree, options: BuilderOptions): BuilderStart {
  const geometry = geometryOf(options.lengthBytes, options.groupShift);
  if (geometry === undefined) return { kind: 'refused', reason: 'geometry' };
  const maximum = options.recordMaximumBytes ?? recordMaximumBytes;
  const windowLevels = Math.log2(tree.windowBytes / geometry.leafBytes);
  let keptLevel = 0;
  while (recordBytes(geometry, keptLevel) > maximum && keptLevel < windowLevels && levelCount(geometry, keptLevel + 1) > 1) keptLevel += 1;
  if (recordBytes(geometry, keptLevel) > maximum) return { kind: 'refused', reason: 'record-too-large' };
  return { kind: 'builder', builder: new LockstepBuilder(tree, geometry, keptLevel) };
}

/** The record of content that is in memory. */
export function recordOf(tree: Blake3Tree, content: Uint8Array, groupShift: number, maximum = recordMaximumBytes): LockstepRecord | BuilderRefusal {
  const start = startRecord(tree, { lengthBytes: content.length, groupShift, recordMaximumBytes: maximum });
  if (start.kind === 'refused') return start;
  const record = start.builder.update(content).finish();
  if (record === undefined) throw new RangeError('content of its own length was given');
  return record;
}

export class LockstepBuilder {
  readonly #tree: Blake3Tree;
  readonly #geometry: Geometry;
  readonly #keptLevel: number;
  /** The lowest level kept; the others follow in `finish`. */
  readonly #base: Uint8Array;
  readonly #values: Uint8Array;
  #pending: Uint8Array | undefined;
  #pendingBytes = 0;
  #doneBytes = 0;

  constructor(tree: Blake3Tree, geometry: Geometry, keptLevel: number) {
    this.#tree = tree;
    this.#geometry = geometry;
    this.#keptLevel = keptLevel;
    this.#base = new Uint8Array(geometry.leafCount === 1 ? 0 : levelCount(geometry, keptLevel) * hashBytes);
    this.#values = new Uint8Array((tree.windowBytes / chunkBytes) * hashBytes);
  }

  /** Takes the next bytes, any number. @throws RangeError beyond the announced length: such a content has changed under our hands. */
  update(bytes: Uint8Array): this {
    if (this.#doneBytes + this.#pendingBytes + bytes.length > this.#geometry.lengthBytes) throw new RangeError('the content is longer than announced');
    const { windowBytes } = this.#tree;
    let offset = 0;
    while (offset < bytes.length) {
      const rest = bytes.length - offset;
      if (this.#pendingBytes === 0 && rest >= windowBytes && this.#geometry.leafCount > 1) {
        this.#add(bytes.subarray(offset, offset + windowBytes));
        offset += windowBytes;
        continue;
      }
      this.#pending ??= new Uint8Array(Math.min(windowBytes, this.#geometry.lengthBytes));
      const taken = Math.min(rest, this.#pending.length - this.#pendingBytes);
      this.#pending.set(bytes.subarray(offset, offset + taken), this.#pendingBytes);
      this.#pendingBytes += taken;
      offset += taken;
      if (this.#pendingBytes === windowBytes) this.#addPending();
    }
    return this;
  }

  /** Undefined when fewer bytes came than were announced. The builder is spent. */
  finish(): LockstepRecord | undefined {
    if (this.#doneBytes + this.#pendingBytes !== this.#geometry.lengthBytes) return undefined;
    const root = new Uint8Array(hashBytes);
    if (this.#geometry.leafCount === 1) {
      this.#tree.group((this.#pending ?? root).subarray(0, this.#pendingBytes), 0, 'root', root);
      return new LockstepRecord(this.#tree, this.#geometry, root, 0, []);
    }
    if (this.#pendingBytes > 0) this.#addPending();
    const levels = [this.#base];
    let below = this.#base;
    for (let level = this.#keptLevel + 1; level < this.#geometry.depth; level += 1) {
      const above = new Uint8Array(levelCount(this.#geometry, level) * hashBytes);
      nextLevel(this.#tree, below, below.length / hashBytes, above);
      levels.push(above);
      below = above;
    }
    this.#tree.parent(below.subarray(0, hashBytes), below.subarray(hashBytes), 'root', root);
    return new LockstepRecord(this.#tree, this.#geometry, root, this.#keptLevel, levels);
  }

  #addPending(): void {
    if (this.#pending !== undefined && this.#geometry.leafCount > 1) {
      this.#add(this.#pending.subarray(0, this.#pendingBytes));
      this.#pendingBytes = 0;
    }
  }

  #add(window: Uint8Array): void {
    const levelsUp = this.#geometry.groupShift + this.#keptLevel;
    const count = windowLevel(this.#tree, window, this.#doneBytes / chunkBytes, levelsUp, this.#values);
    this.#base.set(this.#values.subarray(0, count * hashBytes), (this.#doneBytes / chunkBytes / 2 ** levelsUp) * hashBytes);
    this.#doneBytes += window.length;
  }
}
