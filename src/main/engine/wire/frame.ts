/**
 * The wire: how typed values become bytes and bytes become typed values. Nothing in this folder has behaviour beyond that.
 *
 * WHERE IT STANDS. A datagram is encrypted by the session; its plaintext is one *frame*, coded in this file: a request (verb and body) or
 * a response (one fragment of an answer). `verbs.ts` has the bodies, `responses.ts` the payloads of good answers. Beside the frames
 * are the objects that travel inside them or by hand: certificates, records, prekey bundles, storage receipts, letter content, relay
 * hints, links. `types.ts` has the values that all of these take and give; the layouts are in `docs/protocol.md`.
 *
 * WHY BY HAND. Every layout is a few fixed fields, and every byte is paid for: one fragment of 1,024 bytes must fit a datagram of 1,200
 * even inside a tunnel. A schema compiler would bring lengths, tags and optional fields that we do not want in front of an attacker.
 *
 * READING is for hostile input. Decoders return undefined and never throw; they allocate in proportion to what is there, never to what a
 * length claims; they check every range, and that nothing is left over. Each value has one encoding, so that nobody can change bytes of
 * a signed or deduplicated object and still have it mean the same. What frames and answers give out are views of the input: copy what
 * outlives it. Signed objects keep one copy of their bytes, because they are handed on as they came and never encoded again.
 *
 * BELIEVING is a second step. `decode...` looks at structure; `verify...` at signatures (secp256k1 costs a millisecond, so the caller
 * decides when and caches); validity in time is a question for whoever knows the time, and none of these do.
 *
 * WRITING is for values of our own. A value that does not fit its field throws a RangeError: a mistake of ours, found by the first test.
 */
import type { Crypto } from '../crypto.ts';
import { Reader, Writer } from './bytes.ts';
import { readChoice, writeChoice } from './fields.ts';
import { datagramLimitBytes } from './limits.ts';
import { readBody, readVerb, writeBody, writeVerb } from './verbs.ts';
import { negativeCodes } from './types.ts';
import type { ContentName, Frame, Negative, NegativeCode, RequestBody } from './types.ts';

/** IPv6 asks for paths of 1,280 bytes; less 40 and 8 for its headers, and 32 in hand for tunnels below us. */
export const datagramMaximumBytes = 1_200;
/** Type, receiver index, counter, tag. */
export const transportOverheadBytes = 1 + 4 + 8 + 16;
/** Of requests, and of every response that is no leaf of a content. */
export const frameMaximumBytes = datagramMaximumBytes - transportOverheadBytes;
/** Of a response with a leaf group, where the path has been found to carry it. */
export const leafFrameMaximumBytes = datagramLimitBytes - transportOverheadBytes;

export const requestIdBytes = 16;
/** Kind, verb, request id. */
export const requestHeaderBytes = 1 + 1 + requestIdBytes;
/** Kind, request id, fragment, flags. */
export const responseHeaderBytes = 1 + requestIdBytes + 4 + 1;
export const responsePayloadMaximumBytes = frameMaximumBytes - responseHeaderBytes;
/** The smallest leaf of a content: one chunk of the BLAKE3 tree. */
export const fragmentBytes = 1_024;

const responseIdOffset = 1;
const fragmentOffset = responseIdOffset + requestIdBytes;
const flagsOffset = fragmentOffset + 4;
const requestKind = 0x01;
const responseKind = 0x02;
const finalFlag = 0x01;
const negativeFlag = 0x02;
const proofFlag = 0x04;
const negativePayloadBytes = 1 + 4 + 4;
const rootBytes = 32;

const codes = negativeCodes.slice(1).filter((code): code is NegativeCode => code !== 'ok');
const [firstCode = 'not-found', ...otherCodes] = codes;

/** @throws RangeError when the body does not fit its fields or the frame exceeds 1,171 bytes. */
export function encodeRequest(requestId: Uint8Array, body: RequestBody): Uint8Array {
  const writer = new Writer().u8(requestKind);
  writeVerb(writer, body.verb);
  writer.bytes(requestId, requestIdBytes);
  writeBody(writer, body);
  return bounded(writer.finish());
}

/** @param payload at most 1,149 bytes. @throws RangeError beyond that. */
export function encodeResponse(requestId: Uint8Array, fragment: number, final: boolean, payload: Uint8Array): Uint8Array {
  return response(requestId, fragment, final ? finalFlag : 0, payload);
}

/** Where a frame is made: memory of its own, unless the caller sends it at once and has a place for that. */
export type FrameRoom = (sizeBytes: number) => Uint8Array;
const ownRoom: FrameRoom = (sizeBytes) => new Uint8Array(sizeBytes);

