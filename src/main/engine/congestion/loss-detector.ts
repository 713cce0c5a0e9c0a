/**
 * Which requests count as lost (RFC 9002 section 6). A response is the acknowledgement: a request is lost when one with a number at
 * least three higher was answered, or when a later one was answered and 9/8 of a round trip have passed.
 *
 * Both thresholds give way when they prove wrong (section 6.1 allows it, RFC 8985 section 6.2 does it): a lost one that comes after all shows
 * by how many numbers, and by how much time, this path reorders. Different transfers may be served from memory and from disk, so that is common here.
 */
import type { Flight } from './flight.ts';
import type { RttEstimator } from './rtt-estimator.ts';

/** Numbers (RFC 9002 section 6.1.1, kPacketThreshold), and the most it learns (Linux tcp_max_reordering). */
export const packetThresholdInitial = 3;
export const packetThresholdMaximum = 300;
/** Of a round trip (RFC 9002 section 6.1.2, kTimeThreshold), and the most it learns (RFC 8985 section 6.2: a window of one round trip). */
export const timeThresholdInitial = 9 / 8;
export const timeThresholdMaximum = 2;
/** Shortest wait, in ms (RFC 9002 section 6.1.2 recommends 1): either program may be collecting garbage, and what it delays is not lost. */
const silenceMinimumMs = 5;
/** Each proof that the time was too short adds a quarter (RFC 8985 section 6.2, step 4). */
const timeThresholdStep = 1 / 4;
/** Probe timeouts without anything coming through (RFC 9002 section 7.6.1, kPersistentCongestionThreshold). */
export const persistentCongestionFactor = 3;

export class LossDetector<Transfer> {
  readonly #flight: Flight<Transfer>;
  readonly #rtt: RttEstimator;
  #largestArrived = -1;
  #packetThreshold = packetThresholdInitial;
  #timeThreshold = timeThresholdInitial;
  #dueAtMs: number | undefined;

  constructor(flight: Flight<Transfer>, rtt: RttEstimator) {
    this.#flight = flight;
    this.#rtt = rtt;
  }

  get largestArrived(): number { return this.#largestArrived; }
  get packetThreshold(): number { return this.#packetThreshold; }
  get timeThreshold(): number { return this.#timeThreshold; }
  /** When the next request counts as lost by time alone; undefined when none is before the newest answered one. */
  get dueAtMs(): number | undefined { return this.#dueAtMs; }

  /** True when it is the newest so far. */
  arrived(number: number): boolean {
    if (number <= this.#largestArrived) return false;
    this.#largestArrived = number;
    return true;
  }

  /** Adds the numbers that are lost now to `lost`, oldest first, and leaves their state to the caller. */
  detect(nowMs: number, lost: number[]): void {
    this.#dueAtMs = undefined;
    const delayMs = Math.max(this.#timeThreshold * Math.max(this.#rtt.latestMs, this.#rtt.smoothedMs), silenceMinimumMs);
    for (let number = this.#flight.oldestFlying; number < this.#largestArrived; number += 1) {
      if (this.#flight.state(number) !== 'flying') continue;
      const lateAtMs = this.#flight.askedAtMs(number) + delayMs;
      if (number <= this.#largestArrived - this.#packetThreshold || lateAtMs <= nowMs) lost.push(number);
      // Numbers are in the order of time: the first that is not late is the next to be.
      else { this.#dueAtMs = lateAtMs; break; }
    }
  }

  /** Counted as lost, and came after all. */
  learnReordering(number: number, nowMs: number): void {
    const distance = this.#largestArrived - number;
    if (distance >= this.#packetThreshold) this.#packetThreshold = Math.min(distance + 1, packetThresholdMaximum);
    const tookMs = nowMs - this.#flight.askedAtMs(number);
    if (tookMs > this.#timeThreshold * this.#rtt.smoothedMs) this.#timeThreshold = Math.min(this.#timeThreshold + timeThresholdStep, timeThresholdMaximum);
  }

  /**
   * Whether everything was lost from one request to another for several probe timeouts (RFC 9002 section 7.6.2). To be asked with numbers
   * just counted as lost, oldest first; what was lost before and touches them counts along.
   */
  isPersistent(lost: readonly number[]): boolean {
    const sinceMs = this.#rtt.firstSampleAtMs;
    const oldest = lost[0];
    const newest = lost.at(-1);
    if (sinceMs === undefined || oldest === undefined || newest === undefined) return false;
    const durationMs = this.#rtt.probeTimeoutMs * persistentCongestionFactor;
    let start = oldest;
    while (start > this.#flight.firstRemembered && this.#flight.state(start - 1) !== 'arrived') start -= 1;
    let firstLostAtMs: number | undefined;
    for (let number = start; number <= newest; number += 1) {
      const state = this.#flight.state(number);
      const askedAtMs = this.#flight.askedAtMs(number);
      if (state === 'arrived') firstLostAtMs = undefined;
      else if (state === 'lost' && askedAtMs > sinceMs) {
        firstLostAtMs ??= askedAtMs;
        if (askedAtMs - firstLostAtMs > durationMs) return true;
      }
    }
    return false;
  }

  /** The path may be another one: what it was like is forgotten. */
  forgetReordering(): void {
    this.#packetThreshold = packetThresholdInitial;
    this.#timeThreshold = timeThresholdInitial;
  }
}
