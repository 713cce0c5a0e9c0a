/**
 * BLAKE3 as a WebAssembly program: the two compression functions (blake3-compression.ts), and around them the functions that walk the tree,
 * `leaves`, `scattered`, `parents` and `subtree`. Nothing allocates; the memory is fixed and laid out in blake3-layout.ts.
 */
import {
  add, and, assemble, call, get, greaterOrEqualUnsigned, greaterUnsigned, i32, lessUnsigned, LocalTable, loopWhile, memoryCopy, or, select, set, shiftLeft,
  shiftRight, splat, store, subtract, vectorAdd, vectorLessUnsigned, vectorSubtract, vectorWords, when,
} from './wasm-assembler.ts';
import type { Code, FunctionSource, Local, ValueType } from './wasm-assembler.ts';
import { byteRotations, compress, compressFour, compressFourIndex, compressIndex, lanes } from './blake3-compression.ts';
import { blockBytes, chunkBytes, countersHighBytes, flag, hashBytes, layout, memoryPages } from '../../src/main/engine/blake3/blake3-layout.ts';

const functionIndex = { leaves: 2, scattered: 3, parents: 4, subtree: 5 } as const;
const counterWordBytes = 4;

const zero = i32(0);
const hashShiftBits = Math.log2(hashBytes);
const chunkShiftBits = Math.log2(chunkBytes);
/** How many of `count` inputs the next four lanes take. */
const atMostFour = (count: Code): Code => select(lessUnsigned(count, i32(lanes)), count, i32(lanes));
const fourChunks = (input: Local, counters: Code, flags: Local, output: Local): Code =>
  call(compressFourIndex, get(input), i32(chunkBytes), i32(chunkBytes / blockBytes), counters, get(flags), i32(flag.chunkStart), i32(flag.chunkEnd), get(output));

/**
 * Chaining values of all chunks of an input of at least one byte; only the last chunk may be short. Three full chunks already go through
 * the four lanes, as that costs less than three single ones.
 */
function leaves(): FunctionSource {
  const parameters: readonly ValueType[] = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'];
  const table = new LocalTable(parameters);
  const [input, lengthBytes, counterLow, counterHigh, flags, output] =
    [table.parameter(0), table.parameter(1), table.parameter(2), table.parameter(3), table.parameter(4), table.parameter(5)];
  const [size, taken, countersLow] = [table.declare('i32'), table.declare('i32'), table.declare('v128')];
  const advance = (chunks: Code, sizeBytes: Code): Code => [
    ...set(input, add(get(input), sizeBytes)),
    ...set(lengthBytes, subtract(get(lengthBytes), sizeBytes)),
    ...set(output, add(get(output), shiftLeft(chunks, i32(hashShiftBits)))),
    ...set(counterLow, add(get(counterLow), chunks)),
    ...set(counterHigh, add(get(counterHigh), lessUnsigned(get(counterLow), chunks))),
  ];
  const body: Code = [
    ...loopWhile(greaterOrEqualUnsigned(get(lengthBytes), i32(3 * chunkBytes)), [
      ...set(countersLow, vectorAdd(splat(get(counterLow)), vectorWords([0, 1, 2, 3]))),
      ...store(i32(layout.counters), 0, get(countersLow)),
      // A lane whose low word wrapped is below the first one; the comparison gives minus one there, which carries.
      ...store(i32(layout.counters), countersHighBytes, vectorSubtract(splat(get(counterHigh)), vectorLessUnsigned(get(countersLow), splat(get(counterLow))))),
      ...fourChunks(input, i32(layout.counters), flags, output),
      ...set(taken, atMostFour(shiftRight(get(lengthBytes), i32(chunkShiftBits)))),
      ...advance(get(taken), shiftLeft(get(taken), i32(chunkShiftBits))),
    ]),
    ...loopWhile(get(lengthBytes), [
      ...set(size, select(lessUnsigned(get(lengthBytes), i32(chunkBytes)), get(lengthBytes), i32(chunkBytes))),
      ...call(compressIndex, get(input), get(size), get(counterLow), get(counterHigh), get(flags), i32(flag.chunkStart), i32(flag.chunkEnd), get(output)),
      ...advance(i32(1), get(size)),
    ]),
  ];
  return { exportName: 'leaves', index: functionIndex.leaves, parameters, locals: table.types, body };
}

