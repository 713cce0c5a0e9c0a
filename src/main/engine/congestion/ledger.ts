/**
 * What was asked for on one path and what became of it: hands arrivals and losses to the controller, says what must be asked for again, and when silence has lasted too long. What may be
 * asked for, and by whom, is decided in `path.ts`. Times are those of the path's clock, which never runs backwards.
 */
import { Flight, noNumber } from './flight.ts';
import { LossDetector } from './loss-detector.ts';
import { RateSampler } from './rate-sampler.ts';
import { Recovery } from './recovery.ts';
import { RttEstimator } from './rtt-estimator.ts';
import type { Transfer } from './scheduler.ts';
import type { Arrival, CongestionController } from './types.ts';

/** Requests handed out by one probe timeout (RFC 9002 section 6.2.4: one or two; two survive a single loss). */
export const probesAtOnce = 2;
/** Handed out in silence and still to be judged: more would be hours of it. */
const probedMaximum = 256;
/** Longest wait of the backoff, in ms, as for other requests (`retransmission.ts`): after an outage, an answer is not waited for in vain. */
export const probeTimeoutMaximumMs = 3_000;
/** Doublings of the wait, so that the number stays one. */
const backoffMaximum = 30;
/** A second asking that is answered in less than this share of the smallest round trip: the first one's answer. */
const tooSoonShare = 3 / 4;
/** So many answers in a row, over so many probe timeouts, of which none can be told to belong to the first or the second asking: the round trip is longer than is waited for. A burst of losses is over sooner. */
const ambiguousMaximum = 8;
const ambiguousProbeTimeouts = 4;
/** Asked for by one request at most (wire/verbs.ts). */
const runMaximum = 64;
/** Largest size of one response that is counted, in bytes: what a cell of the flight's table holds. */
const expectedMaximumBytes = 0xffff_ffff;

export interface LostRequest {
  readonly transfer: Transfer;
  /** What the transfer gave to `asked`: its fragment. */
  readonly tag: number;
  readonly number: number;
}

/** `late`: it had counted as lost. `repeated`: it was answered before. `unknown`: never given, withdrawn, or too long ago. */
export type ArrivalOutcome = 'answered' | 'late' | 'repeated' | 'unknown';

/** Filled anew for each arrival: nothing is allocated for a packet that came as it should. */
const emptyArrival = (): { -readonly [Field in keyof Arrival]: Arrival[Field] } => ({
  nowMs: 0, bytes: 0, number: 0, nextNumber: 0, inFlightBytes: 0, rttMs: undefined, smoothedRttMs: 0, minimumRttMs: 0, rateBytesPerMs: undefined,
  applicationLimited: false, windowLimited: false, inRecovery: false,
});

export class Ledger {
  readonly rtt: RttEstimator;
  readonly flight = new Flight<Transfer>();
  readonly #controller: CongestionController;
  readonly #sampler = new RateSampler();
  readonly #detector: LossDetector<Transfer>;
  readonly #recovery: Recovery<Transfer>;
  readonly #arrival = emptyArrival();
  readonly #justLost: number[] = [];
  #lastAskedMs = 0;
  #lastActiveMs: number | undefined;
  #probeTimeouts = 0;
  /** Handed out by a probe timeout and not judged yet. */
  #probed: number[] = [];
  /** To be asked for again: read from the front. */
  readonly #lost: LostRequest[] = [];
  #heldBackAtNumber = -1;
  #ambiguousInRow = 0;
  #repeatedInRow = 0;
  #ambiguousSinceMs = 0;
  lostCount = 0;
  foundCount = 0;

  constructor(controller: CongestionController, roundTripMs: number | undefined) {
    this.#controller = controller;
    this.rtt = new RttEstimator(roundTripMs);
    this.#detector = new LossDetector(this.flight, this.rtt);
    this.#recovery = new Recovery(this.flight);
  }

