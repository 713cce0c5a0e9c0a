import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datagram, ExchangeWorld, mailbox, mailboxOf, opener, owner, stranger } from './exchange-testing.ts';
import { HourlyBudget, partiesMaximum } from './hourly-budget.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('the budget of an hour', () => {
  it('gives no more packets and bytes than there are, and again after an hour', () => {
    const budget = new HourlyBudget({ packets: 3, bytes: 1_000 }, 0);
    expect([budget.take(600, [], 0), budget.take(600, [], 1), budget.take(400, [], 2), budget.take(0, [], 3), budget.take(0, [], 4)]).toEqual(['taken', 'used-up', 'taken', 'taken', 'used-up']);
    expect(budget.used(5)).toEqual({ packets: 3, bytes: 1_000 });
    expect(budget.take(1, [], 59 * minuteMs)).toBe('used-up');
    expect(budget.take(1_000, [], hourMs)).toBe('taken');
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
        if (budget.take(sizeBytes, [], nowMs) === 'taken') taken.push({ atMs: nowMs, sizeBytes });
        // Minutes are counted whole, so that what is shown may be up to one minute short of an hour.
        const last = taken.filter(({ atMs }) => atMs > nowMs - 59 * minuteMs);
        expect(last.length).toBeLessThanOrEqual(20);
        expect(last.reduce((sum, { sizeBytes: bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(2_000);
      }
    }));
  });

  it('of an exchange is shared by all circuits, and frames beyond it are dropped', () => {
    const hourly = new HourlyBudget({ packets: 4, bytes: 10_000 }, 1_000);
    const world = new ExchangeWorld(undefined, hourly);
    world.connect(opener);
    world.register(owner, mailbox);
    const circuit = world.open(opener, mailbox);
    world.frame(opener, circuit.opener, datagram(100));
    world.frame(owner, circuit.owner, datagram(100));
    world.frame(opener, circuit.opener, datagram(100));
    expect([world.sent.length, world.count('circuit.forwarded'), world.count('circuit.drop.hour')]).toEqual([2, 2, 0]);
    expect(world.count('circuit.drop.share')).toBe(1);
    world.connect(stranger);
    world.register(4, mailboxOf(2));
    const another = world.open(stranger, mailboxOf(2));
    for (let round = 0; round < 2; round += 1) world.frame(stranger, another.opener, datagram(100));
    expect([world.count('circuit.forwarded'), world.count('circuit.drop.share')]).toEqual([3, 2]);
    expect(hourly.used(world.ms).packets).toBe(3);
  });
});

describe('the share of one', () => {
  const hour = { packets: 1_000_000, bytes: 1_024_000 };
  /** Bytes that these get when they take all that they may, in packets of 1,000 bytes. */
  const greedy = (budget: HourlyBudget, parties: readonly string[], nowMs = 0): number => {
    let bytes = 0;
    while (budget.take(1_000, parties, nowMs) === 'taken') bytes += 1_000;
    return bytes;
  };

  it('is as much as it leaves: a half, a quarter, an eighth', () => {
    const budget = new HourlyBudget(hour, 0);
    expect(['ada', 'bob', 'cleo', 'dora'].map((name) => greedy(budget, [name]))).toEqual([512_000, 256_000, 128_000, 64_000]);
    expect(budget.take(1_000, ['ada'], 1)).toBe('beyond-share');
    expect(budget.take(1_000, ['eve'], 1)).toBe('taken');
  });

  it('is so of packets too, however small', () => {
    const budget = new HourlyBudget({ packets: 64, bytes: 1_000_000 }, 0);
    let packets = 0;
    while (budget.take(1, ['ada'], 0) === 'taken') packets += 1;
    expect(packets).toBe(32);
  });

  it('is that of a friend whoever asks, and that of a neighbourhood whomever it asks', () => {
    const friends = new HourlyBudget(hour, 0);
    expect(Array.from({ length: 10 }, (_, number) => greedy(friends, ['friend mal', `network ${String(number)}`]))).toEqual([512_000, ...Array.from({ length: 9 }, () => 0)]);
    const networks = new HourlyBudget(hour, 0);
    expect(Array.from({ length: 10 }, (_, number) => greedy(networks, [`friend ${String(number)}`, 'network mal']))).toEqual([512_000, ...Array.from({ length: 9 }, () => 0)]);
  });

  it('is there again after an hour, and nobody is remembered for longer', () => {
    const budget = new HourlyBudget(hour, 0);
    greedy(budget, ['ada']);
    expect(greedy(budget, ['ada'], 59 * minuteMs)).toBe(0);
    expect(greedy(budget, ['ada'], hourMs)).toBe(512_000);
    budget.take(1, ['bob'], 3 * hourMs);
    expect(budget.parties).toBe(1);
  });

  it('is one for all beyond those that are counted', () => {
    const budget = new HourlyBudget({ packets: 1_000_000, bytes: 2_000_000 }, 0);
    for (let number = 0; number < 10 * partiesMaximum; number += 1) budget.take(100, [`network ${String(number)}`], 0);
    expect(budget.parties).toBe(partiesMaximum + 1);
    greedy(budget, ['network late']);
    expect(budget.take(1_000, ['network later'], 0)).toBe('beyond-share');
    expect(budget.take(1_000, ['network 1'], 0)).toBe('taken');
  });

  it('leaves something to whoever comes, whatever the others did', () => {
    const steps = fc.array(fc.record({ party: fc.integer({ min: 0, max: 5 }), sizeBytes: fc.integer({ min: 1, max: 400 }) }), { maxLength: 300 });
    fc.assert(fc.property(steps, (all) => {
      const budget = new HourlyBudget({ packets: 10_000, bytes: 25_600 }, 0);
      for (const { party, sizeBytes } of all) budget.take(sizeBytes, [String(party)], 0);
      // Halved six times at most: 400 bytes are left.
      expect(budget.take(200, ['new'], 0)).toBe('taken');
    }));
  });
});
