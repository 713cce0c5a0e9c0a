/**
 * The tree functions on the WebAssembly module: an input is copied into its memory, the module works there, and the result is copied out.
 * The module is handed in as bytes (blake3-module.ts has them), so this file reads nothing.
 */
import { checkChild, checkChunk, checkChunks, checkChunksAt, checkGroup, checkIndex, checkLevel, checkRoom } from './blake3-checks.ts';
import { Blake3Content } from './blake3-content.ts';
import { blockBytes, chunkBytes, countersHighBytes, flag, hashBytes, initialValue, layout, windowBytes, windowChunks } from './blake3-layout.ts';
import type { Blake3Tree, NodeRole } from './blake3-tree.ts';

/** Lengths and offsets in bytes; counters and flags as 32-bit words. */
interface Program {
  readonly memory: WebAssembly.Memory;
  readonly compress: (input: number, lengthBytes: number, counterLow: number, counterHigh: number, flags: number, firstFlags: number, lastFlags: number, output: number) => void;
  readonly leaves: (input: number, lengthBytes: number, counterLow: number, counterHigh: number, flags: number, output: number) => void;
  readonly scattered: (input: number, count: number, flags: number, output: number) => void;
  readonly parents: (input: number, pairs: number, flags: number, output: number) => void;
  readonly subtree: (input: number, lengthBytes: number, counterLow: number, counterHigh: number, flags: number, rootFlag: number, output: number) => void;
}

const counterHighUnit = 2 ** 32;
/** The program takes the flags of a keyed mode; the plain hash has none. */
const plainFlags = 0;

const isProgram = (exports: object): exports is Program =>
  'memory' in exports && exports.memory instanceof WebAssembly.Memory
  && 'compress' in exports && typeof exports.compress === 'function' && 'leaves' in exports && typeof exports.leaves === 'function'
  && 'scattered' in exports && typeof exports.scattered === 'function'
  && 'parents' in exports && typeof exports.parents === 'function' && 'subtree' in exports && typeof exports.subtree === 'function';

const rootFlag = (role: NodeRole): number => (role === 'root' ? flag.root : 0);
const highWord = (index: number): number => Math.floor(index / counterHighUnit);

/**
 * Compiles the module (some milliseconds) and makes an instance with its own memory. Throws when the machine's WebAssembly has no
 * 128-bit vectors or the bytes are not this module.
 */
export function createWasmBlake3(moduleBytes: Uint8Array<ArrayBuffer>): Blake3Tree {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes));
  if (!isProgram(exports)) throw new TypeError('These bytes are a WebAssembly module, but not the BLAKE3 one.');
  return new WasmTree(new ProgramMemory(exports));
}

/** The instance and its views: made once, since a view for every call would be an allocation for every call. */
class ProgramMemory {
  readonly program: Program;
  readonly window: Uint8Array;
  readonly #memory: Uint8Array;
  readonly #buffer: ArrayBufferLike;
  readonly #output: Uint8Array;
  readonly #countersLow: Int32Array;
  readonly #countersHigh: Int32Array;
  readonly #results: (Uint8Array | undefined)[] = [];

  constructor(program: Program) {
    this.program = program;
    this.#buffer = program.memory.buffer;
    this.#memory = new Uint8Array(this.#buffer);
    this.#memory.set(initialValue, layout.key);
    this.window = this.#memory.subarray(layout.input, layout.input + windowBytes);
    this.#countersLow = new Int32Array(this.#buffer, layout.counters, windowChunks);
    this.#countersHigh = new Int32Array(this.#buffer, layout.counters + countersHighBytes, windowChunks);
    this.#output = this.#memory.subarray(layout.output, layout.output + hashBytes);
  }

