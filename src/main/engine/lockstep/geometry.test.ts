import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainHashes, chainsOf, geometryOf, hasPair, leafLength, levelCount, pathOf, proofRoomHashes, trailingZeros } from './geometry.ts';
import type { Geometry } from './geometry.ts';

const kib = 1_024;

function geometry(lengthBytes: number, groupShift = 0): Geometry {
  const result = geometryOf(lengthBytes, groupShift);
  if (result === undefined) throw new Error(`no geometry of ${lengthBytes}`);
  return result;
}

/** The note's verifier, leaf by leaf: ranges known before each leaf, as "start:end". */
function rangesBefore(leafCount: number): string[][] {
  const known = new Set<string>(['0:1']);
  for (let start = 1; start < leafCount; start *= 2) known.add(`${start}:${Math.min(2 * start, leafCount)}`);
  return Array.from({ length: leafCount }, (_, leaf) => {
    const before = [...known];
    expect(known.delete(`${leaf}:${leaf + 1}`)).toBe(true);
    const zeros = leaf === 0 ? 0 : trailingZeros(leaf);
    const start = leaf + 2 ** zeros;
    if (leaf > 0 && leaf + 2 ** (zeros + 1) < leafCount) {
      const end = Math.min(start + 2 ** (zeros + 1), leafCount);
      expect(known.delete(`${start}:${end}`)).toBe(true);
      known.add(`${start}:${start + 2 ** zeros}`).add(`${start + 2 ** zeros}:${end}`);
    }
    return before;
  });
}

describe('geometry', () => {
  it.each([
    [0, 0, 1, 0], [1, 0, 1, 0], [kib, 0, 1, 0], [kib + 1, 0, 2, 1], [5 * kib, 0, 5, 3], [5 * kib, 2, 2, 1], [4 * kib, 2, 1, 0], [2 ** 43, 0, 2 ** 33, 33], [Number.MAX_SAFE_INTEGER, 5, 2 ** 38, 38],
  ])('of %i bytes with groups of 2^%i KiB has %i leaves and %i levels above them', (lengthBytes, groupShift, leafCount, depth) => {
    expect(geometry(lengthBytes, groupShift)).toMatchObject({ leafCount, depth });
  });

  it.each([[-1, 0], [0.5, 0], [Number.NaN, 0], [2 ** 53, 5], [1, -1], [1, 6], [1, 0.5], [2 ** 43 + 1, 0]])('does not exist for %d bytes in groups of 2^%d KiB', (lengthBytes, groupShift) => {
    expect(geometryOf(lengthBytes, groupShift)).toBeUndefined();
  });

  it('gives the last leaf what is left', () => {
    expect([leafLength(geometry(0), 0), leafLength(geometry(2 * kib), 1), leafLength(geometry(2 * kib + 5), 2), leafLength(geometry(9 * kib, 2), 2)]).toEqual([0, kib, 5, kib]);
  });

  it('counts trailing zeros beyond 32 bits', () => {
    for (let bit = 0; bit < 52; bit += 1) expect([trailingZeros(2 ** bit), trailingZeros(2 ** 52 + 2 ** bit)]).toEqual([bit, bit]);
  });

  it('has the pairs of the note for eight leaves', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].filter((leaf) => hasPair(geometry(8 * kib), leaf))).toEqual([1, 2, 3, 5]);
  });

  it('gives with path and chains what in-order reading knows before every leaf, for every count of leaves up to 200', () => {
    for (let leafCount = 1; leafCount <= 200; leafCount += 1) {
      const shape = geometry(leafCount * kib);
      for (const [leaf, expected] of rangesBefore(leafCount).entries()) {
        const range = (level: number, index: number): string => `${index * 2 ** level}:${Math.min((index + 1) * 2 ** level, leafCount)}`;
        const chains = chainsOf(shape, leaf);
        const ranges = [range(0, leaf)];
        for (const { side, level, sibling } of pathOf(shape, leaf)) {
          if (side === 'left') continue;
          const chain = chains.find(({ start }) => start === sibling * 2 ** level);
          if (chain === undefined) { ranges.push(range(level, sibling)); continue; }
          ranges.push(range(chain.fromLevel, chain.start / 2 ** chain.fromLevel));
          for (let link = chain.fromLevel; link <= chain.toLevel; link += 1) ranges.push(range(link, chain.start / 2 ** link + 1));
        }
        if (ranges.toSorted().join(' ') !== expected.toSorted().join(' ')) expect.fail(`leaf ${leaf} of ${leafCount}: ${ranges.join(' ')}`);
        if (ranges.length > Math.floor(Math.log2(leafCount)) + 2) expect.fail(`leaf ${leaf} of ${leafCount} needs ${ranges.length} hashes`);
      }
    }
  });

  it('never lets a part of a proof be longer than a fragment with a pair', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 5 }), fc.maxSafeInteger().map(Math.abs), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (groupShift, length, share, manyOnes) => {
      const shape = geometryOf(length, groupShift);
      if (shape === undefined) return;
      const anywhere = Math.floor(share * (shape.leafCount - 1));
      const leaf = manyOnes ? Math.max(0, 2 ** Math.floor(share * shape.depth) - 1) : anywhere;
      const room = proofRoomHashes(shape);
      expect(1 + pathOf(shape, leaf).length).toBeLessThanOrEqual(room);
      expect(chainsOf(shape, leaf).reduce((sum, chain) => sum + chainHashes(chain), 0)).toBeLessThanOrEqual(room);
      expect(levelCount(shape, shape.depth)).toBe(1);
    }), { numRuns: 2_000 });
  });
});
