/**
 * Proof of a source address without memory of it: HMAC of the address under a secret of the hour. Demanded under load, before any
 * Diffie-Hellman, so that spoofed addresses cost one hash each.
 */
import type { Crypto, RandomBytes } from '../crypto.ts';
import { equalBytes, utf8Encode } from '../wire/bytes.ts';
import { socketAddressKey } from '../wire/types.ts';
import type { SocketAddress } from '../wire/types.ts';
import { cookieBytes, cookiePeriodMs } from './constants.ts';

const secretBytes = 32;

export class CookieJar {
  readonly #crypto: Crypto;
  readonly #random: RandomBytes;
  #secret: Uint8Array | undefined;
  #previousSecret: Uint8Array | undefined;
  #periodEndsMs = -Infinity;

  constructor(crypto: Crypto, random: RandomBytes) {
    this.#crypto = crypto;
    this.#random = random;
  }

  bake(address: SocketAddress, nowMs: number): Uint8Array {
    return this.#cookie(this.#current(nowMs), address);
  }

  /** Also accepts a cookie of the period before. */
  isValid(cookie: Uint8Array, address: SocketAddress, nowMs: number): boolean {
    if (equalBytes(cookie, this.#cookie(this.#current(nowMs), address))) return true;
    return this.#previousSecret !== undefined && equalBytes(cookie, this.#cookie(this.#previousSecret, address));
  }

  #current(nowMs: number): Uint8Array {
    if (this.#secret === undefined || nowMs >= this.#periodEndsMs) {
      this.#previousSecret = nowMs < this.#periodEndsMs + cookiePeriodMs ? this.#secret : undefined;
      this.#secret = this.#random(secretBytes);
      this.#periodEndsMs = nowMs + cookiePeriodMs;
    }
    return this.#secret;
  }

  #cookie(secret: Uint8Array, address: SocketAddress): Uint8Array {
    return this.#crypto.hmacSha256(secret, utf8Encode(socketAddressKey(address))).slice(0, cookieBytes);
  }
}
