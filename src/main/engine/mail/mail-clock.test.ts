import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MailClock, clockJumpMaximumMs } from './mail-clock.ts';
import type { Instant } from '../wire/types.ts';

const day = clockJumpMaximumMs;
const wallMs = 1_800_000_000_000;
const at = (monotonicMs: number, wall = wallMs + monotonicMs): Instant => ({ monotonicMs, wallMs: wall });

describe('the mail clock', () => {
  it('begins at the stored time when the store never had a tick', () => {
    const clock = new MailClock(0, undefined, at(500));
    expect(clock.elapsedMs(at(500))).toBe(0);
    expect(clock.elapsedMs(at(1_700))).toBe(1_200);
    expect(clock.suspended).toBe(false);
  });

  it('adds what the wall clock says has passed while it did not run, up to a day', () => {
    for (const gapMs of [0, 5_000, day]) {
      const clock = new MailClock(1_000, wallMs - gapMs, at(0));
      expect(clock.suspended).toBe(false);
      expect(clock.elapsedMs(at(7))).toBe(1_000 + gapMs + 7);
    }
  });

  it('takes a wall clock set back a little for a correction, and adds nothing', () => {
    const clock = new MailClock(1_000, wallMs + 30_000, at(0));
    expect(clock.suspended).toBe(false);
    expect(clock.elapsedMs(at(0))).toBe(1_000);
  });

  it('suspends expiry at a start more than a day off, in either direction, until confirmed', () => {
    const ahead = new MailClock(1_000, wallMs - day - 1, at(0));
    expect(ahead.suspended).toBe(true);
    expect(ahead.elapsedMs(at(10))).toBe(1_010);
    ahead.confirm(at(20));
    expect(ahead.suspended).toBe(false);
    expect(ahead.elapsedMs(at(20))).toBe(1_000 + day + 1 + 20);
    const behind = new MailClock(1_000, wallMs + day + 1, at(0));
    expect(behind.suspended).toBe(true);
    behind.confirm(at(20));
    expect(behind.elapsedMs(at(20))).toBe(1_020);
  });

  it('suspends on a jump of more than a day at run time, and not on many small ones', () => {
    const clock = new MailClock(0, undefined, at(0));
    for (let night = 1; night <= 10; night += 1) expect(clock.observe(at(night, wallMs + night * 8 * 3_600_000))).toBe(false);
    expect(clock.elapsedMs(at(10))).toBe(10);
    const jumped = at(20, wallMs + 10 * 8 * 3_600_000 + day + 1_000);
    expect(clock.observe(jumped)).toBe(true);
    expect(clock.observe(jumped)).toBe(false);
    expect(clock.suspended).toBe(true);
  });

  it('stays in doubt across a restart, since it does not persist the doubtful time', () => {
    const clock = new MailClock(0, wallMs - 3 * day, at(0));
    const tick = clock.tick(at(60_000));
    expect(tick).toEqual({ elapsedMs: 60_000, wallMs: wallMs - 3 * day + 60_000 });
    expect(new MailClock(tick.elapsedMs, tick.wallMs, at(0, wallMs + 70_000)).suspended).toBe(true);
  });

  it('never runs backwards', () => {
    fc.assert(fc.property(fc.integer({ min: -3 * day, max: 3 * day }), fc.array(fc.record({ step: fc.integer({ min: -50, max: 1_000 }), wall: fc.integer({ min: -2 * day, max: 2 * day }), act: fc.constantFrom('look', 'observe', 'confirm') }), { maxLength: 30 }), (gapMs, steps) => {
      const clock = new MailClock(5, wallMs - gapMs, at(0));
      let monotonicMs = 0;
      let latest = clock.elapsedMs(at(0));
      expect(latest).toBeGreaterThanOrEqual(5);
      for (const { step, wall, act } of steps) {
        monotonicMs = Math.max(0, monotonicMs + step);
        const now = at(monotonicMs, wallMs + wall);
        if (act === 'observe') clock.observe(now);
        if (act === 'confirm') clock.confirm(now);
        expect(clock.elapsedMs(now)).toBeGreaterThanOrEqual(latest);
        latest = clock.elapsedMs(now);
      }
    }));
  });
});
