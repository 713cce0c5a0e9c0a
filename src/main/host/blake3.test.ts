import { blake3 as reference } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../engine/wire/bytes.ts';
import { blake3 } from './blake3.ts';

/** The official test vectors hash the bytes 0 to 250, repeated. */
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index % 251);
/** Around the edges of blocks, chunks and trees, to the longest letter body. */
const lengths = [0, 1, 63, 64, 65, 127, 128, 1_023, 1_024, 1_025, 2_048, 2_049, 3_072, 3_073, 4_096, 5_120, 8_193, 16_384, 31_744, 66_560];

describe('blake3', () => {
  it('knows the official vectors', () => {
    expect(toHex(blake3(pattern(0)))).toBe('af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
    expect(toHex(blake3(pattern(1)))).toBe('2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213');
  });

  it.each(lengths)('agrees with the reference for %i bytes', (length) => {
    expect(toHex(blake3(pattern(length)))).toBe(toHex(reference(pattern(length))));
  });

  it('agrees with the reference for any bytes, also inside a larger buffer', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.nat(70), (bytes, before) => {
      const buffer = new Uint8Array(before + bytes.length + 9).fill(0xa5);
      buffer.set(bytes, before);
      const view = buffer.subarray(before, before + bytes.length);
      expect(toHex(blake3(view))).toBe(toHex(reference(bytes)));
    }));
  });
});
