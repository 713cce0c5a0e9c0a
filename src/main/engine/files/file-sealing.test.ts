import { bytesToHex as hex } from '@noble/hashes/utils.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeAtRelayBytes } from '../../../shared/file-limits.ts';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { openSegment, plainBytesOf, sealedBytes, sealSegment, segmentCount, segmentLength, segmentPlainBytes, segmentSealedBytes } from './file-sealing.ts';

const key = new Uint8Array(32).fill(7);
const noise = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 2_654_435_761) >>> 13);
const edges = [0, 1, segmentPlainBytes - 1, segmentPlainBytes, segmentPlainBytes + 1, 2 * segmentPlainBytes, 2 * segmentPlainBytes + 1];
const lengths = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 0, max: 64 * 2 ** 30 }));

function seal(plain: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: segmentCount(plain.length) }, (_, index) =>
    sealSegment(crypto, key, plain.length, index, plain.subarray(index * segmentPlainBytes, (index + 1) * segmentPlainBytes)));
}

describe('the length of a sealed file', () => {
  it('is told by the length of the file and tells it', () => {
    fc.assert(fc.property(lengths, (plainBytes) => {
      expect(plainBytesOf(sealedBytes(plainBytes))).toBe(plainBytes);
      expect(sealedBytes(plainBytes)).toBe(plainBytes + 16 * segmentCount(plainBytes));
      expect(sizeAtRelayBytes(plainBytes), 'as it is counted for people').toBe(sealedBytes(plainBytes));
    }));
  });

  it('is refused where no file has it', () => {
    const possible = new Set(Array.from({ length: 2 * segmentPlainBytes + 100 }, (_, plainBytes) => sealedBytes(plainBytes)));
    for (let length = 0; length <= 2 * segmentSealedBytes + 100; length += 1) {
      if ((plainBytesOf(length) !== undefined) !== possible.has(length)) expect.fail(`length ${length}`);
    }
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53, 15, segmentSealedBytes + 16]) expect(plainBytesOf(length)).toBeUndefined();
    expect(plainBytesOf(16)).toBe(0);
  });

  it('is that of its segments', () => {
    for (const plainBytes of edges) expect(seal(noise(plainBytes)).reduce((sum, segment) => sum + segment.length, 0)).toBe(sealedBytes(plainBytes));
    expect(segmentLength(10, 1)).toBeUndefined();
    expect(segmentLength(-1, 0)).toBeUndefined();
    expect(segmentLength(10, 0.5)).toBeUndefined();
  });
});

describe('a sealed segment', () => {
  it('opens to what it was', () => {
    for (const plainBytes of edges) {
      const plain = noise(plainBytes);
      for (const [index, segment] of seal(plain).entries()) {
        expect(hex(openSegment(crypto, key, plainBytes, index, segment) ?? Uint8Array.of(1))).toBe(hex(plain.subarray(index * segmentPlainBytes, (index + 1) * segmentPlainBytes)));
      }
    }
  });

  it('is ChaCha20-Poly1305 under its index, little-endian, and the mark of the last', () => {
    const plain = noise(segmentPlainBytes + 5);
    const nonces = [Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])];
    for (const [index, nonce] of nonces.entries()) {
      expect(hex(seal(plain)[index] ?? key)).toBe(hex(chacha20poly1305(key, nonce).encrypt(plain.subarray(index * segmentPlainBytes, (index + 1) * segmentPlainBytes))));
    }
    const far = 2 ** 33 + 5;
    const farNonce = Uint8Array.from([5, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1]);
    expect(hex(sealSegment(crypto, key, far * segmentPlainBytes + 3, far, noise(3)))).toBe(hex(chacha20poly1305(key, farNonce).encrypt(noise(3))));
  });

  it('does not open in another place, as another end, with other bytes or under another key', () => {
    const plain = noise(3 * segmentPlainBytes);
    const [first, second, third] = seal(plain);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three segments');
    expect(openSegment(crypto, key, plain.length, 1, first)).toBeUndefined();
    // Cut off after the second, and carried on after the third.
    expect(openSegment(crypto, key, 2 * segmentPlainBytes, 1, second)).toBeUndefined();
    expect(openSegment(crypto, key, 4 * segmentPlainBytes, 2, third)).toBeUndefined();
    expect(openSegment(crypto, key, plain.length, 3, third)).toBeUndefined();
    expect(openSegment(crypto, key, plain.length, 0, first.subarray(1))).toBeUndefined();
    expect(openSegment(crypto, new Uint8Array(32), plain.length, 0, first)).toBeUndefined();
    const short = seal(noise(40))[0] ?? key;
    fc.assert(fc.property(fc.integer({ min: 0, max: short.length * 8 - 1 }), (bit) => {
      const spoilt = short.slice();
      spoilt[bit >>> 3] = (spoilt[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openSegment(crypto, key, 40, 0, spoilt)).toBeUndefined();
    }));
  });

  it('is not made of another length than its place has', () => {
    expect(() => sealSegment(crypto, key, 10, 0, noise(9))).toThrow(RangeError);
    expect(() => sealSegment(crypto, key, 10, 1, noise(0))).toThrow(RangeError);
    expect(() => sealSegment(crypto, key, segmentPlainBytes * 2, 0, noise(5))).toThrow(RangeError);
  });
});
