/**
 * Which counters of one receiving key have been seen: a sliding bitmap of 2,048 (RFC 6479 in effect, without its spare words). Counters
 * are numbers below 2^53. Asking and marking are apart, because a counter is only marked once its packet has proved authentic.
 */
import { replayWindowPackets } from './constants.ts';

export class ReplayWindow {
  readonly #bits = new Uint32Array(replayWindowPackets / 32);
  #highest = -1;

  /** -1 before the first packet. */
  get highest(): number { return this.#highest; }

  isFresh(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (counter <= this.#highest - replayWindowPackets) return false;
    const slot = counter % replayWindowPackets;
    return ((this.#bits[slot >>> 5] ?? 0) & (1 << (slot & 31))) === 0;
  }

  mark(counter: number): void {
    if (counter > this.#highest) {
      const step = counter - this.#highest;
      if (step >= replayWindowPackets) this.#bits.fill(0);
      else for (let skipped = this.#highest + 1; skipped < counter; skipped += 1) this.#clear(skipped % replayWindowPackets);
      this.#highest = counter;
    }
    const slot = counter % replayWindowPackets;
    this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] ?? 0) | (1 << (slot & 31));
  }

  #clear(slot: number): void {
    this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
  }
}
