import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedProbeSizes, datagramBytesFor, defaultProbeSizes, groupShiftFor } from './sizes.ts';

describe('the sizes of datagrams', () => {
  it('are the base, Ethernet, and what carries 2 to 32 KiB', () => {
    expect(defaultProbeSizes).toEqual([1_200, 1_452, 2_163, 4_211, 8_307, 16_499, 32_883]);
    expect([0, 1, 2, 3, 4, 5].map(datagramBytesFor)).toEqual([1_139, 2_163, 4_211, 8_307, 16_499, 32_883]);
  });

  it.each([[1_200, 0], [1_452, 0], [2_162, 0], [2_163, 1], [4_211, 2], [8_952, 3], [16_499, 4], [32_882, 4], [32_883, 5], [65_507, 5]])('of %i bytes carry groups of 2^%i KiB', (bytes, shift) => {
    expect(groupShiftFor(bytes)).toBe(shift);
  });

  it('carry the largest group that fits, whatever number is given', () => {
    fc.assert(fc.property(fc.oneof(fc.integer({ min: 1_139, max: 70_000 }), fc.double()), (bytes) => {
      const shift = groupShiftFor(bytes);
      expect(Number.isInteger(shift) && shift >= 0 && shift <= 5).toBe(true);
      if (bytes >= datagramBytesFor(0)) expect(datagramBytesFor(shift)).toBeLessThanOrEqual(bytes);
      if (shift < 5 && !Number.isNaN(bytes)) expect(datagramBytesFor(shift + 1)).toBeGreaterThan(bytes);
    }));
  });

  it('are refused where they are none', () => {
    for (const shift of [-1, 6, 0.5, Number.NaN, Infinity]) expect(() => datagramBytesFor(shift)).toThrow(RangeError);
    for (const sizes of [[], [0], [1_200, 1_200], [1_452, 1_200], [1_200, 1_452.5], [1_200, Number.NaN], [1_200, 65_508], [-5]]) expect(() => checkedProbeSizes(sizes)).toThrow(RangeError);
    expect(checkedProbeSizes([1_200])).toEqual([1_200]);
  });
});