  /** When something was asked for or came last. */
  get lastActiveMs(): number | undefined { return this.#lastActiveMs; }

  asked(transfer: Transfer, tag: number, bytes: number, now: number, previous: number): number {
    if (this.flight.count === 0) this.#sampler.restart(now);
    const number = this.flight.add(transfer, tag, bytes, now, previous, this.#sampler);
    transfer.inFlight += 1;
    this.#lastAskedMs = now;
    this.#lastActiveMs = now;
    return number;
  }

  arrived(number: number, now: number): ArrivalOutcome {
    switch (this.flight.state(number)) {
      case 'flying': return this.#answered(number, now);
      case 'lost':
        this.#found(number, now);
        return 'late';
      case 'arrived': {
        this.noteRepeated();
        const previous = this.flight.previous(number);
        if (this.flight.state(previous) === 'lost') this.#found(previous, now);
        return 'repeated';
      }
      case 'withdrawn':
      case 'unknown': return 'unknown';
    }
  }

  /** Something came that had come before: both times that it was asked for were answered. */
  noteRepeated(): void { this.#repeatedInRow += 1; }

  withdrawn(number: number): void { this.#end(number, 'withdrawn'); }

  withdrawAll(transfer: Transfer): void {
    for (let number = this.flight.oldestFlying; transfer.inFlight > 0 && number < this.flight.nextNumber; number += 1) {
      if (this.flight.transfer(number) === transfer) this.withdrawn(number);
    }
  }

  pollLost(): LostRequest | undefined {
    for (let lost = this.#lost.shift(); lost !== undefined; lost = this.#lost.shift()) {
      // What came meanwhile is not asked for again.
      if (lost.transfer.joined && this.flight.state(lost.number) === 'lost') return lost;
    }
    return undefined;
  }

  /** Somebody wanted more than window or pacer allowed. */
  noteHeldBack(): void { this.#heldBackAtNumber = this.flight.nextNumber; }

  /** There was room for more than anybody wanted. */
  noteApplicationLimit(): void { this.#sampler.noteApplicationLimit(this.flight.bytesInFlight); }

  /** True when the silence has lasted a probe timeout: the oldest requests are handed out, and may be made above the window. */
  handleTimeout(now: number): boolean {
    if (this.#detector.dueAtMs !== undefined) {
      if (this.#detector.dueAtMs <= now) this.#judge(now);
      return false;
    }
    if (this.flight.count === 0 || this.#probeAtMs() > now) return false;
    this.#probeTimeouts += 1;
    for (let probes = 0; probes < probesAtOnce && this.flight.count > 0; probes += 1) {
      const number = this.flight.oldestFlying;
      this.#handOut(number);
      this.#probed.push(number);
    }
    if (this.#probed.length > probedMaximum) this.#probed = this.#probed.slice(-probedMaximum);
    // The next one counts from here, also if the caller has nothing more to ask for.
    this.#lastAskedMs = now;
    return true;
  }

  pollTimeout(): { readonly atMs: number; readonly reason: 'loss' | 'probe' } | undefined {
    if (this.#detector.dueAtMs !== undefined) return { atMs: this.#detector.dueAtMs, reason: 'loss' };
    return this.flight.count > 0 ? { atMs: this.#probeAtMs(), reason: 'probe' } : undefined;
  }

  #answered(number: number, now: number): ArrivalOutcome {
    const previous = this.flight.previous(number);
    const askedAtMs = this.flight.askedAtMs(number);
    this.#lastActiveMs = now;
    this.#probeTimeouts = 0;
    if (this.rtt.sampled && this.flight.state(previous) === 'lost' && now - askedAtMs < this.rtt.minimumMs * tooSoonShare) {
      this.#found(previous, now);
      this.#end(number, 'arrived');
      return 'late';
    }
    const newest = this.#detector.arrived(number);
    const sampled = newest && previous === noNumber && this.rtt.update(now - askedAtMs, now);
    this.#learnFromAmbiguous(previous, now);
    const bytes = this.flight.bytes(number);
    const rateBytesPerMs = this.#sampler.arrived(this.flight, number, bytes, this.rtt.minimumMs, now);
    this.#end(number, 'arrived');
    this.#judge(now);
    this.#tell(number, bytes, sampled ? this.rtt.latestMs : undefined, rateBytesPerMs, now);
    return 'answered';
  }

  /**
   * A round trip that has become much longer than what is waited for would never be measured: everything would be asked for twice for ever (Karn's
   * problem). So after a row of such answers the first asking is taken, which is too long at worst; the next unambiguous answer corrects it.
   */
  #learnFromAmbiguous(previous: number, now: number): void {
    if (previous === noNumber) {
      this.#ambiguousInRow = 0;
      this.#repeatedInRow = 0;
      return;
    }
    if (this.#ambiguousInRow === 0) this.#ambiguousSinceMs = now;
    this.#ambiguousInRow += 1;
    const lastedMs = now - this.#ambiguousSinceMs;
    // After an outage the first askings were lost indeed, and nothing comes twice.
    if (this.#ambiguousInRow < ambiguousMaximum || this.#repeatedInRow < ambiguousMaximum / 2 || lastedMs < ambiguousProbeTimeouts * this.rtt.probeTimeoutMs || this.flight.state(previous) !== 'lost') return;
    let first = previous;
    for (let before = this.flight.previous(first); this.flight.state(before) === 'lost'; before = this.flight.previous(first)) first = before;
    this.rtt.update(now - this.flight.askedAtMs(first), now);
  }

  #tell(number: number, bytes: number, rttMs: number | undefined, rateBytesPerMs: number | undefined, now: number): void {
    const arrival = this.#arrival;
    arrival.nowMs = now;
    arrival.bytes = bytes;
    arrival.number = number;
    arrival.nextNumber = this.flight.nextNumber;
    arrival.inFlightBytes = this.flight.bytesInFlight;
    arrival.rttMs = rttMs;
    arrival.smoothedRttMs = this.rtt.smoothedMs;
    arrival.minimumRttMs = this.rtt.minimumMs;
    arrival.rateBytesPerMs = rateBytesPerMs;
    arrival.applicationLimited = this.flight.applicationLimited(number);
    arrival.windowLimited = this.#heldBackAtNumber > number;
    arrival.inRecovery = this.#recovery.covers(number);
    this.#controller.handleArrival(arrival);
  }

  #end(number: number, outcome: 'arrived' | 'lost' | 'withdrawn'): Transfer | undefined {
    const transfer = this.flight.end(number, outcome);
    if (transfer !== undefined) transfer.inFlight -= 1;
    return transfer;
  }

  #found(number: number, now: number): void {
    this.foundCount += 1;
    this.#lastActiveMs = now;
    this.#sampler.arrivedLate(this.flight.bytes(number));
    this.#detector.learnReordering(number, now);
    this.flight.correct(number);
    if (this.#recovery.found(number)) this.#controller.undo();
  }

  #probeAtMs(): number {
    const base = this.rtt.probeTimeoutMs;
    // From the last answer too: what was asked for in one run arrives one by one.
    const since = Math.max(this.#lastAskedMs, this.#lastActiveMs ?? 0);
    return since + Math.min(base * 2 ** Math.min(this.#probeTimeouts, backoffMaximum), Math.max(base, probeTimeoutMaximumMs));
  }

  #handOut(number: number): void {
    const tag = this.flight.tag(number);
    const transfer = this.#end(number, 'lost');
    if (transfer !== undefined) this.#lost.push({ transfer, tag, number });
  }

  #judge(now: number): void {
    const lost = this.#justLost;
    lost.length = 0;
    this.#detector.detect(now, lost);
    for (const number of lost) this.#handOut(number);
    const numbers = this.#withProbed(lost);
    if (numbers.length === 0) return;
    this.lostCount += numbers.length;
    const newEvent = this.#recovery.lost(numbers);
    const persistent = this.#detector.isPersistent(numbers);
    if (persistent) {
      this.rtt.forgetMinimum();
      this.#detector.forgetReordering();
    }
    let bytes = 0;
    let droppedBytes = 0;
    for (const number of numbers) {
      bytes += this.flight.bytes(number);
      if (!this.#wentWithItsRequest(number)) droppedBytes += this.flight.bytes(number);
    }
    this.#controller.handleLoss({ nowMs: now, bytes, droppedBytes, inFlightBytes: this.flight.bytesInFlight, nextNumber: this.flight.nextNumber, newEvent, persistent });
  }

  /**
   * Of what was asked for in one moment nothing came: then one datagram was lost, and that was the request. Each of the others in such a run says nothing
   * about the way back. A full queue takes part of a run, as its room comes back one by one.
   */
  #wentWithItsRequest(number: number): boolean {
    const atMs = this.flight.askedAtMs(number);
    const inRun = (other: number): boolean => this.flight.state(other) !== 'unknown' && this.flight.askedAtMs(other) === atMs;
    let isFirst = true;
    for (let other = number - 1; other > number - runMaximum && inRun(other); other -= 1) {
      if (this.flight.state(other) === 'arrived') return false;
      isFirst = false;
    }
    for (let other = number + 1; other < number + runMaximum && inRun(other); other += 1) if (this.flight.state(other) === 'arrived') return false;
    return !isFirst;
  }

  /** What a probe timeout handed out is lost when something newer was answered, and it was not. */
  #withProbed(lost: readonly number[]): readonly number[] {
    if (this.#probed.length === 0) return lost;
    const missing = this.#probed.filter((number) => this.flight.state(number) === 'lost');
    const judged = missing.filter((number) => number < this.#detector.largestArrived);
    this.#probed = missing.filter((number) => number >= this.#detector.largestArrived);
    return judged.length === 0 ? lost : [...judged, ...lost].sort((left, right) => left - right);
  }
}

/** A size that can be counted. */
export const countedBytes = (bytes: number): number => bytes >= 1 ? Math.min(Math.floor(bytes), expectedMaximumBytes) : 1;
