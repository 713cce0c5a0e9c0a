/** The module against the official vectors, @noble/hashes and the reference, function by function. */
import { readFileSync } from 'node:fs';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex as hex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Blake3Content } from './blake3-content.ts';
import { chunkBytes, hashBytes, windowBytes, windowChunks } from './blake3-layout.ts';
import { blake3Module } from './blake3-module.ts';
import { referenceBlake3 } from './blake3-reference.ts';
import type { Blake3Tree, NodeRole } from './blake3-tree.ts';
import { createWasmBlake3 } from './blake3-wasm.ts';

const vectorsFile = new URL('../../../../test-vectors/blake3.json', import.meta.url);

interface Vectors {
  readonly cases: readonly { readonly input_len: number; readonly hash: string }[];
}

const isVectors = (value: unknown): value is Vectors => typeof value === 'object' && value !== null && 'cases' in value && Array.isArray(value.cases);

function officialVectors(): Vectors {
  const value: unknown = JSON.parse(readFileSync(vectorsFile, 'utf8'));
  if (!isVectors(value)) throw new Error('blake3.json is not the file of official vectors');
  return value;
}

const pattern = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, index) => index % 251);

/** Bytes without a period (xorshift32), so that swapped or repeated chunks cannot go unnoticed. */
function noise(sizeBytes: number, seed = 0x9e3779b9): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: sizeBytes }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}

const vectors = officialVectors();
const plain = createWasmBlake3(blake3Module());
const reference = referenceBlake3;
const content = noise(300 * 1024);

const written = (sizeBytes: number, write: (output: Uint8Array) => unknown): string => {
  const output = new Uint8Array(sizeBytes);
  write(output);
  return hex(output);
};

const lengths = fc.oneof(
  fc.integer({ min: 0, max: content.length }),
  fc.integer({ min: 0, max: 5 * chunkBytes }),
  // Around the edges of chunks, batches and windows.
  fc.tuple(fc.integer({ min: 0, max: content.length / chunkBytes - 1 }), fc.integer({ min: -1, max: 1 })).map(([chunks, difference]) => Math.max(0, chunks * chunkBytes + difference)),
);
const indexes = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 2 ** 32 - 200, max: 2 ** 32 + 200 }), fc.integer({ min: 2 ** 31 - 5, max: 2 ** 31 + 5 }), fc.maxSafeInteger().map(Math.abs));
const roles = fc.constantFrom<NodeRole>('root', 'inner');
const values = fc.uint8Array({ minLength: hashBytes, maxLength: hashBytes });

