import { describe, expect, it } from 'vitest';
import { circuitAddress } from '../circuits/tunnel.ts';
import { seededRandom } from '../session/testing.ts';
import type { OfferedCandidate, SocketAddress } from '../wire/types.ts';
import { ProbeBudget } from './probe-budget.ts';
import { Punching, type PunchingBegin } from './punching.ts';

const ownHosts = ['192.168.1.20', '2001:db8:1:7::20', '127.0.0.1', '::1', 'fe80::20'];
const at = (host: string, port = 4_000): SocketAddress => ({ host, port });
const offer = (...addresses: readonly SocketAddress[]): readonly OfferedCandidate[] => addresses.map((address) => ({ kind: 'reflexive', address }));
const friend = at('198.18.7.1');

/** A machine with its clock: everything it sends, and when. */
class Clocked {
  readonly punching: Punching;
  readonly sent: { readonly to: SocketAddress; readonly atMs: number }[] = [];
  nowMs = 10_000;
  constructor(seed = 1, sharedBudget?: ProbeBudget) { this.punching = new Punching({ random: seededRandom(seed), ...(sharedBudget === undefined ? {} : { sharedBudget }) }); }
  begin(theirs: readonly OfferedCandidate[], change: Partial<PunchingBegin> = {}): void { this.punching.begin({ theirs, ownHosts, waitMs: 0, ...change }, this.nowMs); this.drain(); }
  heard(address: SocketAddress): void { this.punching.heardFrom(address, this.nowMs); this.drain(); }
  answered(address: SocketAddress): void { this.punching.answered(address, this.nowMs); this.drain(); }
  drain(): void { for (let to = this.punching.pollProbe(); to !== undefined; to = this.punching.pollProbe()) this.sent.push({ to, atMs: this.nowMs }); }
  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (let dueMs = this.punching.pollTimeout(); dueMs !== undefined && dueMs <= endMs; dueMs = this.punching.pollTimeout()) {
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.punching.handleTimeout(this.nowMs);
      this.drain();
    }
    this.nowMs = endMs;
  }
  /** Milliseconds from `fromMs` on at which that address was probed. */
  times(address: SocketAddress, fromMs = 10_000): readonly number[] { return this.sent.filter(({ to }) => to.host === address.host && to.port === address.port).map(({ atMs }) => atMs - fromMs); }
  hosts(): readonly string[] { return [...new Set(this.sent.map(({ to }) => to.host))]; }
}

