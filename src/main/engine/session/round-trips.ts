/** The last round trips of a session for display, and their smoothed value (RFC 6298: 7/8 old, 1/8 new). Made at the first echo. */
import { roundTripsMaximum } from './constants.ts';

const smoothing = 1 / 8;

export class RoundTrips {
  readonly #values: (number | undefined)[] = [];
  smoothedMs: number | undefined;

  /** Undefined for an echo that was lost. */
  add(roundTripMs: number | undefined): void {
    this.#values.push(roundTripMs);
    if (this.#values.length > roundTripsMaximum) this.#values.shift();
    if (roundTripMs !== undefined) this.smoothedMs = this.smoothedMs === undefined ? roundTripMs : this.smoothedMs + (roundTripMs - this.smoothedMs) * smoothing;
  }

  /** Newest last. */
  list(): readonly (number | undefined)[] { return this.#values.slice(); }
}
