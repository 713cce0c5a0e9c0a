/**
 * What the WebAssembly program and its TypeScript side agree on: BLAKE3's sizes and flags, and where things lie in the module's memory.
 * The memory is private to one instance and fixed in size.
 */

/** A chaining value, a key or a hash. */
export const hashBytes = 32;
export const blockBytes = 64;
export const chunkBytes = 1024;

/** Domain flags (BLAKE3 paper, table 3). */
export const flag = { chunkStart: 1, chunkEnd: 2, parent: 4, root: 8 } as const;

/** The initial value of SHA-256 as little-endian bytes: the key of the plain hash. */
export const initialValue: Uint8Array = Uint8Array.of(
  0x67, 0xe6, 0x09, 0x6a, 0x85, 0xae, 0x67, 0xbb, 0x72, 0xf3, 0x6e, 0x3c, 0x3a, 0xf5, 0x4f, 0xa5,
  0x7f, 0x52, 0x0e, 0x51, 0x8c, 0x68, 0x05, 0x9b, 0xab, 0xd9, 0x83, 0x1f, 0x19, 0xcd, 0xe0, 0x5b,
);

/** The longest input of one call into the module: a power of two chunks, small enough to stay in a core's own cache. */
export const windowChunks = 128;
export const windowBytes = windowChunks * chunkBytes;

/** The low words of counters, one a chunk of the window and four zeros; as many high words follow. */
export const countersHighBytes = (windowChunks + 4) * 4;

const pageBytes = 65_536;
const byteRotationsBytes = 32;
const align = (offset: number, unit: number): number => Math.ceil(offset / unit) * unit;

const keyOffset = 0;
const outputOffset = keyOffset + hashBytes;
const blockOffset = outputOffset + hashBytes;
const byteRotationsOffset = blockOffset + blockBytes;
const valuesOffset = byteRotationsOffset + byteRotationsBytes;
const countersOffset = valuesOffset + windowChunks * hashBytes;
const resultsOffset = countersOffset + 2 * countersHighBytes;
const inputOffset = align(resultsOffset + windowChunks * hashBytes, 4096);

/** Byte offsets. */
export const layout = {
  /** The key words: the initial value, written by the TypeScript side. */
  key: keyOffset,
  /** A single chaining value or hash. */
  output: outputOffset,
  /** The last block of a chunk, filled up with zeros. */
  block: blockOffset,
  /** Two index vectors for rotations by 16 and by 8 bits: initial data of the module. */
  byteRotations: byteRotationsOffset,
  /** Chaining values on the way up within a subtree. */
  values: valuesOffset,
  /** Chunk counters, low words; the high words lie `countersHighBytes` behind. */
  counters: countersOffset,
  /** Four counters that stay zero, for parents. */
  zeroCounters: countersOffset + windowChunks * 4,
  /** Lists of chaining values for the caller. */
  results: resultsOffset,
  /** The caller's input, one window long. */
  input: inputOffset,
} as const;

/** Four lanes read on when fewer than four inputs are left: up to two chunks past the window, and what they make of it is not used. */
const slackBytes = 2 * chunkBytes;

export const memoryPages = align(inputOffset + windowBytes + slackBytes, pageBytes) / pageBytes;
