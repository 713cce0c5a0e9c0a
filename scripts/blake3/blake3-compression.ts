/**
 * BLAKE3's compression function as WebAssembly (specification: the BLAKE3 paper, section 2). It comes in two forms, both unrolled:
 *
 * `compress` takes one chunk or one parent. Blocks of a chunk follow each other and so do the steps of a block, so its speed is that of one
 * chain. Plain 32-bit words do it best: they rotate in one instruction, and the engine runs the four quarter rounds of a half side by side.
 * (Measured beside it: the rows of the state in four vectors, as the reference does with SSE4.1, reach 0.55 of its speed.)
 *
 * `compressFour` takes four inputs of equal length and keeps word i of all four in 128-bit vector i (paper, section 5.3), which leaves no
 * unit idle: nearly twice the bytes per second.
 */
import {
  add, get, greaterUnsigned, i32, lessUnsigned, load, loadWord, LocalTable, memoryCopy, memoryFill, or, repeatWhile, rotateRight, select, set, shuffle, splat,
  store, storeWord, subtract, swizzle, vectorAdd, vectorRotateRight, vectorWords, vectorXor, when, xor,
} from './wasm-assembler.ts';
import type { Code, FunctionSource, Local, ValueType } from './wasm-assembler.ts';
import { blockBytes, countersHighBytes, hashBytes, layout } from '../../src/main/engine/blake3/blake3-layout.ts';

const initialWords = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a] as const;
const messagePermutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8] as const;
const rounds = 7;
const wordBytes = 4;
const chainWords = 8;
const stateWords = 16;
const vectorSizeBytes = 16;
/** Inputs that `compressFour` takes at once. */
export const lanes = 4;

/** Where the two stand in the module. */
export const compressIndex = 0;
export const compressFourIndex = 1;

const laneNumbers = [0, 1, 2, 3] as const;
type Lane = (typeof laneNumbers)[number];
type Four<T> = readonly [T, T, T, T];
const four = <T>(make: (lane: Lane) => T): Four<T> => [make(0), make(1), make(2), make(3)];

/** Half a quarter round: which state words it mixes, which message word goes in, and which half it is. */
interface HalfQuarter {
  readonly state: Four<number>;
  readonly word: number;
  readonly half: 'first' | 'second';
}

/**
 * All rounds in the order of their instructions: the first halves of the four columns, their second halves, then the same for the
 * diagonals. Four independent steps thus stand together.
 */
function schedule(): readonly HalfQuarter[] {
  const steps: HalfQuarter[] = [];
  let order: readonly number[] = Array.from({ length: stateWords }, (_, index) => index);
  for (let round = 0; round < rounds; round += 1) {
    for (const diagonal of [0, 1]) {
      for (const half of ['first', 'second'] as const) {
        for (const column of laneNumbers) {
          const word = order[8 * diagonal + 2 * column + (half === 'first' ? 0 : 1)] ?? 0;
          steps.push({ state: four((row) => 4 * row + ((column + row * diagonal) & 3)), word, half });
        }
      }
    }
    order = messagePermutation.map((from) => order[from] ?? 0);
  }
  return steps;
}

/** A list of locals that may be asked for any index within. */
function localList(table: LocalTable, type: ValueType, length: number): { readonly all: readonly Local[]; readonly at: (index: number) => Local } {
  const all = Array.from({ length }, () => table.declare(type));
  return {
    all,
    at: (index) => {
      const local = all[index];
      if (local === undefined) throw new RangeError(`There are ${length} locals, and number ${index} is not among them.`);
      return local;
    },
  };
}

/**
 * One chunk of 0 to 1,024 bytes, or one parent of 64: writes its chaining value.
 * `firstFlags` and `lastFlags` are added to `flags` for the first and the last block.
 */
