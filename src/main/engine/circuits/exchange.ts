/**
 * The relay's side of circuits.
 *
 * WHAT A CIRCUIT IS. Two visors that cannot reach each other, or have not found out how, both have a session with a relay. A circuit joins two such
 * sessions: a datagram that comes in by one, in a tunnel frame (tunnel.ts), goes out by the other. What goes through is a session of those two, with
 * its own handshake and keys; the relay is their wire, and a bad one: it may lose, delay and repeat, and can neither read nor forge. It is where
 * conversations begin: through it both ends tell each other where else they may be reached, and then mostly leave it.
 *
 * WHO GETS ONE. The relay of a mailbox asks the sessions that have registered it, showing them the hash of the token that the opener has shown; they
 * know whom they gave it. The relay cannot tell whether it is right, and must not: tokens are how a mailbox knows its contacts, not how a relay
 * does. The first session that wants the circuit has it. A device may have several here, of which all but one are mostly dead and not missed yet;
 * that is why they are all asked, and why one refusal, which a device means for all of itself, outweighs the silence of the others.
 *
 * WHAT CAN BE DONE WITH IT TO OTHERS. Nothing goes to anybody who has no session here and wants no circuit. A frame in is at most one frame out, as
 * long as it was; an opening is at most eight small requests to sessions of one device, which registered for being asked. So there is no amplification,
 * and what remains is use: an opening costs a place in the request layer for five seconds, an open circuit 64 KiB a second. Both are bounded, per
 * session, per neighbourhood of the network, and in all (circuit-budget.ts). What is beyond the budget is dropped, as a narrow path would drop it,
 * and the congestion control of the session inside does with it what it does on any path. Numbers name ends of the session that a frame came by and of no other,
 * so a guessed number reaches nothing. A frame for a circuit that is no more is answered by a hang-up, once a second: whoever missed the first learns it.
 * Where whoever runs the relay has set a budget for the hour, nobody takes more of it than they leave (hourly-budget.ts).
 * An owner's answers cannot hold an opener up beyond the deadline; an owner with too many open is asked no more.
 *
 * WHAT THE RELAY LEARNS. Which session asked for which mailbox, when, for how long, and how many bytes went which way. The opener need not have a certificate
 * here, so it may be an address and no name; the handshake inside says who it is, to the owner alone. Tokens pass through here as they do with letters, and are not kept.
 * The opener learns whether the owner is here now, which anybody who knows the mailbox can ask 30 times a minute; nothing is said about where.
 *
 * NOTHING GROWS. All that is kept belongs to an attempt, which the deadline of its requests ends, or to a circuit, which ends with either session, by hang-up, or after
 * 120 seconds without a datagram. Idle circuits are found by one deadline each, set anew when it has passed and not for each datagram.
 *
 * `exchange-openings.ts` has what comes before a circuit, `exchange-ends.ts` who has which number, `exchange-hang-ups.ts` how others are told of an end; this file has
 * the circuits themselves.
 */
import { Deadlines } from '../deadlines.ts';
import { idleMs, TunnelBudget } from './circuit-budget.ts';
import { Ends } from './exchange-ends.ts';
import { HangUps } from './exchange-hang-ups.ts';
import { Openings } from './exchange-openings.ts';
import { circuitOf, tunnelHeaderBytes, tunnelled, tunnelledMaximumBytes, writeTunnelFrame } from './tunnel.ts';
import type { RandomBytes } from '../crypto.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { FrameRoom } from '../wire/frame.ts';
import type { Instant, RequestBody, Verb } from '../wire/types.ts';
import type { Circuit, End } from './exchange-ends.ts';
import type { HangUpEnvironment } from './exchange-hang-ups.ts';
import type { Granted, OpeningEnvironment } from './exchange-openings.ts';
import type { HourlyBudget } from './hourly-budget.ts';

const nothing = new Uint8Array(0);

type BodyOf<Name extends Verb> = Extract<RequestBody, { verb: Name }>;

export interface ExchangeEnvironment extends OpeningEnvironment, HangUpEnvironment {
  readonly random: RandomBytes;
  /** False: the session cannot take it now. */
  send(sessionId: SessionId, frame: Uint8Array, now: Instant): boolean;
  /** Memory for one frame that is sent next and not looked at after. */
  frameRoom(sizeBytes: number): Uint8Array;
  /** Of all circuits together; undefined: there is none. */
  readonly hourly?: HourlyBudget | undefined;
}

type Size = 'circuits' | 'attempts' | 'connects' | 'sessions' | 'ends' | 'hangUps' | 'neighbourhoods' | 'rates' | 'strays' | 'deadlines';

export class CircuitExchange {
  readonly #environment: ExchangeEnvironment;
  readonly #room: FrameRoom;
  readonly #ends: Ends;
  readonly #hangUps: HangUps;
  readonly #openings: Openings;
  readonly #circuits = new Map<string, Circuit>();
  readonly #idle = new Deadlines();
  #made = 0;

  constructor(environment: ExchangeEnvironment) {
    this.#environment = environment;
    this.#room = (sizeBytes) => environment.frameRoom(sizeBytes);
    this.#ends = new Ends(environment.random);
    this.#hangUps = new HangUps(environment);
    this.#openings = new Openings(environment, this.#ends, this.#hangUps, (granted, at) => { this.#join(granted, at); });
  }

