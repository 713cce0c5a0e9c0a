import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sparklineShape } from './sparkline.ts';

describe('the round-trip sparkline', () => {
  it('ends at the right edge with the newest sample', () => {
    expect(sparklineShape([10, 10], 63, 36, 64).path).toBe('M62.0 2.0h0.5L63.0 2.0');
  });
  it('interrupts the line at a lost echo and marks it', () => {
    const shape = sparklineShape([10, null, 10], 63, 36, 64);
    expect(shape.path.match(/M/g)).toHaveLength(2);
    expect(shape.losses).toEqual([62]);
  });
  it('draws nothing from nothing', () => {
    expect(sparklineShape([], 63, 36, 64)).toEqual({ path: '', losses: [], marks: [] });
    expect(sparklineShape([null], 63, 36, 64)).toEqual({ path: '', losses: [63], marks: [] });
  });
  it('marks what begins with a sample, halfway from the one before, and nothing that is not shown', () => {
    expect(sparklineShape([10, 10, 10], 63, 36, 64, [1, 2]).marks).toEqual([61.5, 62.5]);
    expect(sparklineShape([10, 10, 10], 63, 36, 64, [0, 3, -1]).marks).toEqual([]);
    expect(sparklineShape(Array.from({ length: 70 }, () => 10), 63, 36, 64, [5, 6, 7, 69]).marks).toEqual([0.5, 62.5]);
  });
  it('stays inside its box whatever the samples are', () => {
    fc.assert(fc.property(fc.array(fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: null }), { maxLength: 100 }), (samples) => {
      for (const [, x, y] of sparklineShape(samples, 120, 36, 64).path.matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)) {
        expect(Number(x)).toBeGreaterThanOrEqual(-0.1);
        expect(Number(x)).toBeLessThanOrEqual(120.1);
        expect(Number(y)).toBeGreaterThanOrEqual(0);
        expect(Number(y)).toBeLessThanOrEqual(36);
      }
    }));
  });
});
