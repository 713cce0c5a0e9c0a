/**
 * Nearer paths for sessions that met by a circuit. The side that dialled asks the other, inside the session, where else it may be reached, and tells the same of itself;
 * both then probe what they were told at about the same time, so that each NAT has seen something go out before something comes in (path/punching.ts has the schedule
 * and its bounds). An address that answers is a path, and the session core moves there by itself. While there is none the exchange is repeated with new addresses, seldom and
 * seldomer, and at once when the network changed; whoever learns that it is reached elsewhere asks too. What was told is believed as far as a few small probes; only who holds the
 * session's keys can answer them. Where that was in vain ports may be guessed (path-guessing.ts).
 */
import { Deadlines } from '../deadlines.ts';
import { isCircuitAddress } from '../circuits/tunnel.ts';
import { limitsOfAllPeers, ProbeBudget } from '../path/probe-budget.ts';
import { chooseTargets } from '../path/probe-targets.ts';
import { Punching } from '../path/punching.ts';
import { isInboundNews, isPunched, unknownInbound } from '../path/inbound.ts';
import { tierOf } from '../path/path-tier.ts';
import { UpgradeRetry } from '../path/upgrade-retry.ts';
import { decodeCandidateOffer, encodeCandidateOffer } from '../wire/candidate-offer.ts';
import { PathGuessing, type GuessEnvironment } from './path-guessing.ts';
import type { Answer } from '../directed/types.ts';
import type { DirectSearch } from '../inspection-types.ts';
import type { SessionId, SessionView } from '../session/types.ts';
import { sameAddress, type CandidateOffer, type GuessOffer, type InboundByFamily, type Instant, type OfferedCandidate, type PublicKeyHex, type SocketAddress } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';

const exchangeDeadlineMs = 5_000;
/** Where bytes are to be spared: what has not worked twice waits for another network, for other addresses, or to be asked for. */
const sparingAttempts = 1;
/** Somebody who asks for an attempt by hand gets no more of them than this. */
const byHandGapMs = 4_000;
/**
 * From the beginning of an attempt at punching to that at guessing, and a round trip more: what punching reaches has answered by then (punching-matrix.test.ts: 300 ms and a round trip). Where it has not, because
 * one side is late, what both know of their routers says that no guess is needed, and punching goes on meanwhile.
 */
const guessAfterMs = 700;
/** Looked at again so long after a guess should be over. */
const guessOverMs = 1_000;

export interface OwnCandidates {
  /** By the person's wish nobody is told, and nobody is probed. */
  isHidden(): boolean;
  /** What others may try, best first; none while nothing is known of the network. */
  offered(): readonly OfferedCandidate[];
  /** Whether packets that nobody here asked for come in. */
  inbound(): InboundByFamily;
  /** Addresses of the machine's interfaces. */
  hosts(): readonly string[];
  /** Bytes are to be spared: a few attempts, and then none by the clock. */
  isSparing?(): boolean;
  /** They are needed now: what is not known is found out. @param isOutdated what is known seems not to hold any more */
  refresh(now: Instant, isOutdated: boolean): void;
}

const untried = { attempts: 0, lastAttemptMs: undefined, exchanging: undefined, wasDirect: false, ownAddresses: 0, theirAddresses: undefined, triedAddresses: 0, theirs: [], theirInbound: unknownInbound, told: undefined, toldInbound: unknownInbound };

interface Upgrade {
  readonly publicKey: PublicKeyHex;
  readonly sessionId: SessionId;
  readonly isAsking: boolean;
  readonly punching: Punching;
  readonly retry: UpgradeRetry;
  /** Of the newest offer of theirs. */
  generation: number;
  /** What was done since the session began, the network changed or a direct path was found, for {@link PathUpgrade.search}. */
  attempts: number;
  lastAttemptMs: number | undefined;
  /** The offer of ours that is not answered yet. */
  exchanging: number | undefined;
  wasDirect: boolean;
  ownAddresses: number;
  theirAddresses: number | undefined;
  triedAddresses: number;
  /** As they offered them last. */
  theirs: readonly OfferedCandidate[];
  theirInbound: InboundByFamily;
  /** What they were told of ours last. */
  told: readonly OfferedCandidate[] | undefined;
  toldInbound: InboundByFamily;
}

