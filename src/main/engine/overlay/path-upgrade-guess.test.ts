/** When a guess begins beside punching, and what waits for it: two sides whose requests arrive at once, and whose probes arrive nowhere. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../session/testing.ts';
import type { RequestOptions } from '../directed/types.ts';
import type { SessionView } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { GuessFacts, Instant, Negative, OfferedCandidate, RequestBody, SocketAddress } from '../wire/types.ts';
import { unknownInbound } from '../path/inbound.ts';
import { PathUpgrade } from './path-upgrade.ts';

const at = (monotonicMs: number): Instant => ({ monotonicMs, wallMs: 1_700_000_000_000 + monotonicMs });
const easy: GuessFacts = { address: { host: '198.18.1.1', port: 4_000 }, mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', onePublicHost: true, allocation: { kind: 'random' } };
const hard: GuessFacts = { ...easy, address: { host: '198.18.2.2', port: 4_000 }, mapping: 'address-and-port-dependent' };
const roundTripMs = 80;

class Side {
  readonly upgrade: PathUpgrade;
  readonly asked: { readonly verb: string; readonly atMs: number }[] = [];
  readonly probes: { readonly to: SocketAddress; readonly atMs: number }[] = [];
  readonly sockets = new Set<string>();
  paths: SocketAddress[] = [];
  isAllowed = true;
  isHidden = false;
  other: Side | undefined;

  constructor(seed: number, facts: GuessFacts) {
    const context = {
      random: seededRandom(seed), count: () => undefined,
      sessions: {
        view: () => ({ remoteCapabilities: ['guess'], smoothedRoundTripMs: roundTripMs }), paths: () => this.paths.map((address) => ({ address, isDoubtful: false })),
        probe: (_: number, to: SocketAddress, now: Instant) => { this.probes.push({ to, atMs: now.monotonicMs }); },
      },
      directed: { request: (_: number, body: RequestBody, options: RequestOptions, now: Instant) => { this.#ask(body, options, now); } },
    } as unknown as VisorContext;
    const offered: readonly OfferedCandidate[] = [{ kind: 'reflexive', address: facts.address }];
    this.upgrade = new PathUpgrade(context, { isHidden: () => this.isHidden, offered: () => offered, inbound: () => unknownInbound, hosts: () => ['10.0.0.5'], refresh: () => undefined }, {
      isAllowed: () => this.isAllowed && !this.isHidden, facts: () => facts,
      bind: (socket) => { this.sockets.add(socket); }, unbind: (socket) => { this.sockets.delete(socket); },
    });
  }

  timesOf(verb: string): readonly number[] { return this.asked.filter((one) => one.verb === verb).map(({ atMs }) => atMs); }

  #ask(body: RequestBody, { done }: RequestOptions, now: Instant): void {
    this.asked.push({ verb: body.verb, atMs: now.monotonicMs });
    const answer = {
      respond: (payload: Uint8Array) => { done({ kind: 'answered', payloads: [payload] }, now); }, respondMany: () => undefined,
      refuse: (negative: Negative) => { done({ kind: 'negative', negative }, now); },
    };
    if (body.verb === 'candidates') this.other?.upgrade.asked(1, body.offer, answer, now);
    else if (body.verb === 'guess') this.other?.upgrade.guessAsked(1, body.offer, answer, now);
  }
}

function meet(facts: readonly [GuessFacts, GuessFacts], prepare: (sides: readonly [Side, Side]) => void = () => undefined): { readonly sides: readonly [Side, Side]; run(untilMs: number): void } {
  const sides = [new Side(1, facts[0]), new Side(2, facts[1])] as const;
  const [dialler, other] = sides;
  dialler.other = other;
  other.other = dialler;
  prepare(sides);
  let nowMs = 0;
  for (const side of sides) side.upgrade.began(`02${'a'.repeat(64)}`, { id: 1, initiator: side === dialler } as unknown as SessionView, at(0));
  return {
    sides,
    run(untilMs) {
      for (;;) {
        const dueMs = Math.max(nowMs, Math.min(...sides.map(({ upgrade }) => upgrade.pollTimeout()?.atMs ?? Infinity)));
        if (dueMs > untilMs) break;
        nowMs = dueMs;
        for (const side of sides) side.upgrade.handleTimeout(at(nowMs));
      }
      nowMs = untilMs;
    },
  };
}

describe('guessing beside punching', () => {
  it.each([['easy', [easy, hard]], ['hard', [hard, easy]]] as const)('is asked for by the side that dialled (%s) when punching had its chance, and punching waits until it is over', (_, facts) => {
    const { sides: [dialler, other], run } = meet(facts);
    run(30_000);
    const [first = 0] = dialler.timesOf('guess');
    expect(first).toBeGreaterThanOrEqual(700 + roundTripMs);
    expect(first).toBeLessThan(1_000);
    expect(other.asked).toEqual([]);
    // One exchange before it and none within.
    expect(dialler.timesOf('candidates').filter((atMs) => atMs < first + 22_000)).toHaveLength(1);
    expect(dialler.timesOf('candidates').length).toBeGreaterThan(1);
    const prober = facts[0] === easy ? dialler : other;
    const opener = facts[0] === easy ? other : dialler;
    expect(new Set(prober.probes.filter(({ to }) => to.port !== 4_000).map(({ to }) => to.host))).toEqual(new Set([hard.address.host]));
    expect(prober.probes.length).toBeGreaterThan(1_024);
    expect([prober.sockets.size, opener.sockets.size]).toEqual([0, 0]);
    expect(dialler.upgrade.search(1, at(30_000))).toMatchObject({ reason: expect.stringMatching(/^(guess-failed|trying)$/) as unknown, guess: { opens: facts[0] === easy ? 'theirs' : 'own', untilWallMs: undefined } });
  });

  it('says so to people who look, with its chance and its end', () => {
    const { sides: [dialler, other], run } = meet([easy, hard]);
    run(3_000);
    const search = dialler.upgrade.search(1, at(3_000));
    expect(search).toMatchObject({ reason: 'guessing', guess: { opens: 'theirs' } });
    expect(search?.guess?.chance).toBeCloseTo(0.983, 3);
    expect((search?.guess?.untilWallMs ?? 0) - at(3_000).wallMs).toBeGreaterThan(15_000);
    expect(other.upgrade.search(1, at(3_000))).toMatchObject({ reason: 'guessing', guess: { opens: 'own' } });
  });

  it('does not happen where both are hard, where there is a path, where one hides, or was told not to', () => {
    const guesses = (side: Side): number => side.probes.filter(({ to }) => to.port !== 4_000 || to.socket !== undefined).length + side.sockets.size;
    const cases: readonly (readonly [readonly [GuessFacts, GuessFacts], (sides: readonly [Side, Side]) => void])[] = [
      [[hard, { ...hard, address: easy.address }], () => undefined], [[easy, hard], ([, right]) => { right.isAllowed = false; }], [[easy, hard], ([left]) => { left.isHidden = true; }],
      [[easy, hard], ([left, right]) => { left.paths = [hard.address]; right.paths = [easy.address]; }],
    ];
    for (const [facts, prepare] of cases) {
      const { sides, run } = meet(facts, prepare);
      run(15_000);
      expect(sides.map(guesses)).toEqual([0, 0]);
    }
    const { sides: [dialler], run } = meet([hard, { ...hard, address: easy.address }]);
    run(6_000);
    expect(dialler.upgrade.search(1, at(6_000))?.reason).toMatch(/^(both-hard|trying)$/);
  });

  it('ends with a path, and when the person hides', () => {
    for (const end of [(side: Side) => { side.upgrade.path(1, 'proved', { ...easy.address, socket: 'guess-3' }, at(2_000)); }, (side: Side) => { side.isHidden = true; side.upgrade.restart(at(2_000)); }]) {
      const { sides: [, opener], run } = meet([easy, hard]);
      run(2_000);
      expect(opener.sockets.size).toBeGreaterThan(200);
      end(opener);
      run(9_000);
      expect(opener.sockets.size).toBeLessThanOrEqual(1);
      expect(opener.upgrade.guessing.state(1)).toBeUndefined();
    }
  });
});
