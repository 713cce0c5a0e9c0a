/**
 * BLAKE3 (github.com/BLAKE3-team/BLAKE3-specs), plain hash of 32 bytes, written out for the optimising compiler: all state in local variables.
 * The protocol hashes every letter several times, and libsodium has no BLAKE3; 1 KiB takes an eighth of the time of @noble/hashes, which
 * stays the reference that its tests compare it with. One thread, synchronous: the scratch memory below is used by one call at a time.
 */
const blockBytes = 64;
const chunkBytes = 1_024;
const hashBytes = 32;
const roundCount = 7;

/** Domain flags (section 2.1 of the paper). */
const chunkStart = 1;
const chunkEnd = 2;
const parent = 4;
const root = 8;

/** First words of the initialisation vector of SHA-256. */
const initialVector = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19] as const;
const [iv0, iv1, iv2, iv3] = initialVector;

/** The last block of a chunk, filled up with zeros, or the two chaining values of a parent. */
const scratch = new Uint8Array(blockBytes);
const scratchView = new DataView(scratch.buffer);

export function blake3(data: Uint8Array): Uint8Array {
  const chaining = hashSubtree(new DataView(data.buffer, data.byteOffset, data.byteLength), data, 0, data.length, root);
  const hash = new Uint8Array(hashBytes);
  writeWords(new DataView(hash.buffer), 0, chaining);
  return hash;
}

/** Chaining value of `length` bytes from `start`, a multiple of the chunk size; `rootFlag` is for the node at the top. */
function hashSubtree(view: DataView, data: Uint8Array, start: number, length: number, rootFlag: number): Int32Array {
  if (length <= chunkBytes) return hashChunk(view, data, start, length, rootFlag);
  // The left side is the largest power of two of whole chunks that leaves something for the right.
  let leftBytes = chunkBytes;
  while (leftBytes * 2 < length) leftBytes *= 2;
  const left = hashSubtree(view, data, start, leftBytes, 0);
  const right = hashSubtree(view, data, start + leftBytes, length - leftBytes, 0);
  writeWords(scratchView, 0, left);
  writeWords(scratchView, hashBytes, right);
  left.set(initialVector);
  compress(left, scratchView, 0, 0, blockBytes, parent | rootFlag);
  return left;
}

function hashChunk(view: DataView, data: Uint8Array, start: number, length: number, rootFlag: number): Int32Array {
  const chaining = Int32Array.from(initialVector);
  const counter = start / chunkBytes;
  const lastBytes = length === 0 ? 0 : (length - 1) % blockBytes + 1;
  const last = start + length - lastBytes;
  for (let offset = start; offset < last; offset += blockBytes) compress(chaining, view, offset, counter, blockBytes, offset === start ? chunkStart : 0);
  scratch.fill(0);
  scratch.set(data.subarray(last, last + lastBytes));
  compress(chaining, scratchView, 0, counter, lastBytes, (last === start ? chunkStart : 0) | chunkEnd | rootFlag);
  return chaining;
}

function writeWords(target: DataView, offset: number, words: Int32Array): void {
  for (let index = 0; index < words.length; index += 1) target.setInt32(offset + index * 4, words[index] ?? 0, true);
}

