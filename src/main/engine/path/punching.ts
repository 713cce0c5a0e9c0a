/**
 * Hole punching: which addresses of a peer are probed when, so that two visors behind routers open a direct path to each other.
 *
 * Both have a session by way of a relay. Through it each has told the other its candidates: own addresses, what relays see it as, what its router has opened.
 * Now both send probes to all of these at about the same time. A probe that leaves opens the own router for what comes back; a probe that comes in is authentic
 * (the session sees to that) and is answered to where it came from. Where that is an address nobody offered - a router that gives each conversation its own port
 * shows the port in what it sends and nowhere else - it is worth probing at once. That is all there is to it: which pairs of routers it gets through, and which
 * need ports to be guessed or a relay for good, is in pairing.ts.
 *
 * This machine is pure: it is told what was heard and answered and what time it is, and says where a probe goes now. Sending it, knowing an answer from
 * a forgery, exchanging candidates and choosing among paths that work are for others.
 *
 * Times. Each address gets probes at 0, 20, 60, 140 and 300 ms: routers differ in how soon they are open, and what is lost or comes too early is soon repeated.
 * Then every 500 ms until 5 s, in case the other side begins late. All are jittered a little. An address of a foreign private network gets two only: the
 * same text is another machine in most networks. An address that is heard from begins its course anew, once. Whoever begins may wait, half the round trip of
 * the path that the candidates came by, so that both fire together; to hear the other side while waiting shows that it has begun, and ends the wait.
 *
 * Ends. After the first answer only addresses as near or nearer go on being probed, for one second: a path inside a local network beats one through two
 * routers, and usually answers sooner anyway. Then the machine is idle. `outcome` says `reached` from the first answer on; without one it says `failed`
 * after five seconds, until the next `begin` or `stop`.
 *
 * Between attempts 4 seconds pass, measured from start to start; one that had nobody to probe cost nothing and does not count. A `begin` that comes sooner is not refused: it waits its turn, the newest replaces one that waits,
 * and the attempt under way goes on until it is replaced. `stop` forgets the attempts, not what they have cost, so that no order of calls buys more.
 * What is heard while there is no attempt begins none: the session answers and challenges new addresses by itself. But it is kept for 25 seconds and belongs to an attempt
 * that begins by then: the other side may have fired, been answered and fallen silent before this one has its candidates.
 *
 * Nobody is to be flooded through us. Candidates are whatever a peer wrote, heard addresses may be forged on the way, and somebody who accepted a contact has
 * not agreed to attack anyone. So: no address but those in probe-targets.ts, at most 16 that were offered and 8 that were heard; per attempt at most 15 probes to one
 * and 200 to all, 2 ms apart; across attempts what probe-budget.ts says, by host, for this peer and, where a budget is shared, for all peers together. A probe that a budget does not
 * allow is left out as if it were lost. Probes are 128 bytes: the most that a peer can have sent to one victim is 60 a minute, 128 bytes a second, and that
 * only as long as it keeps its own session open.
 */
import type { RandomBytes } from '../crypto.ts';
import { isCircuitAddress } from '../circuits/tunnel.ts';
import { sameAddress, type OfferedCandidate, type SocketAddress } from '../wire/types.ts';
import { limitsOfOnePeer, ProbeBudget } from './probe-budget.ts';
import { chooseTargets, mayProbe, type ChosenTarget, type OwnPlaces } from './probe-targets.ts';
import { heardMaximum, PunchingAttempt } from './punching-attempt.ts';

/** From the start of one attempt to the start of the next. */
export const attemptGapMs = 4_000;
/** Half the round trip of a very slow relay; more would be a mistake. */
const waitMaximumMs = 2_000;
/** Between two probes, on average. */
const probeGapMs = 2;
/** Timers are late, by 16 ms on some systems: what should have gone out in that time may be made up for. */
const catchUpMs = 16;
/** Routers keep a mapping open at least so long after what went out (notes on peers, section 2). */
const heardHoldsMs = 25_000;

export interface PunchingOptions {
  readonly random: RandomBytes;
  /** Of all peers together; without it each peer has a budget of its own and no more. */
  readonly sharedBudget?: ProbeBudget;
}

export interface PunchingBegin {
  /** As the other side offered them: hostile. */
  readonly theirs: readonly OfferedCandidate[];
  /** Literal addresses of this machine. */
  readonly ownHosts: readonly string[];
  /** Where others reach our main socket, with ports, as we offered them: those are never probed. */
  readonly ownAddresses?: readonly SocketAddress[];
  /** Until the first probe: of the side that asks, half the round trip of the path that the candidates came by; of the other side, 0. */
  readonly waitMs: number;
}

export type PunchingOutcome = 'none' | 'trying' | 'reached' | 'failed';

interface Waiting {
  readonly chosen: readonly ChosenTarget[];
  readonly own: OwnPlaces;
  startMs: number;
}

