/**
 * A relay's side of observing: it gives tickets inside sessions, and tells to whoever shows a probe of one how it sees that probe.
 *
 * WHAT IT MUST NOT BECOME is a machine that sends packets where others want them. Without a ticket nothing is answered at all. Each probe
 * is answered once, with fewer bytes than it brought, whoever repeats it. An answer goes to where the probe came from, or, asked for by
 * another relay, to where that one saw it come from; the ticket's owner has permitted just that, for that probe; or by a pass (`passes.ts`), to where an earlier answer
 * of this relay arrived. No packet goes into a network that
 * whoever asks is not in (`mayHaveSentTo`), and how many go to one neighbourhood is bounded by the rates below.
 */
import { toHex } from '../wire/bytes.ts';
import { addressPrefix, PrefixRate } from '../mail/mailbox-rate.ts';
import { hostOfTcp } from '../wire/tcp-address.ts';
import { mayHaveSentTo } from './address-scope.ts';
import { encodeAnswer, encodePassAnswer, encodePassedAnswer, encodeRequestTo, isPermitted, openProbe, sealSight, ticketIdBytes, ticketKeyBytes } from './observe-codec.ts';
import { Passes } from './passes.ts';
import { encodeTicket } from './ticket.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, SocketAddress } from '../wire/types.ts';
import type { EngineSocket } from './observation-port.ts';
import type { ObserveDatagram, OtherRelay, Pass, ProbeName, Sight } from './observe-codec.ts';

/** A check takes seconds; a minute lets it repeat what was lost. */
export const ticketSeconds = 60;
/** A whole check asks some ten times, and repeats some. */
export const ticketProbes = 24;
/** With 600 a minute that last a minute each, fewer than this are ever good at once. */
export const ticketsMaximum = 1_024;
const ticketsPerSessionPerMinute = 4;
/** Sessions cost little: whoever makes many has no more than that from one customer's or small network's addresses. */
const ticketsPerPrefixPerMinute = 20;
const ticketsPerMinute = 600;
/** Requests to another relay: what all who use the same two relays need. */
const requestsPerPrefixPerMinute = 120;
const requestsPerMinute = 600;
/** Answers for another relay, to one neighbourhood: one check's worth. */
const passedPerPrefixPerMinute = 24;
/** The same, to where the ticket's owner has no session from: some providers give one customer several addresses. */
const passedElsewherePerMinute = 60;
/** Relays listen above the ports of the system's services, or where QUIC does; a request to anything else could mean something there. */
const portMinimum = 1_024;
const portOfQuic = 443;

const passSecretBytes = 32;
const all = 'all';

interface KnownTicket {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly untilMs: number;
  /** Neighbourhood of the session that it was given in. */
  readonly prefix: string;
  /** Bit number - 1 of each probe that was made. */
  used: number;
}

export interface ObserverEnvironment {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  /** Undefined when the session is gone. */
  addressOf(sessionId: SessionId): SocketAddress | undefined;
  transmit(via: EngineSocket, to: SocketAddress, datagram: Uint8Array): void;
  count(counter: string): void;
}

export class Observer {
  readonly #environment: ObserverEnvironment;
  /** By id; least recently used first. */
  readonly #tickets = new Map<string, KnownTicket>();
  readonly #ticketsBySession = new PrefixRate(ticketsPerSessionPerMinute);
  readonly #ticketsByPrefix = new PrefixRate(ticketsPerPrefixPerMinute);
  readonly #allTickets = new PrefixRate(ticketsPerMinute);
  readonly #requestsByPrefix = new PrefixRate(requestsPerPrefixPerMinute);
  readonly #allRequests = new PrefixRate(requestsPerMinute);
  readonly #passedByPrefix = new PrefixRate(passedPerPrefixPerMinute);
  readonly #passes: Passes;
  readonly #passedElsewhere = new PrefixRate(passedElsewherePerMinute);
  /** Undefined while there is no second socket. */
  secondPort: number | undefined;

  constructor(environment: ObserverEnvironment, secondPort: number | undefined) {
    this.#environment = environment;
    this.#passes = new Passes(environment.crypto, environment.random(passSecretBytes));
    this.secondPort = secondPort;
  }

