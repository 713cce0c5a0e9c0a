/**
 * BLAKE3 as a tree: the values of its leaves and nodes, and not only the hash at the top, so that a piece of content can be checked by
 * itself (engine/lockstep). Packages give out only the hash.
 *
 * TERMS are those of the BLAKE3 paper (github.com/BLAKE3-team/BLAKE3-specs). Content is cut into chunks of 1,024 bytes (the last one may be
 * shorter, empty content is one empty chunk); each node has a 32-byte chaining value; a left subtree always holds the largest power of two of
 * chunks below the total; the node at the top is finished with the ROOT flag, which makes its value the ordinary BLAKE3 hash and keeps it from
 * being any inner node's. Only the plain hash is here: content names need neither the keyed mode nor key derivation.
 *
 * TWO IMPLEMENTATIONS of one interface. `createWasmBlake3` (blake3-wasm.ts) runs a WebAssembly program with 128-bit vectors: a lone chunk in
 * four-word rows, four chunks or parents at a time in lanes. `referenceBlake3` is the paper in TypeScript; it is what the fast one is
 * compared with, function by function, while @noble/hashes and the official vectors check the hashes of both.
 *
 * THE PROGRAM has no source in another language: scripts/blake3/ writes it instruction by instruction, so that no compiler is needed to
 * build it and every machine builds the same bytes. They are checked in as text (blake3-module.ts), and a test builds them again.
 *
 * FILES. blake3-layout.ts: sizes, flags, and the module's memory. blake3-checks.ts: what both implementations demand of callers.
 * blake3-content.ts: content of any length over the tree functions, as it comes.
 */

/** Whether a value is the hash of all content, or a chaining value within a larger tree. */
export type NodeRole = 'root' | 'inner';

/**
 * Every method but `hash` writes to `output` at `outputOffset` (0 unless given) and allocates nothing. They throw a RangeError for lengths
 * outside the stated ones and for an output without room: those are faults of the caller, who has checked what came from outside.
 */
export interface Blake3Tree {
  /** The longest input of `chunks` and `group`: a power of two of chunks. */
  readonly windowBytes: number;

  /**
   * Memory of `windowBytes`, shared by everyone who uses this instance. A view of it is hashed where it lies, which saves a copy; whatever
   * else lies there is overwritten by the next call with an input from elsewhere.
   */
  readonly window: Uint8Array;

  /** One chunk of 0 to 1,024 bytes, `index` chunks from the start of the content (`root`: the content's only one). Writes 32 bytes. */
  chunk(input: Uint8Array, index: number, role: NodeRole, output: Uint8Array, outputOffset?: number): void;

  /**
   * All inner chunks of an input of 1 to `windowBytes` bytes that starts at chunk `firstIndex`; full ones are done
   * four at a time. Writes 32 bytes a chunk and returns their number.
   */
  chunks(input: Uint8Array, firstIndex: number, output: Uint8Array, outputOffset?: number): number;

  /**
   * Full inner chunks that do not follow each other, or belong to different contents, as they come out of packets: `input` holds one after
   * the other, at most `windowBytes`, and `indexes` has the index of each. Four at a time. Writes 32 bytes a chunk and returns their number.
   */
  chunksAt(input: Uint8Array, indexes: ArrayLike<number>, output: Uint8Array, outputOffset?: number): number;

  /** The parent of two 32-byte values. Writes 32 bytes. */
  parent(left: Uint8Array, right: Uint8Array, role: NodeRole, output: Uint8Array, outputOffset?: number): void;

  /**
   * The inner parents of neighbours in a list of 32-byte values of even length (at most 2 a chunk of the window): one level of a tree. Writes
   * half as many values, four at a time, and returns their number. The output may be the input.
   */
  parents(values: Uint8Array, output: Uint8Array, outputOffset?: number): number;

  /**
   * The node over an input of 0 to `windowBytes` bytes that starts at chunk `firstIndex`: a leaf group of a power of two of chunks, the
   * content's last group of any length, or (`root`) all content at once. Writes 32 bytes.
   */
  group(input: Uint8Array, firstIndex: number, role: NodeRole, output: Uint8Array, outputOffset?: number): void;

  /** The hash of content of any length. 32 bytes. */
  hash(content: Uint8Array): Uint8Array;
}
