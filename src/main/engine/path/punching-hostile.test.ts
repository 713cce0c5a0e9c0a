/**
 * A peer that wants others flooded: it names victims in every offer, has forged packets come from them, and makes attempts begin and stop as often as it can. What the
 * victims get is counted. Measured: 16 victims named without pause for ten minutes get 200 probes a minute in all, 20 each at most; one victim with 16 ports gets 60.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../session/testing.ts';
import { socketAddressKey, type OfferedCandidate, type SocketAddress } from '../wire/types.ts';
import { isReachable } from './address-scope.ts';
import { Punching } from './punching.ts';

interface Sent { readonly to: SocketAddress; readonly atMs: number }
type Step =
  | { readonly kind: 'begin'; readonly victims: readonly SocketAddress[]; readonly waitMs: number }
  | { readonly kind: 'heard'; readonly victim: SocketAddress }
  | { readonly kind: 'answered' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'pass'; readonly forMs: number; readonly lateMs: number };

const accomplice: SocketAddress = { host: '203.0.113.66', port: 6_666 };
const ownHosts = ['192.168.1.20', '2001:db8:1:7::20'];
const offerOf = (addresses: readonly SocketAddress[]): readonly OfferedCandidate[] => addresses.map((address) => ({ kind: 'host', address }));

function runSteps(seed: number, steps: readonly Step[]): readonly Sent[] {
  const punching = new Punching({ random: seededRandom(seed) });
  const sent: Sent[] = [];
  let nowMs = 0;
  const drain = (): void => { for (let to = punching.pollProbe(); to !== undefined; to = punching.pollProbe()) sent.push({ to, atMs: nowMs }); };
  for (const step of steps) {
    switch (step.kind) {
      case 'begin': punching.begin({ theirs: offerOf(step.victims), ownHosts, waitMs: step.waitMs }, nowMs); break;
      case 'heard': punching.heardFrom(step.victim, nowMs); break;
      case 'answered': punching.answered(accomplice, nowMs); break;
      case 'stop': drain(); punching.stop(); break;
      case 'pass': {
        const endMs = nowMs + step.forMs;
        for (let dueMs = punching.pollTimeout(); dueMs !== undefined && dueMs + step.lateMs <= endMs; dueMs = punching.pollTimeout()) {
          nowMs = Math.max(nowMs, dueMs + step.lateMs);
          punching.handleTimeout(nowMs);
          drain();
        }
        nowMs = endMs;
      }
    }
    drain();
  }
  return sent;
}

/** The most in any window of that length, of each key. */
function most(sent: readonly Sent[], windowMs: number, key: (sent: Sent) => string): ReadonlyMap<string, number> {
  const peaks = new Map<string, number>();
  const times = new Map<string, number[]>();
  for (const each of sent) {
    const name = key(each);
    const within = [...(times.get(name) ?? []), each.atMs].filter((atMs) => atMs > each.atMs - windowMs);
    times.set(name, within);
    peaks.set(name, Math.max(peaks.get(name) ?? 0, within.length));
  }
  return peaks;
}
const peakOf = (peaks: ReadonlyMap<string, number>): number => Math.max(0, ...peaks.values());

const victims = (count: number): readonly SocketAddress[] => Array.from({ length: count }, (_, index) => ({ host: `198.51.100.${String(index + 1)}`, port: 53 }));
const portsOfOne: readonly SocketAddress[] = Array.from({ length: 16 }, (_, index) => ({ host: '198.51.100.1', port: 1_000 + index }));
const again = (theirs: readonly SocketAddress[]): readonly Step[] => Array.from({ length: 600 }, (): readonly Step[] => [{ kind: 'begin', victims: theirs, waitMs: 0 }, { kind: 'pass', forMs: 1_000, lateMs: 0 }]).flat();

