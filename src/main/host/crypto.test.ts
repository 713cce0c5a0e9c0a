import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runBlake3Vectors } from '../../../scripts/vectors/blake3-vectors.ts';
import { runNoiseVectors } from '../../../scripts/vectors/noise-vectors.ts';
import type { NamedOutcome } from '../../../scripts/vectors/report.ts';
import type { Crypto } from '../engine/crypto.ts';
import { nobleCrypto } from '../engine/noble-crypto.ts';
import { chooseCrypto, createRandomBytes } from './crypto.ts';
import { selfTest } from './crypto-self-test.ts';
import { ExpandedKeyCache } from './expanded-key-cache.ts';

const choice = chooseCrypto();
const none = new Uint8Array(0);
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 });
const data = fc.uint8Array({ maxLength: 300 });

/** Every public key of small order: 0, 1, order 8 twice, p - 1, p, p + 1. */
const smallOrderPoints = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(bytes);

/** A view into the middle of a larger buffer, as packets are. */
function viewInside(content: Uint8Array): Uint8Array {
  const surroundings = new Uint8Array(content.length + 7).fill(0xaa);
  surroundings.set(content, 3);
  return surroundings.subarray(3, 3 + content.length);
}

it('this machine runs the tests with libsodium', () => {
  expect(choice.fallbackReason).toBeUndefined();
  expect(choice.crypto.implementation).toBe('libsodium');
});

