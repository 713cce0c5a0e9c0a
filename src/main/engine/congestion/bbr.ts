/**
 * A controller after BBR (draft-ietf-ccwg-bbr): asks at the rate that the path was seen to carry, keeps about twice what fits into it in flight, and looks from time to time whether there is more
 * room (by asking a quarter faster) or less delay (by letting the queue run empty). Loss by itself is no signal, as radio links lose at random; much loss is.
 *
 * Simpler than the draft: one filter for the rate and one bound for what is in flight, in place of the draft's short-term and long-term models, and one that goes by itself in place of drawn phases.
 */
import { boundedWindowBytes, checkedDatagramBytes, initialWindowDatagrams } from './limits.ts';
import { Aggregation } from './aggregation.ts';
import { WindowedMaximum } from './rate-sampler.ts';
import { initialRttMs, smallestSampleMs } from './rtt-estimator.ts';
import { MinimumRoundTrip, probeRttMs } from './bbr-round-trip.ts';
import type { Arrival, CongestionController, Loss } from './types.ts';

/** Of the rate: doubles what is delivered each round trip (draft section 2.4, 4 ln 2), and drains the queue that made (1 / startup, rounded down). */
const startupGain = 2.77;
const drainGain = 0.35;
/** Of rate by round trip in flight at most (draft section 2.4, DefaultCwndGain): room for responses that are held up and come together. */
const windowGain = 2;
/** Steps of the search for more rate, each for about a smallest round trip (BBR version 1, section 4.3.4): up, down by as much, cruise. */
const cycleGains = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
/** Asked a little slower than measured, so that the queue shrinks (draft section 2.4, PacingMarginPercent 1). */
const pacingMargin = 0.99;
/** Of rate by round trip while looking for the smallest round trip (draft section 2.14.1, ProbeRTTCwndGain). */
const probeRttGain = 0.5;
/** The pipe is full when three rounds brought less than a quarter more (draft section 4.3.1.2). */
const fullGrowth = 1.25;
const fullRounds = 3;
/** Rounds that a rate counts (draft section 2.10; version 1 section 4.1.1.3). */
const rateRounds = 10;
/**
 * Of what was asked for in a round, lost: more is congestion, when it is also more than chance brings (so many deviations of a Poisson count). The draft says 2 % (section 2.7); the
 * aim here is to fill links that lose 2 % at random and to use those that lose 5 %.
 */
export const excessiveLossShare = 0.08;
const excessiveLossDeviations = 2;
/** Losses in a round before a share is meaningful. */
const excessiveLossMinimum = 3;
/** Of what was in flight, kept after excessive loss (draft section 2.7, Beta). */
const keptShare = 0.7;
/** A search that met no excessive loss lifts the bound by this. */
const ceilingRaise = 2;
/** No step of the search lasts longer, in smallest round trips: a queue that does not go away in that time is somebody else's. */
const stepRoundTrips = 4;
/** In flight after an arrival, of the window, when the window is in full use: the rest is a batch that waits to be asked for. */
const windowUsedShare = 3 / 4;
/**
 * Asked for at least. A rate that was measured over an outage is far too low, and where round trips are short nothing would be learned from asking at it: what queues, shows in the
 * round trip.
 */
const leastDatagramsPerRoundTrip = 2;
/** In flight in datagrams at least where the model works, for a delayed response to be seen as one (draft section 2.7, MinPipeCwnd). */
const pipeMinimumDatagrams = 4;

/**
 * Both programs handle what came in turns of the event loop: for so many ms of the rate, requests lie unread and responses unseen. On a path of tenths of a millisecond that is
 * most of what is in flight; on a long one it is nothing. Busy machines and radio links hold up more: as much is allowed as was seen (`aggregation.ts`), up to so many ms of the rate.
 */
const turnMs = 2;
const heldUpMaximumMs = 25;

type State = 'startup' | 'drain' | 'cycle' | 'probe-rtt';

export class Bbr implements CongestionController {
  readonly name = 'bbr';
  readonly #rate = new WindowedMaximum(rateRounds);
  readonly #minimumRtt = new MinimumRoundTrip();
  readonly #aggregation = new Aggregation(rateRounds);
  #datagramBytes: number;
  #windowBytes: number;
  #savedWindowBytes = 0;
  #savedCeilingBytes = Infinity;
  #state: State = 'startup';
  #round = 0;
  #roundEnd = 0;
  #roundLostBytes = 0;
  #roundLosses = 0;
  #roundArrivedBytes = 0;
  #fullRate = 0;
  #fullCount = 0;
  #full = false;
  /** In flight at most since loss was excessive. */
  #ceilingBytes = Infinity;
  #afterOutage = false;
  #step = 0;
  #stepSinceMs = 0;
  #shuffle = 0;
  #probeRttUntilMs: number | undefined;
  #smoothedRttMs = initialRttMs;

  constructor(datagramBytes: number) {
    this.#datagramBytes = checkedDatagramBytes(datagramBytes);
    this.#windowBytes = initialWindowDatagrams * datagramBytes;
  }