/** Chaining values of `count` full chunks whose counters, in no particular order, lie in the memory. */
function scattered(): FunctionSource {
  const parameters: readonly ValueType[] = ['i32', 'i32', 'i32', 'i32'];
  const table = new LocalTable(parameters);
  const [input, count, flags, output] = [table.parameter(0), table.parameter(1), table.parameter(2), table.parameter(3)];
  const [counters, taken] = [table.declare('i32'), table.declare('i32')];
  const body: Code = [
    ...set(counters, i32(layout.counters)),
    ...loopWhile(get(count), [
      ...fourChunks(input, get(counters), flags, output),
      ...set(input, add(get(input), i32(lanes * chunkBytes))),
      ...set(output, add(get(output), i32(lanes * hashBytes))),
      ...set(counters, add(get(counters), i32(lanes * counterWordBytes))),
      ...set(taken, atMostFour(get(count))),
      ...set(count, subtract(get(count), get(taken))),
    ]),
  ];
  return { exportName: 'scattered', index: functionIndex.scattered, parameters, locals: table.types, body };
}

/**
 * Chaining values of `pairs` parents whose children lie in a row. The output may be the input: it is written behind the reading. Three
 * remaining pairs go through the four lanes too, as that costs less than three single ones.
 */
function parents(): FunctionSource {
  const parameters: readonly ValueType[] = ['i32', 'i32', 'i32', 'i32'];
  const table = new LocalTable(parameters);
  const [input, pairs, flags, output] = [table.parameter(0), table.parameter(1), table.parameter(2), table.parameter(3)];
  const taken = table.declare('i32');
  const parentFlags = or(get(flags), i32(flag.parent));
  const advance = (count: Code): Code => [
    ...set(input, add(get(input), shiftLeft(count, i32(hashShiftBits + 1)))),
    ...set(output, add(get(output), shiftLeft(count, i32(hashShiftBits)))),
    ...set(pairs, subtract(get(pairs), count)),
  ];
  const body: Code = [
    ...loopWhile(greaterUnsigned(get(pairs), i32(2)), [
      ...call(compressFourIndex, get(input), i32(blockBytes), i32(1), i32(layout.zeroCounters), parentFlags, zero, zero, get(output)),
      ...set(taken, atMostFour(get(pairs))),
      ...advance(get(taken)),
    ]),
    ...loopWhile(get(pairs), [
      ...call(compressIndex, get(input), i32(blockBytes), zero, zero, parentFlags, zero, zero, get(output)),
      ...advance(i32(1)),
    ]),
  ];
  return { exportName: 'parents', index: functionIndex.parents, parameters, locals: table.types, body };
}

/**
 * The chaining value of the tree over an input of up to one window, `rootFlag` added to its last compression. Joining neighbours level by
 * level and carrying an odd last value upwards gives BLAKE3's shape: every left subtree is full.
 */
function subtree(): FunctionSource {
  const parameters: readonly ValueType[] = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'];
  const table = new LocalTable(parameters);
  const [input, lengthBytes, counterLow, counterHigh] = [table.parameter(0), table.parameter(1), table.parameter(2), table.parameter(3)];
  const [flags, rootFlag, output] = [table.parameter(4), table.parameter(5), table.parameter(6)];
  const count = table.declare('i32');
  const values = i32(layout.values);
  const hashShift = i32(hashShiftBits);
  const half = shiftRight(get(count), i32(1));
  const single: Code = call(compressIndex, get(input), get(lengthBytes), get(counterLow), get(counterHigh), get(flags), i32(flag.chunkStart), or(i32(flag.chunkEnd), get(rootFlag)), get(output));
  const tree: Code = [
    ...call(functionIndex.leaves, get(input), get(lengthBytes), get(counterLow), get(counterHigh), get(flags), values),
    ...set(count, shiftRight(add(get(lengthBytes), i32(chunkBytes - 1)), i32(chunkShiftBits))),
    ...loopWhile(greaterUnsigned(get(count), i32(2)), [
      ...call(functionIndex.parents, values, half, get(flags), values),
      ...when(and(get(count), i32(1)), memoryCopy(
        add(values, shiftLeft(half, hashShift)),
        add(values, shiftLeft(subtract(get(count), i32(1)), hashShift)),
        i32(hashBytes),
      )),
      ...set(count, shiftRight(add(get(count), i32(1)), i32(1))),
    ]),
    ...call(compressIndex, values, i32(blockBytes), zero, zero, or(get(flags), i32(flag.parent)), zero, get(rootFlag), get(output)),
  ];
  const body = when(greaterUnsigned(get(lengthBytes), i32(chunkBytes)), tree, single);
  return { exportName: 'subtree', index: functionIndex.subtree, parameters, locals: table.types, body };
}

/** The complete module; the same bytes on every machine. */
export const blake3Program = (): Uint8Array<ArrayBuffer> => assemble([compress(), compressFour(), leaves(), scattered(), parents(), subtree()], memoryPages, [{ offset: layout.byteRotations, bytes: byteRotations }]);
