/**
 * Certificates whose signature has been checked, by the SHA-256 of their bytes, least recently used first out. Sessions of one device
 * share the decoded object. Only valid ones get in, so an attacker can fill it no faster than the budget for checks allows.
 */
import type { Crypto } from '../crypto.ts';
import { toHex } from '../wire/bytes.ts';
import { certificateValidAt, decodeCertificate, verifyCertificate } from '../wire/certificate.ts';
import type { DeviceCertificate } from '../wire/types.ts';

export class CertificateCache {
  readonly #crypto: Crypto;
  readonly #capacity: number;
  readonly #known = new Map<string, DeviceCertificate>();

  constructor(crypto: Crypto, capacity: number) {
    this.#crypto = crypto;
    this.#capacity = capacity;
  }

  get size(): number { return this.#known.size; }

  /**
   * The certificate when it is valid at `wallMs`. `mayCheck` is asked only when a signature has to be verified (about a millisecond).
   */
  accept(bytes: Uint8Array, wallMs: number, mayCheck: () => boolean): DeviceCertificate | 'bad-certificate' | 'certificate-budget' {
    const key = toHex(this.#crypto.sha256(bytes));
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#known.delete(key);
      this.#known.set(key, known);
      return certificateValidAt(known, wallMs) ? known : 'bad-certificate';
    }
    const certificate = decodeCertificate(bytes);
    if (certificate === undefined || !certificateValidAt(certificate, wallMs)) return 'bad-certificate';
    if (!mayCheck()) return 'certificate-budget';
    if (!verifyCertificate(certificate)) return 'bad-certificate';
    this.#known.set(key, certificate);
    if (this.#known.size > this.#capacity) {
      const oldest = this.#known.keys().next();
      if (oldest.done !== true) this.#known.delete(oldest.value);
    }
    return certificate;
  }
}
