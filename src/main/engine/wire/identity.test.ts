import fc from 'fast-check';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8Encode } from './bytes.ts';
import {
  fingerprintWords, identityPublicKey, isPublicKeyHex, isValidSecretKey, secretKeyFromHex, secretKeyFromWords, signIdentity, verifyIdentity, wordsFromSecretKey,
} from './identity.ts';
import { bytesOf, secretOf } from './codec-testing.ts';

const one = new Uint8Array(32).with(31, 1);
const generator = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const order = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141') ?? new Uint8Array(0);
const secret = bytesOf(32).filter(isValidSecretKey);
const domain = 'waypost device certificate v1';

describe('identity keys', () => {
  it('are compressed points: the secret 1 has the generator', () => {
    expect(identityPublicKey(one)).toBe(generator);
  });

  it('are refused when zero, the group order or of another size, without saying what they were', () => {
    for (const bad of [new Uint8Array(32), order, new Uint8Array(31).fill(1), new Uint8Array(0)]) {
      expect(isValidSecretKey(bad)).toBe(false);
      expect(() => identityPublicKey(bad)).toThrow('not a secp256k1 secret key');
    }
  });

  it('are recognised as text only in lower case and on the curve', () => {
    expect(isPublicKeyHex(generator)).toBe(true);
    expect(isPublicKeyHex(generator.toUpperCase())).toBe(false);
    expect(isPublicKeyHex(`04${generator.slice(2)}`)).toBe(false);
    expect(isPublicKeyHex(`02${'0'.repeat(63)}5`)).toBe(false);
    expect(isPublicKeyHex(`02${'f'.repeat(64)}`)).toBe(false);
    expect(isPublicKeyHex(generator.slice(2))).toBe(false);
  });

  it('are imported from 64 hex digits', () => {
    expect(secretKeyFromHex(`  ${toHex(one).toUpperCase()}\n`)).toEqual(one);
    for (const bad of ['', toHex(one).slice(1), `${toHex(one)}00`, '0'.repeat(64), toHex(order), 'g'.repeat(64)]) expect(secretKeyFromHex(bad)).toBeUndefined();
  });
});

describe('identity signatures', () => {
  it('are deterministic (RFC 6979), over SHA-256 of domain, zero byte and object, with low S', () => {
    const message = utf8Encode('object');
    const signature = signIdentity(domain, message, secretOf(1));
    expect(signIdentity(domain, message, secretOf(1))).toEqual(signature);
    // The library's own hashing (on by default) over the concatenation must come to the same.
    expect(signature).toEqual(secp256k1.sign(utf8Encode(`${domain}\0object`), secretOf(1)));
    expect(secp256k1.Signature.fromBytes(signature).hasHighS()).toBe(false);
  });

  it('follow the published RFC 6979 vector for secp256k1', () => {
    // Key 1, message "Satoshi Nakamoto": the vector that bitcoin implementations share; checks curve, nonce and low S of the library.
    const signature = secp256k1.sign(utf8Encode('Satoshi Nakamoto'), one, { prehash: true, lowS: true, extraEntropy: false });
    expect(toHex(signature)).toBe('934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8'
      + '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5');
  });

  it('hold for their object, key and domain only', () => {
    fc.assert(fc.property(secret, fc.uint8Array({ maxLength: 64 }), fc.nat(63), fc.integer({ min: 1, max: 255 }), (key, bytes, position, change) => {
      const publicKey = identityPublicKey(key);
      const signature = signIdentity(domain, bytes, key);
      expect(verifyIdentity(domain, bytes, signature, publicKey)).toBe(true);
      expect(verifyIdentity(domain, bytes, signature.with(position, (signature[position] ?? 0) ^ change), publicKey)).toBe(false);
      expect(verifyIdentity(domain, Uint8Array.of(...bytes, change), signature, publicKey)).toBe(false);
      expect(verifyIdentity('waypost identity record v1', bytes, signature, publicKey)).toBe(false);
      expect(verifyIdentity(domain, bytes, signature, generator)).toBe(publicKey === generator);
    }), { numRuns: 25 });
  });

  it('with the other S are refused, though the mathematics would accept them', () => {
    const message = utf8Encode('object');
    const signature = signIdentity(domain, message, secretOf(1));
    const s = BigInt(`0x${toHex(signature.subarray(32))}`);
    const high = fromHex((secp256k1.Point.CURVE().n - s).toString(16).padStart(64, '0')) ?? new Uint8Array(0);
    const mirrored = Uint8Array.of(...signature.subarray(0, 32), ...high);
    expect(secp256k1.verify(mirrored, utf8Encode(`${domain}\0object`), fromHex(identityPublicKey(secretOf(1))) ?? one, { lowS: false })).toBe(true);
    expect(verifyIdentity(domain, message, mirrored, identityPublicKey(secretOf(1)))).toBe(false);
  });

  it('that are malformed, or under keys off the curve, are false and no exception', () => {
    const message = utf8Encode('object');
    for (const size of [0, 63, 65, 72]) expect(verifyIdentity(domain, message, new Uint8Array(size).fill(1), generator)).toBe(false);
    for (const fill of [0, 255]) expect(verifyIdentity(domain, message, new Uint8Array(64).fill(fill), generator)).toBe(false);
    for (const key of ['', 'zz', `02${'0'.repeat(63)}5`, generator.toUpperCase()]) expect(verifyIdentity(domain, message, new Uint8Array(64).fill(1), key)).toBe(false);
  });
});

