/** Numbers from the random bytes that the engine is handed. */
import type { RandomBytes } from './crypto.ts';

/** Uniform in [0, 1). */
export function randomFraction(random: RandomBytes): number {
  const bytes = random(4);
  const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return value / 0x1_0000_0000;
}

/** Full jitter: uniform between 0 and `base * 2^attempt`, bounded by the cap (notes: peers, jitter rule). */
export function fullJitterMs(random: RandomBytes, attempt: number, baseMs: number, capMs: number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.floor(randomFraction(random) * ceiling);
}
