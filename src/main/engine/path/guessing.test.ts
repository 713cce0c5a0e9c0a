import { describe, expect, it } from 'vitest';
import { seededRandom } from '../session/testing.ts';
import { GuessBudget } from './guess-budget.ts';
import { firstHops, GuessOpener } from './guess-opener.ts';
import { GuessProber, guessMs, lastAnswerMs, portsOf, probeGapMs } from './guessing.ts';
import type { PortAllocation } from '../../../shared/network-report.ts';

const take = (allocation: PortAllocation | undefined, count: number, lastPort = 30_000, seed = 1): readonly number[] => {
  const ports = portsOf(lastPort, allocation, seededRandom(seed));
  return Array.from({ length: count }, () => ports.next()).flatMap((next) => (next.done === true ? [] : [next.value]));
};

describe('the ports that are guessed', () => {
  it('are none twice and none that is never given out, and lie anywhere where nothing is known', () => {
    for (const allocation of [undefined, { kind: 'random' }, { kind: 'preserving' }] as const) {
      const ports = take(allocation, 2_000);
      expect(new Set(ports).size).toBe(2_000);
      expect(Math.min(...ports)).toBeGreaterThanOrEqual(1_024);
      expect(Math.max(...ports)).toBeLessThanOrEqual(65_535);
      const mean = ports.reduce((sum, port) => sum + port, 0) / ports.length;
      expect(Math.abs(mean - 33_280)).toBeLessThan(2_000);
    }
    expect(new Set(take(undefined, 64_512)).size).toBe(64_512);
    expect(take(undefined, 65_000)).toHaveLength(64_512);
  });

  it('are those of a block that were seen, then as many around it', () => {
    const ports = take({ kind: 'block', first: 20_000, count: 100 }, 500);
    expect(ports).toHaveLength(200);
    expect(ports.slice(0, 100).toSorted((left, right) => left - right)).toEqual(Array.from({ length: 100 }, (_, index) => 20_000 + index));
    expect([Math.min(...ports), Math.max(...ports)]).toEqual([19_950, 20_149]);
    expect(Math.max(...take({ kind: 'block', first: 65_500, count: 36 }, 500))).toBe(65_535);
    expect(Math.min(...take({ kind: 'block', first: 1, count: 36 }, 500))).toBe(1);
  });

  it('comb a sequence in its own direction, round the end, and reach every row of 64', () => {
    expect(take({ kind: 'sequential', delta: 2 }, 3)).toEqual([30_064, 30_128, 30_192]);
    expect(take({ kind: 'sequential', delta: -1 }, 2, 1_030)).toEqual([65_510, 65_478]);
    expect(take({ kind: 'sequential', delta: 1_000 }, 5_000).every((port) => port >= 1_024 && port <= 65_535)).toBe(true);
    for (const delta of [1, 2, -3, 7]) for (const used of [0, 1, 31, 500, 9_999]) {
      const row = new Set(Array.from({ length: 64 }, (_, index) => 1_024 + ((((40_000 - 1_024 + delta * (used + index + 1)) % 64_512) + 64_512) % 64_512)));
      expect(take({ kind: 'sequential', delta }, 512, 40_000).some((port) => row.has(port)), `${String(delta)} ${String(used)}`).toBe(true);
    }
  });
});

describe('the prober', () => {
  const prober = (probes: number, startMs = 1_000): GuessProber => new GuessProber({ host: '198.18.2.1', lastPort: 5_000, allocation: undefined, probes, random: seededRandom(2), startMs });
  it('begins when it should, keeps its pace, makes up for little, and ends', () => {
    const one = prober(100);
    expect([one.pollProbe(999), one.pollTimeout()]).toEqual([undefined, 1_000]);
    expect(one.pollProbe(1_000)?.host).toBe('198.18.2.1');
    expect([one.pollProbe(1_000), one.pollTimeout()]).toEqual([undefined, 1_000 + probeGapMs]);
    let late = 0;
    while (one.pollProbe(5_000) !== undefined) late += 1;
    expect(late).toBeLessThanOrEqual(4);
    let nowMs = 5_000;
    for (; one.sent < 100; nowMs = one.pollTimeout()) one.pollProbe(nowMs);
    expect([one.pollProbe(nowMs), one.isOver(nowMs), one.isOver(nowMs + lastAnswerMs)]).toEqual([undefined, false, true]);
    expect(one.pollTimeout()).toBe(nowMs + lastAnswerMs);
  });
  it('sends no more than 1,024, whatever it is told', () => {
    const one = prober(50_000, 0);
    let nowMs = 0;
    while (!one.isOver(nowMs)) { nowMs = one.pollTimeout(); one.pollProbe(nowMs); }
    expect(one.sent).toBe(1_024);
    expect(guessMs(1_024)).toBeLessThan(24_000);
  });
});

