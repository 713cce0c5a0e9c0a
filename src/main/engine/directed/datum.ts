/**
 * What a publisher answers from: the bytes of one content and the values of its tree. Made once for a content and then only read, so that any
 * number of requesters cost no more than one. Bytes lie in memory, or come from a store when they are asked for.
 */
import { geometryOf } from '../lockstep/geometry.ts';
import { recordOf } from '../lockstep/lockstep.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { Geometry } from '../lockstep/geometry.ts';
import type { LockstepRecord } from '../lockstep/lockstep.ts';
import type { ContentName, Instant } from '../wire/types.ts';

/** `ready`: go on. `failed`: these bytes cannot be had. */
export type DatumLoaded = (outcome: 'ready' | 'failed', now: Instant) => void;

export interface Datum {
  readonly lengthBytes: number;
  /** Memory that it takes while it is kept. */
  readonly memoryBytes: number;
  geometry(groupShift: number): Geometry | undefined;
  /** The tree in leaves of that size. Undefined for a content of one leaf, which needs none, and where it cannot be had. */
  record(groupShift: number): LockstepRecord | undefined;
  /** A view of bytes within the content when they are at hand; undefined: `load` them first. */
  peek(offset: number, sizeBytes: number): Uint8Array | undefined;
  /** Brings bytes to hand. `loaded` is called once, later. */
  load(offset: number, sizeBytes: number, loaded: DatumLoaded, now: Instant): void;
}

/** Content in memory: letters, records, whatever is small. */
export class MemoryDatum implements Datum {
  readonly #tree: Blake3Tree;
  readonly #bytes: Uint8Array;
  readonly #records = new Map<number, LockstepRecord>();

  constructor(tree: Blake3Tree, bytes: Uint8Array) {
    this.#tree = tree;
    this.#bytes = bytes;
  }

  get lengthBytes(): number { return this.#bytes.length; }
  get memoryBytes(): number { return this.#bytes.length; }

  geometry(groupShift: number): Geometry | undefined { return geometryOf(this.#bytes.length, groupShift); }

  record(groupShift: number): LockstepRecord | undefined {
    const known = this.#records.get(groupShift);
    if (known !== undefined || (this.geometry(groupShift)?.leafCount ?? 1) === 1) return known;
    const record = recordOf(this.#tree, this.#bytes, groupShift);
    if ('kind' in record) return undefined;
    this.#records.set(groupShift, record);
    return record;
  }

  peek(offset: number, sizeBytes: number): Uint8Array { return this.#bytes.subarray(offset, offset + sizeBytes); }

  load(_offset: number, _sizeBytes: number, loaded: DatumLoaded, now: Instant): void { loaded('ready', now); }
}

export const nameKey = (name: ContentName): string => `${keyText(name.root)}/${String(name.length)}`;

/** 16 bits a character: a map key that costs a third of what hex digits do. */
export function keyText(bytes: Uint8Array): string {
  // What comes with each packet: made in one piece, not joined from eight.
  if (bytes.length === idBytes) return String.fromCharCode(pairAt(bytes, 0), pairAt(bytes, 2), pairAt(bytes, 4), pairAt(bytes, 6), pairAt(bytes, 8), pairAt(bytes, 10), pairAt(bytes, 12), pairAt(bytes, 14));
  let text = '';
  for (let index = 0; index + 1 < bytes.length; index += 2) text += String.fromCharCode(pairAt(bytes, index));
  return bytes.length % 2 === 0 ? text : text + String.fromCharCode(bytes[bytes.length - 1] ?? 0);
}

const idBytes = 16;
const pairAt = (bytes: Uint8Array, index: number): number => ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
