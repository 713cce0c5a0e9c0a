/**
 * Writes WebAssembly modules byte by byte: just the instructions that the BLAKE3 program needs, as functions that return code.
 *
 * An expression is the code that leaves one value on the stack; a statement leaves none. Both are plain byte lists, so a program is built
 * by calling functions and joining lists, and unrolled rounds are ordinary loops in TypeScript. The output depends on nothing but the calls.
 * Encodings: WebAssembly Core Specification 2.0, chapter 5 (binary format).
 */
export type Code = readonly number[];
export type ValueType = 'i32' | 'v128';

/** A local variable or parameter of the function under construction. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

export interface FunctionSource {
  /** Exported under this name when given. */
  readonly exportName?: string;
  readonly index: number;
  readonly parameters: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

const valueTypeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, v128: 0x7b };
const emptyBlockType = 0x40;
const functionForm = 0x60;
const section = { type: 1, function: 3, memory: 5, export: 7, code: 10, data: 11 } as const;
const exportKind = { function: 0, memory: 2 } as const;
const bitsPerWord = 32;

export function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

export function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const finished = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(finished ? low : low | 0x80);
    if (finished) return bytes;
  }
}

/** The locals of one function, in the order of their declaration after the parameters. */
export class LocalTable {
  readonly #parameters: readonly ValueType[];
  readonly #locals: ValueType[] = [];

  constructor(parameters: readonly ValueType[]) {
    this.#parameters = parameters;
  }

  parameter(index: number): Local {
    return { index, type: this.#parameters[index] ?? 'i32' };
  }

  declare(type: ValueType): Local {
    this.#locals.push(type);
    return { index: this.#parameters.length + this.#locals.length - 1, type };
  }

  get types(): readonly ValueType[] {
    return this.#locals;
  }
}

// Variables and control.
export const get = (local: Local): Code => [0x20, ...unsigned(local.index)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local.index)];
export const call = (functionIndex: number, ...values: readonly Code[]): Code => [...values.flat(), 0x10, ...unsigned(functionIndex)];
export const when = (condition: Code, then: Code, otherwise: Code = []): Code =>
  [...condition, 0x04, emptyBlockType, ...then, ...(otherwise.length > 0 ? [0x05, ...otherwise] : []), 0x0b];
/** Repeats the body while the condition, evaluated after it, holds: the body runs at least once. */
export const repeatWhile = (body: Code, condition: Code): Code => [0x03, emptyBlockType, ...body, ...condition, 0x0d, 0, 0x0b];
export const loopWhile = (condition: Code, body: Code): Code => when(condition, repeatWhile(body, condition));

// 32-bit integers. An access states an alignment of one byte: inputs lie anywhere.
export const i32 = (value: number): Code => [0x41, ...signed(value)];
const binary = (opcode: number) => (left: Code, right: Code): Code => [...left, ...right, opcode];
export const lessUnsigned = binary(0x49);
export const greaterUnsigned = binary(0x4b);
export const greaterOrEqualUnsigned = binary(0x4f);
export const add = binary(0x6a);
export const subtract = binary(0x6b);
export const and = binary(0x71);
export const or = binary(0x72);
export const xor = binary(0x73);
export const shiftLeft = binary(0x74);
export const shiftRight = binary(0x76);
export const rotateRight = binary(0x78);
const memoryArgument = (offset: number): Code => [0, ...unsigned(offset)];
export const loadWord = (address: Code, offset: number): Code => [...address, 0x28, ...memoryArgument(offset)];
export const storeWord = (address: Code, offset: number, value: Code): Code => [...address, ...value, 0x36, ...memoryArgument(offset)];
/** `condition ? left : right`, both evaluated. */
export const select = (condition: Code, left: Code, right: Code): Code => [...left, ...right, ...condition, 0x1b];
export const memoryCopy = (to: Code, from: Code, sizeBytes: Code): Code => [...to, ...from, ...sizeBytes, 0xfc, 10, 0, 0];
export const memoryFill = (to: Code, value: Code, sizeBytes: Code): Code => [...to, ...value, ...sizeBytes, 0xfc, 11, 0];

// 128-bit vectors.
const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const vectorBinary = (opcode: number) => (left: Code, right: Code): Code => [...left, ...right, ...vector(opcode)];
export const load = (address: Code, offset = 0): Code => [...address, ...vector(0), ...memoryArgument(offset)];
export const store = (address: Code, offset: number, value: Code): Code => [...address, ...value, ...vector(11), ...memoryArgument(offset)];
/** A constant of four 32-bit lanes. */
export const vectorWords = (words: readonly number[]): Code => [...vector(12), ...words.flatMap((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24])];
export const splat = (value: Code): Code => [...value, ...vector(17)];
export const vectorAdd = vectorBinary(174);
export const vectorSubtract = vectorBinary(177);
export const vectorLessUnsigned = vectorBinary(58);
export const vectorOr = vectorBinary(80);
export const vectorXor = vectorBinary(81);
/** Byte i of the result is the byte of `value` that byte i of `indexes` names. */
export const swizzle = vectorBinary(14);
const vectorShiftLeft = (value: Code, bits: number): Code => [...value, ...i32(bits), ...vector(171)];
const vectorShiftRight = (value: Code, bits: number): Code => [...value, ...i32(bits), ...vector(173)];

/** Four 32-bit lanes chosen from left (0..3) and right (4..7). */
export const shuffle = (left: Code, right: Code, lanes: readonly [number, number, number, number]): Code =>
  [...left, ...right, ...vector(13), ...lanes.flatMap((lane) => [lane * 4, lane * 4 + 1, lane * 4 + 2, lane * 4 + 3])];

/** Rotates each 32-bit lane of a local to the right. */
export const vectorRotateRight = (local: Local, bits: number): Code =>
  vectorOr(vectorShiftRight(get(local), bits), vectorShiftLeft(get(local), bitsPerWord - bits));

const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const sized = (content: Code): Code => [...unsigned(content.length), ...content];
const name = (text: string): Code => sized([...new TextEncoder().encode(text)]);

/** Bytes that the memory holds from the start. */
export interface InitialData {
  readonly offset: number;
  readonly bytes: Code;
}

/** A module of functions without results and one memory of a fixed number of 64 KiB pages, exported as `memory`. */
export function assemble(functions: readonly FunctionSource[], memoryPages: number, data: readonly InitialData[]): Uint8Array<ArrayBuffer> {
  const part = (id: number, content: Code): Code => [id, ...sized(content)];
  const exported = functions.flatMap(({ exportName, index }) => (exportName === undefined ? [] : [[...name(exportName), exportKind.function, ...unsigned(index)]]));
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...part(section.type, list(functions.map(({ parameters }) => [functionForm, ...list(parameters.map((type) => [valueTypeCodes[type]])), 0]))),
    ...part(section.function, list(functions.map(({ index }) => unsigned(index)))),
    ...part(section.memory, list([[1, ...unsigned(memoryPages), ...unsigned(memoryPages)]])),
    ...part(section.export, list([[...name('memory'), exportKind.memory, 0], ...exported])),
    ...part(section.code, list(functions.map(({ locals, body }) => sized([...list(locals.map((type) => [1, valueTypeCodes[type]])), ...body, 0x0b])))),
    ...part(section.data, list(data.map(({ offset, bytes }) => [0, ...i32(offset), 0x0b, ...sized(bytes)]))),
  ]);
}
