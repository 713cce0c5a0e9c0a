import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { concatBytes, toHex } from '../wire/bytes.ts';
import { createCertificate, verifyCertificate } from '../wire/certificate.ts';
import { contentMaximumBytes } from '../wire/content.ts';
import { identityPublicKey } from '../wire/identity.ts';
import { createPrekeyBundle } from '../wire/record.ts';
import { holdsAgainstNoise, secretOf, u16, u32, u64 } from '../wire/codec-testing.ts';
import type { LetterHeader, SealedLetter } from '../wire/types.ts';
import { bodySizeBuckets, headerPrekeyId, letterCertificateAccepted, letterHeaderBytes, letterIdOf, openBody, openHeader, sealLetter } from './letter.ts';
import type { SealArguments } from './letter.ts';

const crypto = nobleCrypto;
const senderStatic = { secretKey: secretOf(11), publicKey: crypto.x25519PublicKey(secretOf(11)) };
const certificate = createCertificate({
  identitySecret: secretOf(1), deviceId: '11'.repeat(16), x25519: senderStatic.publicKey, ed25519: crypto.ed25519PublicKey(secretOf(12)),
  notBeforeSeconds: 1_000, notAfterSeconds: 2_000,
});
const recipient = { identity: identityPublicKey(secretOf(2)), deviceId: '22'.repeat(16) };
const prekeySecret = secretOf(13);
const bundleOf = (prekeyId: number) => createPrekeyBundle(crypto, {
  ...recipient, prekeyId, prekey: crypto.x25519PublicKey(prekeySecret), createdSeconds: 5, ed25519Seed: secretOf(14),
});
const bundle = bundleOf(77);

/** Different bytes at every call, the same in every run. */
function countingRandom(): (sizeBytes: number) => Uint8Array {
  let calls = 0;
  return (sizeBytes) => { calls += 1; return crypto.blake3(Uint8Array.of(calls)).slice(0, sizeBytes); };
}
const base: Omit<SealArguments, 'random'> = {
  crypto, senderStatic, senderCertificate: certificate.bytes, recipient, bundle, messageId: new Uint8Array(16).fill(0x4d), destinationPort: 1, sourcePort: 2,
  sequence: 3, sentAtMs: 1_700_000_000_000, ttlSeconds: 86_400, content: Uint8Array.of(1, 0x68, 0x69),
};
function seal(changes: Partial<SealArguments> = {}): SealedLetter {
  const sealed = sealLetter({ random: countingRandom(), ...base, ...changes });
  if (sealed === 'too-large') throw new Error('the content was meant to fit');
  return sealed;
}
const open = (header: Uint8Array, changes: Partial<Parameters<typeof openHeader>[0]> = {}): LetterHeader | undefined =>
  openHeader({ crypto, recipient, prekeySecret, bundleBytes: bundle.bytes, header, ...changes });
function opened(header: Uint8Array): LetterHeader {
  const value = open(header);
  if (value === undefined) throw new Error('the header was meant to open');
  return value;
}

