/**
 * A file as it travels: sealed, so that whoever holds it can serve it and only the two ends can read it. It is cut into segments of 65,520 bytes, each
 * sealed by itself with ChaCha20-Poly1305 under the file's key, so that any part can be opened alone and nothing unverified is ever given out.
 *
 * NONCES follow the STREAM construction (V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizar, "Online Authenticated-Encryption and its
 * Nonce-Reuse Misuse-Resistance", CRYPTO 2015, ePrint 2015/189): the segment's index and whether it is the last. A segment that was moved, left out
 * or cut off at the end does not open. A key is used for one file only, so its nonces never come again.
 *
 * LENGTHS. Every segment but the last is full, and the last is empty only in an empty file, so that a file has one sealed form and a sealed
 * length belongs to at most one file length.
 */
import type { Crypto } from '../crypto.ts';

const tagBytes = 16;
/** A sealed segment is half a window of the hash (engine/blake3), so that segments and blocks end together. */
export const segmentSealedBytes = 65_536;
export const segmentPlainBytes = segmentSealedBytes - tagBytes;
export const fileKeyBytes = 32;

const nonceBytes = 12;
const lastFlagOffset = 11;
const noAssociatedData = new Uint8Array(0);

/** At least 1: an empty file is one empty segment. */
export const segmentCount = (plainBytes: number): number => Math.max(1, Math.ceil(plainBytes / segmentPlainBytes));

/** Length of the blob of a file. */
export const sealedBytes = (plainBytes: number): number => plainBytes + segmentCount(plainBytes) * tagBytes;

/** Length of the file of a blob; undefined when no file has a blob of that length. */
export function plainBytesOf(sealedLength: number): number | undefined {
  if (!Number.isSafeInteger(sealedLength) || sealedLength < tagBytes) return undefined;
  const plainBytes = sealedLength - Math.ceil(sealedLength / segmentSealedBytes) * tagBytes;
  return plainBytes >= 0 && sealedBytes(plainBytes) === sealedLength ? plainBytes : undefined;
}

/** Bytes of one segment before it is sealed; undefined when the file has no such segment. */
export function segmentLength(plainBytes: number, index: number): number | undefined {
  if (!Number.isSafeInteger(plainBytes) || plainBytes < 0) return undefined;
  const count = segmentCount(plainBytes);
  if (!Number.isSafeInteger(index) || index < 0 || index >= count) return undefined;
  return index < count - 1 ? segmentPlainBytes : plainBytes - index * segmentPlainBytes;
}

/** Segment `index` of a file of `plainBytes`. `key`: 32 bytes, of this file alone. @throws RangeError for another length than that segment has. */
export function sealSegment(crypto: Crypto, key: Uint8Array, plainBytes: number, index: number, plaintext: Uint8Array): Uint8Array {
  if (plaintext.length !== segmentLength(plainBytes, index)) {
    throw new RangeError(`segment ${index} of a file of ${plainBytes} bytes does not have ${plaintext.length}`);
  }
  return crypto.aeadSeal(key, nonceOf(plainBytes, index), noAssociatedData, plaintext);
}

/** Undefined when it is not that segment of that file, sealed under that key. */
export function openSegment(crypto: Crypto, key: Uint8Array, plainBytes: number, index: number, sealed: Uint8Array): Uint8Array | undefined {
  const length = segmentLength(plainBytes, index);
  if (length === undefined || sealed.length !== length + tagBytes) return undefined;
  return crypto.aeadOpen(key, nonceOf(plainBytes, index), noAssociatedData, sealed);
}

/** Index (8, little-endian), zeros (3), 1 for the last segment (1). */
function nonceOf(plainBytes: number, index: number): Uint8Array {
  const nonce = new Uint8Array(nonceBytes);
  const view = new DataView(nonce.buffer);
  view.setUint32(0, index % 2 ** 32, true);
  view.setUint32(4, Math.floor(index / 2 ** 32), true);
  nonce[lastFlagOffset] = index === segmentCount(plainBytes) - 1 ? 1 : 0;
  return nonce;
}