  /** Where the input lies in the memory. */
  place(input: Uint8Array): number {
    // Up to a block the copy costs nothing, while asking a small array for its buffer would move it out of JavaScript's heap.
    if (input.length > blockBytes && input.buffer === this.#buffer) return input.byteOffset;
    this.#memory.set(input, layout.input);
    return layout.input;
  }

  placePair(left: Uint8Array, right: Uint8Array): number {
    this.#memory.set(left, layout.values);
    this.#memory.set(right, layout.values + hashBytes);
    return layout.values;
  }

  placeCounter(position: number, index: number): void {
    this.#countersLow[position] = index;
    this.#countersHigh[position] = highWord(index);
  }

  takeOutput(output: Uint8Array, outputOffset: number): void {
    output.set(this.#output, outputOffset);
  }

  takeResults(count: number, output: Uint8Array, outputOffset: number): void {
    const view = (this.#results[count] ??= this.#memory.subarray(layout.results, layout.results + count * hashBytes));
    output.set(view, outputOffset);
  }
}

class WasmTree implements Blake3Tree {
  readonly windowBytes = windowBytes;
  readonly window: Uint8Array;
  readonly #memory: ProgramMemory;
  readonly #program: Program;

  constructor(memory: ProgramMemory) {
    this.#memory = memory;
    this.#program = memory.program;
    this.window = memory.window;
  }

  chunk(input: Uint8Array, index: number, role: NodeRole, output: Uint8Array, outputOffset = 0): void {
    checkChunk(input);
    checkIndex(index);
    checkRoom(output, outputOffset, hashBytes);
    const lastFlags = flag.chunkEnd | rootFlag(role);
    this.#program.compress(this.#memory.place(input), input.length, index | 0, highWord(index), plainFlags, flag.chunkStart, lastFlags, layout.output);
    this.#memory.takeOutput(output, outputOffset);
  }

  chunks(input: Uint8Array, firstIndex: number, output: Uint8Array, outputOffset = 0): number {
    const count = Math.ceil(input.length / chunkBytes);
    checkChunks(input);
    checkIndex(firstIndex);
    checkRoom(output, outputOffset, count * hashBytes);
    this.#program.leaves(this.#memory.place(input), input.length, firstIndex | 0, highWord(firstIndex), plainFlags, layout.results);
    this.#memory.takeResults(count, output, outputOffset);
    return count;
  }

  chunksAt(input: Uint8Array, indexes: ArrayLike<number>, output: Uint8Array, outputOffset = 0): number {
    const count = indexes.length;
    checkChunksAt(input, indexes);
    checkRoom(output, outputOffset, count * hashBytes);
    for (let position = 0; position < count; position += 1) {
      const index = indexes[position] ?? -1;
      checkIndex(index);
      this.#memory.placeCounter(position, index);
    }
    this.#program.scattered(this.#memory.place(input), count, plainFlags, layout.results);
    this.#memory.takeResults(count, output, outputOffset);
    return count;
  }

  parent(left: Uint8Array, right: Uint8Array, role: NodeRole, output: Uint8Array, outputOffset = 0): void {
    checkChild(left);
    checkChild(right);
    checkRoom(output, outputOffset, hashBytes);
    this.#program.compress(this.#memory.placePair(left, right), blockBytes, 0, 0, flag.parent, 0, rootFlag(role), layout.output);
    this.#memory.takeOutput(output, outputOffset);
  }

  parents(values: Uint8Array, output: Uint8Array, outputOffset = 0): number {
    const count = values.length / (2 * hashBytes);
    checkLevel(values);
    checkRoom(output, outputOffset, count * hashBytes);
    this.#program.parents(this.#memory.place(values), count, plainFlags, layout.results);
    this.#memory.takeResults(count, output, outputOffset);
    return count;
  }

  group(input: Uint8Array, firstIndex: number, role: NodeRole, output: Uint8Array, outputOffset = 0): void {
    checkGroup(input);
    checkIndex(firstIndex);
    checkRoom(output, outputOffset, hashBytes);
    this.#program.subtree(this.#memory.place(input), input.length, firstIndex | 0, highWord(firstIndex), plainFlags, rootFlag(role), layout.output);
    this.#memory.takeOutput(output, outputOffset);
  }

  hash(content: Uint8Array): Uint8Array {
    if (content.length > windowBytes) return new Blake3Content(this).digestWith(content);
    const hash = new Uint8Array(hashBytes);
    this.group(content, 0, 'root', hash);
    return hash;
  }
}
