/**
 * BLAKE3's tree functions straight from the paper (section 2), with no thought for speed: what the fast ones are compared with.
 */
import { checkChild, checkChunk, checkChunks, checkChunksAt, checkGroup, checkIndex, checkLevel, checkRoom } from './blake3-checks.ts';
import { Blake3Content } from './blake3-content.ts';
import { blockBytes, chunkBytes, flag, hashBytes, initialValue, windowBytes } from './blake3-layout.ts';
import type { Blake3Tree, NodeRole } from './blake3-tree.ts';

const initialWords = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a];
const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
/** Columns, then diagonals. */
const quarterRounds = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] as const;
const rounds = 7;
const wordCount = 16;
const chainWords = 8;
const counterHighUnit = 2 ** 32;

const rotateRight = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

function wordsOf(bytes: Uint8Array, count: number): number[] {
  const padded = new Uint8Array(count * 4);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  return Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true));
}

/** The first half of the compression function's output: the next chaining value, 32 bytes. */
function compress(chain: Uint8Array, block: Uint8Array, counter: number, flags: number): Uint8Array {
  const state = Int32Array.from([...wordsOf(chain, chainWords), ...initialWords, counter | 0, Math.floor(counter / counterHighUnit), block.length, flags]);
  const at = (index: number): number => state[index] ?? 0;
  let message = wordsOf(block, wordCount);
  const half = (a: number, b: number, c: number, d: number, word: number, first: number, second: number): void => {
    state[a] = at(a) + at(b) + word;
    state[d] = rotateRight(at(d) ^ at(a), first);
    state[c] = at(c) + at(d);
    state[b] = rotateRight(at(b) ^ at(c), second);
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, [a, b, c, d]] of quarterRounds.entries()) {
      half(a, b, c, d, message[2 * index] ?? 0, 16, 12);
      half(a, b, c, d, message[2 * index + 1] ?? 0, 8, 7);
    }
    const previous = message;
    message = permutation.map((from) => previous[from] ?? 0);
  }
  const output = new Uint8Array(hashBytes);
  const view = new DataView(output.buffer);
  for (let index = 0; index < chainWords; index += 1) view.setUint32(index * 4, at(index) ^ at(index + chainWords), true);
  return output;
}

class ReferenceTree implements Blake3Tree {
  readonly windowBytes = windowBytes;
  readonly window = new Uint8Array(windowBytes);

  chunk(input: Uint8Array, index: number, role: NodeRole, output: Uint8Array, outputOffset = 0): void {
    checkChunk(input);
    checkIndex(index);
    checkRoom(output, outputOffset, hashBytes);
    output.set(this.#chunk(input, index, role), outputOffset);
  }

  chunks(input: Uint8Array, firstIndex: number, output: Uint8Array, outputOffset = 0): number {
    const count = Math.ceil(input.length / chunkBytes);
    checkChunks(input);
    checkIndex(firstIndex);
    checkRoom(output, outputOffset, count * hashBytes);
    for (let i = 0; i < count; i += 1) {
      output.set(this.#chunk(input.subarray(i * chunkBytes, (i + 1) * chunkBytes), firstIndex + i, 'inner'), outputOffset + i * hashBytes);
    }
    return count;
  }

  chunksAt(input: Uint8Array, indexes: ArrayLike<number>, output: Uint8Array, outputOffset = 0): number {
    checkChunksAt(input, indexes);
    checkRoom(output, outputOffset, indexes.length * hashBytes);
    for (let i = 0; i < indexes.length; i += 1) {
      this.chunk(input.subarray(i * chunkBytes, (i + 1) * chunkBytes), indexes[i] ?? -1, 'inner', output, outputOffset + i * hashBytes);
    }
    return indexes.length;
  }

  parent(left: Uint8Array, right: Uint8Array, role: NodeRole, output: Uint8Array, outputOffset = 0): void {
    checkChild(left);
    checkChild(right);
    checkRoom(output, outputOffset, hashBytes);
    output.set(this.#parent(left, right, role), outputOffset);
  }

  parents(values: Uint8Array, output: Uint8Array, outputOffset = 0): number {
    const count = values.length / blockBytes;
    checkLevel(values);
    checkRoom(output, outputOffset, count * hashBytes);
    const children = values.slice();
    for (let i = 0; i < count; i += 1) {
      const middle = i * blockBytes + hashBytes;
      output.set(this.#parent(children.subarray(i * blockBytes, middle), children.subarray(middle, middle + hashBytes), 'inner'), outputOffset + i * hashBytes);
    }
    return count;
  }

  group(input: Uint8Array, firstIndex: number, role: NodeRole, output: Uint8Array, outputOffset = 0): void {
    checkGroup(input);
    checkIndex(firstIndex);
    checkRoom(output, outputOffset, hashBytes);
    output.set(this.#group(input, firstIndex, role), outputOffset);
  }

  hash(content: Uint8Array): Uint8Array {
    return new Blake3Content(this).digestWith(content);
  }

  #chunk(input: Uint8Array, index: number, role: NodeRole): Uint8Array {
    const blocks = Math.max(1, Math.ceil(input.length / blockBytes));
    let chain = initialValue;
    for (let i = 0; i < blocks; i += 1) {
      const first = i === 0 ? flag.chunkStart : 0;
      const last = i === blocks - 1 ? flag.chunkEnd | (role === 'root' ? flag.root : 0) : 0;
      chain = compress(chain, input.subarray(i * blockBytes, (i + 1) * blockBytes), index, first | last);
    }
    return chain;
  }

  #parent(left: Uint8Array, right: Uint8Array, role: NodeRole): Uint8Array {
    const block = new Uint8Array(blockBytes);
    block.set(left);
    block.set(right, hashBytes);
    return compress(initialValue, block, 0, flag.parent | (role === 'root' ? flag.root : 0));
  }

  #group(input: Uint8Array, firstIndex: number, role: NodeRole): Uint8Array {
    if (input.length <= chunkBytes) return this.#chunk(input, firstIndex, role);
    let leftChunks = 1;
    while (2 * leftChunks * chunkBytes < input.length) leftChunks *= 2;
    const left = this.#group(input.subarray(0, leftChunks * chunkBytes), firstIndex, 'inner');
    const right = this.#group(input.subarray(leftChunks * chunkBytes), firstIndex + leftChunks, 'inner');
    return this.#parent(left, right, role);
  }
}

export const referenceBlake3: Blake3Tree = new ReferenceTree();