/**
 * A response to a pull, to be filled in by `fill` from where the payload starts: bytes are copied once. In a room that was used before, `fill` has
 * to write all of it. @throws RangeError when they are too many.
 */
export function encodeLeafResponse(requestId: Uint8Array, leaf: number, kind: 'fragment' | 'proof', payloadBytes: number, fill: (payload: Uint8Array) => void, room: FrameRoom = ownRoom): Uint8Array {
  const sizeBytes = responseHeaderBytes + payloadBytes;
  if (sizeBytes > leafFrameMaximumBytes) throw new RangeError(`a leaf response has at most ${String(leafFrameMaximumBytes)} bytes, this one has ${String(sizeBytes)}`);
  const frame = room(sizeBytes);
  frame[0] = responseKind;
  frame.set(requestId, responseIdOffset);
  frame[fragmentOffset] = leaf >>> 24;
  frame[fragmentOffset + 1] = leaf >>> 16;
  frame[fragmentOffset + 2] = leaf >>> 8;
  frame[fragmentOffset + 3] = leaf;
  frame[flagsOffset] = kind === 'proof' ? proofFlag : 0;
  fill(frame.subarray(responseHeaderBytes));
  return frame;
}

/** Always fragment 0 and final: a refusal ends its request. */
export function encodeNegative(requestId: Uint8Array, negative: Negative): Uint8Array {
  const payload = new Writer(negativePayloadBytes);
  writeChoice(payload, codes, negative.code, 1);
  payload.seconds(negative.retryAfterSeconds).u32(negative.detail);
  return response(requestId, 0, finalFlag | negativeFlag, payload.finish());
}

/** Byte fields of the result are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length > (bytes[0] === responseKind ? leafFrameMaximumBytes : frameMaximumBytes)) return undefined;
  if (bytes[0] === responseKind) return decodeResponse(bytes);
  const reader = new Reader(bytes);
  switch (reader.u8()) {
    case requestKind: {
      const verb = readVerb(reader);
      const requestId = reader.bytes(requestIdBytes);
      // Before the body: a bad verb would be read as the first one.
      if (!reader.ok) return undefined;
      const body = readBody(reader, verb);
      return reader.atEnd ? { type: 'request', requestId, body } : undefined;
    }
    default:
      return undefined;
  }
}

/** Bulk comes in responses: read without a reader, whose two objects for each cost more than all else here. */
function decodeResponse(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < responseHeaderBytes) return undefined;
  const flags = bytes[flagsOffset] ?? 0;
  if (flags > proofFlag) return undefined;
  const fragment = (((bytes[fragmentOffset] ?? 0) << 24) | ((bytes[fragmentOffset + 1] ?? 0) << 16) | ((bytes[fragmentOffset + 2] ?? 0) << 8) | (bytes[fragmentOffset + 3] ?? 0)) >>> 0;
  return {
    type: 'response', requestId: bytes.subarray(responseIdOffset, fragmentOffset), fragment, final: (flags & finalFlag) !== 0, negative: (flags & negativeFlag) !== 0,
    proof: flags === proofFlag, payload: bytes.subarray(responseHeaderBytes),
  };
}

/** The payload of a response that is marked negative. */
export function decodeNegative(payload: Uint8Array): Negative | undefined {
  const reader = new Reader(payload);
  const code = readChoice(reader, [firstCode, ...otherCodes], 1);
  const retryAfterSeconds = reader.u32();
  const detail = reader.u32();
  return reader.atEnd ? { code, retryAfterSeconds, detail } : undefined;
}

/** Pulls of one name in leaves of one size share their id everywhere, so that whoever stands in the middle can tell them to be the same. */
export function pullRequestId(crypto: Crypto, name: ContentName, groupShift: number): Uint8Array {
  return crypto.blake3(new Writer(rootBytes + 8 + 1).bytes(name.root, rootBytes).u64(name.length).u8(groupShift).finish()).slice(0, requestIdBytes);
}

function response(requestId: Uint8Array, fragment: number, flags: number, payload: Uint8Array): Uint8Array {
  return bounded(new Writer(responseHeaderBytes + payload.length)
    .u8(responseKind).bytes(requestId, requestIdBytes).u32(fragment).u8(flags).bytes(payload).finish());
}

function bounded(frame: Uint8Array): Uint8Array {
  if (frame.length > frameMaximumBytes) throw new RangeError(`a frame has at most ${String(frameMaximumBytes)} bytes, this one has ${String(frame.length)}`);
  return frame;
}
