/**
 * Remembers the expanded form of the few Ed25519 seeds that this process signs with. libsodium signs with 64 bytes made from the seed by a
 * hash and a scalar multiplication; doing that for every signature would double its cost. A process has one device key, a test a handful.
 */
export interface ExpandedKey {
  readonly publicKey: Uint8Array;
  /** libsodium's 64 bytes: seed, then public key. */
  readonly secretKey: Uint8Array;
}

const seedSizeBytes = 32;
const publicKeySizeBytes = 32;
const secretKeySizeBytes = 64;
/** More than a visor ever signs with, few enough that looking through all of them costs nothing. */
const entriesMaximum = 8;

export class ExpandedKeyCache {
  readonly #expand: (publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array) => void;
  /** Oldest first. */
  readonly #entries: ExpandedKey[] = [];

  constructor(expand: (publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array) => void) {
    this.#expand = expand;
  }

  /** Throws RangeError unless `seed` has 32 bytes. The result belongs to the cache: copy what leaves it. */
  get(seed: Uint8Array): ExpandedKey {
    if (seed.length !== seedSizeBytes) throw new RangeError(`seed must have ${seedSizeBytes} bytes, got ${seed.length}`);
    const known = this.#entries.find((entry) => holdsSeed(entry, seed));
    if (known !== undefined) return known;
    const entry: ExpandedKey = { publicKey: new Uint8Array(publicKeySizeBytes), secretKey: new Uint8Array(secretKeySizeBytes) };
    this.#expand(entry.publicKey, entry.secretKey, seed);
    if (this.#entries.length >= entriesMaximum) this.#entries.shift()?.secretKey.fill(0);
    this.#entries.push(entry);
    return entry;
  }
}

/** Compares all bytes whatever they are, so that the time does not tell how much of two secrets is alike. */
function holdsSeed(entry: ExpandedKey, seed: Uint8Array): boolean {
  let difference = 0;
  for (let index = 0; index < seedSizeBytes; index += 1) difference |= (entry.secretKey[index] ?? 0) ^ (seed[index] ?? 0);
  return difference === 0;
}
