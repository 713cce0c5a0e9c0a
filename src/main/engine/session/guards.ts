/** What protects a listening side: cookies under load, a budget for certificate checks, reset tokens, and counted drops. */
import { toHex, utf8Encode, equalBytes } from '../wire/bytes.ts';
import { certificateValidAt, decodeCertificate, verifyCertificate } from '../wire/certificate.ts';
import { cookiePeriodMs, dialledCertificatesPerSecond, unknownSessionPerSecond, verifiedCertificatesMaximum } from './constants.ts';
import { socketAddressKey, type DeviceCertificate, type Instant, type SocketAddress } from '../wire/types.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { DropReason } from './types.ts';

/** Events per second, counted in whole seconds of monotonic time. */
export class RateMeter {
  #second = -1;
  #count = 0;
  /** Counts one and returns how many this second has seen. */
  add(now: Instant): number {
    const second = Math.floor(now.monotonicMs / 1000);
    if (second !== this.#second) { this.#second = second; this.#count = 0; }
    this.#count += 1;
    return this.#count;
  }
}

/** Proves that an address can receive, without state: HMAC of the address under a secret that changes hourly (RFC 9147, section 5.1). */
export class CookieJar {
  readonly #crypto: Crypto;
  readonly #random: RandomBytes;
  #secret: Uint8Array;
  #previous: Uint8Array;
  #sinceMs = 0;

  constructor(crypto: Crypto, random: RandomBytes) {
    this.#crypto = crypto;
    this.#random = random;
    this.#secret = random(32);
    this.#previous = this.#secret;
  }

  make(address: SocketAddress, now: Instant): Uint8Array {
    this.#renew(now);
    return this.#cookie(this.#secret, address);
  }

  accepts(cookie: Uint8Array, address: SocketAddress, now: Instant): boolean {
    this.#renew(now);
    return equalBytes(cookie, this.#cookie(this.#secret, address)) || equalBytes(cookie, this.#cookie(this.#previous, address));
  }

  #renew(now: Instant): void {
    const ageMs = now.monotonicMs - this.#sinceMs;
    if (ageMs <= cookiePeriodMs) return;
    // After a long time without load the secret before is too old as well.
    this.#previous = ageMs <= 2 * cookiePeriodMs ? this.#secret : this.#random(32);
    this.#secret = this.#random(32);
    this.#sinceMs = now.monotonicMs;
  }

  #cookie(secret: Uint8Array, address: SocketAddress): Uint8Array {
    return this.#crypto.hmacSha256(secret, utf8Encode(socketAddressKey(address))).slice(0, 16);
  }
}

/** Certificates by SHA-256 of their bytes; the costly signature check runs once each, within a budget per second. */
export class CertificateChecker {
  readonly #crypto: Crypto;
  readonly #perSecond: number;
  readonly #theirs = new RateMeter();
  readonly #dialled = new RateMeter();
  readonly #known = new Map<string, DeviceCertificate>();

  constructor(crypto: Crypto, perSecond: number) {
    this.#crypto = crypto;
    this.#perSecond = perSecond;
  }

  check(bytes: Uint8Array, now: Instant, side: 'dials-us' | 'dialled'): DeviceCertificate | Extract<DropReason, 'bad-certificate' | 'certificate-budget'> {
    const key = toHex(this.#crypto.sha256(bytes));
    let certificate = this.#known.get(key);
    if (certificate === undefined) {
      certificate = decodeCertificate(bytes);
      if (certificate === undefined || !certificateValidAt(certificate, now.wallMs)) return 'bad-certificate';
      if (side === 'dialled' ? this.#dialled.add(now) > dialledCertificatesPerSecond : this.#theirs.add(now) > this.#perSecond) return 'certificate-budget';
      if (!verifyCertificate(certificate)) return 'bad-certificate';
      if (this.#known.size >= verifiedCertificatesMaximum) {
        const oldest = this.#known.keys().next();
        if (oldest.done !== true) this.#known.delete(oldest.value);
      }
    } else this.#known.delete(key);
    // Re-inserted, so that the order of the map is the order of use.
    this.#known.set(key, certificate);
    return certificateValidAt(certificate, now.wallMs) ? certificate : 'bad-certificate';
  }
}

/** HMAC(persisted secret, `reset` + index): a restarted relay can prove that it, and nobody else, has forgotten a session. */
export function resetToken(crypto: Crypto, secret: Uint8Array, index: number): Uint8Array {
  const text = utf8Encode('reset');
  const message = new Uint8Array(text.length + 4);
  message.set(text);
  new DataView(message.buffer).setUint32(text.length, index);
  return crypto.hmacSha256(secret, message).slice(0, 16);
}

/** At most 200 unknown-session answers a second in all: they are hints, and the asker repeats. */
export class UnknownSessionLimit {
  readonly #meter = new RateMeter();
  allows(now: Instant): boolean { return this.#meter.add(now) <= unknownSessionPerSecond; }
}

const dropReasons: readonly DropReason[] = ['empty', 'unknown-type', 'truncated', 'too-long', 'bad-version', 'not-listening', 'unknown-session', 'replayed', 'unauthentic',
  'cookie-demanded', 'bad-cookie', 'bad-certificate', 'certificate-budget', 'session-limit', 'handshake-limit', 'unexpected', 'bad-frame', 'bad-reset-token', 'self'];

export function newDropCounters(): Record<DropReason, number> {
  return Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>;
}