export function compress(): FunctionSource {
  const parameters: readonly ValueType[] = Array.from({ length: 8 }, () => 'i32' as const);
  const table = new LocalTable(parameters);
  const [input, lengthBytes, counterLow, counterHigh] = [table.parameter(0), table.parameter(1), table.parameter(2), table.parameter(3)];
  const [flags, firstFlags, lastFlags, output] = [table.parameter(4), table.parameter(5), table.parameter(6), table.parameter(7)];
  const [blockFlags, more] = [table.declare('i32'), table.declare('i32')];
  const [chain, state, message] = [localList(table, 'i32', chainWords), localList(table, 'i32', stateWords), localList(table, 'i32', stateWords)];

  const mix = ({ state: [ia, ib, ic, id], word, half }: HalfQuarter): Code => {
    const [a, b, c, d] = [state.at(ia), state.at(ib), state.at(ic), state.at(id)];
    const [bitsOfD, bitsOfB] = half === 'first' ? [16, 12] : [8, 7];
    return [
      // The message first: the addition of b is the one that the chain waits for.
      ...set(a, add(add(get(a), get(message.at(word))), get(b))),
      ...set(d, rotateRight(xor(get(d), get(a)), i32(bitsOfD))),
      ...set(c, add(get(c), get(d))),
      ...set(b, rotateRight(xor(get(b), get(c)), i32(bitsOfB))),
    ];
  };
  const padLastBlock: Code = [
    ...memoryFill(i32(layout.block), i32(0), i32(blockBytes)),
    ...memoryCopy(i32(layout.block), get(input), get(lengthBytes)),
    ...set(input, i32(layout.block)),
  ];
  const initialState: readonly Code[] = [
    ...chain.all.map((word) => get(word)),
    ...initialWords.map((word) => i32(word)),
    get(counterLow), get(counterHigh), select(get(more), i32(blockBytes), get(lengthBytes)), get(blockFlags),
  ];
  const block: Code = [
    ...set(more, greaterUnsigned(get(lengthBytes), i32(blockBytes))),
    ...when(get(more), [], [
      ...set(blockFlags, or(get(blockFlags), get(lastFlags))),
      ...when(lessUnsigned(get(lengthBytes), i32(blockBytes)), padLastBlock),
    ]),
    ...message.all.flatMap((word, index) => set(word, loadWord(get(input), index * wordBytes))),
    ...initialState.flatMap((value, index) => set(state.at(index), value)),
    ...schedule().flatMap(mix),
    ...chain.all.flatMap((word, index) => set(word, xor(get(state.at(index)), get(state.at(index + chainWords))))),
    ...set(blockFlags, get(flags)),
    ...set(input, add(get(input), i32(blockBytes))),
    ...set(lengthBytes, subtract(get(lengthBytes), i32(blockBytes))),
  ];
  const body: Code = [
    ...chain.all.flatMap((word, index) => set(word, loadWord(i32(layout.key), index * wordBytes))),
    ...set(blockFlags, or(get(flags), get(firstFlags))),
    ...repeatWhile(block, get(more)),
    ...chain.all.flatMap((word, index) => storeWord(get(output), index * wordBytes, get(word))),
  ];
  return { exportName: 'compress', index: compressIndex, parameters, locals: table.types, body };
}

/**
 * Rotations of vectors by whole bytes are one swizzle. Its indexes come from memory, not from constants in the code: V8 would turn a
 * constant into four instructions before every use (measured: 12 % of the speed).
 */
const byteRotation = (bits: number): Code => [0, 4, 8, 12].flatMap((lane) => [0, 1, 2, 3].map((byte) => lane + ((byte + bits / 8) & 3)));
/** Two index vectors, for 16 and for 8 bits, as initial data of the memory. */
export const byteRotations: Code = [...byteRotation(16), ...byteRotation(8)];

/** Rows to columns: word i of the four sources into target i. */
function transpose(sources: Four<Code>, targets: Four<Local>, scratch: Four<Local>): Code {
  const [t0, t1, t2, t3] = targets;
  const [u0, u1, u2, u3] = scratch;
  return [
    ...scratch.flatMap((local, index) => set(local, sources[index] ?? [])),
    ...set(t0, shuffle(get(u0), get(u1), [0, 4, 1, 5])), ...set(t1, shuffle(get(u0), get(u1), [2, 6, 3, 7])),
    ...set(t2, shuffle(get(u2), get(u3), [0, 4, 1, 5])), ...set(t3, shuffle(get(u2), get(u3), [2, 6, 3, 7])),
    ...set(u0, shuffle(get(t0), get(t2), [0, 1, 4, 5])), ...set(u1, shuffle(get(t0), get(t2), [2, 3, 6, 7])),
    ...set(u2, shuffle(get(t1), get(t3), [0, 1, 4, 5])), ...set(u3, shuffle(get(t1), get(t3), [2, 3, 6, 7])),
    ...targets.flatMap((local, index) => set(local, get(scratch[index] ?? local))),
  ];
}