describe('letters', () => {
  it('open to what was sealed, whatever it was', () => {
    const fields = fc.record({ destinationPort: u16, sourcePort: u16, sequence: u64, sentAtMs: u64, ttlSeconds: u32 });
    fc.assert(fc.property(fields, fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ maxLength: 5_000 }), (numbers, messageId, content) => {
      const sealed = seal({ ...numbers, messageId, content });
      const header = opened(sealed.header);
      expect(header).toMatchObject({ ...numbers, messageId, certificate, bodyRoot: sealed.bodyRoot, bodyLength: sealed.body.length, purgeKey: sealed.purgeKey });
      expect(openBody(crypto, header, sealed.body)).toEqual(content);
      expect(sealed.header).toHaveLength(letterHeaderBytes);
      expect(bodySizeBuckets).toContain(sealed.body.length);
      expect(crypto.blake3(sealed.purgeKey)).toEqual(sealed.purgeHash);
      expect(crypto.blake3(sealed.body)).toEqual(sealed.bodyRoot);
      expect(sealed.letterId).toEqual(crypto.blake3(concatBytes(sealed.header, sealed.bodyRoot, new Uint8Array([0, 0, sealed.body.length >> 8, sealed.body.length & 255]))));
    }), { numRuns: 15 });
  });

  it('take the smallest size that fits, and are refused over 64 KiB of text', () => {
    const sizes = [0, 236, 237, 1_004, 1_005, 4_076, 4_077, 16_364, 16_365, contentMaximumBytes].map((length) => {
      const sealed = seal({ content: new Uint8Array(length).fill(1) });
      expect(openBody(crypto, opened(sealed.header), sealed.body)).toHaveLength(length);
      return sealed.body.length;
    });
    expect(sizes).toEqual([256, 256, 1_024, 1_024, 4_096, 4_096, 16_384, 16_384, 66_560, 66_560]);
    expect(sealLetter({ ...base, random: countingRandom(), content: new Uint8Array(contentMaximumBytes + 1) })).toBe('too-large');
  });

  it('name the prekey that opens them', () => {
    expect(headerPrekeyId(seal().header)).toBe(77);
    expect(headerPrekeyId(seal().header.with(0, 2))).toBeUndefined();
    expect(headerPrekeyId(seal().header.subarray(1))).toBeUndefined();
  });

  it('sealed twice have nothing in common but the size', () => {
    const random = countingRandom();
    const [first, second] = [seal({ random }), seal({ random })];
    expect(first.letterId).not.toEqual(second.letterId);
    expect(first.bodyRoot).not.toEqual(second.bodyRoot);
    expect(toHex(first.header.subarray(5, 37))).not.toBe(toHex(second.header.subarray(5, 37)));
  });

  it('open for their recipient, device, bundle and prekey only', () => {
    const { header } = seal();
    expect(open(header)).toBeDefined();
    expect(open(header, { recipient: { ...recipient, deviceId: '23'.repeat(16) } })).toBeUndefined();
    expect(open(header, { recipient: { ...recipient, identity: identityPublicKey(secretOf(3)) } })).toBeUndefined();
    expect(open(header, { bundleBytes: bundleOf(78).bytes })).toBeUndefined();
    const sameId = createPrekeyBundle(crypto, { ...recipient, prekeyId: 77, prekey: bundle.prekey, createdSeconds: 6, ed25519Seed: secretOf(14) });
    expect(open(header, { bundleBytes: sameId.bytes })).toBeUndefined();
    expect(open(header, { prekeySecret: secretOf(15) })).toBeUndefined();
  });

  it('with a certificate of somebody else do not open', () => {
    const other = createCertificate({
      identitySecret: secretOf(3), deviceId: '33'.repeat(16), x25519: crypto.x25519PublicKey(secretOf(16)), ed25519: secretOf(1), notBeforeSeconds: 1, notAfterSeconds: 2,
    });
    expect(open(seal({ senderCertificate: other.bytes }).header)).toBeUndefined();
    expect(open(seal({ senderCertificate: new Uint8Array(194) }).header)).toBeUndefined();
  });

  it('leave the signature to the caller or to the check that is handed in', () => {
    const unsigned = certificate.bytes.with(193, (certificate.bytes[193] ?? 0) ^ 1);
    const { header } = seal({ senderCertificate: unsigned });
    expect(open(header)).toBeDefined();
    expect(open(header, { verify: verifyCertificate })).toBeUndefined();
    expect(open(seal().header, { verify: verifyCertificate })).toBeDefined();
  });

  it('are accepted until 30 days after the end of their certificate', () => {
    const day = 86_400_000;
    const at = [999_999, 1_000_000, 2_000_000, 2_000_000 + 15 * day, 2_000_000 + 30 * day - 1, 2_000_000 + 30 * day];
    expect(at.map((wallMs) => letterCertificateAccepted(certificate, wallMs))).toEqual([false, true, true, true, true, false]);
  });

  it('no changed, cut or lengthened header opens, the prekey id included', () => {
    const { header } = seal();
    fc.assert(fc.property(fc.nat(letterHeaderBytes - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      // X25519 ignores the top bit of a public key (RFC 7748), but the handshake hash does not.
      expect(open(header.with(at, (header[at] ?? 0) ^ change))).toBeUndefined();
      expect(open(header.subarray(0, at))).toBeUndefined();
      expect(open(Uint8Array.of(...header, change))).toBeUndefined();
    }), { numRuns: 40 });
  });

  it('no changed, cut or lengthened body opens', () => {
    const { header, body } = seal();
    const known = opened(header);
    fc.assert(fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      expect(openBody(crypto, known, body.with(at, (body[at] ?? 0) ^ change))).toBeUndefined();
      expect(openBody(crypto, known, body.subarray(0, at))).toBeUndefined();
      expect(openBody(crypto, known, Uint8Array.of(...body, change))).toBeUndefined();
    }));
    expect(openBody(crypto, known, seal({ content: Uint8Array.of(9) }).body)).toBeUndefined();
  });

  it('a body that its own writer filled wrongly does not open', () => {
    const known = opened(seal().header);
    const bodyOf = (plaintext: Uint8Array): Uint8Array | undefined => {
      const body = crypto.aeadSeal(known.bodyKey, new Uint8Array(12), known.messageId, plaintext);
      return openBody(crypto, { ...known, bodyRoot: crypto.blake3(body), bodyLength: body.length }, body);
    };
    const plain = new Uint8Array(240);
    expect(bodyOf(plain)).toEqual(new Uint8Array(0));
    expect(bodyOf(plain.with(239, 1))).toBeUndefined();
    expect(bodyOf(plain.with(3, 236))).toHaveLength(236);
    expect(bodyOf(plain.with(3, 237))).toBeUndefined();
    expect(bodyOf(plain.with(0, 255))).toBeUndefined();
    expect(bodyOf(new Uint8Array(239))).toBeUndefined();
    expect(bodyOf(new Uint8Array(66_544).with(1, 1).with(3, 2))).toBeUndefined();
  });

  it('opening never throws', () => {
    holdsAgainstNoise((bytes) => open(bytes), [1]);
    const known = opened(seal().header);
    holdsAgainstNoise((bytes) => openBody(crypto, known, bytes));
    fc.assert(fc.property(fc.uint8Array({ minLength: letterHeaderBytes - 1, maxLength: letterHeaderBytes - 1 }), (rest) => {
      expect(open(Uint8Array.of(1, ...rest))).toBeUndefined();
    }), { numRuns: 30 });
    expect(open(new Uint8Array(letterHeaderBytes).with(0, 1))).toBeUndefined();
  });

  it('have an id over header, body root and body length', () => {
    const { header, bodyRoot, body, letterId } = seal();
    expect(letterIdOf(crypto, header, bodyRoot, body.length)).toEqual(letterId);
    expect(letterIdOf(crypto, header, bodyRoot, body.length + 1)).not.toEqual(letterId);
  });
});
