/**
 * One key in one direction (Noise revision 34, section 5.1), with two ways to use it: an own counter that steps by one for ordered
 * streams and handshakes, and explicit counters for datagrams, which arrive late, twice or never. Replay protection belongs to the
 * caller of `decryptAt`; so does never using a counter twice with `encryptAt`.
 */
import type { Crypto } from '../crypto.ts';
import { NoiseError } from './noise-error.ts';

const keySizeBytes = 32;
const nonceSizeBytes = 12;

/**
 * The wire has 64 bits, a JavaScript number is exact to 2^53 - 1: at a million packets a second that is 285 years, and a session is
 * rekeyed after hours. Numbers keep bigint arithmetic and its allocations off the packet path.
 */
const counterMaximum = Number.MAX_SAFE_INTEGER;
const twoToThe32 = 0x1_0000_0000;

const noAssociatedData = new Uint8Array(0);
const rekeyPlaintext = new Uint8Array(keySizeBytes);

export class CipherState {
  readonly #crypto: Crypto;
  #key: Uint8Array;
  #counter = 0;
  #destroyed = false;
  /** Reused for each packet: 4 zero bytes, then the counter, little-endian (section 12.3). Safe because every call is synchronous. */
  readonly #nonce = new Uint8Array(nonceSizeBytes);
  readonly #nonceView = new DataView(this.#nonce.buffer);

  /** @param key 32 bytes, copied. */
  constructor(crypto: Crypto, key: Uint8Array) {
    if (key.length !== keySizeBytes) throw new NoiseError('wrong_key_material', `a cipher key has ${keySizeBytes} bytes, got ${key.length}`);
    this.#crypto = crypto;
    this.#key = key.slice();
  }

  /** The counter that `encrypt` or `decrypt` uses next. */
  get counter(): number {
    return this.#counter;
  }

  /** Ciphertext and 16-byte tag under the next counter. */
  encrypt(associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.encryptAt(this.#counter, associatedData, plaintext);
    this.#counter += 1;
    return ciphertext;
  }

  /** Undefined, and the counter stays, when the input is not authentic (section 5.1, DecryptWithAd). */
  decrypt(associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.decryptAt(this.#counter, associatedData, ciphertext);
    if (plaintext !== undefined) this.#counter += 1;
    return plaintext;
  }

  /** The caller promises that `counter` is new for this key: two plaintexts under one counter betray each other and the tag key. */
  encryptAt(counter: number, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#destroyed) throw new NoiseError('key_destroyed', 'the key of this cipher has been wiped');
    if (!isCounter(counter)) throw new NoiseError('counter_exhausted', `counter ${counter} is outside 0 to 2^53 - 2`);
    this.#setNonce(counter);
    return this.#crypto.aeadSeal(this.#key, this.#nonce, associatedData, plaintext);
  }

  /** Undefined for anything that is not authentic, an impossible counter, or a wiped key. Does not touch the own counter. */
  decryptAt(counter: number, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    if (this.#destroyed || !isCounter(counter)) return undefined;
    this.#setNonce(counter);
    return this.#crypto.aeadOpen(this.#key, this.#nonce, associatedData, ciphertext);
  }

  /** As `encryptAt`, into `output` of the plaintext's length and 16 bytes more, which may begin where the plaintext does. */
  encryptInto(counter: number, associatedData: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void {
    if (this.#destroyed) throw new NoiseError('key_destroyed', 'the key of this cipher has been wiped');
    if (!isCounter(counter)) throw new NoiseError('counter_exhausted', `counter ${counter} is outside 0 to 2^53 - 2`);
    this.#setNonce(counter);
    this.#crypto.aeadSealInto(this.#key, this.#nonce, associatedData, plaintext, output);
  }

  /** As `decryptAt`, into `output` of the ciphertext's length without the tag, which may begin where the ciphertext does. False: worth nothing. */
  decryptInto(counter: number, associatedData: Uint8Array, ciphertext: Uint8Array, output: Uint8Array): boolean {
    if (this.#destroyed || !isCounter(counter)) return false;
    this.#setNonce(counter);
    return this.#crypto.aeadOpenInto(this.#key, this.#nonce, associatedData, ciphertext, output);
  }

  /** Replaces the key one-way; counters go on (sections 4.2 and 11.3). Both sides must do it at the same point. */
  rekey(): void {
    if (this.#destroyed) throw new NoiseError('key_destroyed', 'the key of this cipher has been wiped');
    // The reserved counter 2^64 - 1, which no message can have.
    this.#nonceView.setUint32(4, 0xffff_ffff, true);
    this.#nonceView.setUint32(8, 0xffff_ffff, true);
    const sealed = this.#crypto.aeadSeal(this.#key, this.#nonce, noAssociatedData, rekeyPlaintext);
    this.#key.fill(0);
    this.#key = sealed.slice(0, keySizeBytes);
    sealed.fill(0);
  }

  /** Same key and counter, independent from here on; for attempts that must not change the original. */
  clone(): CipherState {
    const copy = new CipherState(this.#crypto, this.#key);
    copy.#counter = this.#counter;
    copy.#destroyed = this.#destroyed;
    return copy;
  }

  /** Wipes the key. Afterwards nothing opens and sealing throws. */
  destroy(): void {
    this.#key.fill(0);
    this.#destroyed = true;
  }

  #setNonce(counter: number): void {
    this.#nonceView.setUint32(4, counter % twoToThe32, true);
    this.#nonceView.setUint32(8, Math.floor(counter / twoToThe32), true);
  }
}

/** Strictly below the maximum, so that stepping the own counter stays exact. */
function isCounter(counter: number): boolean {
  return Number.isSafeInteger(counter) && counter >= 0 && counter < counterMaximum;
}