export class PathUpgrade {
  readonly #context: VisorContext;
  readonly #own: OwnCandidates;
  readonly #upgrades = new Map<SessionId, Upgrade>();
  readonly #deadlines = new Deadlines();
  readonly #sharedBudget = new ProbeBudget(limitsOfAllPeers);
  /** Of all offers of ours. It never begins anew: to the other side a new session of ours may be the one that it has, and what counts less than before is an old copy. */
  #generation = 0;
  readonly guessing: PathGuessing;

  constructor(context: VisorContext, own: OwnCandidates, guess?: GuessEnvironment) {
    this.#context = context;
    this.#own = own;
    this.guessing = new PathGuessing(context, guess);
  }

  /** What a path without anybody in between is, as far as is known. */
  kindAt(sessionId: SessionId, address: SocketAddress): 'lan' | 'direct' | 'punched' {
    if (tierOf(address, this.#own.hosts()) === 'lan') return 'lan';
    const upgrade = this.#upgrades.get(sessionId);
    return upgrade !== undefined && isPunched(address, { own: this.#own.inbound(), theirs: upgrade.theirInbound, offered: upgrade.theirs.map((each) => each.address) }) ? 'punched' : 'direct';
  }

  /** A session with somebody stands (again). */
  began(publicKey: PublicKeyHex, session: SessionView, now: Instant): void {
    const known = this.#upgrades.get(session.id);
    const { random } = this.#context;
    const upgrade = known ?? { publicKey, sessionId: session.id, isAsking: session.initiator, punching: new Punching({ random, sharedBudget: this.#sharedBudget }), retry: new UpgradeRetry(random), generation: 0, ...untried };
    this.#upgrades.set(session.id, upgrade);
    // The other side may have started anew, and counts from the beginning.
    Object.assign(upgrade, { generation: 0, ...untried });
    upgrade.retry.stop();
    this.guessing.began(session.id);
    this.#askAt(upgrade, now.monotonicMs);
    if (this.#own.offered().length === 0) this.#own.refresh(now, false);
  }

  ended(sessionId: SessionId, now: Instant): void {
    this.#upgrades.delete(sessionId);
    this.guessing.ended(sessionId, now);
    this.#deadlines.clear(`ask ${String(sessionId)}`);
    this.#deadlines.clear(`probe ${String(sessionId)}`);
    this.#deadlines.clear(`guess ${String(sessionId)}`);
  }

  /** Their addresses, for ours. */
  asked(sessionId: SessionId, offer: CandidateOffer, answer: Answer, now: Instant): void {
    const upgrade = this.#upgrades.get(sessionId);
    const { generation } = offer;
    const [candidates, inbound] = [this.#offered(), this.#inbound()];
    answer.respond(encodeCandidateOffer({ generation, inbound, candidates }), now);
    if (upgrade === undefined) return;
    Object.assign(upgrade, { told: candidates, toldInbound: inbound });
    // A copy that comes late tells of addresses that are no longer theirs.
    if (this.#own.isHidden() || generation <= upgrade.generation) return;
    upgrade.generation = generation;
    // They have found out more of their network, and have what they want. Without such news it is their path that has failed, which we may not have noticed yet.
    const isTold = this.#isDirect(upgrade, now) && isSame(upgrade.theirs, offer.candidates) && isInboundNews(upgrade.theirInbound, offer.inbound);
    upgrade.theirInbound = offer.inbound;
    if (isTold) return;
    this.#counts(upgrade, now);
    // The answer is under way for half a round trip; then they begin too.
    const roundTripMs = this.#context.sessions.view(sessionId)?.smoothedRoundTripMs ?? 0;
    this.#begin(upgrade, offer.candidates, roundTripMs / 2, now);
  }

  path(sessionId: SessionId, change: 'heard' | 'proved' | 'lost', address: SocketAddress, now: Instant): void {
    const upgrade = this.#upgrades.get(sessionId);
    if (upgrade === undefined || isCircuitAddress(address)) return;
    this.guessing.path(sessionId, change, address, now);
    switch (change) {
      // What came by a socket of its own is asked there by the session; punching is done from the main one.
      case 'heard': if (address.socket === undefined) upgrade.punching.heardFrom(address, now.monotonicMs); break;
      case 'proved':
        upgrade.punching.answered(address, now.monotonicMs);
        upgrade.attempts = 0;
        upgrade.wasDirect = true;
        break;
      case 'lost':
        upgrade.retry.stop();
        this.#askAt(upgrade, now.monotonicMs);
        break;
    }
    this.#drain(upgrade, now);
  }

  /** A direct path does not answer any more: perhaps we are reached elsewhere than we say. */
  pathFailed(now: Instant): void {
    if (!this.#own.isHidden()) this.#own.refresh(now, true);
  }

  networkChanged(now: Instant): void {
    this.guessing.networkChanged(now);
    if (this.#upgrades.size > 0) this.#own.refresh(now, false);
    for (const upgrade of this.#upgrades.values()) {
      upgrade.punching.stop();
      upgrade.attempts = 0;
      upgrade.wasDirect = false;
      this.#deadlines.clear(`guess ${String(upgrade.sessionId)}`);
      upgrade.retry.networkChanged(now.monotonicMs);
      this.#drain(upgrade, now);
      this.#askAt(upgrade, upgrade.retry.pollTimeout());
    }
  }

  /** What was begun is forgotten, and begins anew if it may. */
  restart(now: Instant): void {
    this.guessing.stop(now);
    for (const upgrade of this.#upgrades.values()) {
      upgrade.punching.stop();
      upgrade.retry.stop();
      this.#drain(upgrade, now);
      this.#askAt(upgrade, now.monotonicMs);
    }
  }

  /** We are reachable at other addresses than we were. Whichever side this is: nobody else knows, and the other would not ask before its next attempt. */
  candidatesChanged(now: Instant): void {
    // Where a direct path failed both sides look where they are now. The one that is where it was begins nothing, for the attempt at the other's new addresses would have to wait for that.
    const offered = this.#offered();
    for (const upgrade of this.#upgrades.values()) {
      if (!this.#isDirect(upgrade, now)) {
        if (!(upgrade.wasDirect && isSame(upgrade.told, offered))) this.#deadlines.set(`ask ${String(upgrade.sessionId)}`, now.monotonicMs);
      } else if (upgrade.told !== undefined && isInboundNews(upgrade.toldInbound, this.#inbound())) this.#offer(upgrade, this.#nextGeneration(), () => undefined, now);
    }
  }

  /** Somebody wants a direct path now. Nothing happens where there is one, or where the other side begins. */
  tryNow(sessionId: SessionId, now: Instant): void {
    const upgrade = this.#upgrades.get(sessionId);
    if (upgrade === undefined || this.#isDirect(upgrade, now) || this.#isTrying(upgrade)) return;
    this.#askAt(upgrade, Math.max(now.monotonicMs, (upgrade.lastAttemptMs ?? -Infinity) + byHandGapMs));
  }

  /** They want to know how our router treats us, and say so of theirs. */
  guessAsked(sessionId: SessionId, offer: GuessOffer, answer: Answer, now: Instant): void {
    const upgrade = this.#upgrades.get(sessionId);
    // They hear of a path that there is as well.
    this.guessing.asked(upgrade === undefined || this.#own.isHidden() || this.#isDirect(upgrade, now) ? undefined : upgrade, offer, answer, now);
  }

  /** What was done to find a direct path, for people who look. */
  search(sessionId: SessionId, now: Instant): DirectSearch | undefined {
    const upgrade = this.#upgrades.get(sessionId);
    if (upgrade === undefined) return undefined;
    const { attempts, isAsking, ownAddresses, theirAddresses, triedAddresses } = upgrade;
    const wall = (atMs: number | undefined): number | undefined => (atMs === undefined ? undefined : now.wallMs + atMs - now.monotonicMs);
    const guess = this.guessing.state(sessionId);
    return {
      reason: this.#reason(upgrade), guess: guess?.kind === 'guessing' || guess?.kind === 'failed' ? { opens: guess.opener, chance: guess.chance, untilWallMs: guess.kind === 'guessing' ? wall(guess.untilMs) : undefined } : undefined, attempts, ownAddresses, theirAddresses, triedAddresses, begins: isAsking ? 'own' : 'theirs',
      lastAttemptWallMs: wall(upgrade.lastAttemptMs), nextAttemptWallMs: wall(this.#deadlines.at(`ask ${String(sessionId)}`)),
    };
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const space = key.indexOf(' ');
      const upgrade = this.#upgrades.get(Number(key.slice(space + 1)));
      if (upgrade === undefined) continue;
      if (key.startsWith('ask')) this.#exchange(upgrade, now);
      else if (key.startsWith('guess')) this.#guess(upgrade, now);
      else {
        upgrade.punching.handleTimeout(now.monotonicMs);
        this.#drain(upgrade, now);
      }
    }
    this.guessing.handleTimeout(now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    const guess = this.guessing.pollTimeout();
    if (next === undefined || (guess !== undefined && guess.atMs < next.atMs)) return guess;
    return { atMs: next.atMs, reason: `path ${next.key.split(' ')[0] ?? ''}` };
  }

  /** By the clock the side that dialled asks; one exchange serves both. */
  #askAt({ isAsking, sessionId }: Upgrade, atMs: number | undefined): void {
    if (isAsking && atMs !== undefined) this.#deadlines.set(`ask ${String(sessionId)}`, atMs);
  }

  #inbound(): InboundByFamily { return this.#own.isHidden() ? unknownInbound : this.#own.inbound(); }
  #offered(): readonly OfferedCandidate[] { return this.#own.isHidden() ? [] : this.#own.offered(); }

  #isDirect({ sessionId }: Upgrade, now: Instant): boolean {
    return this.#context.sessions.paths(sessionId, now).some(({ address, isDoubtful }) => !isCircuitAddress(address) && !isDoubtful);
  }

  /** Where neither side has anything to try the time of an attempt passes as well, and nothing happens in it. */
  #isTrying({ exchanging, punching, ownAddresses, triedAddresses }: Upgrade): boolean {
    return exchanging !== undefined || (punching.outcome === 'trying' && (ownAddresses > 0 || triedAddresses > 0));
  }

  #reason(upgrade: Upgrade): DirectSearch['reason'] {
    const { attempts, wasDirect, ownAddresses, theirAddresses, triedAddresses } = upgrade;
    if (this.#own.isHidden()) return 'hidden';
    const guess = this.guessing.state(upgrade.sessionId)?.kind;
    if (guess === 'guessing') return 'guessing';
    if (this.#isTrying(upgrade)) return 'trying';
    if (attempts === 0) return wasDirect ? 'lost' : 'not-tried';
    if (theirAddresses === undefined) return 'not-told';
    if (theirAddresses === 0) return ownAddresses === 0 ? 'no-addresses' : 'no-their-addresses';
    if (triedAddresses === 0) return 'out-of-reach';
    if (ownAddresses === 0) return 'no-own-addresses';
    return guess === 'failed' ? 'guess-failed' : guess === 'hard' ? 'both-hard' : 'failed';
  }

  #counts(upgrade: Upgrade, now: Instant): void {
    upgrade.attempts += 1;
    upgrade.lastAttemptMs = now.monotonicMs;
    upgrade.ownAddresses = this.#offered().length;
  }

  #exchange(upgrade: Upgrade, now: Instant): void {
    if (this.#isDirect(upgrade, now) || this.#own.isHidden()) { upgrade.retry.stop(); return; }
    // One thing at a time: what punching sends moves the ports that are being guessed.
    const untilMs = this.guessing.untilMs(upgrade.sessionId);
    // The end is reckoned, and timers are late: never set for a time that has passed, which would come due for ever.
    if (untilMs !== undefined) { this.#deadlines.set(`ask ${String(upgrade.sessionId)}`, Math.max(untilMs, now.monotonicMs) + guessOverMs); return; }
    upgrade.retry.failed(now.monotonicMs);
    if (this.#own.isSparing?.() !== true || upgrade.attempts < sparingAttempts) this.#askAt(upgrade, upgrade.retry.pollTimeout());
    this.#counts(upgrade, now);
    upgrade.theirAddresses = undefined;
    const generation = this.#nextGeneration();
    upgrade.exchanging = generation;
    this.#offer(upgrade, generation, (theirs, at) => {
      if (upgrade.exchanging === generation) upgrade.exchanging = undefined;
      if (theirs !== undefined) this.#begin(upgrade, theirs.candidates, 0, at);
    }, now);
  }

  #nextGeneration(): number {
    this.#generation += 1;
    return this.#generation;
  }

  /** Tells them where we are reached. `done` gets what they say of themselves, or undefined. */
  #offer(upgrade: Upgrade, generation: number, done: (theirs: CandidateOffer | undefined, now: Instant) => void, now: Instant): void {
    const [candidates, inbound] = [this.#offered(), this.#inbound()];
    Object.assign(upgrade, { told: candidates, toldInbound: inbound });
    this.#context.directed.request(upgrade.sessionId, { verb: 'candidates', offer: { generation, inbound, candidates } }, {
      deadlineMs: exchangeDeadlineMs,
      done: (outcome, at) => {
        const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
        const theirs = payload === undefined ? undefined : decodeCandidateOffer(payload);
        // Perhaps it never came there.
        if (theirs === undefined && upgrade.told === candidates) Object.assign(upgrade, { told: undefined, toldInbound: unknownInbound });
        const isOurs = theirs?.generation === generation && this.#upgrades.get(upgrade.sessionId) === upgrade;
        if (isOurs) upgrade.theirInbound = theirs.inbound;
        done(isOurs ? theirs : undefined, at);
      },
    }, now);
  }

  #begin(upgrade: Upgrade, theirs: readonly OfferedCandidate[], waitMs: number, now: Instant): void {
    upgrade.theirAddresses = theirs.length;
    upgrade.theirs = theirs;
    if (upgrade.isAsking) this.#deadlines.set(`guess ${String(upgrade.sessionId)}`, now.monotonicMs + waitMs + guessAfterMs + (this.#context.sessions.view(upgrade.sessionId)?.smoothedRoundTripMs ?? 0));
    const [ownHosts, ownAddresses] = [this.#own.hosts(), this.#own.offered().map(({ address }) => address)];
    upgrade.triedAddresses = chooseTargets(theirs, { hosts: ownHosts, addresses: ownAddresses }).length;
    upgrade.punching.begin({ theirs, ownHosts, ownAddresses, waitMs }, now.monotonicMs);
    this.#drain(upgrade, now);
  }

  /** Once an attempt; the side that asks for addresses asks for this too. */
  #guess(upgrade: Upgrade, now: Instant): void {
    if (upgrade.punching.outcome !== 'reached' && upgrade.triedAddresses > 0 && !this.#own.isHidden() && !this.#isDirect(upgrade, now)) this.guessing.ask(upgrade, now);
  }

  #drain({ punching, sessionId }: Upgrade, now: Instant): void {
    for (let address = punching.pollProbe(); address !== undefined; address = punching.pollProbe()) this.#context.sessions.probe(sessionId, address, now);
    const nextMs = punching.pollTimeout();
    if (nextMs === undefined) this.#deadlines.clear(`probe ${String(sessionId)}`);
    else this.#deadlines.set(`probe ${String(sessionId)}`, nextMs);
  }
}

function isSame(told: readonly OfferedCandidate[] | undefined, offered: readonly OfferedCandidate[]): boolean {
  return told?.length === offered.length && told.every(({ kind, address }, index) => kind === offered[index]?.kind && sameAddress(address, offered[index].address));
}
