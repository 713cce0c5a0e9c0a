/** A rate with a burst, in two numbers. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #lastMs: number | undefined = undefined;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Monotonic milliseconds. False when the rate is used up. */
  take(nowMs: number): boolean {
    const sinceMs = nowMs - (this.#lastMs ?? nowMs);
    if (sinceMs >= 0) {
      this.#tokens = Math.min(this.#burst, this.#tokens + sinceMs * this.#perSecond / 1_000);
      this.#lastMs = nowMs;
    }
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
