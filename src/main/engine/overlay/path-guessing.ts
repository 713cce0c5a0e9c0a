/**
 * Guessing ports with a contact, where punching was in vain (path/guessing.ts has the why and the numbers). The side that asks for addresses asks for this too: inside of the session each
 * tells the other how its router treats it (verb `guess`), the side that was asked says who opens and who probes, and both begin. What comes of it is a path of the session, at the socket that was
 * hit; that socket stays as long as the path does, and all others are closed.
 *
 * What the other side says is believed as far as this: a few facts that choose between two roles, and one host. That host has to be one that it has offered as its own in this session,
 * literal, public and IPv4, and not ours. The rest is bounds: one attempt at a time in the whole visor, and path/guess-budget.ts.
 */
import { familyOf, isReachable, scopeOf } from '../path/address-scope.ts';
import { GuessBudget } from '../path/guess-budget.ts';
import { firstHops, GuessOpener } from '../path/guess-opener.ts';
import { GuessProber, guessMs, openingMs } from '../path/guessing.ts';
import { planGuess, type GuessPlan, type PathTraits } from '../path/pairing.ts';
import { probeLifetimeMs } from '../session/path-constants.ts';
import { decodeGuessOffer, encodeGuessOffer } from '../wire/guess-offer.ts';
import { isCircuitAddress } from '../circuits/tunnel.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { GuessFacts, GuessOffer, GuessRole, GuessSocket, Instant, Negative, OfferedCandidate, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import { guessCapability } from './capabilities.ts';

const exchangeDeadlineMs = 5_000;
/** Of sockets by which something came in: until then it has been proved, or is none. */
const provingMs = probeLifetimeMs + 1_000;

/** What guessing needs of the engine around it. */
export interface GuessEnvironment {
  /** The person lets it happen. */
  isAllowed(): boolean;
  /** Undefined while the last check of the network does not say where relays see us. */
  facts(): GuessFacts | undefined;
  /** A socket of IPv4 whose first datagram goes `hops` hops far; answered by `bound`. */
  bind(socket: GuessSocket, hops: number): void;
  unbind(socket: GuessSocket): void;
}

/** How the last attempt with somebody went; `hard`: both routers are, and nothing was sent. `unknown`: too little is known, or they do not take part. */
export type GuessState =
  | { readonly kind: 'guessing'; readonly opener: 'own' | 'theirs'; readonly chance: number | undefined; readonly untilMs: number }
  | { readonly kind: 'failed'; readonly opener: 'own' | 'theirs'; readonly chance: number | undefined }
  | { readonly kind: 'hard' } | { readonly kind: 'unknown' };

export interface GuessPartner {
  readonly sessionId: SessionId;
  readonly publicKey: PublicKeyHex;
  /** As they offered them last, in this session. */
  readonly theirs: readonly OfferedCandidate[];
}

interface Attempt {
  readonly sessionId: SessionId;
  readonly state: Extract<GuessState, { kind: 'guessing' }>;
  readonly part: { readonly kind: 'open'; readonly opener: GuessOpener; readonly to: SocketAddress } | { readonly kind: 'probe'; readonly prober: GuessProber; readonly host: string };
}

interface Bound { readonly sessionId: SessionId; heardMs: number | undefined; from: SocketAddress | undefined }

export class PathGuessing {
  readonly #context: VisorContext;
  readonly #environment: GuessEnvironment | undefined;
  readonly #budget = new GuessBudget();
  readonly #sockets = new Map<GuessSocket, Bound>();
  readonly #states = new Map<SessionId, Exclude<GuessState, { kind: 'guessing' }>>();
  readonly #generations = new Map<SessionId, number>();
  #attempt: Attempt | undefined;
  #asking: SessionId | undefined;
  #generation = 0;
  /** Never the same name twice. */
  #nextSocket = 1;
  #sweepMs: number | undefined;

  constructor(context: VisorContext, environment: GuessEnvironment | undefined) {
    this.#context = context;
    this.#environment = environment;
  }

