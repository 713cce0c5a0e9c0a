/**
 * A visor's side of observing: gets tickets from the relays that it is connected to, sends probes from any of its sockets, and turns the answers into
 * observations. Nothing is believed that is not sealed under a key that the relay gave inside a session, nor what comes to another
 * socket or from another address than was asked for: what is missing is honest, what is wrong is not. Whoever stands between may still change where
 * a probe seems to come from, as every NAT does; that is what is being observed.
 */
import { toHex } from '../wire/bytes.ts';
import { sameAddress } from '../wire/types.ts';
import { canonicalAddress } from '../wire/socket-address.ts';
import { scopeOf } from './address-scope.ts';
import { encodeMark, encodeProbe, markNonceBytes, openPassAnswer, openPassedAnswer, openSight, permit } from './observe-codec.ts';
import { decodeTicket } from './ticket.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { Directed, RequestOutcome } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import type { NetworkCheck, NetworkRequest, ObservationPort, ObservingRelay, OwnRelay, PrepareOutcome, Probe, ProbeOutcome, SpareSocket } from './observation-port.ts';
import type { ObserveDatagram, OtherRelay, Pass, ProbeAsks, ProbeName, Sight } from './observe-codec.ts';
import type { ProbeSocket } from './types.ts';
import type { Ticket } from './ticket.ts';

/** What a relay that observes says of itself; the second one, that it has a second port. */
export const observeCapability = 'observe';
export const secondPortCapability = 'observe/2';
/** It gives passes (`passes.ts`). */
export const passCapability = 'observe/pass';
/** Eight for each address family. */
export const sparesMaximum = 16;
/** Probes that are waited for; the oldest are given up first. */
export const pendingMaximum = 256;
/** An answer that comes later belongs to another state of the network. */
export const patienceMs = 10_000;
/** Marks that are waited for; a check sends a dozen. */
const marksMaximum = 64;
const ticketDeadlineMs = 5_000;
/** The relay may reckon its end from a little earlier than we do. */
const ticketMarginMs = 1_000;
const digestBytes = 16;

interface HeldTicket {
  readonly relay: PublicKeyHex;
  readonly address: SocketAddress;
  readonly ticket: Ticket;
  readonly untilMs: number;
  nextNumber: number;
}

interface PendingProbe {
  readonly probe: Omit<Probe, 'answerFrom'> & { readonly answerFrom: ProbeAsks };
  /** Where the answer is to arrive. */
  readonly answerAt: ProbeSocket;
  readonly asked: SocketAddress;
  readonly held: HeldTicket;
  readonly name: ProbeName;
  readonly other: { readonly held: HeldTicket; readonly name: ProbeName } | undefined;
  readonly sentMs: number;
}

type PrepareDone = (outcome: PrepareOutcome, now: Instant) => void;

export interface ConnectedRelay { readonly relay: PublicKeyHex; readonly sessionId: SessionId; readonly address: SocketAddress; readonly capabilities: readonly string[] }

export interface ObservingEnvironment {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly request: Directed['request'];
  /** Own relays with a session that stands. Recipients' relays are not asked: they need not know where else we are seen. */
  relays(): Iterable<ConnectedRelay>;
  /** Connected or not. */
  ownRelays(): Iterable<OwnRelay>;
  transmit(via: ProbeSocket, to: SocketAddress, datagram: Uint8Array): void;
  bind(socket: SpareSocket): void;
  unbind(socket: SpareSocket): void;
  ask(request: NetworkRequest): void;
  reported(): void;
  isSparing(): boolean;
  /** Small values that outlast a restart. */
  recall(key: string): string | undefined;
  remember(key: string, value: string): void;
  count(counter: string): void;
}

export class Observing implements ObservationPort {
  readonly #environment: ObservingEnvironment;
  readonly #tickets = new Map<PublicKeyHex, HeldTicket>();
  readonly #preparing = new Map<PublicKeyHex, PrepareDone[]>();
  /** By the name under which the answer comes; oldest first. */
  readonly #pending = new Map<string, PendingProbe>();
  /** By nonce; oldest first. */
  readonly #marks = new Map<string, { readonly socket: SpareSocket; readonly sentMs: number }>();
  /** Whether the host has bound it by now. */
  readonly #spares = new Map<SpareSocket, boolean>();
  #nextSpare = 1;
  /** Counts the networks that we were in. */
  #network = 0;
  /** Set right after it was made: it is handed this port. */
  check: NetworkCheck | undefined;

