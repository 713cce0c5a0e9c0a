/** Responses to pulls as functions of a datum and a leaf; and which bytes have to be at hand for that. */
import { encodeFragment, fragmentPayloadBytes } from '../lockstep/codec.ts';
import { leafLength } from '../lockstep/geometry.ts';
import { encodeLeafResponse } from '../wire/frame.ts';
import type { Geometry } from '../lockstep/geometry.ts';
import type { LockstepRecord } from '../lockstep/lockstep.ts';
import type { FrameRoom } from '../wire/frame.ts';
import type { Datum } from './datum.ts';

export interface ByteRange { readonly offset: number; readonly sizeBytes: number }

const noHashes = new Uint8Array(0);

/** What must be loaded before the fragment can be made; undefined when all of it is at hand. */
export function fragmentNeeds(datum: Datum, geometry: Geometry, record: LockstepRecord | undefined, leaf: number): ByteRange | undefined {
  const own = { offset: leaf * geometry.leafBytes, sizeBytes: leafLength(geometry, leaf) };
  if (datum.peek(own.offset, own.sizeBytes) === undefined) return own;
  return record === undefined ? undefined : missingBlock(datum, record, record.blocksForHashes(leaf));
}

export const proofNeeds = (datum: Datum, record: LockstepRecord, first: number): ByteRange | undefined => missingBlock(datum, record, record.blocksForProof(first));

/** @throws RangeError when `fragmentNeeds` was not asked. */
export function encodeFragmentOf(requestId: Uint8Array, datum: Datum, geometry: Geometry, record: LockstepRecord | undefined, leaf: number, room?: FrameRoom): Uint8Array {
  const bytes = datum.peek(leaf * geometry.leafBytes, leafLength(geometry, leaf)) ?? noHashes;
  const hashes = record?.hashesFor(leaf, (block) => blockOf(datum, record, block)) ?? noHashes;
  return encodeLeafResponse(requestId, leaf, 'fragment', fragmentPayloadBytes(geometry, leaf), (payload) => { encodeFragment(geometry, leaf, { hashes, leaf: bytes }, payload); }, room);
}

/** The payloads of a proof: one, or two. @throws RangeError when `proofNeeds` was not asked. */
export const proofsOf = (datum: Datum, record: LockstepRecord, first: number): readonly Uint8Array[] => record.proofFor(first, (block) => blockOf(datum, record, block));

function missingBlock(datum: Datum, record: LockstepRecord, blocks: readonly number[]): ByteRange | undefined {
  for (const block of blocks) {
    const range = rangeOfBlock(datum, record, block);
    if (datum.peek(range.offset, range.sizeBytes) === undefined) return range;
  }
  return undefined;
}

function rangeOfBlock(datum: Datum, record: LockstepRecord, block: number): ByteRange {
  const offset = block * record.blockBytes;
  return { offset, sizeBytes: Math.min(record.blockBytes, datum.lengthBytes - offset) };
}

function blockOf(datum: Datum, record: LockstepRecord, block: number): Uint8Array {
  const { offset, sizeBytes } = rangeOfBlock(datum, record, block);
  return datum.peek(offset, sizeBytes) ?? noHashes;
}