describe('what a hostile peer can have sent', () => {
  it('to 16 victims, named again every second for ten minutes: 200 a minute in all and 20 each at most, 160 in an attempt', () => {
    const sent = runSteps(1, again(victims(16)));
    expect(peakOf(most(sent, 60_000, () => 'all'))).toBe(200);
    expect(peakOf(most(sent, 60_000, ({ to }) => to.host))).toBeLessThanOrEqual(20);
    expect(peakOf(most(sent, 4_000, () => 'all'))).toBeLessThanOrEqual(160);
    expect(sent.length).toBeLessThanOrEqual(11 * 200);
  });

  it('to 16 ports of one victim: 60 a minute', () => {
    expect(peakOf(most(runSteps(2, again(portsOfOne)), 60_000, ({ to }) => to.host))).toBe(60);
  });

  it('to a neighbour behind the address of an accomplice who answers: 240 a minute', () => {
    const theirs = portsOfOne.map(({ port }) => ({ host: accomplice.host, port }));
    const steps = again(theirs).flatMap((step): readonly Step[] => (step.kind === 'begin' ? [{ kind: 'answered' }, step] : [step]));
    const peak = peakOf(most(runSteps(3, steps), 60_000, ({ to }) => to.host));
    expect(peak).toBeLessThanOrEqual(240);
    expect(peak).toBeGreaterThan(60);
  });

  it('stays below every limit whatever it does, and whenever timers fire', () => {
    const host = fc.oneof(fc.constantFrom(...victims(20).map((victim) => victim.host)), fc.constantFrom('127.0.0.1', '::1', '255.255.255.255', '224.0.0.251', '169.254.169.254', 'ff02::fb', '192.168.1.255', '10.0.0.1', '::ffff:10.0.0.1', 'circuit/1/2', 'name.example', ''), fc.ipV4(), fc.ipV6());
    const victim = fc.record({ host, port: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constantFrom(1, 2, 3)) });
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const), victims: fc.array(victim, { maxLength: 40, size: 'max' }), waitMs: fc.oneof(fc.double(), fc.integer({ min: 0, max: 3_000 })) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('heard' as const), victim }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'answered' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'stop' as const }) },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), forMs: fc.integer({ min: 0, max: 8_000 }), lateMs: fc.constantFrom(0, 0, 1, 16, 700) }) },
    );
    fc.assert(fc.property(fc.nat(), fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (seed, steps) => {
      const sent = runSteps(seed, steps);
      const toOthers = sent.filter(({ to }) => to.host !== accomplice.host);
      expect(sent.every(({ to }) => isReachable(to.host) && to.port > 0 && to.port <= 65_535)).toBe(true);
      expect(peakOf(most(toOthers, 60_000, ({ to }) => to.host))).toBeLessThanOrEqual(60);
      expect(peakOf(most(toOthers, 60_000, () => 'all'))).toBeLessThanOrEqual(200);
      expect(peakOf(most(sent, 4_000, ({ to }) => socketAddressKey(to)))).toBeLessThanOrEqual(30);
      // One for each 2 ms, and what late timers may make up for.
      expect(peakOf(most(sent, 100, () => 'all'))).toBeLessThanOrEqual(50 + 9);
    }), { numRuns: 150 });
  });

  it('is at most 16 addresses that were offered and 8 that were heard, 15 probes each and 200 in all, in an attempt', () => {
    const victim = fc.record({ host: fc.constantFrom(...victims(40).map(({ host }) => host)), port: fc.integer({ min: 1, max: 3 }) });
    fc.assert(fc.property(fc.nat(), fc.array(victim, { maxLength: 40, size: 'max' }), fc.array(fc.tuple(fc.integer({ min: 0, max: 600 }), victim), { maxLength: 40, size: 'max' }), (seed, theirs, heard) => {
      const sent = runSteps(seed, [{ kind: 'begin', victims: theirs, waitMs: 0 }, ...heard.flatMap(([forMs, each]) => [{ kind: 'pass', forMs, lateMs: 0 }, { kind: 'heard', victim: each }] satisfies Step[]), { kind: 'pass', forMs: 6_000, lateMs: 0 }]);
      const byAddress = most(sent, 60_000, ({ to }) => socketAddressKey(to));
      expect(byAddress.size).toBeLessThanOrEqual(24);
      expect(peakOf(byAddress)).toBeLessThanOrEqual(15);
      expect(sent.length).toBeLessThanOrEqual(200);
      expect(sent.at(-1)?.atMs ?? 0).toBeLessThan(5_000);
      expect(sent.slice(1).every(({ atMs }, index) => atMs - (sent[index]?.atMs ?? 0) >= 2)).toBe(true);
    }), { numRuns: 200 });
  });
});

describe('an honest peer', () => {
  const host = '198.51.100.9';
  const thrice = (theirs: readonly SocketAddress[]): readonly Sent[] => runSteps(4, [0, 5_000, 10_000].flatMap((gapMs): readonly Step[] => [{ kind: 'pass', forMs: gapMs, lateMs: 0 }, { kind: 'begin', victims: theirs, waitMs: 0 }, { kind: 'pass', forMs: 6_000, lateMs: 0 }]));
  const count = (sent: readonly Sent[], ports: readonly number[]): number => sent.filter(({ to }) => to.host === host && ports.includes(to.port)).length;
  const others: readonly SocketAddress[] = [{ host: '192.168.7.9', port: 41_000 }, { host: '2001:db8:9::9', port: 41_000 }];

  it('loses nothing to the limits in three attempts within half a minute', () => {
    const sent = thrice([...others, { host, port: 1_024 }]);
    expect(count(sent, [1_024])).toBe(3 * 14);
    expect(sent.length).toBe(3 * (2 + 14 + 14));
  });
  it('loses no probe of the first two attempts where its host has two ports', () => {
    const sent = thrice([...others, { host, port: 1_024 }, { host, port: 1_025 }]);
    expect(count(sent.filter(({ atMs }) => atMs < 20_000), [1_024, 1_025])).toBe(2 * 2 * 14);
    expect(count(sent, [1_024, 1_025])).toBe(60);
  });
});