describe.each([choice.crypto, nobleCrypto])('$implementation', (crypto) => {
  it('computes the shared secrets of RFC 7748 sections 5.2 and 6.1', () => {
    expect(crypto.x25519(bytes('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'), bytes('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')))
      .toEqual(bytes('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'));
    // The top bit of this public key is set and must be ignored.
    expect(crypto.x25519(bytes('4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d'), bytes('e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493')))
      .toEqual(bytes('95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957'));
    const alice = bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const bob = bytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    expect(crypto.x25519PublicKey(alice)).toEqual(bytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'));
    expect(crypto.x25519PublicKey(bob)).toEqual(bytes('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
    const shared = bytes('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
    expect(crypto.x25519(alice, crypto.x25519PublicKey(bob))).toEqual(shared);
    expect(crypto.x25519(bob, crypto.x25519PublicKey(alice))).toEqual(shared);
  });

  it('gives no shared secret for a public key of small order or of a wrong length', () => {
    for (const point of smallOrderPoints) {
      const withTopBit = point.map((byte, index) => (index === 31 ? byte | 0x80 : byte));
      expect([crypto.x25519(new Uint8Array(32).fill(5), point), crypto.x25519(new Uint8Array(32).fill(5), withTopBit)]).toEqual([undefined, undefined]);
    }
    for (const sizeBytes of [0, 31, 33]) expect(crypto.x25519(new Uint8Array(32).fill(5), new Uint8Array(sizeBytes).fill(9))).toBeUndefined();
  });

  it('seals as RFC 8439 section 2.8.2', () => {
    const aeadKey = Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index);
    const aeadNonce = bytes('070000004041424344454647');
    const associatedData = bytes('50515253c0c1c2c3c4c5c6c7');
    const plaintext = ascii("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.");
    const sealed = bytes('d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36'
      + '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691');
    expect(crypto.aeadSeal(aeadKey, aeadNonce, associatedData, plaintext)).toEqual(sealed);
    expect(crypto.aeadOpen(aeadKey, aeadNonce, associatedData, sealed)).toEqual(plaintext);
  });

  it('seals and opens where the bytes lie as it does elsewhere, and refuses an output of another length', () => {
    fc.assert(fc.property(key, nonce, data, data, fc.nat(), (aeadKey, aeadNonce, associatedData, plaintext, position) => {
      const packet = viewInside(Uint8Array.of(...plaintext, ...new Uint8Array(16)));
      const text = packet.subarray(0, plaintext.length);
      crypto.aeadSealInto(aeadKey, aeadNonce, associatedData, text, packet);
      expect(packet).toEqual(crypto.aeadSeal(aeadKey, aeadNonce, associatedData, plaintext));
      const changed = viewInside(packet.map((byte, index) => (index === position % packet.length ? byte ^ 0x10 : byte)));
      expect(crypto.aeadOpenInto(aeadKey, aeadNonce, associatedData, changed, changed.subarray(0, plaintext.length))).toBe(false);
      expect(crypto.aeadOpenInto(aeadKey, aeadNonce, associatedData, packet.subarray(0, position % 16), none)).toBe(false);
      expect(() => crypto.aeadOpenInto(aeadKey, aeadNonce, associatedData, packet, new Uint8Array(plaintext.length + 1))).toThrow(RangeError);
      expect(() => { crypto.aeadSealInto(aeadKey, aeadNonce, associatedData, plaintext, new Uint8Array(plaintext.length + 15)); }).toThrow();
      expect(crypto.aeadOpenInto(aeadKey, aeadNonce, associatedData, packet, text)).toBe(true);
      expect(text).toEqual(plaintext);
      // Nothing beside it was touched.
      expect([...new Uint8Array(packet.buffer)].filter((_, index) => index < 3 || index >= 3 + packet.length)).toEqual(Array(7).fill(0xaa));
    }), { numRuns: 50 });
  });

  it('opens nothing that was changed, and nothing shorter than a tag', () => {
    fc.assert(fc.property(key, nonce, data, data, fc.nat(), (aeadKey, aeadNonce, associatedData, plaintext, position) => {
      const sealed = crypto.aeadSeal(aeadKey, aeadNonce, associatedData, plaintext);
      expect(sealed).toHaveLength(plaintext.length + 16);
      const changed = sealed.map((byte, index) => (index === position % sealed.length ? byte ^ 0x10 : byte));
      expect(crypto.aeadOpen(aeadKey, aeadNonce, associatedData, changed)).toBeUndefined();
      expect(crypto.aeadOpen(aeadKey, aeadNonce, Uint8Array.of(...associatedData, 0), sealed)).toBeUndefined();
      expect(crypto.aeadOpen(aeadKey, aeadNonce, associatedData, sealed.subarray(0, position % 16))).toBeUndefined();
      expect(crypto.aeadOpen(aeadKey, aeadNonce, associatedData, sealed)).toEqual(plaintext);
    }), { numRuns: 50 });
  });

  it.each([
    ['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'],
    ['4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'],
    ['c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', 'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'],
  ])('signs as RFC 8032 section 7.1 with the seed %s', (seed, publicKey, message, signature) => {
    expect(crypto.ed25519PublicKey(bytes(seed))).toEqual(bytes(publicKey));
    expect(crypto.ed25519Sign(bytes(message), bytes(seed))).toEqual(bytes(signature));
    expect(crypto.ed25519Verify(bytes(signature), bytes(message), bytes(publicKey))).toBe(true);
  });

  it('verifies no signature that was changed, lengthened or shortened, and never throws on garbage', () => {
    const seed = new Uint8Array(32).fill(3);
    const publicKey = crypto.ed25519PublicKey(seed);
    const signature = crypto.ed25519Sign(ascii('text'), seed);
    for (let position = 0; position < 64; position += 1) {
      expect(crypto.ed25519Verify(signature.map((byte, index) => (index === position ? byte ^ 1 : byte)), ascii('text'), publicKey)).toBe(false);
    }
    expect(crypto.ed25519Verify(signature, ascii('texts'), publicKey)).toBe(false);
    expect(crypto.ed25519Verify(Uint8Array.of(...signature, 0), ascii('text'), publicKey)).toBe(false);
    expect(crypto.ed25519Verify(signature.subarray(0, 63), ascii('text'), publicKey)).toBe(false);
    expect(crypto.ed25519Verify(signature, ascii('text'), publicKey.subarray(1))).toBe(false);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 40 }), (anySignature, anyKey) => {
      expect(crypto.ed25519Verify(anySignature, none, anyKey)).toBe(false);
    }));
  });

  it('verifies nothing under a key of small order, for which one signature would fit many texts', () => {
    const identity = bytes('0100000000000000000000000000000000000000000000000000000000000000');
    const everyText = Uint8Array.of(...identity, ...new Uint8Array(32));
    expect(crypto.ed25519Verify(everyText, ascii('any text'), identity)).toBe(false);
  });

  it('hashes as FIPS 180-4 and RFC 4231 say', () => {
    expect(crypto.sha256(none)).toEqual(bytes('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'));
    expect(crypto.sha256(ascii('abc'))).toEqual(bytes('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'));
    expect(crypto.hmacSha256(new Uint8Array(20).fill(0x0b), ascii('Hi There'))).toEqual(bytes('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'));
    expect(crypto.hmacSha256(ascii('Jefe'), ascii('what do ya want for nothing?'))).toEqual(bytes('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'));
    expect(crypto.hmacSha256(new Uint8Array(131).fill(0xaa), ascii('Test Using Larger Than Block-Size Key - Hash Key First')))
      .toEqual(bytes('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'));
  });

  it('throws for own keys of a wrong size instead of calling it a forgery', () => {
    const short = new Uint8Array(31);
    expect(() => crypto.x25519(short, new Uint8Array(32).fill(9))).toThrow();
    expect(() => crypto.x25519PublicKey(short)).toThrow();
    expect(() => crypto.ed25519Sign(none, short)).toThrow();
    expect(() => crypto.aeadSeal(short, new Uint8Array(12), none, none)).toThrow();
    expect(() => crypto.aeadOpen(short, new Uint8Array(12), none, new Uint8Array(16))).toThrow();
    expect(() => crypto.aeadOpen(new Uint8Array(32), short, none, new Uint8Array(16))).toThrow();
  });

  it('returns plain arrays that own their whole buffer', () => {
    const secret = new Uint8Array(32).fill(6);
    const results = [crypto.x25519PublicKey(secret), crypto.ed25519PublicKey(secret), crypto.ed25519Sign(none, secret), crypto.aeadSeal(secret, new Uint8Array(12), none, secret), crypto.sha256(none), crypto.hmacSha256(secret, none), crypto.blake3(none)];
    for (const result of results) {
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
      expect(result.buffer.byteLength).toBe(result.length);
    }
  });

  it('passes its self-test', () => {
    expect(selfTest(crypto)).toBeUndefined();
  });
});

