/**
 * The levels of a tree as the tree functions make them: lists of 32-byte values, each level half as long as the one below. An odd last value
 * moves up unchanged.
 */
import { chunkBytes, hashBytes } from '../blake3/blake3-layout.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';

/** Parents of the first `count` values of `values`, written to `output` (which may be `values`); returns their number. Any number of values. */
export function nextLevel(tree: Blake3Tree, values: Uint8Array, count: number, output: Uint8Array): number {
  const atOnceBytes = (2 * tree.windowBytes * hashBytes) / chunkBytes;
  const pairedBytes = (count - (count % 2)) * hashBytes;
  for (let offset = 0; offset < pairedBytes; offset += atOnceBytes) {
    tree.parents(values.subarray(offset, Math.min(offset + atOnceBytes, pairedBytes)), output, offset / 2);
  }
  if (count % 2 === 1) output.set(values.subarray(pairedBytes, pairedBytes + hashBytes), pairedBytes / 2);
  return Math.ceil(count / 2);
}

/** The values of `levelsUp` levels above the chunks of a window's bytes, into `values` (room for one a chunk); returns their number. */
export function windowLevel(tree: Blake3Tree, bytes: Uint8Array, firstChunk: number, levelsUp: number, values: Uint8Array): number {
  let count = tree.chunks(bytes, firstChunk, values);
  for (let level = 0; level < levelsUp; level += 1) count = nextLevel(tree, values, count, values);
  return count;
}