  get windowBytes(): number { return this.#windowBytes; }
  get startingUp(): boolean { return this.#state === 'startup'; }
  get state(): State { return this.#state; }
  get pacingRateBytesPerMs(): number | undefined {
    if (!(this.#rate.value > 0)) return undefined;
    return Math.max(this.#rate.value * this.#gain() * (this.#full ? pacingMargin : 1), leastDatagramsPerRoundTrip * this.#datagramBytes / this.#smoothedRttMs);
  }

  handleArrival(arrival: Arrival): void {
    this.#roundArrivedBytes += arrival.bytes;
    const newRound = arrival.number >= this.#roundEnd;
    // Asked for during the outage: its rate is that of the silence.
    const ofOutage = this.#afterOutage && arrival.inRecovery;
    if (arrival.rateBytesPerMs !== undefined && !ofOutage && (!arrival.applicationLimited || arrival.rateBytesPerMs > this.#rate.value)) this.#rate.update(arrival.rateBytesPerMs, this.#round);
    this.#aggregation.arrived(arrival.bytes, this.#rate.value, this.#windowBytes, this.#round, arrival.nowMs);
    this.#smoothedRttMs = Math.max(arrival.smoothedRttMs, smallestSampleMs);
    if (arrival.rttMs !== undefined) this.#minimumRtt.update(arrival.rttMs, arrival.nowMs);
    if (newRound) this.#finishRound(arrival);
    this.#advance(arrival);
    this.#setWindow(arrival);
  }

  handleLoss(loss: Loss): void {
    if (loss.persistent) { this.#startOver(); return; }
    if (loss.newEvent) { this.#savedWindowBytes = this.#windowBytes; this.#savedCeilingBytes = this.#ceilingBytes; this.#afterOutage = false; }
    // Asked for before the outage ended.
    if (this.#afterOutage) return;
    this.#roundLostBytes += loss.droppedBytes;
    this.#roundLosses += loss.droppedBytes / this.#datagramBytes;
    if (this.#excessive() && loss.newEvent) this.#lowerCeiling(loss.inFlightBytes + loss.bytes);
  }

  undo(): void {
    this.#windowBytes = boundedWindowBytes(Math.max(this.#windowBytes, this.#savedWindowBytes), this.#datagramBytes);
    this.#ceilingBytes = Math.max(this.#ceilingBytes, this.#savedCeilingBytes);
    this.#roundLostBytes = 0;
    this.#roundLosses = 0;
  }

  /** The pace stays that of the path; only the search starts over, gently. */
  handleIdle(idleMs: number, probeTimeoutMs: number): void {
    if (!(idleMs > probeTimeoutMs)) return;
    const initialBytes = initialWindowDatagrams * this.#datagramBytes;
    this.#windowBytes = boundedWindowBytes(Math.max(Math.min(this.#windowBytes, initialBytes), this.#windowBytes / 2 ** Math.floor(idleMs / probeTimeoutMs)), this.#datagramBytes);
    this.#step = 2;
  }

  setDatagramBytes(datagramBytes: number): void {
    this.#datagramBytes = checkedDatagramBytes(datagramBytes);
    this.#windowBytes = boundedWindowBytes(this.#windowBytes, datagramBytes);
  }

  #gain(): number {
    switch (this.#state) {
      case 'startup': return startupGain;
      case 'drain': return drainGain;
      case 'cycle': return cycleGains[this.#step % cycleGains.length] ?? 1;
      case 'probe-rtt': return 1;
    }
  }

  #pipeBytes(): number { return this.#rate.value * (this.#minimumRtt.ms ?? 0); }

  #excessive(): boolean {
    const chance = excessiveLossShare * (this.#roundLostBytes + this.#roundArrivedBytes) / this.#datagramBytes;
    return this.#roundLosses >= excessiveLossMinimum && this.#roundLosses > chance + excessiveLossDeviations * Math.sqrt(chance);
  }

  #lowerCeiling(inFlightBytes: number): void {
    this.#ceilingBytes = Math.max(Math.min(inFlightBytes, this.#ceilingBytes) * keptShare, this.#pipeBytes() * keptShare, pipeMinimumDatagrams * this.#datagramBytes);
    if (this.#state === 'startup') this.#leaveStartup();
    if (this.#state === 'cycle' && this.#step === 0) this.#step = 1;
  }

  /** Nothing came through for long. It may be another path now: it is measured as at the start, from the smallest window, in place of creeping up from there. */
  #startOver(): void {
    this.#windowBytes = boundedWindowBytes(0, this.#datagramBytes);
    [this.#savedWindowBytes, this.#savedCeilingBytes, this.#ceilingBytes] = [0, Infinity, Infinity];
    this.#minimumRtt.expire();
    this.#rate.reset();
    this.#state = 'startup';
    this.#full = false;
    [this.#fullRate, this.#fullCount] = [0, 0];
    [this.#roundLostBytes, this.#roundLosses, this.#roundArrivedBytes] = [0, 0, 0];
    this.#afterOutage = true;
  }

  #leaveStartup(): void {
    this.#full = true;
    this.#state = 'drain';
  }

  #finishRound(arrival: Arrival): void {
    this.#round += 1;
    this.#roundEnd = arrival.nextNumber;
    if (!this.#full && !arrival.applicationLimited) {
      if (this.#rate.value >= this.#fullRate * fullGrowth) {
        this.#fullRate = this.#rate.value;
        this.#fullCount = 0;
      } else {
        this.#fullCount += 1;
        if (this.#fullCount >= fullRounds) this.#leaveStartup();
      }
    }
    this.#roundLostBytes = 0;
    this.#roundLosses = 0;
    this.#roundArrivedBytes = 0;
  }

  #advance(arrival: Arrival): void {
    const { nowMs, inFlightBytes } = arrival;
    const pipeBytes = this.#pipeBytes();
    if (this.#state === 'drain' && inFlightBytes <= pipeBytes) this.#enterCycle(nowMs);
    if (this.#state === 'cycle') this.#advanceCycle(nowMs, inFlightBytes, pipeBytes, arrival.nextNumber);
    if (this.#state !== 'probe-rtt' && this.#full && this.#minimumRtt.dueForProbe(nowMs)) {
      this.#state = 'probe-rtt';
      this.#probeRttUntilMs = undefined;
    }
    if (this.#state !== 'probe-rtt') return;
    if (this.#probeRttUntilMs === undefined) {
      if (inFlightBytes <= this.#probeWindowBytes()) this.#probeRttUntilMs = nowMs + Math.max(probeRttMs, arrival.minimumRttMs);
    } else if (nowMs >= this.#probeRttUntilMs) {
      this.#minimumRtt.probed(nowMs);
      this.#enterCycle(nowMs);
    }
  }

  /** Begins with a cruise: the queue has just been let down. */
  #enterCycle(nowMs: number): void {
    this.#state = 'cycle';
    this.#step = 2;
    this.#stepSinceMs = nowMs;
  }

  #advanceCycle(nowMs: number, inFlightBytes: number, pipeBytes: number, salt: number): void {
    const gain = this.#gain();
    const roundTrips = (nowMs - this.#stepSinceMs) / (this.#minimumRtt.ms ?? initialRttMs);
    // Up until it shows in flight, down until the queue is gone.
    const over = gain > 1 ? roundTrips > 1 && (inFlightBytes >= Math.min(gain * pipeBytes, this.#windowBytes * windowUsedShare) || this.#roundLosses > excessiveLossMinimum || roundTrips > stepRoundTrips)
      : gain < 1 ? inFlightBytes <= pipeBytes || roundTrips > stepRoundTrips : roundTrips > 1;
    if (!over) return;
    if (gain > 1 && !this.#excessive()) this.#ceilingBytes *= ceilingRaise;
    this.#step = gain < 1 ? this.#firstCruise(salt) : (this.#step + 1) % cycleGains.length;
    this.#stepSinceMs = nowMs;
  }

  /** Cycles of different lengths, so that two flows do not look for room in step for ever. It need not be unforeseeable, only different between flows. */
  #firstCruise(salt: number): number {
    this.#shuffle = (Math.imul(this.#shuffle, 1_103_515_245) + 12_345 + salt) >>> 0;
    return 2 + (this.#shuffle >>> 16) % (cycleGains.length - 3);
  }

  /** What is not under way on the path although it is in flight. */
  #allowanceBytes(): number {
    const held = Math.min(Math.max(this.#aggregation.bytes, this.#rate.value * turnMs), this.#rate.value * heldUpMaximumMs);
    return batchDatagrams * this.#datagramBytes + held;
  }

  #probeWindowBytes(): number { return Math.max(this.#pipeBytes() * probeRttGain, pipeMinimumDatagrams * this.#datagramBytes); }

  #setWindow(arrival: Arrival): void {
    const least = pipeMinimumDatagrams * this.#datagramBytes;
    const target = Math.max(Math.min(this.#pipeBytes() * (this.#state === 'startup' ? startupGain : windowGain) + this.#allowanceBytes(), this.#ceilingBytes), least);
    const grown = this.#windowBytes + arrival.bytes;
    // While the path is still being measured the window only grows: an early rate says too little.
    const wanted = this.#full ? Math.min(grown, target) : this.#windowBytes < target || this.#rate.value === 0 ? (arrival.windowLimited ? grown : this.#windowBytes) : this.#windowBytes;
    this.#windowBytes = boundedWindowBytes(this.#state === 'probe-rtt' ? Math.min(wanted, this.#probeWindowBytes()) : wanted, this.#datagramBytes);
  }
}

/** Requests are made in runs, and what is on its way up to the holder is in flight too (draft section 4.6.4.2, the same for aggregation). */
const batchDatagrams = 3;
