/**
 * Prekey bundles: the key that letters to a device are sealed to this week. Signed by the device rather than the identity, so that the
 * weekly change needs no identity key.
 */
import type { Crypto } from '../crypto.ts';
import { isUsablePublicKey } from '../noise/x25519-keys.ts';
import { Reader, Writer, concatBytes } from './bytes.ts';
import { inDomain } from './domain.ts';
import { readDeviceId, readPublicKey, writeDeviceId, writePublicKey } from './fields.ts';
import type { DeviceCertificate, DeviceIdHex, PrekeyBundle, PublicKeyHex } from './types.ts';

export const prekeyBundleBytes = 158;
const bundleVersion = 1;
const signatureBytes = 64;
const signedBytes = prekeyBundleBytes - signatureBytes;
const keyBytes = 32;

export interface PrekeyBundleArguments {
  readonly identity: PublicKeyHex;
  readonly deviceId: DeviceIdHex;
  /** 32 bits; never used twice by a device. */
  readonly prekeyId: number;
  /** X25519 public key, 32 bytes. */
  readonly prekey: Uint8Array;
  readonly createdSeconds: number;
  /** Seed of the device's Ed25519 key, 32 bytes. */
  readonly ed25519Seed: Uint8Array;
}

/** @throws RangeError for a value that does not fit its field. */
export function createPrekeyBundle(crypto: Crypto, options: PrekeyBundleArguments): PrekeyBundle {
  const writer = new Writer(signedBytes).u8(bundleVersion);
  writePublicKey(writer, options.identity);
  writeDeviceId(writer, options.deviceId);
  writer.u32(options.prekeyId).bytes(options.prekey, keyBytes).u64(options.createdSeconds);
  const signed = writer.finish();
  const bundle = decodePrekeyBundle(concatBytes(signed, crypto.ed25519Sign(inDomain('waypost prekey bundle v1', signed), options.ed25519Seed)));
  if (bundle === undefined) throw new RangeError('a prekey bundle needs an identity and a usable X25519 key');
  return bundle;
}

/** Structure only, with one copy of the bytes. Prekeys of small order are refused here, before anybody seals to them. */
export function decodePrekeyBundle(bytes: Uint8Array): PrekeyBundle | undefined {
  if (bytes.length !== prekeyBundleBytes) return undefined;
  const own = new Uint8Array(bytes);
  const reader = new Reader(own);
  if (reader.u8() !== bundleVersion) return undefined;
  const identity = readPublicKey(reader);
  const deviceId = readDeviceId(reader);
  const prekeyId = reader.u32();
  const prekey = reader.bytes(keyBytes);
  const createdSeconds = reader.u64();
  if (!reader.ok || !isUsablePublicKey(prekey)) return undefined;
  return { identity, deviceId, prekeyId, prekey, createdSeconds, bytes: own };
}

/** Whether the device of `certificate` (itself already verified) signed the bundle. */
export function verifyPrekeyBundle(crypto: Crypto, bundle: PrekeyBundle, certificate: DeviceCertificate): boolean {
  const { bytes } = bundle;
  return bytes.length === prekeyBundleBytes && bundle.identity === certificate.identity && bundle.deviceId === certificate.deviceId
    && crypto.ed25519Verify(bytes.subarray(signedBytes), inDomain('waypost prekey bundle v1', bytes.subarray(0, signedBytes)), certificate.ed25519);
}
