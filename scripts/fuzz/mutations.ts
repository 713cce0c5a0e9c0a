/** Damages genuine datagrams in the ways that networks and attackers do. Pure and seeded. */
import type { SeededRandom } from '../../sim/random.ts';
import { concatBytes } from '../../src/main/engine/wire/bytes.ts';

export const mutationKinds = ['replay', 'flip', 'edit', 'truncate', 'extend', 'splice', 'random', 'zero'] as const;
export type MutationKind = (typeof mutationKinds)[number];

/** Larger than any datagram of ours, smaller than what a loopback splits. */
const longestBytes = 1_500;
const typesMaximum = 9;
const flipsMaximum = 8;
/** Type byte, indices and counters stand here: an edit there gets further than one in the ciphertext. */
const headerBytes = 24;
const extremes = [0, 1, 0x7f, 0x80, 0xff] as const;

/** Changes nothing of `genuine`. */
export function mutate(random: SeededRandom, kind: MutationKind, genuine: Uint8Array, other: Uint8Array): Uint8Array {
  switch (kind) {
    case 'replay': return genuine;
    case 'flip': {
      const copy = genuine.slice();
      for (let count = random.integer(1, flipsMaximum); count > 0 && copy.length > 0; count -= 1) {
        const at = random.integer(0, copy.length - 1);
        copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(0, 7));
      }
      return copy;
    }
    case 'edit': {
      const copy = genuine.slice();
      const at = random.integer(0, Math.max(0, Math.min(copy.length, headerBytes) - 1));
      for (let offset = at; offset < Math.min(copy.length, at + random.integer(1, 8)); offset += 1) copy[offset] = random.pick(extremes) ?? 0;
      return copy;
    }
    case 'truncate': return genuine.slice(0, random.integer(0, Math.max(0, genuine.length - 1)));
    case 'extend': return concatBytes(genuine, random.bytes(random.integer(1, Math.max(1, longestBytes - genuine.length))));
    case 'splice': return concatBytes(genuine.subarray(0, random.integer(0, genuine.length)), other.subarray(random.integer(0, other.length)));
    case 'random': {
      const bytes = random.bytes(random.integer(0, longestBytes));
      // A type that exists gets further than a random one.
      if (bytes.length > 0 && random.chance(0.8)) bytes[0] = random.integer(0, typesMaximum);
      return bytes;
    }
    case 'zero': return new Uint8Array(random.integer(0, longestBytes));
  }
}
