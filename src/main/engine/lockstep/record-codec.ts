/**
 * A record as bytes to be stored, so that a publisher need not hash a content again after a restart.
 *
 * One level is stored: those above follow from it, up to the root, which is stored too and so tells whether the level is right. It is the lowest with
 * which the record in memory stays within 2 MiB, and in no case more than blocks of 128 KiB: leaves up to 32 MiB of content, 2 MiB for 4 GiB, 32 MiB for
 * 64 GiB. Leaf groups do not matter: levels are counted from the chunks.
 *
 * Layout: version (1) = 1, level above the chunks (1), length (8), root (32), the values of the level (32 each; none when it has a single node).
 */
import { chunkBytes, hashBytes } from '../blake3/blake3-layout.ts';
import { Reader, Writer } from '../wire/bytes.ts';
import { geometryOf, levelCount } from './geometry.ts';
import { nextLevel } from './node-levels.ts';
import { LockstepRecord, recordBytes } from './record.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { Geometry } from './geometry.ts';

const version = 1;
const headerBytes = 1 + 1 + 8 + hashBytes;
/** What a content may cost in memory while it is served, unless blocks of 128 KiB cost more. */
const wantedRecordBytes = 2 * 1_048_576;
/** Blocks of 128 KiB: what the tree functions take at once. */
const chunkLevelMaximum = 7;

/** The level of a content that is stored, counted from the chunks. */
function storedLevelOf(geometry: Geometry): number {
  let level = 0;
  while (level < chunkLevelMaximum && recordBytes(geometry, level) > wantedRecordBytes) level += 1;
  return level;
}

/** For `startRecord`: makes the builder keep exactly what is stored, for a content of any length. */
export function storedRecordMaximumBytes(lengthBytes: number): number {
  const geometry = geometryOf(lengthBytes, 0);
  return geometry === undefined ? wantedRecordBytes : Math.max(wantedRecordBytes, recordBytes(geometry, storedLevelOf(geometry)));
}

export function encodeRecord(record: LockstepRecord): Uint8Array {
  const { lengthBytes } = record.geometry;
  const chunks = geometryOf(lengthBytes, 0);
  if (chunks === undefined) throw new RangeError(`a content of ${lengthBytes} bytes has no tree of chunks`);
  const level = chunks.leafCount === 1 ? 0 : Math.max(record.keptChunkLevel, storedLevelOf(chunks));
  const values = record.levelValues(level) ?? new Uint8Array(0);
  return new Writer(headerBytes + values.length).u8(version).u8(level).u64(lengthBytes).bytes(record.root, hashBytes).bytes(values).finish();
}

/**
 * A record of leaves of 1 KiB (`atGroupShift` for others). Undefined for anything that `encodeRecord` does not write, which includes values that do not
 * make the root. Whether it is the root of the content that was meant is for the caller to compare. The bytes may be used again afterwards.
 */
export function decodeRecord(tree: Blake3Tree, bytes: Uint8Array): LockstepRecord | undefined {
  const reader = new Reader(bytes);
  if (reader.u8() !== version) return undefined;
  const level = reader.u8();
  const geometry = geometryOf(reader.u64(), 0);
  const root = reader.bytes(hashBytes).slice();
  if (!reader.ok || geometry === undefined || level > chunkLevelMaximum || chunkBytes * 2 ** level > tree.windowBytes) return undefined;
  const count = levelCount(geometry, level);
  // Of a single chunk there is no other level than its own.
  if (geometry.leafCount === 1 && level > 0) return undefined;
  if (count === 1) return reader.atEnd ? new LockstepRecord(tree, geometry, root, level, []) : undefined;
  if (reader.remaining !== count * hashBytes) return undefined;
  const levels = levelsAbove(tree, reader.rest().slice(), geometry.depth - level);
  const made = new Uint8Array(hashBytes);
  const top = levels.at(-1) ?? made;
  tree.parent(top.subarray(0, hashBytes), top.subarray(hashBytes), 'root', made);
  return made.every((byte, position) => byte === root[position]) ? new LockstepRecord(tree, geometry, root, level, levels) : undefined;
}

/** The level itself and those above it, `levelCountTotal` in all: the last has two nodes. */
function levelsAbove(tree: Blake3Tree, base: Uint8Array, levelCountTotal: number): readonly Uint8Array[] {
  const levels = [base];
  let below = base;
  while (levels.length < levelCountTotal) {
    const count = below.length / hashBytes;
    const above = new Uint8Array(Math.ceil(count / 2) * hashBytes);
    nextLevel(tree, below, count, above);
    levels.push(above);
    below = above;
  }
  return levels;
}