  constructor(environment: ObservingEnvironment) { this.#environment = environment; }

  get pendingCount(): number { return this.#pending.size; }

  relays(): readonly OwnRelay[] { return [...this.#environment.ownRelays()]; }
  ask(request: NetworkRequest): void { this.#environment.ask(request); }
  reported(): void { this.#environment.reported(); }

  observers(): readonly PublicKeyHex[] {
    return [...this.#environment.relays()].filter(({ capabilities }) => capabilities.includes(observeCapability)).map(({ relay }) => relay);
  }

  prepare(relay: PublicKeyHex, probes: number, now: Instant, done: PrepareDone): void {
    const held = this.#goodTicket(relay, probes, now);
    if (held !== undefined) { done({ kind: 'ready', observer: viewOf(held) }, now); return; }
    const waiting = this.#preparing.get(relay);
    if (waiting !== undefined) { waiting.push(done); return; }
    const connected = [...this.#environment.relays()].find((one) => one.relay === relay);
    if (connected?.capabilities.includes(observeCapability) !== true) {
      done({ kind: 'failed', reason: connected === undefined ? 'not-connected' : 'not-observing', retryAfterSeconds: 0 }, now);
      return;
    }
    this.#preparing.set(relay, [done]);
    const network = this.#network;
    const askedMs = now.monotonicMs;
    this.#environment.request(connected.sessionId, { verb: 'observe' }, {
      deadlineMs: ticketDeadlineMs,
      done: (outcome, at) => {
        const all = this.#preparing.get(relay) ?? [];
        this.#preparing.delete(relay);
        const prepared = network === this.#network ? this.#take(connected, outcome, askedMs) : ({ kind: 'failed', reason: 'network-changed', retryAfterSeconds: 0 } as const);
        for (const one of all) one(prepared, at);
      },
    }, now);
  }

  probesLeft(relay: PublicKeyHex, now: Instant): number {
    const held = this.#goodTicket(relay, 1, now);
    return held === undefined ? 0 : probesLeft(held);
  }

  probe(probe: Probe, now: Instant): ProbeOutcome {
    if (probe.socket !== 'main' && this.#spares.get(probe.socket) !== true) return 'not-bound';
    if ((probe.answerFrom === 'other-relay') !== (probe.otherRelay !== undefined) || probe.otherRelay === probe.relay) return 'no-other-relay';
    const held = this.#goodTicket(probe.relay, 1, now);
    if (held === undefined) return 'no-ticket';
    const { secondAddress } = viewOf(held);
    if (secondAddress === undefined && (probe.port === 'second' || probe.answerFrom === 'other-port')) return 'no-second-port';
    const asked = probe.port === 'main' || secondAddress === undefined ? held.address : secondAddress;
    const otherHeld = probe.otherRelay === undefined ? undefined : this.#goodTicket(probe.otherRelay, 1, now);
    if (probe.otherRelay !== undefined && otherHeld === undefined) return 'no-ticket';
    const name = nextName(held);
    const other = otherHeld === undefined ? undefined : { held: otherHeld, name: nextName(otherHeld) };
    const datagram = encodeProbe(this.#environment.crypto, held.ticket.key, name, probe.answerFrom, other === undefined ? undefined : this.#permission(other, name));
    if (datagram === undefined) return 'no-other-relay';
    this.#forgetOld(now);
    this.#pending.set(keyOf(other?.name ?? name), { probe, answerAt: probe.socket, asked, held, name, other, sentMs: now.monotonicMs });
    this.#environment.count('probe');
    this.#environment.transmit(probe.socket, asked, datagram);
    return 'sent';
  }

  passGivers(): readonly PublicKeyHex[] {
    return [...this.#environment.relays()].filter(({ capabilities }) => capabilities.includes(passCapability)).map(({ relay }) => relay);
  }

  askPass(relay: PublicKeyHex, socket: ProbeSocket, now: Instant): ProbeOutcome { return this.#probePass({ socket, relay, port: 'main', answerFrom: 'pass' }, socket, undefined, now); }

  askByPass(relay: PublicKeyHex, pass: Pass, answerAt: ProbeSocket, now: Instant): ProbeOutcome { return this.#probePass({ socket: 'main', relay, port: 'main', answerFrom: 'by-pass' }, answerAt, pass, now); }

  isSparing(): boolean { return this.#environment.isSparing(); }
  recall(key: string): string | undefined { return this.#environment.recall(key); }
  remember(key: string, value: string): void { this.#environment.remember(key, value); }
  digest(text: string): string { return toHex(this.#environment.crypto.sha256(new TextEncoder().encode(text)).subarray(0, digestBytes)); }

  bindSpare(): SpareSocket | undefined {
    if (this.#spares.size >= sparesMaximum) return undefined;
    // Never the same name twice: what comes late from one socket is not taken for another's.
    const socket: SpareSocket = `spare-${this.#nextSpare}`;
    this.#nextSpare += 1;
    this.#spares.set(socket, false);
    this.#environment.bind(socket);
    return socket;
  }

  unbindSpare(socket: SpareSocket): void {
    if (!this.#spares.delete(socket)) return;
    this.#forgetSentFrom(socket);
    this.#environment.unbind(socket);
  }

  mark(socket: SpareSocket, to: SocketAddress, now: Instant): boolean {
    const scope = scopeOf(to.host);
    // Where to send is what a relay says that it saw: nothing of this machine's own is to get a packet for it.
    if (this.#spares.get(socket) !== true || scope === 'none' || scope === 'loopback') return false;
    const nonce = this.#environment.random(markNonceBytes);
    for (const [key, { sentMs }] of this.#marks) if (now.monotonicMs - sentMs >= patienceMs || this.#marks.size >= marksMaximum) this.#marks.delete(key);
    this.#marks.set(toHex(nonce), { socket, sentMs: now.monotonicMs });
    this.#environment.count('mark');
    this.#environment.transmit(socket, to, encodeMark(nonce));
    return true;
  }

  // --- inputs -----------------------------------------------------------------------------------------------------------------

  handleBound(socket: SpareSocket, port: number | undefined, now: Instant): void {
    if (!this.#spares.has(socket)) return;
    if (port === undefined) {
      this.#spares.delete(socket);
      this.#forgetSentFrom(socket);
    } else this.#spares.set(socket, true);
    this.check?.bound(socket, port, now);
  }

  forgetTicket(relay: PublicKeyHex): void { this.#tickets.delete(relay); }

  networkChanged(now: Instant): void {
    this.#network += 1;
    this.#tickets.clear();
    this.#pending.clear();
    this.#marks.clear();
    this.check?.networkChanged(now);
  }

  answer(socket: ProbeSocket, from: SocketAddress, answer: Extract<ObserveDatagram, { type: 'answer' | 'passed-answer' }>, now: Instant): void {
    this.#forgetOld(now);
    const key = keyOf(answer.type === 'answer' ? answer.sight.name : answer.name);
    const pending = this.#pending.get(key);
    if (pending === undefined) { this.#drop('unknown-probe'); return; }
    const sight = answer.type === 'answer' ? (pending.other === undefined ? answer.sight : undefined) : this.#passedSight(pending, answer);
    const seen = sight === undefined ? undefined : openSight(this.#environment.crypto, pending.held.ticket.key, sight);
    if (seen === undefined) { this.#drop('unauthentic'); return; }
    if (socket !== pending.answerAt || !cameFromWhereItShould(pending, from)) { this.#drop('elsewhere'); return; }
    const { answerFrom } = pending.probe;
    // The answer that was asked for brings a pass.
    if (answerFrom === 'pass') { this.#drop('unknown-probe'); return; }
    this.#pending.delete(key);
    this.#environment.count('observed');
    if (answerFrom === 'by-pass') { this.check?.passed?.({ kind: 'arrived', relay: pending.probe.relay, at: socket }, now); return; }
    const roundTripMs = Math.max(0, now.monotonicMs - pending.sentMs);
    this.check?.observed({ socket, asked: pending.asked, answerFrom, from, seen, roundTripMs }, now);
  }

  passAnswer(socket: ProbeSocket, from: SocketAddress, answer: Extract<ObserveDatagram, { type: 'pass-answer' }>, now: Instant): void {
    this.#forgetOld(now);
    const key = keyOf(answer.name);
    const pending = this.#pending.get(key);
    if (pending?.probe.answerFrom !== 'pass') { this.#drop('unknown-probe'); return; }
    const pass = openPassAnswer(this.#environment.crypto, pending.held.ticket.key, answer);
    if (pass === undefined) { this.#drop('unauthentic'); return; }
    if (socket !== pending.answerAt || !cameFromWhereItShould(pending, from)) { this.#drop('elsewhere'); return; }
    this.#pending.delete(key);
    this.#environment.count('observed');
    this.check?.passed?.({ kind: 'given', relay: pending.probe.relay, at: socket, pass }, now);
  }

  /** Whoever sees it on its way can send it on to another socket, once: then a router seems to bring its hosts together that does not. */
  markArrived(socket: ProbeSocket, nonce: Uint8Array, now: Instant): void {
    const key = toHex(nonce);
    const sent = this.#marks.get(key);
    if (sent === undefined || now.monotonicMs - sent.sentMs >= patienceMs) { this.#drop('unknown-mark'); return; }
    if (socket === 'main' || socket === sent.socket) { this.#drop('elsewhere'); return; }
    this.#marks.delete(key);
    this.check?.marked(socket, now);
  }

  // --- tickets ----------------------------------------------------------------------------------------------------------------

  #take({ relay, address }: ConnectedRelay, outcome: RequestOutcome, askedMs: number): PrepareOutcome {
    if (outcome.kind === 'negative') {
      const { code, retryAfterSeconds } = outcome.negative;
      return { kind: 'failed', reason: code === 'busy' ? 'busy' : 'refused', retryAfterSeconds };
    }
    const [payload] = outcome.kind === 'answered' ? outcome.payloads : [];
    const ticket = payload === undefined ? undefined : decodeTicket(payload);
    if (ticket === undefined) return { kind: 'failed', reason: outcome.kind === 'answered' ? 'refused' : 'no-answer', retryAfterSeconds: 0 };
    // Its life is reckoned from the question, which was before the relay's answer.
    const held: HeldTicket = { relay, address, ticket, untilMs: askedMs + ticket.lastsSeconds * 1_000 - ticketMarginMs, nextNumber: 1 };
    this.#tickets.set(relay, held);
    return { kind: 'ready', observer: viewOf(held) };
  }

  #goodTicket(relay: PublicKeyHex, probes: number, now: Instant): HeldTicket | undefined {
    const held = this.#tickets.get(relay);
    if (held === undefined) return undefined;
    if (now.monotonicMs >= held.untilMs || probesLeft(held) === 0) this.#tickets.delete(relay);
    return now.monotonicMs < held.untilMs && probesLeft(held) >= Math.min(probes, held.ticket.probes) ? held : undefined;
  }

  #probePass(probe: PendingProbe['probe'], answerAt: ProbeSocket, pass: Pass | undefined, now: Instant): ProbeOutcome {
    if ([probe.socket, answerAt].some((socket) => socket !== 'main' && this.#spares.get(socket) !== true)) return 'not-bound';
    const held = this.#goodTicket(probe.relay, 1, now);
    if (held === undefined) return 'no-ticket';
    const name = nextName(held);
    const datagram = encodeProbe(this.#environment.crypto, held.ticket.key, name, probe.answerFrom, undefined, pass);
    if (datagram === undefined) return 'no-ticket';
    this.#forgetOld(now);
    this.#pending.set(keyOf(name), { probe, answerAt, asked: held.address, held, name, other: undefined, sentMs: now.monotonicMs });
    this.#environment.count('probe');
    this.#environment.transmit(probe.socket, held.address, datagram);
    return 'sent';
  }

  #permission({ held, name }: NonNullable<PendingProbe['other']>, of: ProbeName): OtherRelay {
    return { address: held.address, name, permission: permit(this.#environment.crypto, held.ticket.key, name, of) };
  }

  #passedSight(pending: PendingProbe, answer: Extract<ObserveDatagram, { type: 'passed-answer' }>): Sight | undefined {
    const { other, name } = pending;
    const sight = other === undefined ? undefined : openPassedAnswer(this.#environment.crypto, other.held.ticket.key, answer);
    // The second relay has it from the first: of this very probe, and of no other.
    return sight !== undefined && keyOf(sight.name) === keyOf(name) ? sight : undefined;
  }

  #forgetOld(now: Instant): void {
    for (const [key, { sentMs }] of this.#pending) {
      if (now.monotonicMs - sentMs < patienceMs && this.#pending.size < pendingMaximum) return;
      this.#pending.delete(key);
    }
  }

  #forgetSentFrom(socket: SpareSocket): void {
    for (const [key, { probe, answerAt }] of this.#pending) if (probe.socket === socket || answerAt === socket) this.#pending.delete(key);
    for (const [key, mark] of this.#marks) if (mark.socket === socket) this.#marks.delete(key);
  }

  #drop(reason: string): void { this.#environment.count(`drop.${reason}`); }
}

function cameFromWhereItShould({ probe, asked, held, other }: PendingProbe, from: SocketAddress): boolean {
  const { address, secondAddress } = viewOf(held);
  const isFrom = (expected: SocketAddress | undefined): boolean => {
    const [left, right] = [canonicalAddress(from), expected === undefined ? undefined : canonicalAddress(expected)];
    return left !== undefined && right !== undefined && sameAddress(left, right);
  };
  switch (probe.answerFrom) {
    case 'asked': case 'pass': case 'by-pass': return isFrom(asked);
    case 'other-port': return isFrom(probe.port === 'main' ? secondAddress : address);
    case 'other-relay': return isFrom(other?.held.address);
  }
}

const keyOf = ({ ticket, number }: ProbeName): string => `${toHex(ticket)}/${String(number)}`;
const probesLeft = ({ ticket, nextNumber }: HeldTicket): number => ticket.probes - nextNumber + 1;

function nextName(held: HeldTicket): ProbeName {
  const name = { ticket: held.ticket.id, number: held.nextNumber };
  held.nextNumber += 1;
  return name;
}

function viewOf(held: HeldTicket): ObservingRelay {
  const { relay, address, ticket: { secondPort, seen }, untilMs } = held;
  return { relay, address, secondAddress: secondPort === undefined ? undefined : { host: address.host, port: secondPort }, seen, probesLeft: probesLeft(held), goodUntilMs: untilMs };
}
