import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdsAsCodec } from '../wire/codec-testing.ts';
import { geometryOf } from './geometry.ts';
import { storedBytes } from './lockstep.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

const snapshots = fc.tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 10_000_000 }), fc.uniqueArray(fc.nat({ max: 400 }), { maxLength: 60 }))
  .map(([root, groupShift, lengthBytes, marks]): Snapshot => {
    const geometry = geometryOf(lengthBytes, groupShift);
    if (geometry === undefined) throw new Error('no geometry');
    const ascending = marks.toSorted((left, right) => left - right).filter((mark) => mark <= geometry.leafCount);
    const verified = ascending.flatMap((start, position) => { const end = ascending[position + 1]; return position % 2 === 0 && end !== undefined ? [{ start, end }] : []; });
    return { root, geometry, verified };
  });

describe('a snapshot', () => {
  it('holds as a codec', () => {
    holdsAsCodec({ values: snapshots, encode: encodeSnapshot, decode: decodeSnapshot, selfDelimiting: true });
    expect(encodeSnapshot({ root: new Uint8Array(32), geometry: geometryOf(5, 0) ?? expect.fail(), verified: [] })).toHaveLength(44);
  });

  it('is refused when random, without throwing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => { expect(decodeSnapshot(bytes)).toBeUndefined(); }));
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const decoded = decodeSnapshot(bytes.with(0, 1));
      if (decoded !== undefined) expect(encodeSnapshot(decoded)).toEqual(bytes.with(0, 1));
    }));
  });

  it.each([[[[3, 3]]], [[[4, 3]]], [[[0, 11]]], [[[0, 2], [2, 4]]], [[[5, 6], [1, 2]]]])('is refused with ranges %j among ten leaves', (ranges) => {
    const geometry = geometryOf(10_240, 0) ?? expect.fail();
    const verified = ranges.map(([start = 0, end = 0]) => ({ start, end }));
    expect(decodeSnapshot(encodeSnapshot({ root: new Uint8Array(32), geometry, verified }))).toBeUndefined();
  });

  it('never has more ranges than there may be strands', () => {
    const geometry = geometryOf(1_000_000, 0) ?? expect.fail();
    const ranges = (first: number, count: number) => Array.from({ length: count }, (_, position) => ({ start: first + 2 * position, end: first + 2 * position + 1 }));
    expect(decodeSnapshot(encodeSnapshot({ root: new Uint8Array(32), geometry, verified: ranges(0, 64) }))?.verified).toHaveLength(64);
    expect(decodeSnapshot(encodeSnapshot({ root: new Uint8Array(32), geometry, verified: ranges(1, 64) }))).toBeUndefined();
    expect(() => encodeSnapshot({ root: new Uint8Array(32), geometry, verified: ranges(0, 65) })).toThrow(RangeError);
  });

  it('tells how many bytes it stands for, the last leaf being shorter than the others', () => {
    const geometry = geometryOf(10_000, 0) ?? expect.fail();
    const stored = (verified: Snapshot['verified']): Uint8Array => encodeSnapshot({ root: new Uint8Array(32), geometry, verified });
    expect(storedBytes(stored([]))).toBe(0);
    expect(storedBytes(stored([{ start: 0, end: 2 }, { start: 9, end: 10 }]))).toBe(2 * 1_024 + 10_000 - 9 * 1_024);
    expect(storedBytes(stored([{ start: 0, end: 10 }]))).toBe(10_000);
    expect(storedBytes(new Uint8Array(3))).toBe(0);
  });
});
