import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFragment, decodeProof, encodeFragment, encodeProof, fragmentPayloadBytes, partHashes, partsOf } from './codec.ts';
import { fragmentHashBytes, geometryOf, leafLength, proofRoomHashes } from './geometry.ts';
import type { Geometry } from './geometry.ts';

const places = fc.tuple(fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.maxSafeInteger().map(Math.abs)), fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([length, groupShift, share]): { geometry: Geometry; index: number } | undefined => {
    const geometry = geometryOf(length, groupShift);
    return geometry === undefined ? undefined : { geometry, index: Math.floor(share * (geometry.leafCount - 1)) };
  }).filter((place) => place !== undefined);
const fill = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).map((_, position) => position);

describe('payloads of fragments', () => {
  it('come back as they went', () => {
    fc.assert(fc.property(places, ({ geometry, index }) => {
      const fragment = { hashes: fill(fragmentHashBytes(geometry, index)), leaf: fill(leafLength(geometry, index)) };
      const payload = new Uint8Array(fragmentPayloadBytes(geometry, index));
      expect(encodeFragment(geometry, index, fragment, payload)).toBe(payload.length);
      expect(decodeFragment(geometry, index, payload)).toEqual({ kind: 'decoded', value: fragment });
    }));
  });

  it('are refused when a byte is missing or too many, whatever they say', () => {
    fc.assert(fc.property(places, ({ geometry, index }) => {
      const sizeBytes = fragmentPayloadBytes(geometry, index);
      expect(decodeFragment(geometry, index, fill(sizeBytes + 1))).toEqual({ kind: 'refused', reason: 'wrong-length' });
      if (sizeBytes > 0) expect(decodeFragment(geometry, index, fill(sizeBytes - 1))).toEqual({ kind: 'refused', reason: 'wrong-length' });
    }));
  });

  it.each([-1, 3, 0.5, Number.NaN, Infinity, 2 ** 53])('are refused for leaf %d of three', (index) => {
    const geometry = geometryOf(3_000, 0);
    if (geometry === undefined) throw new Error('no geometry');
    expect(decodeFragment(geometry, index, fill(1_024))).toEqual({ kind: 'refused', reason: 'no-such-leaf' });
    expect(decodeProof(geometry, index, fill(97))).toEqual({ kind: 'refused', reason: 'no-such-leaf' });
    expect(() => encodeFragment(geometry, index, { hashes: fill(0), leaf: fill(1_024) }, fill(1_024))).toThrow(RangeError);
  });
});

describe('payloads of proofs', () => {
  it('come back as they went, and fit where a fragment fits', () => {
    fc.assert(fc.property(places, ({ geometry, index }) => {
      for (const part of partsOf(geometry, index)) {
        const hashes = fill(partHashes(geometry, index, part) * 32);
        const payload = encodeProof(geometry, index, { part, hashes });
        expect(payload.length).toBeLessThanOrEqual(1 + proofRoomHashes(geometry) * 32);
        expect(decodeProof(geometry, index, payload)).toEqual({ kind: 'decoded', value: { part, hashes } });
      }
    }));
  });

  it('are refused when random, without throwing', () => {
    fc.assert(fc.property(places, fc.uint8Array({ maxLength: 3_000 }), ({ geometry, index }, payload) => {
      const decoded = decodeProof(geometry, index, payload);
      if (decoded.kind === 'decoded') expect(encodeProof(geometry, index, decoded.value)).toEqual(payload);
      else expect(['unknown-part', 'wrong-length']).toContain(decoded.reason);
    }));
  });

  it('have one encoding: a part that this proof does not have is refused', () => {
    const geometry = geometryOf(100 * 1_024, 0);
    if (geometry === undefined) throw new Error('no geometry');
    expect(partsOf(geometry, 7)).toEqual(['whole']);
    for (const part of [1, 2, 3, 255]) expect(decodeProof(geometry, 7, Uint8Array.of(part, ...fill(8 * 32)))).toEqual({ kind: 'refused', reason: 'unknown-part' });
    expect(decodeProof(geometry, 7, new Uint8Array(0))).toEqual({ kind: 'refused', reason: 'unknown-part' });
    expect(() => encodeProof(geometry, 7, { part: 'path', hashes: fill(8 * 32) })).toThrow(RangeError);
  });
});
