/**
 * CUBIC (RFC 9438) with HyStart++ for the first slow start. The window is counted in bytes and the formulas in datagrams, as the RFC writes them.
 *
 * Beside the RFC, the window never exceeds what the measured receive rate can make use of, and decays while the path is idle: a window that was
 * not filled for a while says nothing about the path of today (RFC 7661 section 4).
 */
import { HyStart } from './hystart.ts';
import { boundedWindowBytes, checkedDatagramBytes, initialWindowDatagrams, maximumWindowBytes } from './limits.ts';
import { WindowedMaximum } from './rate-sampler.ts';
import type { Arrival, CongestionController, Loss } from './types.ts';

/** Steepness, in datagrams per second cubed (RFC 9438 section 5.1, C). */
const steepness = 0.4;
/** What is kept of the window after a congestion event (section 4.6, beta). */
export const keptShare = 0.7;
/** Growth in datagrams per round trip that equals Reno's with this `keptShare` (section 4.3, alpha). */
const renoGrowth = 3 * (1 - keptShare) / (1 + keptShare);
/** The window at most grows by half a round trip (section 4.2, target). */
const targetFactor = 1.5;
/** Of what came in a round trip at the best rate lately: slow start doubles each round, and samples lag behind by up to half of one. */
export const rateCapFactor = 3;
/** Rounds that "lately" is: as long as BBR's filter (draft-ietf-ccwg-bbr section 2.10). */
const rateRounds = 10;
/** Of the window that was in use, kept as the threshold when an idle path starts again (RFC 7661 section 4.4.2, RFC 2861 section 2). */
const idleThresholdShare = 3 / 4;
const msPerSecond = 1_000;

interface Saved {
  readonly windowBytes: number;
  readonly thresholdBytes: number;
  readonly maximumBytes: number;
  readonly priorBytes: number;
}

/** The curve between two congestion events. */
interface Epoch { startedMs: number; readonly originDatagrams: number; readonly untilOriginS: number; estimateBytes: number }

export class Cubic implements CongestionController {
  readonly name = 'cubic';
  readonly pacingRateBytesPerMs = undefined;
  readonly #hystart = new HyStart();
  readonly #rate = new WindowedMaximum(rateRounds);
  #datagramBytes: number;
  #windowBytes: number;
  #thresholdBytes = Infinity;
  /** Window before the last reduction, lowered by fast convergence (W_max), and as it was (cwnd_prior). */
  #maximumBytes = 0;
  #priorBytes = 0;
  #epoch: Epoch | undefined;
  #saved: Saved | undefined;
  #round = 0;
  #roundEnd = 0;
  #lastArrivalMs = 0;
  #firstSlowStart = true;

  constructor(datagramBytes: number) {
    this.#datagramBytes = checkedDatagramBytes(datagramBytes);
    this.#windowBytes = initialWindowDatagrams * datagramBytes;
  }