describe('the probes of an attempt', () => {
  it('go to an address at 0, 20, 60, 140 and 300 ms, then every 500 ms until 5 s, each jittered a little', () => {
    const nominal = [0, 20, 60, 140, 300, 800, 1_300, 1_800, 2_300, 2_800, 3_300, 3_800, 4_300, 4_800];
    const exact = new Set<boolean>();
    for (let seed = 0; seed < 50; seed += 1) {
      const side = new Clocked(seed);
      side.begin(offer(friend));
      side.run(20_000);
      const times = side.times(friend);
      expect(times.length).toBe(nominal.length);
      times.forEach((time, index) => {
        const lateMs = time - (nominal[index] ?? 0);
        expect(lateMs).toBeGreaterThanOrEqual(0);
        expect(lateMs).toBeLessThan(index < 5 ? 6 : 50);
        exact.add(lateMs === 0);
      });
      expect(side.punching.outcome).toBe('failed');
    }
    expect(exact).toEqual(new Set([true, false]));
  });

  it('begin at once after an attempt that had nobody to probe, and 4 s after one that had', () => {
    const side = new Clocked();
    side.begin([]);
    side.run(100);
    side.begin(offer(friend));
    side.run(10);
    expect(side.times(friend, 10_100)[0]).toBeLessThan(6);
    side.begin(offer(at('198.18.9.9')));
    side.run(6_000);
    const [second] = side.times(at('198.18.9.9'), 10_100);
    expect([Math.floor((second ?? 0) / 1_000), (second ?? 0) < 4_006]).toEqual([4, true]);
  });

  it('wait as long as they are told, but no longer than two seconds, and go out at once when the other side is heard', () => {
    for (const [waitMs, firstMs] of [[150, 150], [9e9, 2_000], [-5, 0], [Number.NaN, 0]] as const) {
      const side = new Clocked();
      side.begin(offer(friend), { waitMs });
      expect([side.punching.outcome, side.punching.isIdle]).toEqual(['trying', false]);
      side.run(3_000);
      expect((side.times(friend)[0] ?? -1) - firstMs).toBeLessThan(6);
      expect((side.times(friend)[0] ?? -1) - firstMs).toBeGreaterThanOrEqual(0);
    }
    const side = new Clocked();
    side.begin(offer(friend), { waitMs: 1_000 });
    side.run(100);
    side.heard(circuitAddress(1, 2));
    side.heard(at('127.0.0.1'));
    side.run(100);
    expect(side.sent).toEqual([]);
    const elsewhere = at('198.18.7.1', 9_999);
    side.heard(elsewhere);
    expect(side.times(elsewhere)).toEqual([200]);
    side.run(50);
    expect(side.times(friend).length).toBeGreaterThan(0);
  });

  it('are two milliseconds apart, nearest addresses first', () => {
    const side = new Clocked();
    side.begin(offer(...Array.from({ length: 15 }, (_, index) => at(`198.18.7.${String(index + 1)}`)), at('192.168.1.7')));
    side.run(20_000);
    expect(side.sent.slice(1).every(({ atMs }, index) => atMs - (side.sent[index]?.atMs ?? 0) >= 2)).toBe(true);
    expect(side.times(at('192.168.1.7'))[0]).toBeLessThan(8);
    expect(side.sent.length).toBe(160);
    expect(side.hosts().length).toBe(16);
  });

  it('are made up for by a handful when timers are late, and not by all that were missed', () => {
    const side = new Clocked();
    side.begin(offer(...Array.from({ length: 16 }, (_, index) => at(`198.18.7.${String(index + 1)}`))));
    side.nowMs += 3_000;
    const before = side.sent.length;
    side.punching.handleTimeout(side.nowMs);
    side.drain();
    expect(side.sent.length - before).toBeLessThanOrEqual(9);
    side.run(40);
    expect(side.sent.length - before).toBeLessThanOrEqual(17);
    side.nowMs += 12 * 3_600_000;
    const asleep = side.sent.length;
    side.punching.handleTimeout(side.nowMs);
    side.drain();
    expect([side.sent.length - asleep, side.punching.outcome, side.punching.isIdle, side.punching.pollTimeout()]).toEqual([0, 'failed', true, undefined]);
  });
});

