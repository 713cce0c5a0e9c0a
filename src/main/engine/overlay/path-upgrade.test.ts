/** Two who have a session by a circuit: who asks whom for addresses, and when these are probed. How an address becomes a path is the session's, and tested there. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../session/testing.ts';
import type { RequestOptions } from '../directed/types.ts';
import type { SessionView } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { InboundByFamily, Instant, OfferedCandidate, RequestBody, SocketAddress } from '../wire/types.ts';
import { unknownInbound } from '../path/inbound.ts';
import { PathUpgrade } from './path-upgrade.ts';

const at = (monotonicMs: number): Instant => ({ monotonicMs, wallMs: 1_700_000_000_000 + monotonicMs });
const seenAt = (host: string): OfferedCandidate => ({ kind: 'reflexive', address: { host, port: 4_000 } });

/** One of the two, with what it sent; requests and their answers arrive at once. */
class Side {
  readonly upgrade: PathUpgrade;
  offered: readonly OfferedCandidate[] = [];
  inbound: InboundByFamily = unknownInbound;
  asks = 0;
  refreshes = 0;
  isHidden = false;
  readonly probes: { readonly host: string; readonly atMs: number }[] = [];
  other: Side | undefined;

  isSparing = false;
  /** Of the session, as far as they were proved. */
  paths: readonly { readonly address: SocketAddress; readonly isDoubtful: boolean }[] = [];

