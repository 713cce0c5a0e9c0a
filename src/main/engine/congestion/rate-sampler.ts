/**
 * Receive rate, from what had come when a request was made and what has come when it is answered (Cheng et al., delivery rate estimation,
 * draft-cheng-iccrg-delivery-rate-estimation section 3). The longer of the time spent asking and the time spent receiving counts, so that
 * neither a burst of requests nor responses that were held up and let go together look like a fast path.
 */
import { smallestSampleMs } from './rtt-estimator.ts';
import type { AskedAt, Flight } from './flight.ts';

export class RateSampler implements AskedAt {
  deliveredBytes = 0;
  deliveredAtMs = 0;
  /** When the newest request that was answered was made: the start of the time spent asking. */
  firstAskedAtMs = 0;
  /** Everything below this many delivered bytes was asked for while there was too little to ask for. */
  #limitedUntilBytes = -1;

  get applicationLimited(): boolean { return this.deliveredBytes <= this.#limitedUntilBytes; }

  /** Asking begins again after a pause: the pause is no part of any rate. */
  restart(nowMs: number): void {
    this.firstAskedAtMs = nowMs;
    this.deliveredAtMs = nowMs;
  }

  /** There is room for more than there is to ask for. */
  noteApplicationLimit(bytesInFlight: number): void { this.#limitedUntilBytes = this.deliveredBytes + bytesInFlight; }

  /** Bytes per ms, undefined while the time is too short to divide by. Call with the number still readable in the flight. */
  arrived<Transfer>(flight: Flight<Transfer>, number: number, bytes: number, minimumRttMs: number, nowMs: number): number | undefined {
    this.deliveredBytes += bytes;
    this.deliveredAtMs = Math.max(this.deliveredAtMs, nowMs);
    const askedAtMs = flight.askedAtMs(number);
    const askingMs = askedAtMs - flight.firstAskedAtMs(number);
    const receivingMs = nowMs - flight.deliveredAtMs(number);
    this.firstAskedAtMs = Math.max(this.firstAskedAtMs, askedAtMs);
    const intervalMs = Math.max(askingMs, receivingMs);
    // Less than a round trip is no measurement of the path (section 3.3 of the draft).
    if (!(intervalMs >= Math.max(minimumRttMs, smallestSampleMs))) return undefined;
    return (this.deliveredBytes - flight.deliveredBytes(number)) / intervalMs;
  }

  /** Bytes that came too late to answer anything still tell what the path carries. */
  arrivedLate(bytes: number): void { this.deliveredBytes += bytes; }
}

/** Largest value of the last so many rounds, kept as one maximum a round. */
export class WindowedMaximum {
  readonly #values: Float64Array;
  readonly #rounds: Float64Array;
  #maximum = 0;

  constructor(rounds: number) {
    this.#values = new Float64Array(rounds);
    this.#rounds = new Float64Array(rounds);
  }

  get value(): number { return this.#maximum; }

  reset(): void {
    this.#values.fill(0);
    this.#maximum = 0;
  }

  update(value: number, round: number): void {
    const index = round % this.#values.length;
    if (this.#rounds[index] === round) {
      if (value <= (this.#values[index] ?? 0)) return;
      this.#values[index] = value;
      this.#maximum = Math.max(this.#maximum, value);
      return;
    }
    this.#rounds[index] = round;
    this.#values[index] = value;
    this.#maximum = 0;
    for (let each = 0; each < this.#values.length; each += 1) {
      if (round - (this.#rounds[each] ?? 0) < this.#values.length) this.#maximum = Math.max(this.#maximum, this.#values[each] ?? 0);
    }
  }
}
