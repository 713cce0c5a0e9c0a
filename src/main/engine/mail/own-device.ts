/**
 * This install's device: made once per profile, certified by the identity key, renewed before its certificate ends. A restore from words
 * makes a new one, with a later start date than the old install's: that is how two installs agree which of them is revoked.
 */
import { certificateValidAt, createCertificate, decodeCertificate } from '../wire/certificate.ts';
import { toHex } from '../wire/bytes.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { Instant } from '../wire/types.ts';
import type { OwnDevice } from '../visor-context.ts';
import type { DeviceRow, VisorChange } from './visor-store.ts';

/** One year (architecture 3). */
export const certificateLifetimeSeconds = 365 * 86_400;
/** Renewed when less than this is left, so that letters in flight never meet an expired certificate. */
const renewBeforeSeconds = 60 * 86_400;
/** The start lies in the past so that people whose clock is behind by a day accept it. */
const startToleranceSeconds = 2 * 86_400;

export function ensureDevice(row: DeviceRow | undefined, crypto: Crypto, random: RandomBytes, identitySecret: Uint8Array, now: Instant):
{ readonly device: OwnDevice; readonly resetSecret: Uint8Array; readonly changes: readonly VisorChange[] } {
  const nowSeconds = Math.floor(now.wallMs / 1000);
  const known = row === undefined ? undefined : decodeCertificate(row.certificate);
  if (row !== undefined && known !== undefined && certificateValidAt(known, now.wallMs) && known.notAfterSeconds - nowSeconds > renewBeforeSeconds) {
    return { device: fromRow(row, known, crypto), resetSecret: row.resetSecret, changes: [] };
  }
  const x25519Secret = row?.x25519Secret ?? random(32);
  const ed25519Seed = row?.ed25519Seed ?? random(32);
  const deviceId = row?.deviceId ?? toHex(random(16));
  const certificate = createCertificate({
    identitySecret, deviceId,
    x25519: crypto.x25519PublicKey(x25519Secret), ed25519: crypto.ed25519PublicKey(ed25519Seed),
    // A renewed device keeps its first start date: it must not look newer than an install that has replaced it since. Only a date that lies
    // in the future, from a clock that was wrong then, would make every renewal invalid.
    notBeforeSeconds: Math.max(0, Math.min(known?.notBeforeSeconds ?? nowSeconds, nowSeconds - startToleranceSeconds)),
    notAfterSeconds: nowSeconds + certificateLifetimeSeconds,
  });
  const renewed: DeviceRow = { deviceId, x25519Secret, ed25519Seed, certificate: certificate.bytes, resetSecret: row?.resetSecret ?? random(32) };
  return { device: fromRow(renewed, certificate, crypto), resetSecret: renewed.resetSecret, changes: [{ kind: 'put-device', row: renewed }] };
}

/** The device as of its newest certificate: one that runs for months renews it without a new start. */
export class CurrentDevice {
  readonly #memory: { readonly device: DeviceRow | undefined };
  readonly #crypto: Crypto;
  #row: DeviceRow | undefined;
  #device: OwnDevice;

  /** @param first before anything is written. */
  constructor(memory: { readonly device: DeviceRow | undefined }, crypto: Crypto, first: OwnDevice) {
    this.#memory = memory;
    this.#crypto = crypto;
    this.#row = memory.device;
    this.#device = first;
  }

  get value(): OwnDevice {
    const row = this.#memory.device;
    if (row === undefined || row === this.#row) return this.#device;
    const certificate = decodeCertificate(row.certificate);
    if (certificate !== undefined) this.#device = fromRow(row, certificate, this.#crypto);
    this.#row = row;
    return this.#device;
  }
}

function fromRow(row: DeviceRow, certificate: OwnDevice['certificate'], crypto: Crypto): OwnDevice {
  return {
    deviceId: row.deviceId,
    staticKeys: { secretKey: row.x25519Secret, publicKey: crypto.x25519PublicKey(row.x25519Secret) },
    ed25519Seed: row.ed25519Seed,
    certificate,
  };
}
