/** Named records at their limits, signed and then damaged: whatever somebody could publish, or answer to somebody who fetches by name. Seeded but for the keys. */
import type { SeededRandom } from '../../sim/random.ts';
import { createNamedRecord } from '../../src/main/engine/wire/named-record.ts';
import type { ContentName } from '../../src/main/engine/wire/types.ts';
import { mutate, mutationKinds } from './mutations.ts';

const daySeconds = 86_400;
/** Of those that are signed: a signature costs milliseconds, so that each is used many times. */
const signedMaximum = 48;
const sequences = [0, 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1] as const;
const lengths = [1, 1_024, 65_536, 2 ** 32, 64 * 2 ** 30 + 1, 2 ** 53 - 1] as const;
const paths = ['a', 'docs/read-me.txt', '-/_/...', `${'long/'.repeat(25)}end`] as const;

export interface RecordLimits {
  readonly path?: string;
  readonly lengths?: readonly number[];
}

/** A record that decodes and verifies, and says anything at all. */
export function signedRecord(random: SeededRandom, identitySecret: Uint8Array, nowSeconds: number, limits: RecordLimits = {}): Uint8Array {
  const isWithdrawn = random.chance(0.2);
  const content: ContentName | undefined = isWithdrawn ? undefined : { root: random.bytes(32), length: random.pick(limits.lengths ?? lengths) ?? 1 };
  return createNamedRecord({
    identitySecret, content, path: limits.path ?? random.pick(paths) ?? 'a', mediaType: isWithdrawn || random.chance(0.5) ? '' : 'text/plain',
    sequence: random.chance(0.6) ? nowSeconds + random.integer(-5, 5) : random.pick(sequences) ?? 0,
    notAfterSeconds: random.chance(0.7) ? nowSeconds + random.integer(1, 30) * daySeconds : random.pick([0, nowSeconds - 1, nowSeconds + 40 * daySeconds, 2 ** 53 - 1]) ?? 0,
  }).bytes;
}

export const signedRecords = (random: SeededRandom, identitySecret: Uint8Array, nowSeconds: number): readonly Uint8Array[] =>
  Array.from({ length: signedMaximum }, () => signedRecord(random, identitySecret, nowSeconds));

/** As signed, or damaged in any way. */
export function hostileRecord(random: SeededRandom, signed: readonly Uint8Array[]): Uint8Array {
  const record = random.pick(signed) ?? random.bytes(250);
  return random.chance(0.3) ? record : mutate(random, random.pick(mutationKinds) ?? 'flip', record, random.pick(signed) ?? record);
}
