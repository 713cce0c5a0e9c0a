/** What both implementations demand of their callers, so that they fail alike. */
import { chunkBytes, hashBytes, windowBytes } from './blake3-layout.ts';

export function checkChunk(input: Uint8Array): void {
  if (input.length > chunkBytes) throw new RangeError(`A chunk has at most ${chunkBytes} bytes, and this one has ${input.length}.`);
}

export function checkChunks(input: Uint8Array): void {
  if (input.length === 0 || input.length > windowBytes) throw new RangeError(`Chunks are taken from 1 to ${windowBytes} bytes, and these are ${input.length}.`);
}

export function checkChunksAt(input: Uint8Array, indexes: ArrayLike<number>): void {
  if (input.length !== indexes.length * chunkBytes || input.length > windowBytes) {
    throw new RangeError(`${indexes.length} chunks have ${chunkBytes} bytes each and ${windowBytes} together at most, and these are ${input.length}.`);
  }
}

export function checkGroup(input: Uint8Array): void {
  if (input.length > windowBytes) throw new RangeError(`A leaf group has at most ${windowBytes} bytes, and this one has ${input.length}.`);
}

export function checkIndex(index: number): void {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`A chunk's index is a whole number from 0, and this one is ${index}.`);
}

export function checkChild(value: Uint8Array): void {
  if (value.length !== hashBytes) throw new RangeError(`A chaining value has ${hashBytes} bytes, and this one has ${value.length}.`);
}

export function checkLevel(values: Uint8Array): void {
  if (values.length % (2 * hashBytes) !== 0) throw new RangeError(`A level holds pairs of ${hashBytes}-byte values, and this one has ${values.length} bytes.`);
  if (values.length > (windowBytes / chunkBytes) * 2 * hashBytes) throw new RangeError(`A level has at most two values a chunk of the window, and this one has ${values.length / hashBytes}.`);
}

export function checkRoom(output: Uint8Array, outputOffset: number, sizeBytes: number): void {
  if (outputOffset < 0 || outputOffset + sizeBytes > output.length) throw new RangeError(`The output has no room for ${sizeBytes} bytes at ${outputOffset}.`);
}
