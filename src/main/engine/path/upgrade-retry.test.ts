import { describe, expect, it } from 'vitest';
import { seededRandom } from '../session/testing.ts';
import { networkChangeSpreadMs, UpgradeRetry } from './upgrade-retry.ts';

const gapsOf = (retry: UpgradeRetry, count: number): readonly number[] => Array.from({ length: count }, () => {
  retry.failed(1_000);
  return (retry.pollTimeout() ?? 0) - 1_000;
});

describe('looking for a direct path again', () => {
  it('comes after 5, 10, 20, 40, 60 and 60 seconds, a fifth more or less', () => {
    const nominal = [5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000];
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; seed += 1) {
      gapsOf(new UpgradeRetry(seededRandom(seed)), nominal.length).forEach((gapMs, index) => {
        const share = gapMs / (nominal[index] ?? 0);
        expect(share).toBeGreaterThanOrEqual(0.8);
        expect(share).toBeLessThanOrEqual(1.2);
        seen.add(Math.round(share * 10));
      });
    }
    expect([...seen].toSorted((left, right) => left - right)).toEqual([8, 9, 10, 11, 12]);
  });
  it('begins anew, and almost at once, in another network', () => {
    const retry = new UpgradeRetry(seededRandom(1));
    gapsOf(retry, 5);
    retry.networkChanged(9_000);
    expect(retry.pollTimeout()).toBeGreaterThanOrEqual(9_000);
    expect(retry.pollTimeout()).toBeLessThanOrEqual(9_000 + networkChangeSpreadMs);
    expect(retry.takeDue(9_000 + networkChangeSpreadMs)).toBe(true);
    expect(gapsOf(retry, 1)[0]).toBeLessThanOrEqual(6_000);
  });
  it('is told once, not before its time, and not when nothing failed', () => {
    const retry = new UpgradeRetry(seededRandom(2));
    expect(retry.takeDue(1e9)).toBe(false);
    retry.failed(0);
    expect(retry.takeDue(3_999)).toBe(false);
    expect(retry.takeDue(6_000)).toBe(true);
    expect(retry.takeDue(6_000)).toBe(false);
    expect(retry.pollTimeout()).toBeUndefined();
    retry.failed(6_000);
    retry.stop();
    expect(retry.takeDue(1e9)).toBe(false);
    expect(gapsOf(retry, 1)[0]).toBeLessThanOrEqual(6_000);
  });
});