  get ticketCount(): number { return this.#tickets.size; }

  /** The verb `observe`. */
  ticketWanted(sessionId: SessionId, answer: Answer, now: Instant): void {
    const { random } = this.#environment;
    const address = this.#environment.addressOf(sessionId);
    if (address === undefined) return;
    const seen = { host: hostOfTcp(address.host), port: address.port };
    const nowMs = now.monotonicMs;
    const waitSeconds = this.#ticketsBySession.take(`session ${String(sessionId)}`, nowMs) ?? this.#ticketsByPrefix.take(seen.host, nowMs) ?? this.#allTickets.take(all, nowMs);
    if (waitSeconds !== undefined) {
      this.#environment.count('ticket-refused');
      answer.refuse({ code: 'busy', retryAfterSeconds: waitSeconds, detail: 0 }, now);
      return;
    }
    const ticket: KnownTicket = { id: random(ticketIdBytes), key: random(ticketKeyBytes), untilMs: nowMs + ticketSeconds * 1_000, prefix: addressPrefix(seen.host), used: 0 };
    const payload = encodeTicket({ id: ticket.id, key: ticket.key, lastsSeconds: ticketSeconds, probes: ticketProbes, secondPort: this.secondPort, seen });
    if (payload === undefined) {
      answer.refuse({ code: 'refused', retryAfterSeconds: 0, detail: 0 }, now);
      return;
    }
    this.#makeRoom(nowMs);
    this.#tickets.set(toHex(ticket.id), ticket);
    this.#environment.count('ticket');
    answer.respond(payload, now);
  }

  /** `via`: the socket on which it came. */
  probe(via: EngineSocket, from: SocketAddress, probe: Extract<ObserveDatagram, { type: 'probe' }>, now: Instant): void {
    const { crypto } = this.#environment;
    const ticket = this.#ticketOf(probe.name, now);
    if (ticket === undefined) return;
    const opened = openProbe(crypto, ticket.key, probe);
    if (opened === undefined) { this.#drop('unauthentic'); return; }
    spend(ticket, probe.name);
    const sight = sealSight(crypto, ticket.key, probe.name, from);
    if (sight === undefined) { this.#drop('address'); return; }
    if (opened.other !== undefined) { this.#askOther(from, opened.other, sight, now); return; }
    if (opened.pass !== undefined) { this.#answerByPass(via, opened.pass, ticket, sight, now); return; }
    if (probe.answerFrom === 'pass') { this.#givePass(via, from, ticket, probe.name, now); return; }
    const answeringFrom = probe.answerFrom === 'asked' ? via : this.#otherSocket(via);
    if (answeringFrom === undefined) { this.#drop('no-second-port'); return; }
    this.#environment.count('answered');
    this.#environment.transmit(answeringFrom, from, encodeAnswer(sight));
  }

  /** Another relay's word for what a probe of our ticket's owner asked there. */
  request(via: EngineSocket, from: SocketAddress, request: Extract<ObserveDatagram, { type: 'request' }>, now: Instant): void {
    const { crypto } = this.#environment;
    const { name, sight, to } = request;
    const ticket = this.#ticketOf(name, now);
    if (ticket === undefined) return;
    if (!isPermitted(crypto, ticket.key, name, sight.name, request.permission)) { this.#drop('unauthentic'); return; }
    spend(ticket, name);
    if (!mayHaveSentTo(from.host, to.host)) { this.#drop('address'); return; }
    const isElsewhere = addressPrefix(to.host) !== ticket.prefix;
    const waitSeconds = this.#passedByPrefix.take(to.host, now.monotonicMs) ?? (isElsewhere ? this.#passedElsewhere.take(all, now.monotonicMs) : undefined);
    if (waitSeconds !== undefined) { this.#drop('rate'); return; }
    this.#environment.count('passed-on');
    this.#environment.transmit(via, to, encodePassedAnswer(crypto, ticket.key, name, sight));
  }

  #askOther(from: SocketAddress, other: OtherRelay, sight: Sight, now: Instant): void {
    const { host, port } = other.address;
    if (!mayHaveSentTo(from.host, host) || (port < portMinimum && port !== portOfQuic)) { this.#drop('address'); return; }
    const waitSeconds = this.#requestsByPrefix.take(host, now.monotonicMs) ?? this.#allRequests.take(all, now.monotonicMs);
    const request = encodeRequestTo(other, from, sight);
    if (waitSeconds !== undefined || request === undefined) { this.#drop('rate'); return; }
    this.#environment.count('asked-other');
    // From where it is known as a relay, whatever socket was asked.
    this.#environment.transmit('main', other.address, request);
  }

  #givePass(via: EngineSocket, from: SocketAddress, ticket: KnownTicket, name: ProbeName, now: Instant): void {
    const pass = this.#passes.give(from, ticket.prefix, now.monotonicMs);
    const answer = pass === undefined ? undefined : encodePassAnswer(this.#environment.crypto, ticket.key, name, pass);
    if (answer === undefined) { this.#drop('address'); return; }
    this.#environment.count('pass');
    this.#environment.transmit(via, from, answer);
  }

  /** From the socket that was asked, as the answer with the pass came from the one that was asked then. */
  #answerByPass(via: EngineSocket, pass: Pass, ticket: KnownTicket, sight: Sight, now: Instant): void {
    if (!this.#passes.isGood(pass, ticket.prefix, now.monotonicMs)) { this.#drop('bad-pass'); return; }
    if (this.#passedByPrefix.take(pass.place.host, now.monotonicMs) !== undefined) { this.#drop('rate'); return; }
    this.#environment.count('by-pass');
    this.#environment.transmit(via, pass.place, encodeAnswer(sight));
  }

  #otherSocket(via: EngineSocket): EngineSocket | undefined {
    if (this.secondPort === undefined) return undefined;
    return via === 'main' ? 'second' : 'main';
  }

  /** One that is good still, for a probe that was not made yet; forged ones use nothing up. */
  #ticketOf(name: ProbeName, now: Instant): KnownTicket | undefined {
    const key = toHex(name.ticket);
    const ticket = this.#tickets.get(key);
    if (ticket === undefined) { this.#drop('no-ticket'); return undefined; }
    this.#tickets.delete(key);
    if (now.monotonicMs >= ticket.untilMs) { this.#drop('expired'); return undefined; }
    this.#tickets.set(key, ticket);
    if (name.number > ticketProbes || (ticket.used & bitOf(name)) !== 0) { this.#drop('used'); return undefined; }
    return ticket;
  }

  #makeRoom(nowMs: number): void {
    if (this.#tickets.size < ticketsMaximum) return;
    for (const [key, ticket] of this.#tickets) if (nowMs >= ticket.untilMs) this.#tickets.delete(key);
    for (const key of this.#tickets.keys()) {
      if (this.#tickets.size < ticketsMaximum) return;
      this.#tickets.delete(key);
    }
  }

  #drop(reason: string): void { this.#environment.count(`drop.${reason}`); }
}

const bitOf = ({ number }: ProbeName): number => 1 << (number - 1);
function spend(ticket: KnownTicket, name: ProbeName): void { ticket.used |= bitOf(name); }
