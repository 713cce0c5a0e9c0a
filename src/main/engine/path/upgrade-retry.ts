/** When to look for a direct path again while a peer is reached by a relay alone (notes on peers, section 2): seldomer and seldomer, and at once in a new network. */
import type { RandomBytes } from '../crypto.ts';
import { randomFraction } from '../random.ts';

/** From the end of one attempt to the beginning of the next; the last holds for all that follow. */
export const retryGapsMs: readonly number[] = [5_000, 10_000, 20_000, 40_000, 60_000];
/** Of a gap, to either side: peers that lost their paths together do not come back together. */
export const retrySpread = 0.2;
/** A new network is looked at within this time; not at the same instant for every peer. */
export const networkChangeSpreadMs = 250;

export class UpgradeRetry {
  readonly #random: RandomBytes;
  #failures = 0;
  #dueMs: number | undefined;

  constructor(random: RandomBytes) { this.#random = random; }

  /** An attempt ended without an answer, or the direct path that there was is gone: the next one has a time. */
  failed(nowMs: number): void {
    const gapMs = retryGapsMs[Math.min(this.#failures, retryGapsMs.length - 1)] ?? 0;
    this.#failures += 1;
    this.#dueMs = nowMs + Math.round(gapMs * (1 - retrySpread + 2 * retrySpread * randomFraction(this.#random)));
  }

  /** What failed before says nothing about this network. Call it while the peer is reached by a relay alone. */
  networkChanged(nowMs: number): void {
    this.#failures = 0;
    this.#dueMs = nowMs + Math.floor(networkChangeSpreadMs * randomFraction(this.#random));
  }

  /** There is a direct path, or no session: nothing is tried, and the gaps begin anew. */
  stop(): void {
    this.#failures = 0;
    this.#dueMs = undefined;
  }

  /** Once per attempt: whether it is to begin now. `failed` sets the next. */
  takeDue(nowMs: number): boolean {
    if (this.#dueMs === undefined || nowMs < this.#dueMs) return false;
    this.#dueMs = undefined;
    return true;
  }

  pollTimeout(): number | undefined { return this.#dueMs; }
}
