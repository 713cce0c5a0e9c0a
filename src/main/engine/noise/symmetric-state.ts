/**
 * The chaining key, the transcript hash and the handshake cipher (Noise revision 34, section 5.2). Everything sent or received is mixed
 * into the hash, which is the associated data of every later encryption: a changed byte anywhere makes the next tag fail.
 */
import type { Crypto } from '../crypto.ts';
import { CipherState } from './cipher-state.ts';

/** Output of SHA-256, and the key size of ChaCha20: the two happen to agree, so HKDF outputs need no truncation (section 5.2, Split). */
const hashSizeBytes = 32;

const empty = new Uint8Array(0);
const hkdfLabels = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] as const;

export class SymmetricState {
  readonly #crypto: Crypto;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState | undefined;

  constructor(crypto: Crypto, protocolName: string) {
    this.#crypto = crypto;
    const name = new TextEncoder().encode(protocolName);
    if (name.length <= hashSizeBytes) {
      this.#hash = new Uint8Array(hashSizeBytes);
      this.#hash.set(name);
    } else {
      this.#hash = crypto.sha256(name);
    }
    this.#chainingKey = this.#hash.slice();
  }

  /** h, as a copy. */
  get hash(): Uint8Array {
    return this.#hash.slice();
  }

  /** Whether `encryptAndHash` encrypts; before the first key it passes bytes through. */
  get hasKey(): boolean {
    return this.#cipher !== undefined;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.sha256(concatenate(this.#hash, data));
  }

  mixKey(inputKeyMaterial: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(inputKeyMaterial);
    this.#setChainingKey(chainingKey);
    this.#setCipherKey(key);
  }

  /** For pre-shared keys (section 9.1): also binds the key into the transcript. */
  mixKeyAndHash(inputKeyMaterial: Uint8Array): void {
    const [chainingKey, hashInput, key] = this.#hkdf(inputKeyMaterial, true);
    this.#setChainingKey(chainingKey);
    this.mixHash(hashInput);
    hashInput.fill(0);
    this.#setCipherKey(key);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher === undefined ? plaintext.slice() : this.#cipher.encrypt(this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher === undefined ? ciphertext.slice() : this.#cipher.decrypt(this.#hash, ciphertext);
    if (plaintext !== undefined) this.mixHash(ciphertext);
    return plaintext;
  }

  /** First the cipher of initiator to responder, then the other. The chaining key is wiped: a second call would find nothing. */
  split(): readonly [CipherState, CipherState] {
    const [first, second] = this.#hkdf(empty);
    const ciphers = [new CipherState(this.#crypto, first), new CipherState(this.#crypto, second)] as const;
    first.fill(0);
    second.fill(0);
    this.destroy();
    return ciphers;
  }

  clone(): SymmetricState {
    const copy = new SymmetricState(this.#crypto, '');
    copy.#chainingKey = this.#chainingKey.slice();
    copy.#hash = this.#hash.slice();
    copy.#cipher = this.#cipher?.clone();
    return copy;
  }

  /** Wipes the secrets; the transcript hash is public and stays. */
  destroy(): void {
    this.#chainingKey.fill(0);
    this.#cipher?.destroy();
  }

  #setChainingKey(chainingKey: Uint8Array): void {
    this.#chainingKey.fill(0);
    this.#chainingKey = chainingKey;
  }

  #setCipherKey(key: Uint8Array): void {
    this.#cipher?.destroy();
    this.#cipher = new CipherState(this.#crypto, key);
    key.fill(0);
  }

  /** HKDF of section 4.3: RFC 5869 with the chaining key as salt and empty info; a third output only where it is used. */
  #hkdf(inputKeyMaterial: Uint8Array, third = false): readonly [Uint8Array, Uint8Array, Uint8Array] {
    const crypto = this.#crypto;
    const secret = crypto.hmacSha256(this.#chainingKey, inputKeyMaterial);
    const first = crypto.hmacSha256(secret, hkdfLabels[0]);
    const second = crypto.hmacSha256(secret, concatenate(first, hkdfLabels[1]));
    const last = third ? crypto.hmacSha256(secret, concatenate(second, hkdfLabels[2])) : empty;
    secret.fill(0);
    return [first, second, last];
  }
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
