/**
 * Fragments that came before what proves them. Each is kept with its leaf's value, so that it is hashed once, in a buffer that is used again;
 * there are only so many buffers, and they are taken as they are first needed.
 */
import { hashBytes } from '../blake3/blake3-layout.ts';

export interface KeptFragment {
  index: number;
  source: number;
  payloadBytes: number;
  readonly payload: Uint8Array;
  /** The leaf's value. */
  readonly value: Uint8Array;
}

export class KeptFragments {
  readonly #maximum: number;
  readonly #payloadMaximumBytes: number;
  readonly #kept = new Map<number, KeptFragment>();
  readonly #free: KeptFragment[] = [];

  constructor(maximum: number, payloadMaximumBytes: number) {
    this.#maximum = maximum;
    this.#payloadMaximumBytes = payloadMaximumBytes;
  }

  get count(): number { return this.#kept.size; }

  has(index: number): boolean { return this.#kept.has(index); }

  /** False when there is no room. Copies. */
  keep(index: number, source: number, payload: Uint8Array, values: Uint8Array, valueOffset: number): boolean {
    if (this.#kept.size >= this.#maximum) return false;
    const slot = this.#free.pop() ?? { index, source, payloadBytes: 0, payload: new Uint8Array(this.#payloadMaximumBytes), value: new Uint8Array(hashBytes) };
    slot.index = index;
    slot.source = source;
    slot.payloadBytes = payload.length;
    slot.payload.set(payload);
    for (let position = 0; position < hashBytes; position += 1) slot.value[position] = values[valueOffset + position] ?? 0;
    this.#kept.set(index, slot);
    return true;
  }

  /** Takes a fragment out; `release` gives its buffer back. */
  take(index: number): KeptFragment | undefined {
    const slot = this.#kept.get(index);
    if (slot !== undefined) this.#kept.delete(index);
    return slot;
  }

  /** Takes out all that one source brought; their leaves, ascending. */
  drop(source: number): readonly number[] {
    const dropped = [...this.#kept.values()].filter((slot) => slot.source === source);
    for (const slot of dropped) {
      this.#kept.delete(slot.index);
      this.#free.push(slot);
    }
    return dropped.map(({ index }) => index).sort((left, right) => left - right);
  }

  release(slot: KeptFragment): void { this.#free.push(slot); }
}
