/**
 * Congestion events of one path: which losses belong to one, and when one turns out to have been none. Losses of what was asked for before a reduction
 * took effect are the same event (RFC 9002 section 7.3.2). An event whose losses have all come after all is taken back (RFC 9438 section 4.9).
 */
import type { Flight } from './flight.ts';

export class Recovery<Transfer> {
  readonly #flight: Flight<Transfer>;
  #event = 0;
  #missing = 0;
  /** What is asked for under this number or a later one knows of the reduction. */
  #until = 0;

  constructor(flight: Flight<Transfer>) { this.#flight = flight; }

  covers(number: number): boolean { return number < this.#until; }

  /** Counts losses; true when they are a new event. */
  lost(numbers: readonly number[]): boolean {
    const newEvent = numbers.some((number) => !this.covers(number));
    if (newEvent) {
      this.#event += 1;
      this.#missing = 0;
      this.#until = this.#flight.nextNumber;
    }
    for (const number of numbers) this.#flight.setEvent(number, this.#event);
    this.#missing += numbers.length;
    return newEvent;
  }

  /** A lost one came. True when that makes the present event none. */
  found(number: number): boolean {
    if (this.#event === 0 || this.#flight.event(number) !== this.#event || this.#missing === 0) return false;
    this.#missing -= 1;
    if (this.#missing > 0) return false;
    this.#until = 0;
    return true;
  }
}
