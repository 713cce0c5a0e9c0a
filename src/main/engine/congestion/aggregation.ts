/**
 * How much comes at once that was held up somewhere, for `bbr.ts` (draft-ietf-ccwg-bbr section 4.5.9, extra_acked): by radio links that send in bursts, or by a machine that was
 * busy. Without room for it in flight, the pipe runs empty while it is held up.
 */
import { WindowedMaximum } from './rate-sampler.ts';

export class Aggregation {
  readonly #extra: WindowedMaximum;
  #sinceMs = 0;
  #arrivedBytes = 0;

  constructor(rounds: number) { this.#extra = new WindowedMaximum(rounds); }

  /** The largest of late: bytes beyond what the rate would have brought in the same time. */
  get bytes(): number { return this.#extra.value; }

  arrived(bytes: number, rateBytesPerMs: number, windowBytes: number, round: number, nowMs: number): void {
    let expectedBytes = rateBytesPerMs * (nowMs - this.#sinceMs);
    if (this.#arrivedBytes <= expectedBytes) {
      this.#arrivedBytes = 0;
      this.#sinceMs = nowMs;
      expectedBytes = 0;
    }
    this.#arrivedBytes += bytes;
    this.#extra.update(Math.min(Math.max(0, this.#arrivedBytes - expectedBytes), windowBytes), round);
  }
}
