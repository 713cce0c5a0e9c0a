/**
 * Whose turn it is: letters that should be tried now wait here until few enough are in some conversation with a relay, so that a thousand queued
 * letters do not fill every table. A letter has one turn at a time.
 */
import type { Instant } from '../wire/types.ts';
import type { Live } from './outbox-live.ts';

/** Letters in some relay conversation at once. */
const activeMaximum = 256;

export class OutboxTurns {
  readonly #live: (id: string) => Live | undefined;
  readonly #begin: (id: string, now: Instant) => void;
  readonly #ready: string[] = [];
  #active = 0;

  /** @param begin starts the turn of a letter that is still there; `ended` or `forget` ends it. */
  constructor(live: (id: string) => Live | undefined, begin: (id: string, now: Instant) => void) {
    this.#live = live;
    this.#begin = begin;
  }

  /** Now, or as soon as there is room. */
  want(id: string, now: Instant): void {
    const live = this.#live(id);
    if (live === undefined || live.active) return;
    live.active = true;
    this.#ready.push(id);
    this.next(now);
  }

  next(now: Instant): void {
    while (this.#active < activeMaximum) {
      const id = this.#ready.shift();
      if (id === undefined) return;
      if (this.#live(id) === undefined) continue;
      this.#active += 1;
      this.#begin(id, now);
    }
  }

  /** True when it had a turn; one that was finished meanwhile gave it back when it was forgotten. */
  ended(id: string): boolean {
    const live = this.#live(id);
    if (live?.active !== true) return false;
    live.active = false;
    this.#active = Math.max(0, this.#active - 1);
    return true;
  }

  /** The letter is gone: its turn is over, or its place in the queue void. */
  forget(id: string): void {
    if (this.#live(id)?.active === true && !this.#ready.includes(id)) this.#active = Math.max(0, this.#active - 1);
  }
}
