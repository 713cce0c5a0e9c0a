/** How far a transfer is, as it was shown, and whether it ever fell back: what was verified and stored must not be fetched again. */

export interface Fall { readonly fromBytes: number; readonly toBytes: number }

export class Progress {
  #mostBytes = 0;
  #lastBytes = 0;
  #firstMs: number | undefined;
  #lastMs = 0;
  /** Each time that less was shown than before. */
  readonly falls: Fall[] = [];

  get bytes(): number { return this.#lastBytes; }
  get mostBytes(): number { return this.#mostBytes; }
  /** From the first byte shown to the last. */
  get seconds(): number { return (this.#lastMs - (this.#firstMs ?? this.#lastMs)) / 1_000; }

  note(bytes: number, nowMs: number): void {
    if (bytes > 0) this.#firstMs ??= nowMs;
    if (bytes < this.#lastBytes) this.falls.push({ fromBytes: this.#lastBytes, toBytes: bytes });
    if (bytes !== this.#lastBytes) this.#lastMs = nowMs;
    this.#lastBytes = bytes;
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
  }

  /** The deepest fall, in bytes. */
  get deepestBytes(): number { return this.falls.reduce((deepest, { fromBytes, toBytes }) => Math.max(deepest, fromBytes - toBytes), 0); }
}
