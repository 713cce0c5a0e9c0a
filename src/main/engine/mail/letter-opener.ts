/**
 * Whether a letter's outside is for us and from whom it says: its header is opened with the prekey that it names, and its sender's certificate must be signed, valid, and that
 * of a device which the sender has not revoked.
 */
import { toHex } from '../wire/bytes.ts';
import { certificateValidAt, verifyCertificate } from '../wire/certificate.ts';
import { decodeIdentityRecord } from '../wire/record.ts';
import { ttlMaximumSeconds } from '../../../shared/views.ts';
import { headerPrekeyId, openHeader } from './letter.ts';
import type { Instant, LetterHeader } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { PrekeyRow } from './visor-store.ts';

/** Certificates whose signature was verified; secp256k1 costs about a millisecond. */
const verifiedCertificatesMaximum = 2_048;

export class LetterOpener {
  readonly #context: VisorContext;
  readonly #verified = new Set<string>();

  constructor(context: VisorContext) { this.#context = context; }

  /** Undefined when it cannot be opened, or its sender is not believed. */
  open(bytes: Uint8Array, now: Instant): { readonly header: LetterHeader; readonly prekey: PrekeyRow } | undefined {
    const prekeyId = headerPrekeyId(bytes);
    const prekey = prekeyId === undefined ? undefined : this.#context.memory.prekeys.get(prekeyId);
    const header = prekey === undefined ? undefined : this.#openHeader(bytes, prekey);
    return prekey === undefined || header === undefined || !this.#certificateAccepted(header, now) ? undefined : { header, prekey };
  }

  #openHeader(bytes: Uint8Array, prekey: PrekeyRow): LetterHeader | undefined {
    return openHeader({
      crypto: this.#context.crypto,
      recipient: { identity: this.#context.publicKey, deviceId: this.#context.device.deviceId },
      prekeySecret: prekey.secretKey, bundleBytes: prekey.bundle, header: bytes,
    });
  }

  /** Its signature, its dates (until expiry + longest TTL), and that the sender's newest record still lists the device. */
  #certificateAccepted(header: LetterHeader, now: Instant): boolean {
    const certificate = header.certificate;
    const key = toHex(this.#context.crypto.sha256(certificate.bytes));
    if (!this.#verified.has(key)) {
      if (!verifyCertificate(certificate)) return false;
      if (this.#verified.size >= verifiedCertificatesMaximum) this.#verified.clear();
      this.#verified.add(key);
    }
    const graceMs = ttlMaximumSeconds * 1000;
    const wallMs = this.#context.correctedWallMs(now);
    if (!certificateValidAt(certificate, wallMs) && !certificateValidAt(certificate, wallMs - graceMs)) return false;
    const known = this.#context.memory.contacts.get(certificate.identity)?.identityRecord;
    const record = known === undefined ? undefined : decodeIdentityRecord(known);
    if (record === undefined || record.devices.some((device) => device.deviceId === certificate.deviceId)) return true;
    // A device that is newer than all of the record is one that we have not heard of yet, not a revoked one.
    return record.devices.every((device) => certificate.notBeforeSeconds > device.notBeforeSeconds);
  }
}
