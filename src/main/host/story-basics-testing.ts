/** What all of a story's world stands on: real cryptography, chance that can be repeated, and times by name. */
import { chooseCrypto } from './crypto.ts';

export const { crypto } = chooseCrypto();
export const secondMs = 1_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** Counter mode over BLAKE3: the same story draws the same keys in each run. */
export function seeded(seed: string): (length: number) => Uint8Array {
  let counter = 0;
  return (length) => {
    const out = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += 32) {
      counter += 1;
      out.set(crypto.blake3(new TextEncoder().encode(`${seed} ${String(counter)}`)).subarray(0, Math.min(32, length - offset)), offset);
    }
    return out;
  };
}