describe('the opener', () => {
  const drive = (opener: GuessOpener, untilMs: number, each: (nowMs: number, socket: string) => void): number => {
    let [nowMs, bound] = [0, 0];
    for (; nowMs <= untilMs; nowMs = Math.max(nowMs + 1, opener.pollTimeout())) {
      for (let binds = opener.pollBinds(nowMs); binds > 0; binds -= 1) { bound += 1; opener.bound(`guess-${bound}`); }
      for (let socket = opener.pollSend(nowMs); socket !== undefined; socket = opener.pollSend(nowMs)) each(nowMs, socket);
      if (opener.isOver(nowMs)) break;
    }
    return nowMs;
  };
  it('opens 256 sockets within a second and sends three times by each, within 1,024 datagrams', () => {
    const sent = new Map<string, number[]>();
    const endMs = drive(new GuessOpener(256, 1_024, 0), 60_000, (nowMs, socket) => { sent.set(socket, [...sent.get(socket) ?? [], nowMs]); });
    expect(sent.size).toBe(256);
    expect([...sent.values()].every((times) => times.length === 3 && (times[0] ?? 0) < 1_000 && (times[1] ?? 0) >= 7_000 && (times[2] ?? 0) >= 14_000)).toBe(true);
    expect(endMs).toBeGreaterThan(guessMs(1_024));
    expect(firstHops).toBeGreaterThan(2);
  });
  it('falls silent when something is heard, and forgets what could not be bound or broke', () => {
    const opener = new GuessOpener(16, 1_024, 0);
    expect(opener.pollBinds(0)).toBe(8);
    opener.bound('guess-1');
    opener.bound('guess-2');
    opener.gone('guess-2');
    opener.gone('guess-7');
    expect([opener.pollSend(1), opener.pollSend(1)]).toEqual(['guess-1', undefined]);
    opener.heard();
    expect([opener.pollBinds(1_000), opener.pollSend(8_000)]).toEqual([0, undefined]);
    expect(opener.pollTimeout()).toBeGreaterThan(20_000);
  });
});

describe('the budget of guesses', () => {
  it('gives 24 an hour in all, and they come back one by one', () => {
    const budget = new GuessBudget();
    let given = 0;
    for (let index = 0; index < 40; index += 1) {
      const nowMs = index * 60_000;
      if (!budget.allows(`contact ${String(index)}`, `198.18.0.${String(index)}`, nowMs)) continue;
      given += 1;
      budget.spend(`contact ${String(index)}`, `198.18.0.${String(index)}`, nowMs);
      budget.ended(index % 2 === 0, nowMs + 20_000);
    }
    expect(given).toBe(24);
    expect(budget.readyMs('somebody', 39 * 60_000)).toBe(3_600_000);
    expect(budget.allows('somebody', '198.18.0.99', 3_600_000)).toBe(true);
  });
  it('takes nothing off a contact and a host for one that hit', () => {
    const budget = new GuessBudget();
    for (let index = 0; index < 10; index += 1) {
      expect(budget.allows('a', '198.18.0.1', index * 60_000)).toBe(true);
      budget.spend('a', '198.18.0.1', index * 60_000);
      budget.ended(index < 7, index * 60_000 + 5_000);
    }
    expect([budget.allows('a', '198.18.0.1', 600_000), budget.allows('b', '198.18.0.1', 600_000)]).toEqual([false, true]);
    expect(budget.allows('a', '198.18.0.1', 7 * 60_000 + 3_600_000)).toBe(true);
  });
  it('does not spare a host because the network is another one', () => {
    const budget = new GuessBudget();
    for (const contact of ['a', 'b', 'c', 'd']) budget.spend(contact, '198.18.0.1', 0);
    budget.ended(false, 1_000);
    expect(budget.allows('e', '198.18.0.2', 2_000)).toBe(false);
    budget.networkChanged();
    expect([budget.allows('e', '198.18.0.2', 2_000), budget.allows('e', '198.18.0.1', 2_000)]).toEqual([true, false]);
  });
});
