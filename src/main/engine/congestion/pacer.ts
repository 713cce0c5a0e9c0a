/**
 * Spreads requests over the round trip (RFC 9002 section 7.7): a token bucket filled at the rate the window allows. What is asked for at
 * once comes back at once, and stands in the narrowest queue of the path before everybody else's packets.
 */
import { initialWindowDatagrams } from './limits.ts';
import { smallestSampleMs } from './rtt-estimator.ts';

/** Faster than window by round trip, so that the window and not the pacer decides (RFC 9002 section 7.7, N = 1.25). */
export const pacingGain = 1.25;
/** While the window doubles each round trip, asking must be able to follow (Linux tcp_pacing_ss_ratio, 200 %). */
export const startingPacingGain = 2;
/** At once at most, in datagrams (RFC 9002 section 7.7: the initial window) ... */
const burstDatagrams = initialWindowDatagrams;
/** ... or so many ms of the rate where that is more: timers fire on whole milliseconds ... */
const burstMs = 2;
/**
 * ... and late, on a busy machine by many: what a late wake-up could have asked for in the meantime is not lost, or the link would stand empty for as long. It
 * goes out at once then, so that there is a bound: the queue that it makes at the bottleneck is as long.
 */
const latenessMaximumMs = 20;
/** Lateness is forgotten by so much with each wake-up that is in time. */
const latenessDecay = 1 / 8;

export class Pacer {
  #tokensBytes = 0;
  #burstBytes = 0;
  #rateBytesPerMs = 0;
  #filledAtMs: number | undefined;
  #awaitedMs: number | undefined;
  #latenessMs = 0;

  /** Rounded up: a wait for a fraction of a byte could be shorter than what the clock can show. */
  get availableBytes(): number { return Math.ceil(this.#tokensBytes); }

  /** To be called before the other methods, with the controller's present numbers. */
  fill(nowMs: number, rateBytesPerMs: number, datagramBytes: number): void {
    this.#rateBytesPerMs = rateBytesPerMs;
    if (this.#awaitedMs !== undefined && nowMs >= this.#awaitedMs) this.#noteLateness(nowMs - this.#awaitedMs);
    this.#burstBytes = Math.max(burstDatagrams * datagramBytes, rateBytesPerMs * (burstMs + this.#latenessMs));
    this.#tokensBytes = this.#filledAtMs === undefined ? this.#burstBytes : Math.min(this.#burstBytes, this.#tokensBytes + rateBytesPerMs * Math.max(0, nowMs - this.#filledAtMs));
    this.#filledAtMs = nowMs;
  }

  /** May go into debt, by a burst at most: what is urgent is asked for without waiting and paid by bulk. */
  take(bytes: number): void { this.#tokensBytes = Math.max(-this.#burstBytes, this.#tokensBytes - bytes); }

  /** Somebody wants to be woken then, because nothing but the pace holds them back; undefined: nobody does. */
  awaitedAt(atMs: number | undefined): void { this.#awaitedMs = atMs; }

  /** When so much can be asked for; no more than a burst. */
  readyAtMs(bytes: number, nowMs: number): number {
    const missing = Math.min(bytes, this.#burstBytes) - this.#tokensBytes;
    return missing <= 0 ? nowMs : nowMs + missing / this.#rateBytesPerMs;
  }

  #noteLateness(lateMs: number): void {
    const bounded = Math.min(lateMs, latenessMaximumMs);
    this.#latenessMs = Math.max(bounded, this.#latenessMs + (bounded - this.#latenessMs) * latenessDecay);
    this.#awaitedMs = undefined;
  }
}

/** Bytes per ms for a window that is asked for once a round trip. */
export function pacingRate(windowBytes: number, smoothedRttMs: number, startingUp: boolean): number {
  return (startingUp ? startingPacingGain : pacingGain) * windowBytes / Math.max(smoothedRttMs, smallestSampleMs);
}