  get windowBytes(): number { return this.#windowBytes; }
  get startingUp(): boolean { return this.#windowBytes < this.#thresholdBytes; }
  get thresholdBytes(): number { return this.#thresholdBytes; }

  handleArrival(arrival: Arrival): void {
    const sinceMs = arrival.nowMs - this.#lastArrivalMs;
    this.#lastArrivalMs = arrival.nowMs;
    this.#measure(arrival);
    if (arrival.inRecovery) return;
    if (this.startingUp && this.#firstSlowStart) this.#hystart.handleArrival(arrival);
    const capBytes = this.#capBytes(arrival.smoothedRttMs);
    if (!arrival.windowLimited || this.#windowBytes >= capBytes) {
      // Time in which the window was not the limit is no part of the curve (RFC 9438 section 5.8).
      if (this.#epoch !== undefined) this.#epoch.startedMs += sinceMs;
      return;
    }
    const grown = this.startingUp ? this.#slowStart(arrival) : this.#avoidance(arrival);
    this.#windowBytes = boundedWindowBytes(Math.min(grown, capBytes), this.#datagramBytes);
  }

  handleLoss(loss: Loss): void {
    if (loss.newEvent) this.#reduce();
    if (!loss.persistent) return;
    // RFC 9002 section 7.6.2. The threshold stays: slow start takes it back to where the path was half full.
    this.#windowBytes = boundedWindowBytes(0, this.#datagramBytes);
    this.#epoch = undefined;
    this.#rate.reset();
  }

  undo(): void {
    if (this.#saved === undefined) return;
    this.#windowBytes = boundedWindowBytes(Math.max(this.#windowBytes, this.#saved.windowBytes), this.#datagramBytes);
    this.#thresholdBytes = this.#saved.thresholdBytes;
    this.#maximumBytes = this.#saved.maximumBytes;
    this.#priorBytes = this.#saved.priorBytes;
    this.#epoch = undefined;
    this.#saved = undefined;
  }

  /** Half for each probe timeout, but not below the initial window: what was learnt of the path ages (RFC 2861 section 2, RFC 7661 section 4.4.2). */
  handleIdle(idleMs: number, probeTimeoutMs: number): void {
    const initialBytes = initialWindowDatagrams * this.#datagramBytes;
    if (!(idleMs > probeTimeoutMs) || this.#windowBytes <= initialBytes) return;
    if (this.#thresholdBytes !== Infinity) this.#thresholdBytes = Math.max(this.#thresholdBytes, this.#windowBytes * idleThresholdShare);
    this.#windowBytes = boundedWindowBytes(Math.max(initialBytes, this.#windowBytes / 2 ** Math.floor(idleMs / probeTimeoutMs)), this.#datagramBytes);
    this.#epoch = undefined;
  }

  /** The window in bytes stays: it is what the path holds. */
  setDatagramBytes(datagramBytes: number): void {
    this.#datagramBytes = checkedDatagramBytes(datagramBytes);
    this.#windowBytes = boundedWindowBytes(this.#windowBytes, datagramBytes);
    this.#epoch = undefined;
  }

  #measure(arrival: Arrival): void {
    if (arrival.number >= this.#roundEnd) {
      this.#round += 1;
      this.#roundEnd = arrival.nextNumber;
    }
    if (arrival.rateBytesPerMs !== undefined) this.#rate.update(arrival.rateBytesPerMs, this.#round);
  }

  #capBytes(smoothedRttMs: number): number {
    const useful = this.#rate.value * smoothedRttMs * rateCapFactor;
    return this.#rate.value > 0 ? Math.max(useful, initialWindowDatagrams * this.#datagramBytes) : maximumWindowBytes;
  }

  #slowStart(arrival: Arrival): number {
    const growth = this.#firstSlowStart ? this.#hystart.growth(arrival.bytes) : arrival.bytes;
    if (this.#firstSlowStart && this.#hystart.done) {
      this.#firstSlowStart = false;
      this.#thresholdBytes = this.#windowBytes;
    }
    return this.#windowBytes + growth;
  }

  #avoidance(arrival: Arrival): number {
    const epoch = this.#epoch ??= this.#startEpoch(arrival.nowMs);
    const window = this.#windowBytes / this.#datagramBytes;
    const elapsedS = (arrival.nowMs - epoch.startedMs) / msPerSecond;
    const growth = epoch.estimateBytes >= this.#priorBytes ? 1 : renoGrowth;
    epoch.estimateBytes = Math.min(epoch.estimateBytes + growth * this.#datagramBytes * arrival.bytes / this.#windowBytes, maximumWindowBytes);
    if (curve(epoch, elapsedS) * this.#datagramBytes < epoch.estimateBytes) return Math.max(this.#windowBytes, epoch.estimateBytes);
    const ahead = curve(epoch, elapsedS + arrival.smoothedRttMs / msPerSecond);
    const target = Math.min(Math.max(ahead, window), window * targetFactor);
    return this.#windowBytes + (target - window) / window * arrival.bytes;
  }

  /** RFC 9438 section 4.2. After slow start without loss the window is its own origin. */
  #startEpoch(nowMs: number): Epoch {
    const window = this.#windowBytes / this.#datagramBytes;
    const origin = Math.max(this.#maximumBytes / this.#datagramBytes, window);
    return { startedMs: nowMs, originDatagrams: origin, untilOriginS: Math.cbrt((origin - window) / steepness), estimateBytes: this.#windowBytes };
  }

  #reduce(): void {
    this.#saved = { windowBytes: this.#windowBytes, thresholdBytes: this.#thresholdBytes, maximumBytes: this.#maximumBytes, priorBytes: this.#priorBytes };
    this.#firstSlowStart = false;
    this.#priorBytes = this.#windowBytes;
    // Fast convergence (section 4.7): a window that did not reach its former maximum makes room for a newcomer.
    this.#maximumBytes = this.#windowBytes < this.#maximumBytes ? this.#windowBytes * (1 + keptShare) / 2 : this.#windowBytes;
    this.#windowBytes = boundedWindowBytes(this.#windowBytes * keptShare, this.#datagramBytes);
    this.#thresholdBytes = this.#windowBytes;
    this.#epoch = undefined;
  }
}

/** W_cubic in datagrams (RFC 9438 section 4.2). */
function curve(epoch: Epoch, elapsedS: number): number {
  return steepness * (elapsedS - epoch.untilOriginS) ** 3 + epoch.originDatagrams;
}