describe('words', () => {
  it('24 words are the secret itself and bring it back', () => {
    fc.assert(fc.property(secret, (key) => {
      const words = wordsFromSecretKey(key);
      expect(words).toHaveLength(24);
      expect(secretKeyFromWords(words.join(' '))).toEqual({ ok: true, secretKey: key });
    }), { numRuns: 50 });
  });

  it('follow BIP-39: the published vector of 7f bytes', () => {
    const words = wordsFromSecretKey(new Uint8Array(32).fill(0x7f));
    expect(words.join(' ')).toBe('legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful '
      + 'legal winner thank year wave sausage worth title');
  });

  it('are read from paper: case, line breaks, commas and numbering do not matter', () => {
    const written = wordsFromSecretKey(secretOf(1)).map((word, index) => `${String(index + 1)}. ${word.toUpperCase()}`).join(',\n');
    expect(secretKeyFromWords(written)).toEqual({ ok: true, secretKey: secretOf(1) });
  });

  it('say what is wrong: count, word, checksum or key', () => {
    const words = wordsFromSecretKey(secretOf(1));
    expect(secretKeyFromWords('')).toEqual({ ok: false, reason: 'count' });
    expect(secretKeyFromWords(words.slice(1).join(' '))).toEqual({ ok: false, reason: 'count' });
    expect(secretKeyFromWords(`${words.slice(1).join(' ')} abandom`)).toEqual({ ok: false, reason: 'word', word: 'abandom' });
    expect(secretKeyFromWords([...words.slice(0, 23), words[23] === 'zoo' ? 'zone' : 'zoo'].join(' '))).toEqual({ ok: false, reason: 'checksum' });
    expect(secretKeyFromWords(`${'abandon '.repeat(23)}art`)).toEqual({ ok: false, reason: 'key' });
    expect(secretKeyFromWords('abandon '.repeat(100_000))).toEqual({ ok: false, reason: 'count' });
  });

  it('never throw on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (value) => { expect(secretKeyFromWords(value).ok).toBe(false); }));
  });

  it('fingerprints are six stable words, different for different keys', () => {
    expect(fingerprintWords(generator).split(' ')).toHaveLength(6);
    expect(fingerprintWords(generator)).toBe(fingerprintWords(generator));
    expect(fingerprintWords(identityPublicKey(secretOf(7)))).toBe('earn violin wage goose wheel session');
    expect(() => fingerprintWords('00')).toThrow(RangeError);
  });
});