describe('the addresses of an attempt', () => {
  it('are those that can be reached, once each, and never our own', () => {
    const side = new Clocked();
    const own = at('198.18.1.1', 41_000);
    const refused = [at('127.0.0.1'), at('::1'), at('0.0.0.0'), at('255.255.255.255'), at('224.0.0.1'), at('ff02::1'), at('169.254.3.3'), at('fe80::1'), at('::ffff:198.18.7.1'), at('198.18.7.01'), at('name.example'), at('198.18.7.1', 0), own, circuitAddress(1, 1)];
    side.begin(offer(...refused, friend, friend), { ownAddresses: [own] });
    for (const address of refused) side.heard(address);
    side.run(10_000);
    expect(side.hosts()).toEqual([friend.host]);
    expect(side.times(friend).length).toBe(14);
    expect(side.times(own)).toEqual([]);
  });

  it('may be our own host with another port: another visor of this machine', () => {
    const side = new Clocked();
    side.begin(offer(at('192.168.1.20', 5_000)), { ownAddresses: [at('192.168.1.20', 4_000)] });
    side.run(100);
    expect(side.hosts()).toEqual(['192.168.1.20']);
  });

  it('are private ones only where we have such an address, with two probes outside our networks, and more once heard from', () => {
    const [near, far] = [at('192.168.1.7'), at('10.3.3.3')];
    const side = new Clocked();
    side.begin(offer(near, far, at('fd00::7'), at('100.64.1.1')));
    side.run(1_000);
    expect([side.times(near).length, side.times(far).length, side.times(at('fd00::7')).length, side.times(at('100.64.1.1')).length]).toEqual([6, 2, 0, 2]);
    side.heard(far);
    side.run(1_000);
    expect(side.times(far).length).toBe(8);
    const server = new Clocked();
    server.begin(offer(near, far), { ownHosts: ['198.18.9.9', '127.0.0.1'] });
    server.run(6_000);
    expect([server.sent, server.punching.outcome]).toEqual([[], 'failed']);
  });

  it('are of a family that this machine has an address of', () => {
    const six = at('2001:db8::7');
    for (const [hosts, expected] of [[['198.18.9.9', '::1'], [friend.host]], [['2001:db8::1'], [six.host]], [[], [friend.host, six.host]], [ownHosts, [friend.host, six.host]]] as const) {
      const side = new Clocked();
      side.begin(offer(friend, six), { ownHosts: hosts });
      side.run(100);
      expect(side.hosts().toSorted()).toEqual(expected);
    }
  });

  it('are of the loopback only where we have nothing else', () => {
    const side = new Clocked();
    side.begin(offer(at('127.0.0.1', 5_000), at('::1', 5_000)), { ownHosts: ['127.0.0.1', '::1'], ownAddresses: [at('127.0.0.1', 4_000)] });
    side.run(100);
    expect(side.hosts().toSorted()).toEqual(['127.0.0.1', '::1']);
  });

  it('are joined by those that are heard from, eight at most, whose course begins then', () => {
    const side = new Clocked();
    side.begin(offer(friend));
    side.run(1_000);
    for (let port = 1; port <= 20; port += 1) side.heard(at('198.18.7.1', port));
    side.run(1_000);
    const heard = side.sent.filter(({ to }) => to.port <= 20);
    expect(new Set(heard.map(({ to }) => to.port)).size).toBe(8);
    expect(side.times(at('198.18.7.1', 3)).slice(0, 5).map((time) => Math.round((time - 1_000) / 20))).toEqual([0, 1, 3, 7, 15]);
  });
});

describe('the limits of an attempt', () => {
  it('hold where every host has answered before, so that no budget is near its end', () => {
    const side = new Clocked();
    const hosts = Array.from({ length: 24 }, (_, index) => at(`198.18.7.${String(index + 1)}`));
    for (const host of hosts) side.answered(host);
    side.begin(offer(...hosts.slice(0, 16)));
    side.run(600);
    for (const host of hosts.slice(16)) side.heard(host);
    side.run(10_000);
    expect(side.sent.length).toBe(200);
    expect(hosts.slice(16).every((host) => side.times(host).length >= 5)).toBe(true);
  });

  it('leave the course as it is when an address is heard from again', () => {
    const side = new Clocked();
    side.begin(offer(friend));
    side.heard(friend);
    for (let count = 0; count < 100; count += 1) {
      side.run(2);
      side.heard(friend);
    }
    expect(side.times(friend).length).toBeLessThanOrEqual(6);
  });
});

describe('the end of an attempt', () => {
  it('comes one second after the first answer; what is farther is left alone, what is as near or nearer is not', () => {
    const [near, nearToo, far, farToo] = [at('192.168.1.7'), at('192.168.1.8'), at('198.18.7.1'), at('198.18.7.2')];
    const side = new Clocked();
    side.begin(offer(near, nearToo, far, farToo));
    side.run(100);
    side.answered(far);
    expect([side.punching.outcome, side.punching.isIdle]).toEqual(['reached', false]);
    const count = (address: SocketAddress): number => side.times(address).length;
    expect([count(near), count(nearToo), count(far), count(farToo)]).toEqual([3, 3, 3, 3]);
    side.run(250);
    expect([count(near), count(nearToo), count(far), count(farToo)]).toEqual([5, 5, 3, 5]);
    side.answered(near);
    side.run(600);
    expect([count(near), count(nearToo), count(far), count(farToo)]).toEqual([5, 6, 3, 5]);
    expect(side.punching.isIdle).toBe(false);
    side.run(150);
    expect([side.punching.outcome, side.punching.isIdle, side.punching.pollTimeout()]).toEqual(['reached', true, undefined]);
    side.run(10_000);
    expect([count(near), count(nearToo), count(far), count(farToo)]).toEqual([5, 6, 3, 5]);
  });

  it('is told as failed after five seconds without an answer, until the next attempt', () => {
    const side = new Clocked();
    expect([side.punching.outcome, side.punching.isIdle, side.punching.pollTimeout()]).toEqual(['none', true, undefined]);
    side.begin([]);
    side.run(4_999);
    expect(side.punching.outcome).toBe('trying');
    side.run(1);
    expect(side.punching.outcome).toBe('failed');
    side.begin([]);
    expect(side.punching.outcome).toBe('trying');
    side.punching.stop();
    expect([side.punching.outcome, side.punching.isIdle, side.punching.pollTimeout()]).toEqual(['none', true, undefined]);
  });

  it('is not brought about by an answer by way of a relay', () => {
    const side = new Clocked();
    side.begin(offer(friend));
    side.answered(circuitAddress(1, 1));
    expect(side.punching.outcome).toBe('trying');
  });
});

