import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';

describe('deadlines', () => {
  it('come due in order of time, the last setting of a key counting', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.option(fc.integer({ min: 0, max: 1000 })))), (steps) => {
      const deadlines = new Deadlines();
      const model = new Map<string, number>();
      for (const [key, at] of steps) {
        if (at === null) { deadlines.clear(String(key)); model.delete(String(key)); }
        else { deadlines.set(String(key), at); model.set(String(key), at); }
      }
      expect(deadlines.size).toBe(model.size);
      let previous = -1;
      for (let key = deadlines.takeDue(1000); key !== undefined; key = deadlines.takeDue(1000)) {
        const at = model.get(key) ?? Number.NaN;
        expect(at).toBeGreaterThanOrEqual(previous);
        previous = at;
        model.delete(key);
      }
      expect(model.size).toBe(0);
    }));
  });

  it('keeps no memory of deadlines that were moved or cleared', () => {
    const deadlines = new Deadlines();
    for (let number = 0; number < 10_000; number += 1) {
      deadlines.set(`letter ${String(number)}`, 1_000_000 + number);
      deadlines.set('idle', number);
      if (number >= 10) deadlines.clear(`letter ${String(number - 10)}`);
    }
    expect(deadlines.size).toBe(11);
    expect(deadlines.entries).toBeLessThan(200);
    expect(deadlines.takeDue(9_999)).toBe('idle');
    expect(deadlines.takeDue(1_009_990)).toBe('letter 9990');
  });

  it('leaves what is not due yet', () => {
    const deadlines = new Deadlines();
    deadlines.set('a', 10);
    expect(deadlines.takeDue(9)).toBeUndefined();
    expect(deadlines.next()).toMatchObject({ key: 'a', atMs: 10 });
  });
});
