import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datagram, ExchangeWorld, mailbox, opener, owner } from './exchange-testing.ts';
import { HourlyBudget } from './circuit-budget.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('the budget of an hour', () => {
  it('gives no more packets and bytes than there are, and again after an hour', () => {
    const budget = new HourlyBudget({ packets: 3, bytes: 1_000 }, 0);
    expect([budget.take(600, 0), budget.take(600, 1), budget.take(400, 2), budget.take(0, 3), budget.take(0, 4)]).toEqual([true, false, true, true, false]);
    expect(budget.used(5)).toEqual({ packets: 3, bytes: 1_000 });
    expect(budget.take(1, 59 * minuteMs)).toBe(false);
    expect(budget.take(1_000, hourMs)).toBe(true);
    expect(budget.used(10 * hourMs)).toEqual({ packets: 0, bytes: 0 });
  });

  it('never lets more through in any sixty minutes, whatever comes when', () => {
    const steps = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 20 * minuteMs }), sizeBytes: fc.integer({ min: 0, max: 400 }) }), { maxLength: 200 });
    fc.assert(fc.property(steps, (all) => {
      const budget = new HourlyBudget({ packets: 20, bytes: 2_000 }, 0);
      const taken: { readonly atMs: number; readonly sizeBytes: number }[] = [];
      let nowMs = 0;
      for (const { afterMs, sizeBytes } of all) {
        nowMs += afterMs;
        if (budget.take(sizeBytes, nowMs)) taken.push({ atMs: nowMs, sizeBytes });
        // Minutes are counted whole, so that what is shown may be up to one minute short of an hour.
        const last = taken.filter(({ atMs }) => atMs > nowMs - 59 * minuteMs);
        expect(last.length).toBeLessThanOrEqual(20);
        expect(last.reduce((sum, { sizeBytes: bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(2_000);
      }
    }));
  });

  it('of an exchange is shared by all circuits, and frames beyond it are dropped', () => {
    const hourly = new HourlyBudget({ packets: 2, bytes: 10_000 }, 1_000);
    const world = new ExchangeWorld(undefined, hourly);
    world.connect(opener);
    world.register(owner, mailbox);
    const circuit = world.open(opener, mailbox);
    world.frame(opener, circuit.opener, datagram(100));
    world.frame(owner, circuit.owner, datagram(100));
    world.frame(opener, circuit.opener, datagram(100));
    expect([world.sent.length, world.count('circuit.forwarded'), world.count('circuit.drop.hour')]).toEqual([2, 2, 1]);
    expect(hourly.used(world.ms).packets).toBe(2);
  });
});
