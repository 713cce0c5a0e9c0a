/**
 * HyStart++ (RFC 9406): leaves slow start when round trips grow, before the queue overflows. A growth that goes away again was jitter:
 * conservative slow start waits some rounds for that, growing slowly meanwhile. Requests are paced, so growth per response is not limited (section 4.3, L).
 *
 * The RFC compares the minima of whole rounds. The first responses of a round, asked for at a pace, find the queue empty and hide what the rest of it meets until the window has doubled once more;
 * so here each eight samples in a row are compared with the last round's minimum, and the baseline to fall below is the threshold that was passed.
 */
import type { Arrival } from './types.ts';

/** Bounds of the growth that counts, in ms, and its share of the last round's minimum (RFC 9406 section 4.3). */
export const rttThresholdMinimumMs = 4;
export const rttThresholdMaximumMs = 16;
const rttDivisor = 8;
/** Samples that are judged together (section 4.3, N_RTT_SAMPLE). */
export const samplesToJudge = 8;
/** Conservative slow start grows by this fraction, for so many rounds (section 4.3, CSS_GROWTH_DIVISOR and CSS_ROUNDS). */
const conservativeDivisor = 4;
export const conservativeRounds = 5;

export class HyStart {
  #roundEnd = 0;
  #lastRoundMs = Infinity;
  #thisRoundMs = Infinity;
  /** Smallest of the samples not judged yet, and their number. */
  #latelyMs = Infinity;
  #samples = 0;
  #conservative: { readonly baselineMs: number; rounds: number } | undefined;
  #done = false;

  /** Slow start has gone on long enough. */
  get done(): boolean { return this.#done; }
  get conservative(): boolean { return this.#conservative !== undefined; }

  growth(bytes: number): number { return this.#conservative === undefined ? bytes : bytes / conservativeDivisor; }

  handleArrival(arrival: Arrival): void {
    if (this.#done) return;
    if (arrival.number >= this.#roundEnd) this.#startRound(arrival.nextNumber);
    if (arrival.rttMs === undefined) return;
    this.#thisRoundMs = Math.min(this.#thisRoundMs, arrival.rttMs);
    this.#latelyMs = Math.min(this.#latelyMs, arrival.rttMs);
    this.#samples += 1;
    if (this.#samples < samplesToJudge) return;
    this.#judge(this.#latelyMs);
    this.#latelyMs = Infinity;
    this.#samples = 0;
  }

  #judge(latelyMs: number): void {
    if (this.#conservative !== undefined) {
      // Section 4.2: below the baseline again, so the growth was none.
      if (latelyMs < this.#conservative.baselineMs) this.#conservative = undefined;
    } else if (this.#lastRoundMs !== Infinity) {
      const thresholdMs = Math.max(rttThresholdMinimumMs, Math.min(this.#lastRoundMs / rttDivisor, rttThresholdMaximumMs));
      if (latelyMs >= this.#lastRoundMs + thresholdMs) this.#conservative = { baselineMs: this.#lastRoundMs + thresholdMs, rounds: 0 };
    }
  }

  #startRound(nextNumber: number): void {
    this.#roundEnd = nextNumber;
    if (this.#thisRoundMs !== Infinity) this.#lastRoundMs = this.#thisRoundMs;
    this.#thisRoundMs = Infinity;
    if (this.#conservative === undefined) return;
    this.#conservative.rounds += 1;
    if (this.#conservative.rounds > conservativeRounds) this.#done = true;
  }
}