  state(sessionId: SessionId): GuessState | undefined { return this.#attempt?.sessionId === sessionId ? this.#attempt.state : this.#states.get(sessionId); }

  /** Until when an attempt with them goes on at most. */
  untilMs(sessionId: SessionId): number | undefined { return this.#attempt?.sessionId === sessionId ? this.#attempt.state.untilMs : undefined; }

  // --- agreeing ---------------------------------------------------------------------------------------------------------------

  /** Punching has failed, and it is for us to ask. */
  ask(partner: GuessPartner, now: Instant): void {
    const { sessionId, publicKey } = partner;
    const facts = this.#willing();
    if (facts === undefined || this.#attempt !== undefined || this.#asking !== undefined || this.#budget.readyMs(publicKey, now.monotonicMs) > now.monotonicMs) return;
    if (this.#context.sessions.view(sessionId)?.remoteCapabilities.includes(guessCapability) !== true) return;
    this.#generation += 1;
    const generation = this.#generation;
    this.#asking = sessionId;
    this.#context.count('guess.asked');
    this.#context.directed.request(sessionId, { verb: 'guess', offer: { generation, role: 'none', facts } }, {
      deadlineMs: exchangeDeadlineMs,
      done: (outcome, at) => {
        if (this.#asking !== sessionId || this.#generation !== generation) return;
        this.#asking = undefined;
        const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
        const theirs = payload === undefined ? undefined : decodeGuessOffer(payload);
        if (theirs?.generation !== generation) { if (outcome.kind === 'answered' || outcome.kind === 'negative') this.#states.set(sessionId, { kind: 'unknown' }); return; }
        const plan = planGuess(traitsOf(facts), traitsOf(theirs.facts));
        if (typeof plan === 'string' || theirs.role !== roleOf(plan)) { this.#states.set(sessionId, { kind: plan === 'hard' ? 'hard' : 'unknown' }); return; }
        if (this.#willing() === undefined || !this.#mayGuess(partner, facts, theirs.facts, at)) return;
        this.#begin(partner, plan.opener === 'own', plan, theirs.facts, at);
      },
    }, now);
  }

  /** The other side asks. `partner` is undefined where nobody is known who could. */
  asked(partner: GuessPartner | undefined, { generation, facts: theirs }: GuessOffer, answer: Answer, now: Instant): void {
    const facts = this.#willing();
    const refuse = (code: Negative['code']): void => { answer.refuse({ code, retryAfterSeconds: 0, detail: 0 }, now); };
    // A copy that comes late is about an attempt that is over.
    if (partner === undefined || facts === undefined || generation <= (this.#generations.get(partner.sessionId) ?? 0)) { refuse('refused'); return; }
    if (this.#attempt !== undefined || this.#asking !== undefined) { refuse('busy'); return; }
    this.#generations.set(partner.sessionId, generation);
    const plan = planGuess(traitsOf(theirs), traitsOf(facts));
    if (typeof plan === 'string') this.#states.set(partner.sessionId, { kind: plan });
    else if (!this.#mayGuess(partner, facts, theirs, now)) { refuse('busy'); return; }
    answer.respond(encodeGuessOffer({ generation, role: typeof plan === 'string' ? 'none' : roleOf(plan), facts }), now);
    if (typeof plan !== 'string') this.#begin(partner, plan.opener === 'other', plan, theirs, now);
  }

  // --- what happens to sessions and sockets -----------------------------------------------------------------------------------

  path(sessionId: SessionId, change: 'heard' | 'proved' | 'lost', address: SocketAddress, now: Instant): void {
    if (isCircuitAddress(address)) return;
    const bound = address.socket === undefined ? undefined : this.#sockets.get(address.socket);
    const attempt = this.#attempt?.sessionId === sessionId ? this.#attempt : undefined;
    if (change === 'lost') { this.#sweepAt(now.monotonicMs); return; }
    if (bound !== undefined) {
      bound.heardMs = now.monotonicMs;
      if (attempt?.part.kind === 'open') attempt.part.opener.heard();
    }
    if (change === 'proved' && attempt !== undefined) this.#end(attempt, true, now);
  }

  /** The session is gone, and with it what its sockets were for. */
  ended(sessionId: SessionId, now: Instant): void {
    if (this.#asking === sessionId) this.#asking = undefined;
    if (this.#attempt?.sessionId === sessionId) this.#giveUp(now);
    this.#states.delete(sessionId);
    this.#generations.delete(sessionId);
    for (const [socket, bound] of this.#sockets) if (bound.sessionId === sessionId) this.#unbind(socket);
  }

  /** A session began anew with somebody who may count from the beginning. */
  began(sessionId: SessionId): void {
    this.#states.delete(sessionId);
    this.#generations.delete(sessionId);
  }

  /** The person does not want it any more, or the network is another one: what is under way ends; paths stay as long as they answer. */
  stop(now: Instant): void {
    this.#asking = undefined;
    this.#states.clear();
    this.#giveUp(now);
  }

  networkChanged(now: Instant): void {
    this.stop(now);
    this.#budget.networkChanged();
  }

  bound(socket: GuessSocket, port: number | undefined, now: Instant): void {
    const bound = this.#sockets.get(socket);
    if (bound === undefined) return;
    const { part } = this.#attempt ?? {};
    if (port === undefined) {
      this.#sockets.delete(socket);
      if (part?.kind === 'open') part.opener.gone(socket);
    } else if (part?.kind === 'open') part.opener.bound(socket);
    this.#drain(now);
  }

  /** From whom a datagram seems to come that came to one of these sockets, as the session is to see it; undefined: it is for nobody. */
  addressAt(socket: GuessSocket, from: SocketAddress, datagram: Uint8Array): SocketAddress | undefined {
    const bound = this.#sockets.get(socket);
    if (bound === undefined) return undefined;
    // Datagrams come in rows from the same place.
    if (bound.from?.host !== from.host || bound.from.port !== from.port) bound.from = { host: from.host, port: from.port, socket };
    return this.#context.sessions.concerns(bound.sessionId, bound.from, datagram) ? bound.from : undefined;
  }

  handleTimeout(now: Instant): void {
    if (this.#sweepMs !== undefined && now.monotonicMs >= this.#sweepMs) this.#sweep(now);
    this.#drain(now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const part = this.#attempt?.part;
    const stepMs = part === undefined ? undefined : part.kind === 'open' ? part.opener.pollTimeout() : part.prober.pollTimeout();
    const times = [stepMs, this.#sweepMs].filter((timeMs) => timeMs !== undefined);
    return times.length === 0 ? undefined : { atMs: Math.min(...times), reason: 'guessing a port' };
  }

  // --- inside -----------------------------------------------------------------------------------------------------------------

  #willing(): GuessFacts | undefined { return this.#environment?.isAllowed() === true ? this.#environment.facts() : undefined; }

  #mayGuess({ publicKey, theirs }: GuessPartner, own: GuessFacts, facts: GuessFacts, now: Instant): boolean {
    const { host } = facts.address;
    const isTheirs = theirs.some(({ address }) => address.host === host);
    const isPublic = familyOf(host) === 'ipv4' && scopeOf(host) === 'public' && isReachable(host);
    return isTheirs && isPublic && host !== own.address.host && this.#attempt === undefined && this.#budget.allows(publicKey, host, now.monotonicMs);
  }

  #begin({ sessionId, publicKey }: GuessPartner, isOpener: boolean, plan: Exclude<GuessPlan, string>, theirs: GuessFacts, now: Instant): void {
    const { address, allocation } = theirs;
    const { sockets, probes, chance } = plan;
    const startMs = now.monotonicMs;
    this.#budget.spend(publicKey, address.host, startMs);
    this.#context.count(isOpener ? 'guess.opened' : 'guess.probed');
    // Whoever was asked hears of it half a round trip before the other's ports are there, and whoever asked, after.
    const proberStartMs = startMs + openingMs + (this.#context.sessions.view(sessionId)?.smoothedRoundTripMs ?? 0) / 2;
    this.#attempt = {
      sessionId, state: { kind: 'guessing', opener: isOpener ? 'own' : 'theirs', chance, untilMs: startMs + guessMs(probes) },
      part: isOpener ? { kind: 'open', opener: new GuessOpener(sockets, probes, startMs), to: address }
        : { kind: 'probe', host: address.host, prober: new GuessProber({ host: address.host, lastPort: address.port, allocation, probes, random: this.#context.random, startMs: proberStartMs }) },
    };
    this.#drain(now);
  }

  #drain(now: Instant): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    const { sessionId, part } = attempt;
    if (this.#environment?.isAllowed() !== true) { this.#giveUp(now); return; }
    if (part.kind === 'open') {
      for (let binds = part.opener.pollBinds(now.monotonicMs); binds > 0; binds -= 1) this.#bind(sessionId);
      for (let socket = part.opener.pollSend(now.monotonicMs); socket !== undefined; socket = part.opener.pollSend(now.monotonicMs)) {
        this.#context.sessions.probe(sessionId, { host: part.to.host, port: part.to.port, socket }, now);
      }
      if (part.opener.isOver(now.monotonicMs)) this.#end(attempt, false, now);
    } else {
      for (let to = part.prober.pollProbe(now.monotonicMs); to !== undefined; to = part.prober.pollProbe(now.monotonicMs)) this.#context.sessions.probe(sessionId, to, now);
      if (part.prober.isOver(now.monotonicMs)) this.#end(attempt, false, now);
    }
  }

  #bind(sessionId: SessionId): void {
    const socket: GuessSocket = `guess-${this.#nextSocket}`;
    this.#nextSocket += 1;
    this.#sockets.set(socket, { sessionId, heardMs: undefined, from: undefined });
    this.#environment?.bind(socket, firstHops);
  }

  #unbind(socket: GuessSocket): void {
    if (this.#sockets.delete(socket)) this.#environment?.unbind(socket);
  }

  #end(attempt: Attempt, isReached: boolean, now: Instant): void {
    const { sessionId, state: { opener, chance } } = attempt;
    this.#attempt = undefined;
    this.#budget.ended(isReached, now.monotonicMs);
    this.#context.count(isReached ? 'guess.reached' : 'guess.failed');
    if (isReached) this.#states.delete(sessionId);
    else this.#states.set(sessionId, { kind: 'failed', opener, chance });
    this.#sweep(now);
  }

  #giveUp(now: Instant): void {
    if (this.#attempt === undefined) return;
    this.#attempt = undefined;
    this.#budget.ended(false, now.monotonicMs);
    this.#sweep(now);
  }

  #sweepAt(atMs: number): void { this.#sweepMs = Math.min(this.#sweepMs ?? Infinity, atMs); }

  /** Closes what belongs to no attempt and no path. By several of them something may have come in: each is a path then, and the other side may be using any. */
  #sweep(now: Instant): void {
    this.#sweepMs = undefined;
    for (const [socket, { sessionId, heardMs }] of this.#sockets) {
      if (this.#attempt?.sessionId === sessionId || this.#context.sessions.paths(sessionId, now).some(({ address }) => address.socket === socket)) continue;
      if (heardMs !== undefined && now.monotonicMs < heardMs + provingMs) this.#sweepAt(heardMs + provingMs);
      else this.#unbind(socket);
    }
  }
}

/** As both sides reckon: who asked is the first. */
const roleOf = ({ opener }: Exclude<GuessPlan, string>): GuessRole => (opener === 'own' ? 'asker-opens' : 'asker-probes');

const traitsOf = ({ mapping, filtering, allocation, onePublicHost }: GuessFacts): PathTraits => ({ mapping, filtering, allocation, onePublicHost, udpBlocked: false });