  constructor(seed: number) {
    const context = {
      random: seededRandom(seed),
      sessions: { view: () => undefined, paths: () => this.paths, probe: (_: number, { host }: { host: string }, now: Instant) => { this.probes.push({ host, atMs: now.monotonicMs }); } },
      directed: { request: (_: number, body: RequestBody, options: RequestOptions, now: Instant) => { this.#ask(body, options, now); } },
    } as unknown as VisorContext;
    this.upgrade = new PathUpgrade(context, { isHidden: () => this.isHidden, offered: () => this.offered, hosts: () => ['10.0.0.5'], inbound: () => this.inbound, isSparing: () => this.isSparing, refresh: () => { this.refreshes += 1; } });
  }

  #ask(body: RequestBody, { done }: RequestOptions, now: Instant): void {
    if (body.verb !== 'candidates') return;
    this.asks += 1;
    this.other?.upgrade.asked(1, body.offer, { respond: (payload) => { done({ kind: 'answered', payloads: [payload] }, now); }, respondMany: () => undefined, refuse: () => undefined }, now);
  }
}

interface Pair { readonly dialler: Side; readonly other: Side; run(untilMs: number): void }

function meet(): Pair {
  const [dialler, other] = [new Side(1), new Side(2)];
  dialler.other = other;
  other.other = dialler;
  let nowMs = 0;
  const began = (side: Side, initiator: boolean): void => { side.upgrade.began(`02${'a'.repeat(64)}`, { id: 1, initiator } as unknown as SessionView, at(nowMs)); };
  began(dialler, true);
  began(other, false);
  return {
    dialler, other,
    run(untilMs) {
      for (;;) {
        const next = [dialler, other].map(({ upgrade }) => upgrade.pollTimeout()?.atMs ?? Infinity);
        const dueMs = Math.max(nowMs, Math.min(...next));
        if (dueMs > untilMs) break;
        nowMs = dueMs;
        for (const side of [dialler, other]) side.upgrade.handleTimeout(at(nowMs));
      }
      nowMs = untilMs;
    },
  };
}

describe('looking for a path', () => {
  it.each(['dialler', 'other'] as const)('begins as soon as the later of the two (%s) knows where it is reached, and not by the clock', (later) => {
    const pair = meet();
    const first = later === 'dialler' ? pair.other : pair.dialler;
    pair.run(100);
    expect([pair.dialler.asks, pair.other.asks]).toEqual([1, 0]);
    first.offered = [seenAt('198.18.1.1')];
    first.upgrade.candidatesChanged(at(100));
    pair.run(200);
    expect([pair[later].probes.length > 0, first.probes]).toEqual([true, []]);
    pair[later].offered = [seenAt('198.18.2.2')];
    pair[later].upgrade.candidatesChanged(at(200));
    pair.run(900);
    expect(first.probes[0]?.host).toBe('198.18.2.2');
    expect(first.probes[0]?.atMs).toBeLessThan(210);
    // The attempt that had begun goes on, so that both sides probe at the same time.
    expect(pair[later].probes.some(({ host, atMs }) => host === '198.18.1.1' && atMs > 200)).toBe(true);
  });

  it('goes on by the clock, or not where bytes are to be spared, until somebody asks or the addresses change', () => {
    for (const isSparing of [false, true]) {
      const { dialler, run } = meet();
      dialler.isSparing = isSparing;
      run(1_800_000);
      if (isSparing) expect(dialler.asks).toBe(2);
      else expect(dialler.asks).toBeGreaterThan(20);
      const before = dialler.asks;
      dialler.upgrade.tryNow(1, at(1_800_000));
      run(1_800_100);
      expect(dialler.asks).toBe(before + 1);
    }
  });

  it('is asked for by both at once without harm', () => {
    const { dialler, other, run } = meet();
    run(100);
    dialler.offered = [seenAt('198.18.1.1')];
    other.offered = [seenAt('198.18.2.2')];
    for (const { upgrade } of [dialler, other]) upgrade.candidatesChanged(at(100));
    run(200);
    expect([dialler.probes[0]?.host, other.probes[0]?.host]).toEqual(['198.18.2.2', '198.18.1.1']);
    expect([dialler.asks, other.asks]).toEqual([2, 1]);
  });

  it('begins nothing anew after a direct path when a check found the addresses that they were told', () => {
    const { dialler, other, run } = meet();
    dialler.offered = [seenAt('198.18.1.1')];
    other.offered = [seenAt('198.18.2.2')];
    run(100);
    expect([dialler.asks, other.asks]).toEqual([1, 0]);
    dialler.upgrade.path(1, 'proved', seenAt('198.18.2.2').address, at(100));
    other.upgrade.path(1, 'proved', seenAt('198.18.1.1').address, at(100));
    for (const { upgrade } of [dialler, other]) upgrade.candidatesChanged(at(100));
    run(200);
    expect([dialler.asks, other.asks]).toEqual([1, 0]);
    other.offered = [seenAt('198.18.2.3')];
    other.upgrade.candidatesChanged(at(200));
    run(300);
    expect([dialler.asks, other.asks]).toEqual([1, 1]);
  });

  it('tells of a direct path that it is punched once both know their networks, whoever knows last, without looking for another', () => {
    for (const last of ['dialler', 'other'] as const) {
      const pair = meet();
      const { dialler, other, run } = pair;
      const kinds = (): readonly string[] => [dialler.upgrade.kindAt(1, theirs), other.upgrade.kindAt(1, ours)];
      const [ours, theirs] = [seenAt('198.18.1.1').address, seenAt('198.18.2.2').address];
      [dialler.offered, other.offered] = [[seenAt('198.18.1.1')], [seenAt('198.18.2.2')]];
      run(100);
      dialler.upgrade.path(1, 'proved', theirs, at(100));
      other.upgrade.path(1, 'proved', ours, at(100));
      [dialler.paths, other.paths] = [[{ address: theirs, isDoubtful: false }], [{ address: ours, isDoubtful: false }]];
      expect(kinds()).toEqual(['direct', 'direct']);
      const first = last === 'dialler' ? other : dialler;
      run(1_000);
      const [asks, probes] = [dialler.asks + other.asks, dialler.probes.length + other.probes.length];
      for (const [side, atMs] of [[first, 1_000], [pair[last], 2_000]] as const) {
        expect(kinds()).toEqual(['direct', 'direct']);
        side.inbound = { ipv4: 'filtered', ipv6: undefined };
        // A report says much that is of no concern here.
        for (let count = 0; count < 3; count += 1) side.upgrade.candidatesChanged(at(atMs));
        run(atMs + 500);
      }
      expect(kinds()).toEqual(['punched', 'punched']);
      run(60_000);
      expect([dialler.asks + other.asks, dialler.probes.length + other.probes.length]).toEqual([asks + 2, probes]);
    }
  });

  it('is begun anew with who asks again with nothing new to tell: their path has failed, and ours will', () => {
    const { dialler, other, run } = meet();
    [dialler.offered, other.offered] = [[seenAt('198.18.1.1')], [seenAt('198.18.2.2')]];
    run(100);
    other.upgrade.path(1, 'proved', seenAt('198.18.1.1').address, at(100));
    other.paths = [{ address: seenAt('198.18.1.1').address, isDoubtful: false }];
    run(30_000);
    const before = other.probes.length;
    dialler.upgrade.tryNow(1, at(30_000));
    run(31_000);
    expect(other.probes.length).toBeGreaterThan(before);
  });

  it('does not tell a hidden person\'s contact what gets into their network', () => {
    const { dialler, other, run } = meet();
    dialler.inbound = other.inbound = { ipv4: 'filtered', ipv6: 'filtered' };
    dialler.isHidden = true;
    run(10_000);
    other.upgrade.candidatesChanged(at(10_000));
    run(20_000);
    expect(other.upgrade.kindAt(1, seenAt('198.18.1.1').address)).toBe('direct');
    expect(other.asks).toBeGreaterThan(0);
  });

  it('has whoever loses a direct path find out where it is reached now, unless it hides that', () => {
    const { dialler, run } = meet();
    dialler.offered = [seenAt('198.18.1.1')];
    run(100);
    const before = dialler.refreshes;
    dialler.upgrade.pathFailed(at(100));
    expect(dialler.refreshes).toBe(before + 1);
    dialler.isHidden = true;
    dialler.upgrade.pathFailed(at(200));
    expect(dialler.refreshes).toBe(before + 1);
  });
});
