import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { concatBytes, toHex } from './bytes.ts';
import { certificateBytes, certificateValidAt, createCertificate, decodeCertificate, verifyCertificate } from './certificate.ts';
import { identityPublicKey, signIdentity } from './identity.ts';
import {
  createIdentityRecord, createPrekeyBundle, decodeIdentityRecord, decodePrekeyBundle, devicesMaximum, prekeyBundleBytes, verifyIdentityRecord,
  verifyPrekeyBundle,
} from './record.ts';
import { bytesOf, deviceId, holdsAgainstNoise, realKey, relayHint, secretOf, u32 } from './codec-testing.ts';
import type { DeviceCertificate, IdentityRecord } from './types.ts';

const seed = secretOf(3);
const certificateOf = (fill: number, identityFill = 1): DeviceCertificate => createCertificate({
  identitySecret: secretOf(identityFill), deviceId: toHex(new Uint8Array(16).fill(fill)), x25519: nobleCrypto.x25519PublicKey(secretOf(fill)),
  ed25519: nobleCrypto.ed25519PublicKey(seed), notBeforeSeconds: 1_000, notAfterSeconds: 2_000,
});
const recordOf = (devices: readonly DeviceCertificate[]): IdentityRecord => createIdentityRecord({
  identitySecret: secretOf(1), sequence: 7, notAfterSeconds: 9_000, devices, relays: [{ publicKey: identityPublicKey(secretOf(2)), host: 'relay.example', port: 7_000 }],
});
const seconds = fc.integer({ min: 0, max: 2 ** 40 });

/** Every single-byte change, cut and extension of a signed object, sampled: none may pass `accepts`. */
function resistsChange(bytes: Uint8Array, accepts: (bytes: Uint8Array) => boolean, numRuns: number): void {
  expect(accepts(bytes)).toBe(true);
  fc.assert(fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
    expect(accepts(bytes.with(at, (bytes[at] ?? 0) ^ change))).toBe(false);
    expect(accepts(bytes.subarray(0, at))).toBe(false);
    expect(accepts(Uint8Array.of(...bytes, change))).toBe(false);
  }), { numRuns });
}

describe('device certificates', () => {
  it('round-trip, verify and have 194 bytes', () => {
    fc.assert(fc.property(deviceId, bytesOf(32), bytesOf(32), seconds, fc.integer({ min: 1, max: 2 ** 30 }), (device, secret, ed25519, start, length) => {
      const fields = { deviceId: device, x25519: nobleCrypto.x25519PublicKey(secret), ed25519, notBeforeSeconds: start, notAfterSeconds: start + length };
      const certificate = createCertificate({ identitySecret: secretOf(1), ...fields });
      expect(certificate.bytes).toHaveLength(certificateBytes);
      expect(certificate).toMatchObject({ ...fields, identity: identityPublicKey(secretOf(1)) });
      expect(decodeCertificate(certificate.bytes)).toEqual(certificate);
      expect(verifyCertificate(certificate)).toBe(true);
    }), { numRuns: 30 });
  });

  it('no changed, cut or lengthened certificate verifies', () => {
    resistsChange(certificateOf(1).bytes, (bytes) => {
      const certificate = decodeCertificate(bytes);
      return certificate !== undefined && verifyCertificate(certificate);
    }, 150);
  });

  it('keep their own copy of the bytes', () => {
    const bytes = Buffer.from(certificateOf(1).bytes);
    const certificate = decodeCertificate(bytes);
    bytes.fill(0);
    expect(certificate).toEqual(certificateOf(1));
  });

  it('are valid from the first second up to but without the last', () => {
    const at = [999_999, 1_000_000, 1_999_999, 2_000_000].map((wallMs) => certificateValidAt(certificateOf(1), wallMs));
    expect(at).toEqual([false, true, true, false]);
  });

  it('are refused with keys of small order, or an end before the beginning', () => {
    const fields = { identitySecret: secretOf(1), deviceId: '01'.repeat(16), ed25519: secretOf(1), x25519: secretOf(1), notBeforeSeconds: 5, notAfterSeconds: 6 };
    expect(() => createCertificate({ ...fields, x25519: new Uint8Array(32) })).toThrow(RangeError);
    expect(() => createCertificate({ ...fields, notAfterSeconds: 5 })).toThrow(RangeError);
    expect(() => createCertificate({ ...fields, deviceId: '01' })).toThrow(RangeError);
    expect(decodeCertificate(createCertificate(fields).bytes.with(0, 2))).toBeUndefined();
  });
});