describe('attempts', () => {
  it('begin four seconds apart; the newest that waits replaces what waited, and the one under way goes on until then', () => {
    const [first, second, third] = [at('198.18.7.1'), at('198.18.7.2'), at('198.18.7.3')];
    const side = new Clocked();
    side.begin(offer(first));
    side.run(500);
    side.begin(offer(second));
    side.run(500);
    side.begin(offer(third));
    side.run(20_000);
    expect(side.times(first).at(-1)).toBeLessThan(4_000);
    expect(side.times(first).at(-1)).toBeGreaterThan(3_500);
    expect(side.times(second)).toEqual([]);
    expect(side.times(third).length).toBe(14);
    expect(side.times(third)[0]).toBeGreaterThanOrEqual(4_000);
    expect(side.times(third)[0]).toBeLessThan(4_006);
  });

  it('are no sooner after a stop, which forgets what was heard before', () => {
    const side = new Clocked();
    side.begin(offer(friend));
    side.run(100);
    side.heard(at('198.18.7.1', 8));
    const before = side.sent.length;
    side.punching.stop();
    side.heard(at('198.18.7.1', 9));
    side.punching.stop();
    side.run(1_000);
    side.begin(offer(friend));
    side.heard(at('198.18.7.1', 10));
    side.run(2_800);
    expect(side.sent.length).toBe(before);
    side.run(200);
    expect([side.times(at('198.18.7.1', 8)), side.times(at('198.18.7.1', 9))]).toEqual([[100], []]);
    expect(side.times(at('198.18.7.1', 10))[0]).toBe(4_000);
  });

  it('take in what was heard in the 25 seconds before, the newest eight, and none begins by that', () => {
    const side = new Clocked();
    side.heard(at('198.18.7.9', 1));
    side.run(20_000);
    for (let port = 2; port <= 12; port += 1) side.heard(at('198.18.7.1', port));
    side.heard(at('198.18.7.1', 12));
    expect([side.sent, side.punching.isIdle, side.punching.outcome]).toEqual([[], true, 'none']);
    side.run(6_000);
    side.begin([]);
    side.run(10);
    expect(side.sent.map(({ to }) => to.port)).toEqual([5, 6, 7, 8, 9, 10]);
    side.run(10);
    expect(new Set(side.sent.map(({ to }) => to.port))).toEqual(new Set([5, 6, 7, 8, 9, 10, 11, 12]));
    const later = new Clocked();
    later.heard(friend);
    later.run(25_000);
    later.begin([]);
    later.run(6_000);
    expect(later.sent).toEqual([]);
  });

  it('share what a victim gets where they share a budget', () => {
    const shared = new ProbeBudget({ perHost: 20, perAnsweredHost: 30, toUnanswered: 50 });
    const sides = [1, 2, 3].map((seed) => new Clocked(seed, shared));
    const sentTo = (host: string): number => sides.reduce((sum, side) => sum + side.sent.filter(({ to }) => to.host === host).length, 0);
    for (const side of sides) side.begin(offer(friend, at('198.18.7.2'), at('198.18.7.3')));
    for (let step = 0; step < 500; step += 1) for (const side of sides) side.run(10);
    expect([sentTo('198.18.7.1'), sentTo('198.18.7.2'), sentTo('198.18.7.3')].every((count) => count <= 20)).toBe(true);
    expect(sides.reduce((sum, side) => sum + side.sent.length, 0)).toBe(50);
  });
});
