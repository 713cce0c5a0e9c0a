/**
 * The only place where the host reads time for the engine. Durations come from the monotonic clock, dates from the wall clock; where the
 * two part, or where a timer came far too late, the machine slept and nothing that was known about the network holds any more.
 */
import { performance } from 'node:perf_hooks';
import type { Instant } from '../engine/wire/types.ts';

/** Longer than any pause of a busy machine; shorter than the deadlines after which relays are taken for silent. */
const jumpMs = 10_000;

export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = {
  now: () => ({ monotonicMs: performance.now(), wallMs: Date.now() }),
};

/** Told the time in regular steps, it says when a step was no step: sleep, or a clock that somebody set. */
export class JumpDetector {
  #last: Instant;

  constructor(start: Instant) {
    this.#last = start;
  }

  /** True when more than 10 s passed since the last call, or when wall and monotonic clock moved more than 10 s apart. */
  observe(now: Instant): boolean {
    const monotonicMs = now.monotonicMs - this.#last.monotonicMs;
    const wallMs = now.wallMs - this.#last.wallMs;
    this.#last = now;
    return monotonicMs > jumpMs || Math.abs(wallMs - monotonicMs) > jumpMs;
  }
}