describe('identity records', () => {
  it('round-trip and verify with any devices and relays', () => {
    const devices = fc.integer({ min: 1, max: devicesMaximum }).map((count) => Array.from({ length: count }, (_, index) => certificateOf(index + 1)));
    fc.assert(fc.property(devices, fc.array(relayHint(realKey), { maxLength: 3 }), fc.maxSafeNat(), seconds, (list, relays, sequence, notAfterSeconds) => {
      const record = createIdentityRecord({ identitySecret: secretOf(1), sequence, notAfterSeconds, devices: list, relays });
      expect(record).toMatchObject({ identity: identityPublicKey(secretOf(1)), sequence, notAfterSeconds, devices: list, relays });
      expect(decodeIdentityRecord(record.bytes)).toEqual(record);
      expect(verifyIdentityRecord(record)).toBe(true);
    }), { numRuns: 25 });
  });

  it('no changed, cut or lengthened record verifies', () => {
    resistsChange(recordOf([certificateOf(1)]).bytes, (bytes) => {
      const record = decodeIdentityRecord(bytes);
      return record !== undefined && verifyIdentityRecord(record);
    }, 150);
  });

  it('need devices: at least one, no more than three, all different, all of the identity', () => {
    expect(() => recordOf([])).toThrow(RangeError);
    expect(() => recordOf([1, 2, 3, 4].map((fill) => certificateOf(fill)))).toThrow(RangeError);
    expect(() => recordOf([certificateOf(1), certificateOf(1)])).toThrow(RangeError);
    expect(() => recordOf([certificateOf(1, 2)])).toThrow(RangeError);
  });

  it('do not verify around a certificate that the identity did not sign', () => {
    const forged = certificateOf(1).bytes.with(193, (certificateOf(1).bytes[193] ?? 0) ^ 1);
    const record = recordOf([certificateOf(1)]);
    const start = record.bytes.slice(0, -64);
    start.set(forged, 51);
    const resigned = decodeIdentityRecord(concatBytes(start, signIdentity('waypost identity record v1', start, secretOf(1))));
    expect(resigned?.devices).toHaveLength(1);
    expect(resigned !== undefined && verifyIdentityRecord(resigned)).toBe(false);
  });
});

describe('prekey bundles', () => {
  const certificate = certificateOf(1);
  const bundleOf = (identity: string, device: string) => createPrekeyBundle(nobleCrypto, {
    identity, deviceId: device, prekeyId: 5, prekey: nobleCrypto.x25519PublicKey(secretOf(6)), createdSeconds: 1_234, ed25519Seed: seed,
  });
  const bundle = bundleOf(certificate.identity, certificate.deviceId);

  it('round-trip, verify and have 158 bytes', () => {
    fc.assert(fc.property(u32, bytesOf(32), seconds, (prekeyId, secret, createdSeconds) => {
      const fields = { identity: certificate.identity, deviceId: certificate.deviceId, prekeyId, prekey: nobleCrypto.x25519PublicKey(secret), createdSeconds };
      const made = createPrekeyBundle(nobleCrypto, { ...fields, ed25519Seed: seed });
      expect(made.bytes).toHaveLength(prekeyBundleBytes);
      expect(made).toMatchObject(fields);
      expect(decodePrekeyBundle(made.bytes)).toEqual(made);
      expect(verifyPrekeyBundle(nobleCrypto, made, certificate)).toBe(true);
    }), { numRuns: 30 });
  });

  it('no changed, cut or lengthened bundle verifies', () => {
    resistsChange(bundle.bytes, (bytes) => {
      const decoded = decodePrekeyBundle(bytes);
      return decoded !== undefined && verifyPrekeyBundle(nobleCrypto, decoded, certificate);
    }, 100);
  });

  it('do not verify for another identity or device, even under the same signing key', () => {
    expect(verifyPrekeyBundle(nobleCrypto, bundleOf(identityPublicKey(secretOf(2)), certificate.deviceId), certificate)).toBe(false);
    expect(verifyPrekeyBundle(nobleCrypto, bundleOf(certificate.identity, '02'.repeat(16)), certificate)).toBe(false);
    expect(verifyPrekeyBundle(nobleCrypto, bundle, { ...certificate, ed25519: secretOf(1) })).toBe(false);
  });

  it('with a prekey of small order are no bundles: nobody seals to them', () => {
    const zero = concatBytes(bundle.bytes.subarray(0, 54), new Uint8Array(32), bundle.bytes.subarray(86));
    expect(zero).toHaveLength(prekeyBundleBytes);
    expect(decodePrekeyBundle(zero)).toBeUndefined();
  });
});

describe('decoders of signed objects', () => {
  it('never throw and never make more than their input justifies', () => {
    holdsAgainstNoise(decodeCertificate, [1, 2]);
    holdsAgainstNoise(decodeIdentityRecord, [1, 2]);
    holdsAgainstNoise(decodePrekeyBundle, [1, 2]);
  });
});
