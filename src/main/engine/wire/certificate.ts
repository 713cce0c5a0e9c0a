/**
 * Device certificates: the identity key says once a year which device keys speak for it, so that the identity key itself stays out of
 * packets. The only signed object in handshakes, hence its fixed 194 bytes.
 */
import { isUsablePublicKey } from '../noise/x25519-keys.ts';
import { Reader, Writer, concatBytes } from './bytes.ts';
import { readDeviceId, readPublicKey, writeDeviceId, writePublicKey } from './fields.ts';
import { identityPublicKey, identitySignatureBytes, signIdentity, verifyIdentity } from './identity.ts';
import type { DeviceCertificate, DeviceIdHex } from './types.ts';

export const certificateBytes = 194;
const certificateVersion = 1;
const signedBytes = certificateBytes - identitySignatureBytes;
const keyBytes = 32;

export interface CertificateArguments {
  readonly identitySecret: Uint8Array;
  readonly deviceId: DeviceIdHex;
  /** X25519 static public key, 32 bytes. */
  readonly x25519: Uint8Array;
  /** Ed25519 public key, 32 bytes. */
  readonly ed25519: Uint8Array;
  /** Leave room for the clocks of others: a certificate from the future is not accepted. */
  readonly notBeforeSeconds: number;
  readonly notAfterSeconds: number;
}

/** @throws RangeError for a value that does not fit its field or an empty validity. */
export function createCertificate(options: CertificateArguments): DeviceCertificate {
  const writer = new Writer(signedBytes).u8(certificateVersion);
  writePublicKey(writer, identityPublicKey(options.identitySecret));
  writeDeviceId(writer, options.deviceId);
  writer.bytes(options.x25519, keyBytes).bytes(options.ed25519, keyBytes).u64(options.notBeforeSeconds).u64(options.notAfterSeconds);
  const signed = writer.finish();
  const certificate = decodeCertificate(concatBytes(signed, signIdentity('waypost device certificate v1', signed, options.identitySecret)));
  if (certificate === undefined) throw new RangeError('a certificate needs a usable X25519 key and an end after its beginning');
  return certificate;
}

/** Structure only: call `verifyCertificate` before believing it. The result keeps one copy of the 194 bytes and nothing of the input. */
export function decodeCertificate(bytes: Uint8Array): DeviceCertificate | undefined {
  if (bytes.length !== certificateBytes) return undefined;
  const own = new Uint8Array(bytes);
  const reader = new Reader(own);
  if (reader.u8() !== certificateVersion) return undefined;
  const identity = readPublicKey(reader);
  const deviceId = readDeviceId(reader);
  const x25519 = reader.bytes(keyBytes);
  const ed25519 = reader.bytes(keyBytes);
  const notBeforeSeconds = reader.u64();
  const notAfterSeconds = reader.u64();
  if (!reader.ok || notAfterSeconds <= notBeforeSeconds || !isUsablePublicKey(x25519)) return undefined;
  return { identity, deviceId, x25519, ed25519, notBeforeSeconds, notAfterSeconds, bytes: own };
}

/** Whether the identity signed it. Takes about a millisecond: cache the answer by the bytes. */
export function verifyCertificate(certificate: DeviceCertificate): boolean {
  const { bytes } = certificate;
  return bytes.length === certificateBytes
    && verifyIdentity('waypost device certificate v1', bytes.subarray(0, signedBytes), bytes.subarray(signedBytes), certificate.identity);
}

/** From the first second on, up to but without the last. `wallMs` is the corrected wall clock (architecture 12). */
export function certificateValidAt(certificate: DeviceCertificate, wallMs: number): boolean {
  return certificate.notBeforeSeconds * 1_000 <= wallMs && wallMs < certificate.notAfterSeconds * 1_000;
}