describe('libsodium and the reference agree on random inputs', () => {
  const sodium = choice.crypto;

  it('in X25519, also for public keys that are not canonical', () => {
    fc.assert(fc.property(key, key, (secretKey, publicKey) => {
      expect(sodium.x25519PublicKey(secretKey)).toEqual(nobleCrypto.x25519PublicKey(secretKey));
      expect(sodium.x25519(secretKey, publicKey)).toEqual(nobleCrypto.x25519(secretKey, publicKey));
    }), { examples: [[new Uint8Array(32).fill(1), new Uint8Array(32).fill(255)], [new Uint8Array(32), new Uint8Array(32).fill(9)]] });
  });

  it('in Ed25519', () => {
    fc.assert(fc.property(key, data, (seed, message) => {
      const signature = sodium.ed25519Sign(message, seed);
      expect(signature).toEqual(nobleCrypto.ed25519Sign(message, seed));
      expect(sodium.ed25519PublicKey(seed)).toEqual(nobleCrypto.ed25519PublicKey(seed));
      expect(sodium.ed25519Verify(signature, message, nobleCrypto.ed25519PublicKey(seed))).toBe(true);
      expect(nobleCrypto.ed25519Verify(signature, message, sodium.ed25519PublicKey(seed))).toBe(true);
    }), { numRuns: 40 });
  });

  it('in ChaCha20-Poly1305, also for Buffers and views into larger buffers', () => {
    fc.assert(fc.property(key, nonce, data, data, (aeadKey, aeadNonce, associatedData, plaintext) => {
      const sealed = nobleCrypto.aeadSeal(aeadKey, aeadNonce, associatedData, plaintext);
      expect(sodium.aeadSeal(aeadKey, aeadNonce, associatedData, plaintext)).toEqual(sealed);
      expect(sodium.aeadSeal(viewInside(aeadKey), viewInside(aeadNonce), viewInside(associatedData), viewInside(plaintext))).toEqual(sealed);
      expect(sodium.aeadOpen(viewInside(aeadKey), viewInside(aeadNonce), viewInside(associatedData), viewInside(sealed))).toEqual(plaintext);
      expect(sodium.aeadOpen(aeadKey, aeadNonce, Buffer.from(associatedData), Buffer.from(sealed))).toEqual(plaintext);
      expect(nobleCrypto.aeadOpen(aeadKey, aeadNonce, associatedData, sealed)).toEqual(plaintext);
    }));
  });

  it('in SHA-256, HMAC-SHA256 with keys of any length, and BLAKE3', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), data, (hmacKey, message) => {
      expect(sodium.sha256(message)).toEqual(nobleCrypto.sha256(message));
      expect(sodium.hmacSha256(hmacKey, message)).toEqual(nobleCrypto.hmacSha256(hmacKey, message));
      expect(sodium.blake3(message)).toEqual(nobleCrypto.blake3(message));
    }), { examples: [[new Uint8Array(64).fill(1), none], [new Uint8Array(65).fill(1), none]] });
  });
});