describe('the module', () => {
  it('is refused when the bytes are another module', () => {
    expect(() => createWasmBlake3(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).toThrow(TypeError);
  });
});

describe('official vectors', () => {
  it.each(vectors.cases)('give the hash of $input_len bytes', ({ input_len: length, hash }) => {
    expect(hex(plain.hash(pattern(length)))).toBe(hash.slice(0, 2 * hashBytes));
    expect(hex(reference.hash(pattern(length)))).toBe(hash.slice(0, 2 * hashBytes));
  });
});

describe('hash', () => {
  it('equals noble for every length up to three chunks and a block', () => {
    for (let length = 0; length <= 3 * chunkBytes + 65; length += 1) {
      const bytes = content.subarray(0, length);
      if (hex(plain.hash(bytes)) !== hex(blake3(bytes))) expect.fail(`length ${length}`);
    }
    expect(hex(plain.hash(content))).toBe(hex(blake3(content)));
  });

  it('equals noble for every count of chunks up to 300, full, one byte short or one byte long', () => {
    for (let chunks = 1; chunks < 300; chunks += 1) {
      const bytes = content.subarray(0, chunks * chunkBytes + (chunks % 3) - 1);
      if (hex(plain.hash(bytes)) !== hex(blake3(bytes))) expect.fail(`length ${bytes.length}`);
    }
    expect(content.length).toBe(300 * chunkBytes);
  });

  it('equals noble for random lengths and places', () => {
    fc.assert(fc.property(lengths, fc.integer({ min: 0, max: 100 }), (length, offset) => {
      const bytes = content.subarray(Math.min(offset, content.length - length), Math.min(offset, content.length - length) + length);
      expect(hex(plain.hash(bytes))).toBe(hex(blake3(bytes)));
    }), { numRuns: 150 });
  });

  it('does not depend on the pieces in which content comes', () => {
    fc.assert(fc.property(fc.array(lengths, { maxLength: 6 }), (pieces) => {
      const total = pieces.reduce((sum, length) => sum + length, 0);
      const all = noise(total);
      const hasher = new Blake3Content(plain);
      let offset = 0;
      for (const length of pieces) {
        hasher.update(all.subarray(offset, offset + length));
        offset += length;
        // Asking in between must not disturb what follows.
        hasher.digest();
      }
      expect(hex(hasher.digest())).toBe(hex(plain.hash(all)));
      expect(hex(new Blake3Content(plain).update(all.subarray(0, 100)).digestWith(all.subarray(100)))).toBe(hex(plain.hash(all)));
    }), { numRuns: 25 });
  });
});

describe('every function against the reference', () => {
  it('chunk, of all lengths, at any index, as root or inside', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: chunkBytes }), indexes, roles, (length, index, role) => {
      const run = (tree: Blake3Tree): string => written(hashBytes, (output) => tree.chunk(content.subarray(7, 7 + length), index, role, output));
      expect(run(plain)).toBe(run(reference));
    }), { numRuns: 300 });
  });

  it('chunks, with counters that carry into the high word at every lane', () => {
    for (let before = 0; before <= 8; before += 1) {
      const run = (tree: Blake3Tree): string => written(8 * hashBytes, (output) => tree.chunks(content.subarray(0, 8 * chunkBytes), 2 ** 32 - before, output));
      expect(run(plain)).toBe(run(reference));
    }
  });

  it('chunks, of random lengths at any index', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 * chunkBytes }), indexes, (length, index) => {
      const firstIndex = Math.min(index, Number.MAX_SAFE_INTEGER - windowChunks);
      const run = (tree: Blake3Tree): string => written(20 * hashBytes, (output) => tree.chunks(content.subarray(0, length), firstIndex, output));
      expect(run(plain)).toBe(run(reference));
    }), { numRuns: 200 });
  });

  it('chunksAt, for up to a window of chunks with any indexes', () => {
    fc.assert(fc.property(fc.array(indexes, { maxLength: 13 }), (list) => {
      const run = (tree: Blake3Tree): string => written(13 * hashBytes, (output) => { expect(tree.chunksAt(content.subarray(0, list.length * chunkBytes), list, output)).toBe(list.length); });
      expect(run(plain)).toBe(run(reference));
    }), { numRuns: 60 });
    const all = Float64Array.from({ length: windowChunks }, (_, index) => 5_000_000_000 - index * 3);
    const run = (tree: Blake3Tree): string => written(windowChunks * hashBytes, (output) => tree.chunksAt(content.subarray(0, windowBytes), all, output));
    expect(run(plain)).toBe(run(reference));
    // The counters of parents lie beside those of chunks, and have to be zero still.
    expect(hex(plain.hash(content))).toBe(hex(blake3(content)));
  });

  it('parent', () => {
    fc.assert(fc.property(values, values, roles, (left, right, role) => {
      const run = (tree: Blake3Tree): string => written(hashBytes, (output) => tree.parent(left, right, role, output));
      expect(run(plain)).toBe(run(reference));
    }));
  });

  it('parents, of every count of pairs up to a full window', () => {
    for (let pairs = 0; pairs <= windowChunks; pairs += pairs < 20 ? 1 : 27) {
      const level = content.subarray(0, pairs * 2 * hashBytes);
      const run = (tree: Blake3Tree): string => written(pairs * hashBytes, (output) => { expect(tree.parents(level, output)).toBe(pairs); });
      expect(run(plain)).toBe(run(reference));
    }
  });

  it('group, of every count of chunks up to 40 and random lengths up to a window', () => {
    const compare = (length: number, index: number, role: NodeRole): void => {
      const run = (which: Blake3Tree): string => written(hashBytes, (output) => which.group(content.subarray(3, 3 + length), index, role, output));
      expect(run(plain)).toBe(run(reference));
    };
    for (let chunks = 0; chunks <= 40; chunks += 1) compare(chunks * chunkBytes, 64, 'inner');
    fc.assert(fc.property(fc.integer({ min: 0, max: windowBytes }), indexes, roles, (length, index, role) => {
      compare(length, Math.min(index, Number.MAX_SAFE_INTEGER - windowChunks), role);
    }), { numRuns: 40 });
  });
});