export class Punching {
  readonly #random: RandomBytes;
  readonly #budget = new ProbeBudget(limitsOfOnePeer);
  readonly #budgets: readonly ProbeBudget[];
  readonly #probes: SocketAddress[] = [];
  /** While there was no attempt. */
  readonly #heardBefore: { readonly address: SocketAddress; readonly atMs: number }[] = [];
  #waiting: Waiting | undefined;
  #attempt: PunchingAttempt | undefined;
  #ended: 'none' | 'reached' | 'failed' = 'none';
  /** Of the attempt under way or the last one. */
  #startedMs = Number.NEGATIVE_INFINITY;
  /** Of the last one that sent a probe. */
  #lastStartMs = Number.NEGATIVE_INFINITY;
  /** When the last probe went out, or should have. */
  #pacedMs = Number.NEGATIVE_INFINITY;

  constructor({ random, sharedBudget }: PunchingOptions) {
    this.#random = random;
    this.#budgets = sharedBudget === undefined ? [this.#budget] : [this.#budget, sharedBudget];
  }

  /** No attempt is under way, and none waits. */
  get isIdle(): boolean { return this.#attempt === undefined && this.#waiting === undefined; }

  /** Of the attempt under way if it has reached, else `trying` while one is under way or waits; then how the last one ended. `none` before the first and after `stop`. */
  get outcome(): PunchingOutcome {
    if (this.#attempt?.isReached === true) return 'reached';
    return this.isIdle ? this.#ended : 'trying';
  }

  begin({ theirs, ownHosts, ownAddresses = [], waitMs }: PunchingBegin, nowMs: number): void {
    const own: OwnPlaces = { hosts: ownHosts, addresses: ownAddresses };
    // Not a number is no wait.
    const wait = waitMs > 0 ? Math.min(waitMs, waitMaximumMs) : 0;
    this.#waiting = { chosen: chooseTargets(theirs, own), own, startMs: Math.max(nowMs + wait, this.#lastStartMs + attemptGapMs) };
    this.handleTimeout(nowMs);
  }

  heardFrom(address: SocketAddress, nowMs: number): void {
    // The exchange itself is heard by way of a relay: that shows nothing.
    if (isCircuitAddress(address)) return;
    if (this.#waiting !== undefined && mayProbe(address, this.#waiting.own)) {
      this.#waiting.startMs = Math.min(this.#waiting.startMs, Math.max(nowMs, this.#lastStartMs + attemptGapMs));
    }
    this.#advance(nowMs);
    if (this.#attempt === undefined) this.#remember(address, nowMs);
    else this.#attempt.heardFrom(address, nowMs);
    this.#collect(nowMs);
  }

  answered(address: SocketAddress, nowMs: number): void {
    if (isCircuitAddress(address)) return;
    for (const budget of this.#budgets) budget.answered(address.host, nowMs);
    this.#advance(nowMs);
    this.#attempt?.answered(address, nowMs);
    this.#collect(nowMs);
  }

  stop(): void {
    this.#waiting = undefined;
    this.#attempt = undefined;
    this.#ended = 'none';
    this.#heardBefore.length = 0;
    this.#probes.length = 0;
  }

  handleTimeout(nowMs: number): void {
    this.#advance(nowMs);
    this.#collect(nowMs);
  }

  pollTimeout(): number | undefined {
    const times = [this.#waiting?.startMs, this.#attempt?.endMs, this.#attempt?.next(this.#pacedMs + probeGapMs)?.dueMs].filter((timeMs) => timeMs !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  pollProbe(): SocketAddress | undefined { return this.#probes.shift(); }

  #advance(nowMs: number): void {
    if (this.#attempt !== undefined && nowMs >= this.#attempt.endMs) {
      this.#ended = this.#attempt.isReached ? 'reached' : 'failed';
      this.#attempt = undefined;
    }
    const waiting = this.#waiting;
    if (waiting === undefined || nowMs < waiting.startMs) return;
    this.#waiting = undefined;
    this.#startedMs = nowMs;
    this.#attempt = new PunchingAttempt(waiting.chosen, waiting.own, nowMs, this.#random);
    for (const { address, atMs } of this.#heardBefore.splice(0)) if (nowMs - atMs < heardHoldsMs) this.#attempt.heardFrom(address, nowMs);
  }

  /** The newest are kept. */
  #remember(address: SocketAddress, nowMs: number): void {
    const others = this.#heardBefore.filter((heard) => !sameAddress(heard.address, address));
    this.#heardBefore.splice(0, this.#heardBefore.length, ...others.slice(1 - heardMaximum), { address, atMs: nowMs });
  }

  #collect(nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    for (;;) {
      const next = attempt.next(Math.max(this.#pacedMs + probeGapMs, nowMs - catchUpMs));
      if (next === undefined || next.dueMs > nowMs) return;
      const { target } = next;
      const isAllowed = this.#budgets.every((budget) => budget.allows(target.address.host, nowMs));
      target.pass(nowMs, isAllowed);
      if (!isAllowed) continue;
      this.#pacedMs = next.dueMs;
      for (const budget of this.#budgets) budget.spend(target.address.host, nowMs);
      attempt.sent(target);
      this.#lastStartMs = this.#startedMs;
      this.#probes.push(target.address);
    }
  }
}
