import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldLimits, heldCapability } from './held-limits.ts';

const [a, b] = [{ publicKey: 'a' }, { publicKey: 'b' }];

describe('what relays say they hold', () => {
  it('is read as it was written, and fits a capability', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => {
      const limits = new HeldLimits();
      expect(heldCapability(bytes).length).toBeLessThanOrEqual(32);
      expect(limits.learn('a', ['store', heldCapability(bytes)])).toBe(true);
      expect(limits.mostOf([a])).toBe(bytes);
    }));
    expect([heldCapability(Infinity), heldCapability(1.5), heldCapability(-1)]).toEqual([`holds/${String(Number.MAX_SAFE_INTEGER)}`, 'holds/1', 'holds/0']);
  });
  it('is the most of several, and not known while one says nothing', () => {
    const limits = new HeldLimits();
    expect(limits.mostOf([])).toBeUndefined();
    limits.learn('a', ['holds/5']);
    expect([limits.mostOf([a]), limits.mostOf([a, b])]).toEqual([5, undefined]);
    limits.learn('b', ['holds/9']);
    expect(limits.mostOf([a, b])).toBe(9);
    expect([limits.learn('b', ['holds/9']), limits.learn('b', ['store'])]).toEqual([false, true]);
    expect(limits.mostOf([a, b])).toBeUndefined();
  });
  it('counts for nothing when it is no such number', () => {
    const limits = new HeldLimits();
    for (const text of ['holds/', 'holds/01', 'holds/-1', 'holds/1e9', 'holds/9999999999999999', 'holds/12345678901234567', 'holds/5 ', 'xholds/5', 'holds/0x5']) {
      limits.learn('a', [text]);
      expect(limits.mostOf([a]), text).toBeUndefined();
    }
  });
  it('is kept for so many relays and no more', () => {
    const limits = new HeldLimits();
    for (let relay = 0; relay < 2_000; relay += 1) limits.learn(String(relay), ['holds/7']);
    expect([limits.mostOf([{ publicKey: '0' }]), limits.mostOf([{ publicKey: '1999' }])]).toEqual([undefined, 7]);
  });
});