describe('the tree', () => {
  /** The node over chunks [start, end): BLAKE3's rule, over given leaf values. */
  const nodeOf = (leaves: readonly Uint8Array[], role: NodeRole): Uint8Array => {
    const [only] = leaves;
    if (only !== undefined && leaves.length === 1) return only;
    let left = 1;
    while (left * 2 < leaves.length) left *= 2;
    const output = new Uint8Array(hashBytes);
    plain.parent(nodeOf(leaves.slice(0, left), 'inner'), nodeOf(leaves.slice(left), 'inner'), role, output);
    return output;
  };

  it.each([1, 4, 16, 64, windowChunks])('of leaf groups of %i chunks, joined by parents, has the hash on top', (groupChunks) => {
    const groupBytes = groupChunks * chunkBytes;
    fc.assert(fc.property(lengths, (length) => {
      const bytes = content.subarray(0, length);
      const count = Math.max(1, Math.ceil(length / groupBytes));
      const leaves = Array.from({ length: count }, (_, index) => {
        const output = new Uint8Array(hashBytes);
        const group = bytes.subarray(index * groupBytes, (index + 1) * groupBytes);
        const role = count === 1 ? 'root' : 'inner';
        if (groupChunks === 1) plain.chunk(group, index, role, output);
        else plain.group(group, index * groupChunks, role, output);
        return output;
      });
      expect(hex(nodeOf(leaves, 'root'))).toBe(hex(blake3(bytes)));
    }), { numRuns: 60 });
  });

  it('built level by level from chunks and parents has the same groups', () => {
    for (const chunks of [4, 16, 64, windowChunks]) {
      const level = new Uint8Array(windowChunks * hashBytes);
      let count = plain.chunks(content.subarray(0, chunks * chunkBytes), 256, level);
      expect(count).toBe(chunks);
      while (count > 1) count = plain.parents(level.subarray(0, count * hashBytes), level);
      expect(hex(level.subarray(0, hashBytes))).toBe(written(hashBytes, (output) => plain.group(content.subarray(0, chunks * chunkBytes), 256, 'inner', output)));
    }
  });
});

describe('use', () => {
  it('hashes a view of the window where it lies, anywhere, without touching what is beside it', () => {
    for (const [offset, length] of [[0, 1024], [777, 1000], [3, 5000], [windowBytes - 1024, 1024], [windowBytes - 2048, 2048], [5, 3 * 1024], [windowBytes - 70, 70], [100, 64], [0, windowBytes]] as const) {
      plain.window.set(content.subarray(0, windowBytes));
      const view = plain.window.subarray(offset, offset + length);
      const expected = written(hashBytes, (output) => reference.group(content.subarray(offset, offset + length), 9, 'inner', output));
      expect(written(hashBytes, (output) => plain.group(view, 9, 'inner', output))).toBe(expected);
      // Up to a block the input is copied to the front of the window.
      if (length > 64) expect(hex(plain.window)).toBe(hex(content.subarray(0, windowBytes)));
    }
  });

  it('writes only its value, at the offset asked for', () => {
    const output = new Uint8Array(100).fill(0xaa);
    plain.chunk(content.subarray(0, 1024), 0, 'root', output, 5);
    expect(hex(output)).toBe(`${'aa'.repeat(5)}${hex(blake3(content.subarray(0, 1024)))}${'aa'.repeat(63)}`);
  });

  it('joins values that lie in the output', () => {
    const left = content.slice(0, hashBytes);
    const expected = written(hashBytes, (output) => reference.parent(left, left, 'inner', output));
    plain.parent(left, left, 'inner', left);
    expect(hex(left)).toBe(expected);
  });

  it.each([['module', plain], ['reference', reference]] as const)('throws a RangeError for what does not fit (%s)', (_name, tree) => {
    const output = new Uint8Array(hashBytes);
    const value = new Uint8Array(hashBytes);
    expect(() => tree.chunk(new Uint8Array(chunkBytes + 1), 0, 'inner', output)).toThrow(RangeError);
    expect(() => tree.chunk(new Uint8Array(1), -1, 'inner', output)).toThrow(RangeError);
    expect(() => tree.chunk(new Uint8Array(1), 0.5, 'inner', output)).toThrow(RangeError);
    expect(() => tree.chunk(new Uint8Array(1), 0, 'inner', output, 1)).toThrow(RangeError);
    expect(() => tree.chunk(new Uint8Array(1), 0, 'inner', output, -1)).toThrow(RangeError);
    expect(() => tree.chunks(new Uint8Array(0), 0, output)).toThrow(RangeError);
    expect(() => tree.chunks(new Uint8Array(chunkBytes + 1), 0, output)).toThrow(RangeError);
    expect(() => tree.chunksAt(new Uint8Array(chunkBytes), [0, 1], output)).toThrow(RangeError);
    expect(() => tree.chunksAt(new Uint8Array(chunkBytes - 1), [0], output)).toThrow(RangeError);
    expect(() => tree.chunksAt(new Uint8Array(chunkBytes), [-1], output)).toThrow(RangeError);
    expect(() => tree.group(new Uint8Array(windowBytes + 1), 0, 'inner', output)).toThrow(RangeError);
    expect(() => tree.parent(value, value.subarray(1), 'inner', output)).toThrow(RangeError);
    expect(() => tree.parents(new Uint8Array(hashBytes), output)).toThrow(RangeError);
    expect(() => tree.parents(new Uint8Array(2 * (windowChunks + 1) * hashBytes), new Uint8Array(windowBytes))).toThrow(RangeError);
  });
});