/**
 * Four inputs of `blocks` full blocks each, `strideBytes` apart: writes four chaining values in a row. `counters` is where the low words of
 * the four counters lie; the high words lie `countersHighBytes` behind them.
 */
export function compressFour(): FunctionSource {
  const parameters: readonly ValueType[] = Array.from({ length: 8 }, () => 'i32' as const);
  const table = new LocalTable(parameters);
  const [input, strideBytes, blocks, counters] = [table.parameter(0), table.parameter(1), table.parameter(2), table.parameter(3)];
  const [flags, firstFlags, lastFlags, output] = [table.parameter(4), table.parameter(5), table.parameter(6), table.parameter(7)];
  const [blockFlags, pointers] = [table.declare('i32'), four(() => table.declare('i32'))];
  const vector = (): Local => table.declare('v128');
  const [rotateBy16, rotateBy8, countersLow, countersHigh] = [vector(), vector(), vector(), vector()];
  const [chain, state, message] = [localList(table, 'v128', chainWords), localList(table, 'v128', stateWords), localList(table, 'v128', stateWords)];
  const [scratch, results] = [four(vector), four(vector)];

  const mix = ({ state: [ia, ib, ic, id], word, half }: HalfQuarter): Code => {
    const [a, b, c, d] = [state.at(ia), state.at(ib), state.at(ic), state.at(id)];
    const [rotateD, bitsOfB] = half === 'first' ? [rotateBy16, 12] : [rotateBy8, 7];
    return [
      ...set(a, vectorAdd(vectorAdd(get(a), get(message.at(word))), get(b))),
      ...set(d, swizzle(vectorXor(get(d), get(a)), get(rotateD))),
      ...set(c, vectorAdd(get(c), get(d))),
      ...set(b, vectorXor(get(b), get(c))),
      ...set(b, vectorRotateRight(b, bitsOfB)),
    ];
  };
  const initialState: readonly Code[] = [
    ...chain.all.map((word) => get(word)),
    ...initialWords.map((word) => vectorWords([word, word, word, word])),
    get(countersLow), get(countersHigh), splat(i32(blockBytes)), splat(get(blockFlags)),
  ];
  const block: Code = [
    ...set(blocks, subtract(get(blocks), i32(1))),
    ...set(blockFlags, select(get(blocks), get(blockFlags), or(get(blockFlags), get(lastFlags)))),
    ...laneNumbers.flatMap((part) => transpose(four((lane) => load(get(pointers[lane]), part * vectorSizeBytes)), four((lane) => message.at(4 * part + lane)), scratch)),
    ...initialState.flatMap((value, index) => set(state.at(index), value)),
    ...schedule().flatMap(mix),
    ...chain.all.flatMap((word, index) => set(word, vectorXor(get(state.at(index)), get(state.at(index + chainWords))))),
    ...set(blockFlags, get(flags)),
    ...pointers.flatMap((pointer) => set(pointer, add(get(pointer), i32(blockBytes)))),
  ];
  /** Half of each chaining value: four of the eight words, turned back and stored. */
  const storeHalf = (half: 0 | 1): Code => [
    ...transpose(four((index) => get(chain.at(4 * half + index))), results, scratch),
    ...laneNumbers.flatMap((lane) => store(get(output), lane * hashBytes + half * vectorSizeBytes, get(results[lane]))),
  ];
  const body: Code = [
    ...set(rotateBy16, load(i32(layout.byteRotations))),
    ...set(rotateBy8, load(i32(layout.byteRotations), vectorSizeBytes)),
    ...set(pointers[0], get(input)),
    ...set(pointers[1], add(get(input), get(strideBytes))),
    ...set(pointers[2], add(get(pointers[1]), get(strideBytes))),
    ...set(pointers[3], add(get(pointers[2]), get(strideBytes))),
    ...chain.all.flatMap((word, index) => set(word, splat(loadWord(i32(layout.key), index * wordBytes)))),
    ...set(countersLow, load(get(counters))),
    ...set(countersHigh, load(get(counters), countersHighBytes)),
    ...set(blockFlags, or(get(flags), get(firstFlags))),
    ...repeatWhile(block, get(blocks)),
    ...storeHalf(0),
    ...storeHalf(1),
  ];
  return { index: compressFourIndex, parameters, locals: table.types, body };
}
