/**
 * Which leaves of a content have been verified, as bytes to be stored. No hash is in it: a transfer that goes on asks for the proof of the next
 * leaf, which is checked against the root, so a damaged row can lose progress and nothing else. Whoever stores it has made the
 * verified bytes durable first.
 *
 * Layout: version (1) = 1, group shift (1), length (8), root (32), count of ranges (2), ranges of first leaf and end (8 + 8) in ascending order.
 */
import { hashBytes } from '../blake3/blake3-layout.ts';
import { Reader, Writer } from '../wire/bytes.ts';
import { geometryOf } from './geometry.ts';
import type { Geometry } from './geometry.ts';

/** Leaves from `start` up to but not including `end`. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

export interface Snapshot {
  readonly root: Uint8Array;
  readonly geometry: Geometry;
  /** Ascending, with gaps between them. */
  readonly verified: readonly LeafRange[];
}

const version = 1;
const headerBytes = 1 + 1 + 8 + hashBytes + 2;
const rangeBytes = 8 + 8;
/** Content is not read from more places than this at once, its start being one of them. */
export const rangesMaximum = 64;

/** @throws RangeError for more than `rangesMaximum` ranges. */
export function encodeSnapshot({ root, geometry, verified }: Snapshot): Uint8Array {
  if (verified.length > rangesMaximum) throw new RangeError(`a snapshot has at most ${rangesMaximum} ranges, and these are ${verified.length}`);
  const writer = new Writer(headerBytes + verified.length * rangeBytes);
  writer.u8(version).u8(geometry.groupShift).u64(geometry.lengthBytes).bytes(root, hashBytes).u16(verified.length);
  for (const { start, end } of verified) writer.u64(start).u64(end);
  return writer.finish();
}

/** Undefined for anything that `encodeSnapshot` does not write, a newer version included. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot | undefined {
  const reader = new Reader(bytes);
  if (reader.u8() !== version) return undefined;
  const groupShift = reader.u8();
  const geometry = geometryOf(reader.u64(), groupShift);
  const root = reader.bytes(hashBytes).slice();
  const count = reader.u16();
  if (geometry === undefined || count > rangesMaximum || reader.remaining !== count * rangeBytes) return undefined;
  const verified: LeafRange[] = [];
  let earliest = 0;
  for (let position = 0; position < count; position += 1) {
    const range = { start: reader.u64(), end: reader.u64() };
    if (range.start < earliest || range.end <= range.start || range.end > geometry.leafCount) return undefined;
    verified.push(range);
    earliest = range.end + 1;
  }
  if (verified[0]?.start !== 0 && count === rangesMaximum) return undefined;
  return reader.atEnd ? { root, geometry, verified } : undefined;
}

/** How much of the content a stored snapshot says is verified; 0 of one that cannot be read. */
export function snapshotBytes(stored: Uint8Array): number {
  const snapshot = decodeSnapshot(stored);
  if (snapshot === undefined) return 0;
  const { geometry: { leafBytes, lengthBytes }, verified } = snapshot;
  return verified.reduce((sum, { start, end }) => sum + Math.min(end * leafBytes, lengthBytes) - start * leafBytes, 0);
}
