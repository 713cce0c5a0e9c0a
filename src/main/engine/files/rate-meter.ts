/** How fast something moves, for people: over the last few seconds, so that it is steady and still true. */

const windowMs = 4_000;
const samplesMaximum = 32;
const sampleMs = windowMs / samplesMaximum;

export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** @param bytes all so far. */
  note(bytes: number, nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.atMs < sampleMs) return;
    this.#samples.push({ atMs: nowMs, bytes });
    while ((this.#samples[0]?.atMs ?? nowMs) < nowMs - windowMs) this.#samples.shift();
  }

  bytesPerSecond(bytes: number, nowMs: number): number {
    const first = this.#samples[0];
    if (first === undefined || nowMs <= first.atMs) return 0;
    return Math.max(0, (bytes - first.bytes) * 1_000 / (nowMs - first.atMs));
  }

  /** It begins anew. */
  reset(): void { this.#samples.length = 0; }
}
