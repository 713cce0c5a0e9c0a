/**
 * Round trip of one path (RFC 9002 section 5). There is no acknowledgement delay: a response is sent when it is made, and a holder that
 * is slow to make it is slow to whoever waits for it. Samples of fragments that were asked for twice never get here.
 */

/** Until the first sample, in ms (RFC 9002 section 6.2.2, kInitialRtt). */
export const initialRttMs = 333;
/** Below this, timers measure themselves, in ms (RFC 9002 section 6.1.2, kGranularity). */
export const granularityMs = 1;
/** Smallest sample, in ms: loopback under a clock of whole milliseconds shows 0, and rates divide by round trips. */
export const smallestSampleMs = 0.01;
/** Largest sample, in ms: a machine that slept is not a path. */
const largestSampleMs = 60_000;
/** Weights of a new sample (RFC 9002 section 5.3). */
const smoothedGain = 1 / 8;
const variationGain = 1 / 4;
/** Of the variation in a probe timeout (RFC 9002 section 6.2.1). */
const variationFactor = 4;

export class RttEstimator {
  #latestMs: number;
  #smoothedMs: number;
  #variationMs: number;
  /** Infinite: the next sample is the minimum. */
  #minimumMs = Infinity;
  #forgotten = false;
  #firstSampleAtMs: number | undefined;

  /** `guessMs`: what the session's echoes say, in place of the initial value. */
  constructor(guessMs: number | undefined) {
    const guess = guessMs !== undefined && Number.isFinite(guessMs) ? Math.min(Math.max(guessMs, smallestSampleMs), largestSampleMs) : initialRttMs;
    this.#latestMs = guess;
    this.#smoothedMs = guess;
    this.#variationMs = guess / 2;
  }

  get sampled(): boolean { return this.#firstSampleAtMs !== undefined; }
  /** What was asked before tells nothing about persistent congestion (RFC 9002 section 7.6.2). */
  get firstSampleAtMs(): number | undefined { return this.#firstSampleAtMs; }
  get latestMs(): number { return this.#latestMs; }
  get smoothedMs(): number { return this.#smoothedMs; }
  get variationMs(): number { return this.#variationMs; }
  /** The smoothed value while there is none. */
  get minimumMs(): number { return this.#minimumMs === Infinity ? this.#smoothedMs : this.#minimumMs; }
  /** Without backoff (RFC 9002 section 6.2.1). */
  get probeTimeoutMs(): number { return this.#smoothedMs + Math.max(variationFactor * this.#variationMs, granularityMs); }

  /** False when the sample is none: time that stood still is taken, time that ran backwards is not. */
  update(sampleMs: number, nowMs: number): boolean {
    if (!(sampleMs >= 0)) return false;
    const sample = Math.min(Math.max(sampleMs, smallestSampleMs), largestSampleMs);
    this.#latestMs = sample;
    this.#minimumMs = this.#forgotten ? sample : Math.min(this.#minimumMs, sample);
    this.#forgotten = false;
    if (this.#firstSampleAtMs === undefined) {
      this.#firstSampleAtMs = nowMs;
      this.#smoothedMs = sample;
      this.#variationMs = sample / 2;
      return true;
    }
    this.#variationMs += variationGain * (Math.abs(this.#smoothedMs - sample) - this.#variationMs);
    this.#smoothedMs += smoothedGain * (sample - this.#smoothedMs);
    return true;
  }

  /**
   * After persistent congestion the path may be another one (RFC 9002 section 5.2): the next sample takes its place. Until then it is a better guess than the smoothed value, in
   * which there is the own queue: rates are measured over no less than it, and what is asked for again gives no sample.
   */
  forgetMinimum(): void { this.#forgotten = true; }
}
