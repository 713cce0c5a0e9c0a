/**
 * Seeded randomness: xoshiro128** (Blackman and Vigna), seeded by text. Every part of the world draws from a stream of its own, so that one
 * more draw in one place does not change all others.
 */
import type { RandomBytes } from '../src/main/engine/crypto.ts';

const twoToThe32 = 0x1_0000_0000;

/** xmur3: spreads text over 32-bit words. */
function wordsOf(text: string): () => number {
  let state = 1_779_033_703 ^ text.length;
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 3_432_918_353);
    state = (state << 13) | (state >>> 19);
  }
  return () => {
    state = Math.imul(state ^ (state >>> 16), 2_246_822_507);
    state = Math.imul(state ^ (state >>> 13), 3_266_489_909);
    state ^= state >>> 16;
    return state >>> 0;
  };
}

export class SeededRandom {
  readonly #name: string;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(name: string) {
    this.#name = name;
    const next = wordsOf(name);
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
    for (let round = 0; round < 12; round += 1) this.u32();
  }

  /** An independent stream; the same name always gives the same one. */
  fork(name: string): SeededRandom { return new SeededRandom(`${this.#name}/${name}`); }

  u32(): number {
    const multiplied = Math.imul(this.#b, 5);
    const result = Math.imul((multiplied << 7) | (multiplied >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Uniform in [0, 1). */
  fraction(): number { return this.u32() / twoToThe32; }

  /** Uniform in [low, high). */
  between(low: number, high: number): number { return low + this.fraction() * (high - low); }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number { return low + Math.floor(this.fraction() * (high - low + 1)); }

  chance(probability: number): boolean { return this.fraction() < probability; }

  pick<Item>(items: readonly Item[]): Item | undefined { return items[Math.floor(this.fraction() * items.length)]; }

  /** Spread over orders of magnitude: short times are as likely as long ones. */
  logarithmic(low: number, high: number): number { return Math.exp(this.between(Math.log(low), Math.log(high))); }

  shuffled<Item>(items: readonly Item[]): Item[] {
    return items.map((item) => ({ item, key: this.u32() })).sort((left, right) => left.key - right.key).map(({ item }) => item);
  }

  readonly bytes: RandomBytes = (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    for (let index = 0; index < sizeBytes; index += 4) {
      const word = this.u32();
      bytes[index] = word;
      if (index + 1 < sizeBytes) bytes[index + 1] = word >>> 8;
      if (index + 2 < sizeBytes) bytes[index + 2] = word >>> 16;
      if (index + 3 < sizeBytes) bytes[index + 3] = word >>> 24;
    }
    return bytes;
  };
}
