/** Spreading what would otherwise happen everywhere at once. */
import type { RandomBytes } from '../crypto.ts';

/** `value * (1 +- share)`, uniform. */
export function jittered(random: RandomBytes, value: number, share: number): number {
  return value * (1 + share * (2 * fraction(random) - 1));
}

/** `value * (1 - share * [0, 1))`: for limits that must not be exceeded. */
export function jitteredDown(random: RandomBytes, value: number, share: number): number {
  return value * (1 - share * fraction(random));
}

function fraction(random: RandomBytes): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 0x1_0000_0000;
}
