/**
 * The relay's mail clock: milliseconds during which times to live were running. It follows monotonic time while the relay runs, and adds what
 * the wall clock says has passed while it did not, when that is believable. Otherwise nothing expires until somebody confirms the clock:
 * mail held too long is a nuisance, mail deleted because a battery was empty is lost (architecture 12).
 */
import type { Instant } from '../wire/types.ts';

/** Wall time may differ from expected time by this much before it is doubted: covers restarts, sleep, and every honest correction. */
export const clockJumpMaximumMs = 86_400_000;

export class MailClock {
  /** Mail time at monotonic 0; grows only by what is added for time that did not run. */
  #originMs: number;
  /** Wall time at monotonic 0 as last believed. */
  #wallOriginMs: number;
  #suspended = false;
  #latestMonotonicMs: number;

  /** @param lastWallMs wall time of the last persisted tick; undefined for a store that never had one. */
  constructor(elapsedMs: number, lastWallMs: number | undefined, now: Instant) {
    this.#latestMonotonicMs = now.monotonicMs;
    this.#originMs = elapsedMs - now.monotonicMs;
    this.#wallOriginMs = (lastWallMs ?? now.wallMs) - now.monotonicMs;
    this.#suspended = Math.abs(this.#jumpMs(now)) > clockJumpMaximumMs;
    if (!this.#suspended) this.#believe(now);
  }

  /** Letters may not expire: the wall clock is in doubt. Stays until `confirm`. */
  get suspended(): boolean { return this.#suspended; }

  /** Never runs backwards. */
  elapsedMs(now: Instant): number {
    this.#latestMonotonicMs = Math.max(this.#latestMonotonicMs, now.monotonicMs);
    return this.#originMs + this.#latestMonotonicMs;
  }

  /** To be called now and then: notices jumps. Small ones (sleep, corrections) are believed and do not count as mail time. True when it became suspended now. */
  observe(now: Instant): boolean {
    if (this.#suspended) return false;
    if (Math.abs(this.#jumpMs(now)) > clockJumpMaximumMs) {
      this.#suspended = true;
      return true;
    }
    this.#wallOriginMs = now.wallMs - now.monotonicMs;
    return false;
  }

  /** The operator says that the wall clock is right as it stands: what it is ahead has really passed. */
  confirm(now: Instant): void {
    this.#suspended = false;
    this.#believe(now);
  }

  /** What to persist: while in doubt the wall time that was expected, so that a restart does not take the doubtful one for confirmed. */
  tick(now: Instant): { readonly elapsedMs: number; readonly wallMs: number } {
    const wallMs = this.#suspended ? this.#wallOriginMs + now.monotonicMs : now.wallMs;
    return { elapsedMs: Math.floor(this.elapsedMs(now)), wallMs: Math.floor(wallMs) };
  }

  #jumpMs(now: Instant): number { return now.wallMs - now.monotonicMs - this.#wallOriginMs; }

  #believe(now: Instant): void {
    this.#originMs += Math.max(0, this.#jumpMs(now));
    this.#wallOriginMs = now.wallMs - now.monotonicMs;
  }
}