/** The compression function, cut to the chaining value; in place. `counter` stays far below 2^32: contents here are bounded. */
function compress(chaining: Int32Array, block: DataView, offset: number, counter: number, length: number, flags: number): void {
  let m0 = block.getInt32(offset + 0, true); let m1 = block.getInt32(offset + 4, true); let m2 = block.getInt32(offset + 8, true); let m3 = block.getInt32(offset + 12, true);
  let m4 = block.getInt32(offset + 16, true); let m5 = block.getInt32(offset + 20, true); let m6 = block.getInt32(offset + 24, true); let m7 = block.getInt32(offset + 28, true);
  let m8 = block.getInt32(offset + 32, true); let m9 = block.getInt32(offset + 36, true); let m10 = block.getInt32(offset + 40, true); let m11 = block.getInt32(offset + 44, true);
  let m12 = block.getInt32(offset + 48, true); let m13 = block.getInt32(offset + 52, true); let m14 = block.getInt32(offset + 56, true); let m15 = block.getInt32(offset + 60, true);
  let v0 = chaining[0] ?? 0; let v1 = chaining[1] ?? 0; let v2 = chaining[2] ?? 0; let v3 = chaining[3] ?? 0;
  let v4 = chaining[4] ?? 0; let v5 = chaining[5] ?? 0; let v6 = chaining[6] ?? 0; let v7 = chaining[7] ?? 0;
  let v8: number = iv0; let v9: number = iv1; let v10: number = iv2; let v11: number = iv3;
  let v12 = counter; let v13 = 0; let v14 = length; let v15 = flags;
  for (let round = 0; round < roundCount; round += 1) {
    // Columns, then diagonals.
    v0 = v0 + v4 + m0 | 0; v12 ^= v0; v12 = v12 >>> 16 | v12 << 16; v8 = v8 + v12 | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 + m1 | 0; v12 ^= v0; v12 = v12 >>> 8 | v12 << 24; v8 = v8 + v12 | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 + m2 | 0; v13 ^= v1; v13 = v13 >>> 16 | v13 << 16; v9 = v9 + v13 | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 + m3 | 0; v13 ^= v1; v13 = v13 >>> 8 | v13 << 24; v9 = v9 + v13 | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 + m4 | 0; v14 ^= v2; v14 = v14 >>> 16 | v14 << 16; v10 = v10 + v14 | 0; v6 ^= v10; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 + m5 | 0; v14 ^= v2; v14 = v14 >>> 8 | v14 << 24; v10 = v10 + v14 | 0; v6 ^= v10; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 + m6 | 0; v15 ^= v3; v15 = v15 >>> 16 | v15 << 16; v11 = v11 + v15 | 0; v7 ^= v11; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 + m7 | 0; v15 ^= v3; v15 = v15 >>> 8 | v15 << 24; v11 = v11 + v15 | 0; v7 ^= v11; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 + m8 | 0; v15 ^= v0; v15 = v15 >>> 16 | v15 << 16; v10 = v10 + v15 | 0; v5 ^= v10; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 + m9 | 0; v15 ^= v0; v15 = v15 >>> 8 | v15 << 24; v10 = v10 + v15 | 0; v5 ^= v10; v5 = v5 >>> 7 | v5 << 25;
    v1 = v1 + v6 + m10 | 0; v12 ^= v1; v12 = v12 >>> 16 | v12 << 16; v11 = v11 + v12 | 0; v6 ^= v11; v6 = v6 >>> 12 | v6 << 20;
    v1 = v1 + v6 + m11 | 0; v12 ^= v1; v12 = v12 >>> 8 | v12 << 24; v11 = v11 + v12 | 0; v6 ^= v11; v6 = v6 >>> 7 | v6 << 25;
    v2 = v2 + v7 + m12 | 0; v13 ^= v2; v13 = v13 >>> 16 | v13 << 16; v8 = v8 + v13 | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 + m13 | 0; v13 ^= v2; v13 = v13 >>> 8 | v13 << 24; v8 = v8 + v13 | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    v3 = v3 + v4 + m14 | 0; v14 ^= v3; v14 = v14 >>> 16 | v14 << 16; v9 = v9 + v14 | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 + m15 | 0; v14 ^= v3; v14 = v14 >>> 8 | v14 << 24; v9 = v9 + v14 | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    // Permutation of the message words, by its cycles.
    const first0 = m0; m0 = m2; m2 = m3; m3 = m10; m10 = m12; m12 = m9; m9 = m11; m11 = m5; m5 = first0;
    const first1 = m1; m1 = m6; m6 = m4; m4 = m7; m7 = m13; m13 = m14; m14 = m15; m15 = m8; m8 = first1;
  }
  chaining[0] = v0 ^ v8; chaining[1] = v1 ^ v9; chaining[2] = v2 ^ v10; chaining[3] = v3 ^ v11;
  chaining[4] = v4 ^ v12; chaining[5] = v5 ^ v13; chaining[6] = v6 ^ v14; chaining[7] = v7 ^ v15;
}