describe('the choice of an implementation', () => {
  it('falls back to the reference and says why when the module does not load', () => {
    const fallback = chooseCrypto(() => {
      throw new Error('Cannot find addon\nwith a page of paths');
    });
    expect(fallback.crypto).toBe(nobleCrypto);
    expect(fallback.fallbackReason).toBe('libsodium does not load: Cannot find addon');
  });

  it.each([undefined, null, 1, {}, { crypto_scalarmult: 'text' }])('falls back when the module is %j', (module) => {
    const fallback = chooseCrypto(() => module);
    expect([fallback.crypto, fallback.fallbackReason]).toEqual([nobleCrypto, 'libsodium loads but lacks functions that are needed']);
  });

  it('falls back when BLAKE3 cannot be run, and says so', () => {
    const fallback = chooseCrypto(undefined, () => Uint8Array.of(0, 1, 2, 3));
    expect(fallback.crypto).toBe(nobleCrypto);
    expect(fallback.fallbackReason).toMatch(/^BLAKE3 in WebAssembly does not load: /);
  });

  it('falls back when the module answers but does nothing', () => {
    const names = ['crypto_aead_chacha20poly1305_ietf_encrypt', 'crypto_aead_chacha20poly1305_ietf_decrypt', 'crypto_scalarmult_base', 'crypto_scalarmult', 'crypto_sign_seed_keypair', 'crypto_sign_detached', 'crypto_sign_verify_detached', 'crypto_hash_sha256'];
    const deaf = Object.fromEntries(names.map((name) => [name, () => true]));
    const fallback = chooseCrypto(() => deaf);
    expect([fallback.crypto, fallback.fallbackReason]).toEqual([nobleCrypto, 'libsodium fails its self-test: X25519 gives a wrong result']);
  });

  it.each<[string, Partial<Crypto>]>([
    ['X25519 accepts a point of small order', { x25519: (secret, publicKey) => nobleCrypto.x25519(secret, publicKey) ?? new Uint8Array(32) }],
    ['ChaCha20-Poly1305 accepts a forgery', { aeadOpen: (aeadKey, aeadNonce, associatedData, sealed) => nobleCrypto.aeadOpen(aeadKey, aeadNonce, associatedData, sealed) ?? sealed.slice(16) }],
    ['Ed25519 accepts a forgery', { ed25519Verify: () => true }],
    ['Ed25519 refuses a genuine signature', { ed25519Verify: () => false }],
    ['SHA-256 gives a wrong result', { sha256: () => new Uint8Array(32) }],
    ['BLAKE3 gives a wrong result', { blake3: (data) => nobleCrypto.blake3(data.subarray(0, 1_024)) }],
  ])('the self-test notices that %s', (sentence, changes) => {
    expect(selfTest({ ...nobleCrypto, ...changes })).toBe(sentence);
  });
});

describe('expanded signing keys', () => {
  it('are made once for a seed in use, and again only after eight others', () => {
    let expansions = 0;
    const cache = new ExpandedKeyCache((_, secretKey, seed) => {
      expansions += 1;
      secretKey.set(seed);
    });
    const seedOf = (number: number): Uint8Array => new Uint8Array(32).fill(number);
    const first = cache.get(seedOf(1));
    cache.get(seedOf(1));
    expect(expansions).toBe(1);
    for (let number = 2; number <= 9; number += 1) cache.get(seedOf(number));
    expect(first.secretKey.every((byte) => byte === 0)).toBe(true);
    cache.get(seedOf(1));
    expect(expansions).toBe(10);
  });

  it('are right for seeds that are wiped and reused in place', () => {
    const seed = new Uint8Array(32).fill(1);
    const before = choice.crypto.ed25519Sign(none, seed);
    seed.fill(2);
    expect(choice.crypto.ed25519Sign(none, seed)).toEqual(nobleCrypto.ed25519Sign(none, new Uint8Array(32).fill(2)));
    seed.fill(1);
    expect(choice.crypto.ed25519Sign(none, seed)).toEqual(before);
  });
});

describe('random bytes', () => {
  it('are plain arrays of the wanted size with a buffer of their own', () => {
    const random = createRandomBytes();
    const first = random(32);
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype);
    expect([first.length, first.buffer.byteLength, random(0).length]).toEqual([32, 32, 0]);
    expect(random(32)).not.toEqual(first);
  });
});

describe('published vectors', () => {
  const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../../test-vectors/${name}`, import.meta.url), 'utf8'));
  const failures = (outcomes: readonly NamedOutcome[]): readonly NamedOutcome[] => outcomes.filter(({ outcome }) => outcome.kind !== 'passed');

  it('of BLAKE3 agree in all three modes', () => {
    const outcomes = runBlake3Vectors(read('blake3.json'));
    expect([outcomes.length, failures(outcomes)]).toEqual([35, []]);
  });

  it('of Noise agree over libsodium', () => {
    const outcomes = runNoiseVectors(read('noise-25519-chachapoly-sha256.json'), choice.crypto);
    expect([outcomes.length, failures(outcomes)]).toEqual([59, []]);
  });
});
