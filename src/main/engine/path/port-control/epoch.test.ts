/** Which counts of seconds tell of a gateway that has begun anew. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Epoch } from './epoch.ts';

const after = (method: 'pcp' | 'nat-pmp', theirsSeconds: number, oursMs: number): boolean => {
  const epoch = new Epoch();
  epoch.remember(10_000, 5_000);
  return epoch.hasBegunAnew(10_000 + theirsSeconds, method, 5_000 + oursMs);
};

describe.each(['pcp', 'nat-pmp'] as const)('%s', (method) => {
  test('a clock like ours, give or take rounding, is the same gateway', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 100_000_000 }), fc.integer({ min: -1, max: 1 }), (oursMs, off) => {
      expect(after(method, Math.max(0, Math.floor(oursMs / 1_000) + off), oursMs)).toBe(false);
    }));
  });

  test('one that counts from zero, or stands still, has begun anew', () => {
    expect(after(method, -10_000, 3_600_000)).toBe(true);
    expect(after(method, -10, 1_000)).toBe(true);
    expect(after(method, 0, 3_600_000)).toBe(true);
  });

  test('nothing is known of a gateway that has said nothing yet, or was forgotten', () => {
    const epoch = new Epoch();
    expect(epoch.hasBegunAnew(0, method, 1)).toBe(false);
    epoch.remember(9_999, 1);
    epoch.forget();
    expect(epoch.hasBegunAnew(0, method, 1)).toBe(false);
  });
});

test('a clock that jumped ahead is a doubt for PCP alone', () => {
  expect(after('pcp', 5_000, 1_000)).toBe(true);
  expect(after('nat-pmp', 5_000, 1_000)).toBe(false);
});

test('PCP lets an answer be overtaken by another by a second', () => {
  expect(after('pcp', -1, 0)).toBe(false);
  expect(after('pcp', -2, 0)).toBe(true);
});
