/** The smallest round trip of late, for `bbr.ts`: what the path takes without a queue. It must be looked for, as the own queue hides it. */

/** A minimum counts for so long, in ms (draft-ietf-ccwg-bbr section 2.14.2, MinRTTFilterLen), and is looked for anew this often (ProbeRTTInterval). */
export const minimumLifetimeMs = 10_000;
export const probeIntervalMs = 5_000;
/** The queue is kept away for so long, in ms (ProbeRTTDuration). */
export const probeRttMs = 200;

export class MinimumRoundTrip {
  #ms: number | undefined;
  #atMs = 0;
  #expired = false;
  /** Smallest since the last probe, and when that was. */
  #recentMs = Infinity;
  #recentAtMs = 0;

  get ms(): number | undefined { return this.#ms; }

  update(sampleMs: number, nowMs: number): void {
    if (sampleMs <= this.#recentMs) {
      this.#recentMs = sampleMs;
      this.#recentAtMs = nowMs;
    }
    if (this.#ms === undefined || this.#expired || sampleMs <= this.#ms) {
      this.#expired = false;
      this.#ms = sampleMs;
      this.#atMs = nowMs;
    }
  }

  /** The smallest of late is old: by a path that does not fill, it would have been seen again. */
  dueForProbe(nowMs: number): boolean { return this.#ms !== undefined && nowMs - this.#recentAtMs > probeIntervalMs; }

  /** What was seen since the last probe takes the place of a minimum that has had its time. */
  probed(nowMs: number): void {
    if (nowMs - this.#atMs > minimumLifetimeMs && this.#recentMs !== Infinity) {
      this.#ms = this.#recentMs;
      this.#atMs = this.#recentAtMs;
    }
    this.#recentAtMs = nowMs;
    this.#recentMs = Infinity;
  }

  /** The path may be another one: the next sample takes its place. Until there is one it is still the best guess, and what is asked for again gives none. */
  expire(): void { this.#expired = true; this.#recentMs = Infinity; }
}