  /** For tests: what is kept. */
  get sizes(): Readonly<Record<Size, number>> {
    const { attempts, connects, neighbourhoods, rates } = this.#openings;
    return {
      circuits: this.#circuits.size, attempts, connects, sessions: this.#ends.sessionCount, ends: this.#ends.endCount, hangUps: this.#hangUps.underWay,
      neighbourhoods, rates, strays: this.#hangUps.strays, deadlines: this.#idle.entries,
    };
  }

  /** The verb `circuit`. Nothing of the body is used after the call. */
  wanted(sessionId: SessionId, body: BodyOf<'circuit'>, answer: Answer, now: Instant): void {
    this.#openings.wanted(sessionId, body.mailbox, body.token, this.#circuits.size, answer, now);
  }

  /** The verb `hang-up`: whether there was such a circuit or not, there is none any more. */
  hangUp(sessionId: SessionId, body: BodyOf<'hang-up'>, answer: Answer, now: Instant): void {
    const end = this.#ends.find(sessionId, body.circuit);
    if (end?.circuit !== undefined) this.#hungUp(end, end.circuit, 'circuit.ended.hang-up', now);
    // Asked whether it wants it, and does not: its answer to that will find nothing.
    else if (end !== undefined) this.#ends.remove(end);
    answer.respond(nothing, now);
  }

  /** A tunnel frame that came by this session. Nothing of it is used after the call. */
  frame(sessionId: SessionId, frame: Uint8Array, now: Instant): void {
    const sizeBytes = frame.length - tunnelHeaderBytes;
    if (sizeBytes <= 0 || sizeBytes > tunnelledMaximumBytes) { this.#environment.count('circuit.drop.size'); return; }
    const number = circuitOf(frame);
    const end = this.#ends.find(sessionId, number);
    if (end === undefined) {
      this.#environment.count('circuit.drop.unknown');
      this.#hangUps.stray(sessionId, number, now);
      return;
    }
    const { circuit } = end;
    if (circuit === undefined) { this.#environment.count('circuit.drop.early'); return; }
    if (!circuit.budget.take(sizeBytes, now.monotonicMs)) { this.#environment.count('circuit.drop.budget'); return; }
    const taken = this.#environment.hourly?.take(sizeBytes, circuit.parties, now.monotonicMs) ?? 'taken';
    if (taken !== 'taken') { this.#environment.count(taken === 'used-up' ? 'circuit.drop.hour' : 'circuit.drop.share'); return; }
    const other = otherThan(end, circuit);
    if (!this.#environment.send(other.session.id, writeTunnelFrame(this.#room, other.number, tunnelled(frame)), now)) { this.#environment.count('circuit.drop.not-sent'); return; }
    circuit.lastForwardedMs = now.monotonicMs;
    this.#environment.count('circuit.forwarded');
  }

  /** The session is gone, or its other side started anew. */
  sessionClosed(sessionId: SessionId, now: Instant): void {
    this.#hangUps.sessionClosed(sessionId);
    const session = this.#ends.known(sessionId);
    if (session === undefined) return;
    this.#ends.forget(session);
    this.#openings.openerGone(session);
    // Those that it is asked about end with the request.
    for (const end of [...session.ends.values()]) if (end.circuit !== undefined) this.#hungUp(end, end.circuit, 'circuit.ended.session', now);
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#idle.takeDue(now.monotonicMs); key !== undefined; key = this.#idle.takeDue(now.monotonicMs)) {
      const circuit = this.#circuits.get(key);
      if (circuit === undefined) continue;
      const endsAtMs = circuit.lastForwardedMs + idleMs;
      if (now.monotonicMs < endsAtMs) { this.#idle.set(key, endsAtMs); continue; }
      this.#hungUp(circuit.opener, circuit, 'circuit.ended.idle', now);
      this.#hangUps.tell(circuit.opener, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#idle.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'idle circuit' };
  }

  #join({ opener: session, owner, share, parties, answer }: Granted, now: Instant): void {
    const opener = this.#ends.draw(session);
    this.#made += 1;
    const circuit: Circuit = { key: String(this.#made), opener, owner, share, parties, budget: new TunnelBudget(now.monotonicMs), lastForwardedMs: now.monotonicMs };
    opener.circuit = circuit;
    owner.circuit = circuit;
    opener.session.opened += 1;
    owner.session.owned += 1;
    this.#circuits.set(circuit.key, circuit);
    this.#idle.set(circuit.key, now.monotonicMs + idleMs);
    this.#environment.count('circuit.opened');
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, opener.number);
    answer.respond(payload, now);
  }

  /** Ends it at both ends, and tells the other one. */
  #hungUp(by: End, circuit: Circuit, counter: string, now: Instant): void {
    const { opener, owner } = circuit;
    this.#circuits.delete(circuit.key);
    this.#idle.clear(circuit.key);
    this.#openings.giveBack(circuit.share);
    opener.session.opened -= 1;
    owner.session.owned -= 1;
    this.#ends.remove(opener);
    this.#ends.remove(owner);
    this.#environment.count(counter);
    this.#hangUps.tell(otherThan(by, circuit), now);
  }
}

const otherThan = (end: End, circuit: Circuit): End => circuit.opener === end ? circuit.owner : circuit.opener;
