/** Which counters were received: a bitmap over the newest 2,048, so that paths of different speed may mix (architecture 4; RFC 6479). */
const windowPackets = 2_048;
/** One word more than the window: the word being entered must not share a slot with the oldest that still counts (RFC 6479). */
const words = windowPackets / 32 + 1;

export class ReplayWindow {
  readonly #bits = new Uint32Array(words);
  #highest = -1;

  get highest(): number { return this.#highest; }

  /** Before decryption: worth trying? */
  isFresh(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (counter <= this.#highest - windowPackets) return false;
    return ((this.#bits[Math.floor(counter / 32) % words] ?? 0) & (1 << (counter % 32))) === 0;
  }

  /** After the packet proved authentic. */
  accept(counter: number): void {
    if (counter > this.#highest) {
      const firstWord = Math.floor(this.#highest / 32) + 1;
      const lastWord = Math.floor(counter / 32);
      for (let word = Math.max(firstWord, lastWord - words + 1); word <= lastWord; word += 1) this.#bits[word % words] = 0;
      this.#highest = counter;
    }
    const index = Math.floor(counter / 32) % words;
    this.#bits[index] = ((this.#bits[index] ?? 0) | (1 << (counter % 32))) >>> 0;
  }
}
