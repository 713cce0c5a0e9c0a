/**
 * Asks the gateway of a home network to let datagrams from outside through to one UDP port of ours, as a machine without sockets and clocks: PCP (RFC 6887), and
 * NAT-PMP (RFC 6886) where the gateway has only that.
 *
 * WHY. Behind most routers nobody gets in who was not spoken to before. Where the router grants a port, peers reach us directly whatever kind of NAT it is, and no
 * datagrams are needed to keep a mapping alive. UPnP IGD, the third way, is not checked: it is HTTP and XML from whoever answers a multicast, and no library for it
 * bounds what it reads, whom it believes and whom it then talks to. A report says "not checked" about it, never "no".
 *
 * WHAT A CALLER DOES. `start` with the gateway, our address towards it (the socket must send from there: PCP refuses otherwise) and the port to be mapped, which is that
 * of the main socket and need not be the one that asks. What comes in goes to `handleDatagram`; when the time of `pollTimeout` has come, `handleTimeout`. After each
 * call: send all of `pollTransmit`, take all of `pollChange`. `networkChanged` after sleep and whenever routes or addresses changed (`start` when they are others).
 * `stop` deletes the mapping; go on until `isIdle`.
 *
 * HOW IT ASKS. In rounds. A round begins with PCP, at 0, 250 and 750 ms; from the second sending on NAT-PMP's question for the external address goes along, which makes
 * no mapping, for old gateways that keep silent about versions they do not know. A gateway that has only NAT-PMP says so (section 9 of RFC 6887, 3.5 of RFC 6886); one
 * that has PCP but not this use of it is asked by NAT-PMP too. After 2 s without an end a report gets `none`, and what is still under way may overrule that. Later
 * rounds are rare: after silence some 4, 9 and then every 17 minutes, after a refusal as long as the gateway says, between 30 s and half an hour.
 *
 * A MAPPING is renewed after half of its life and up to an eighth more, then after half of what is left, calmly and by the method that made it; when it runs out the
 * state is `none` and everything begins again. What the gateway does not grant for at least 30 s counts as refused. Renewing names the external address of before, so
 * that a gateway that has lost everything gives it again. Whether it has lost everything is told by its epoch (epoch.ts).
 *
 * WHAT IS BELIEVED. Only datagrams from the gateway's address and port; of PCP only answers with our nonce, for our port. A mapping is only ever taken from an answer to
 * a question that is open. What comes unasked (an announcement, an epoch that jumped, another external address) at most makes us ask again, no sooner than 30 s after
 * the last time.
 *
 * A HOSTILE GATEWAY, or a neighbour who forges its address (against NAT-PMP, which has no nonce, and for its "I have no PCP" that is easy), can make us believe in an
 * external address that is not ours: a candidate that does not work, since whoever tries it does so with a handshake which only we can answer. So candidates are tried
 * sparingly and with small datagrams, lest they be the address of a victim; and a gateway that wants to keep us from being reached can do that anyway. It cannot make us
 * crash (all reading is typed and bounded), nor flood or amplify: a datagram calls for at most one of ours of 60 bytes, and not more than four in a round are called for
 * at all; everything else goes by the clock, with waits that no answer shortens below those in schedule.ts. Nothing that it says is kept beyond the state.
 */
import { equalBytes } from '../../wire/bytes.ts';
import { decodeNatPmp, encodeNatPmpAddress, natPmpVersion, type NatPmpAnswer } from './nat-pmp-codec.ts';
import { decodePcp, pcpVersion, type PcpAnswer, type PcpEcho } from './pcp-codec.ts';
import { deleteDatagram, makeTarget, mapDatagram, type Target } from './target.ts';
import { Epoch } from './epoch.ts';
import { portControlPort, type PortControlDatagram, type PortControlMethod, type PortControlState, type RefusalReason } from './port-control-types.ts';
import {
  hostGapMs, lifetimeMaximumSeconds, lifetimeMinimumSeconds, lifetimeWantedSeconds, noticeDelayMs, noticeGapMs, refusalMs, renewalMs, settleMs, silenceMs, waitMs, type Pace,
} from './schedule.ts';
import type { RandomBytes } from '../../crypto.ts';
import type { SocketAddress } from '../../wire/types.ts';

export type { PortControlDatagram, PortControlMethod, PortControlState, RefusalReason } from './port-control-types.ts';
export { portControlPort } from './port-control-types.ts';

const secondMs = 1_000;
/** Questions that answers may call for in one round: PCP, its refusal, NAT-PMP's two, and one more. */
const movesMaximum = 4;
/** Of either queue; a caller that does not poll loses the oldest. */
const queueMaximum = 8;
/** No clock shows more, in ms. */
const clockMaximumMs = Number.MAX_SAFE_INTEGER;

/** A question that is open. `address` and `map` are NAT-PMP's. */
interface Step { readonly kind: 'pcp' | 'address' | 'map' | 'delete'; readonly pace: Pace; readonly attempt: number; readonly dueMs: number }

interface Refusal { readonly reason: RefusalReason; readonly toldSeconds: number | undefined }

/** What one round has come to so far. */
interface Round {
  moves: number;
  /** NAT-PMP's external address. */
  host: string | undefined;
  /** What is to be told if nothing else answers. */
  refusal: Refusal | undefined;
}

export class PortControl {
  readonly #random: RandomBytes;
  readonly #epoch = new Epoch();
  readonly #outgoing: PortControlDatagram[] = [];
  readonly #changes: PortControlState[] = [];
  #state: PortControlState = { kind: 'idle' };
  #nowMs = -Infinity;
  #target: Target | undefined;
  #step: Step | undefined;
  #round: Round = { moves: 0, host: undefined, refusal: undefined };
  #lastRoundMs = -Infinity;
  #nextRoundMs = Infinity;
  #settleAtMs = Infinity;
  #silentRounds = 0;
  /** Of the present mapping. */
  #method: PortControlMethod | undefined;
  /** What we have, or had before: to be had again. */
  #external: SocketAddress | undefined;
  /** The gateway said something to us. */
  #hasAnswered = false;
  /** By which a mapping may exist, known to us or not. */
  readonly #held = new Set<PortControlMethod>();

  /** @param random from the system's source: the nonce must not be guessed. */
  constructor({ random }: { readonly random: RandomBytes }) {
    this.#random = random;
  }

  get state(): PortControlState { return this.#state; }
  /** Nothing is under way and nothing will be, until `start`. */
  get isIdle(): boolean { return this.#target === undefined && this.#outgoing.length === 0; }

  /**
   * @param gateway the text that datagrams of it come with as `host`
   * @param localAddress a literal address, from which the datagrams leave
   * @throws RangeError for an address or a port that is none
   */
  start(gateway: string, localAddress: string, localPort: number, nowMs: number): void {
    const now = this.#clock(nowMs);
    const before = this.#step?.kind === 'delete' ? undefined : this.#target;
    const isSamePath = before !== undefined && before.gateway === gateway && before.localAddress === localAddress;
    if (isSamePath && before.localPort === localPort) {
      this.networkChanged(now);
      return;
    }
    const target = makeTarget(gateway, localAddress, localPort, this.#random);
    if (isSamePath) this.#sendDeletions(before);
    this.#target = target;
    this.#epoch.forget();
    this.#external = undefined;
    this.#hasAnswered = false;
    this.#held.clear();
    this.#lastRoundMs = -Infinity;
    this.#beginAfresh(now);
  }

  networkChanged(nowMs: number): void {
    const now = this.#clock(nowMs);
    if (this.#target !== undefined && this.#step?.kind !== 'delete') this.#beginAfresh(now);
  }

  /** Sends the deletion of what there is, a few times until it is answered. */
  stop(nowMs: number): void {
    const now = this.#clock(nowMs);
    if (this.#target === undefined || this.#step?.kind === 'delete') return;
    this.#change({ kind: 'idle' });
    this.#nextRoundMs = Infinity;
    this.#settleAtMs = Infinity;
    if (this.#hasAnswered && this.#held.size > 0) this.#ask('delete', 'leaving', now);
    else this.#end();
  }

  handleDatagram(from: SocketAddress, bytes: Uint8Array, nowMs: number): void {
    const now = this.#clock(nowMs);
    if (this.#target === undefined || from.host !== this.#target.gateway || from.port !== portControlPort) return;
    if (bytes[0] === natPmpVersion) this.#handleNatPmp(decodeNatPmp(bytes), this.#target, now);
    else this.#handlePcp(decodePcp(bytes), this.#target, now);
  }

  handleTimeout(nowMs: number): void {
    const now = this.#clock(nowMs);
    if (this.#target === undefined) return;
    if (this.#state.kind === 'mapped' && now >= this.#state.expiresAtMs) this.#expired(now);
    if (this.#state.kind === 'checking' && now >= this.#settleAtMs) this.#change({ kind: 'none' });
    const step = this.#step;
    if (step === undefined) {
      if (now >= this.#nextRoundMs) this.#beginRound(now);
    } else if (now >= step.dueMs) {
      const attempt = step.attempt + 1;
      const wait = waitMs(step.pace, attempt);
      if (wait === undefined) this.#silent(now);
      else this.#send({ ...step, attempt, dueMs: now + wait });
    }
  }

  /** Monotonic ms; undefined: nothing changes by time alone. */
  pollTimeout(): number | undefined {
    if (this.#target === undefined) return undefined;
    const atMs = Math.min(
      this.#step?.dueMs ?? this.#nextRoundMs,
      this.#state.kind === 'checking' ? this.#settleAtMs : Infinity,
      this.#state.kind === 'mapped' ? this.#state.expiresAtMs : Infinity,
    );
    return atMs === Infinity ? undefined : atMs;
  }

  pollTransmit(): PortControlDatagram | undefined { return this.#outgoing.shift(); }

  /** The states since the last call, one by one. A renewal is one too, for it moves the end. */
  pollChange(): PortControlState | undefined { return this.#changes.shift(); }

  #beginAfresh(now: number): void {
    this.#change({ kind: 'checking' });
    this.#method = undefined;
    this.#silentRounds = 0;
    this.#step = undefined;
    const atMs = Math.max(now, this.#lastRoundMs + hostGapMs);
    this.#settleAtMs = atMs + settleMs;
    this.#nextRoundMs = atMs;
    if (atMs === now) this.#beginRound(now);
  }

  #beginRound(now: number): void {
    this.#lastRoundMs = now;
    this.#nextRoundMs = Infinity;
    this.#round = { moves: 0, host: undefined, refusal: undefined };
    this.#ask(this.#method === 'nat-pmp' ? 'address' : 'pcp', this.#pace(), now);
  }

  #pace(): Pace { return this.#state.kind === 'mapped' ? 'calm' : 'hasty'; }

  #ask(kind: Step['kind'], pace: Pace, now: number): void {
    this.#send({ kind, pace, attempt: 0, dueMs: now + (waitMs(pace, 0) ?? 0) });
  }

  /** Because of what an answer said. */
  #move(kind: 'pcp' | 'address' | 'map', now: number): void {
    if (this.#round.moves >= movesMaximum) return;
    this.#round.moves += 1;
    this.#ask(kind, this.#pace(), now);
  }

  #send(step: Step): void {
    const target = this.#target;
    this.#step = step;
    if (target === undefined) return;
    switch (step.kind) {
      case 'pcp':
        this.#sendMap(target, 'pcp');
        if (this.#asksAlongside(step)) this.#push(target, encodeNatPmpAddress());
        return;
      case 'address': this.#push(target, encodeNatPmpAddress()); return;
      case 'map': this.#sendMap(target, 'nat-pmp'); return;
      case 'delete': this.#sendDeletions(target); return;
    }
  }

  #asksAlongside({ kind, attempt }: Step): boolean {
    return kind === 'pcp' && attempt > 0 && this.#method === undefined && this.#target?.isIpv4 === true;
  }

  #sendMap(target: Target, method: PortControlMethod): void {
    this.#held.add(method);
    this.#push(target, mapDatagram(target, method, lifetimeWantedSeconds, this.#external));
  }

  #sendDeletions(target: Target): void {
    if (!this.#hasAnswered) return;
    for (const method of this.#held) this.#push(target, deleteDatagram(target, method));
  }

  #push({ gateway }: Target, datagram: Uint8Array): void {
    this.#outgoing.push({ to: { host: gateway, port: portControlPort }, datagram });
    if (this.#outgoing.length > queueMaximum) this.#outgoing.shift();
  }

  #handlePcp(answer: PcpAnswer, target: Target, now: number): void {
    switch (answer.kind) {
      case 'unreadable': return;
      case 'other-version': this.#otherVersion(answer.version, target, now); return;
      case 'announced':
        if (this.#epoch.hasBegunAnew(answer.epochSeconds, 'pcp', now)) this.#notice(now);
        return;
      case 'deleted':
        if (isOurs(answer.echo, target)) this.#deleted('pcp');
        return;
      case 'refused':
        if (isOurs(answer.echo, target)) this.#pcpRefused(answer, target, now);
        return;
      case 'mapped':
        if (!isOurs(answer.echo, target) || this.#step?.kind === 'delete') return;
        // An old answer, or the gateway tells of itself that its address changed.
        if (this.#step === undefined || this.#method === 'nat-pmp') this.#noticeExternal(answer.external, 'pcp', now);
        else this.#mapped(answer.external, answer, 'pcp', now);
    }
  }

  #pcpRefused({ reason, lifetimeSeconds, epochSeconds }: PcpAnswer & { readonly kind: 'refused' }, target: Target, now: number): void {
    if (this.#step?.kind === 'delete') this.#deleted('pcp');
    if (this.#step?.kind !== 'pcp') return;
    this.#answered(epochSeconds, now);
    this.#held.delete('pcp');
    const refusal: Refusal = { reason, toldSeconds: lifetimeSeconds };
    if (reason === 'unsupported' && target.isIpv4) {
      this.#round.refusal = refusal;
      this.#move('address', now);
    } else this.#refused(refusal, now);
  }

  /** Said by version 2 to NAT-PMP, or by others to PCP; NAT-PMP's own word has another form. */
  #otherVersion(version: number, target: Target, now: number): void {
    const refusal: Refusal = { reason: 'unsupported', toldSeconds: undefined };
    switch (this.#step?.kind) {
      case 'pcp':
        // To the question that goes along.
        if (version === pcpVersion) return;
        this.#hasAnswered = true;
        this.#held.delete('pcp');
        this.#round.refusal = refusal;
        if (target.isIpv4) this.#move('address', now);
        else this.#refused(refusal, now);
        return;
      case 'address':
      case 'map':
        this.#hasAnswered = true;
        this.#held.delete('nat-pmp');
        this.#method = undefined;
        if (version === pcpVersion && this.#round.refusal === undefined) this.#move('pcp', now);
        else this.#refused(this.#round.refusal ?? refusal, now);
        return;
      case 'delete':
      case undefined: return;
    }
  }

  #handleNatPmp(answer: NatPmpAnswer, target: Target, now: number): void {
    switch (answer.kind) {
      case 'unreadable': return;
      case 'unsupported-version':
        if (this.#step?.kind !== 'pcp' || !target.isIpv4) return;
        this.#hasAnswered = true;
        this.#held.delete('pcp');
        this.#method = undefined;
        this.#move('address', now);
        return;
      case 'address': this.#addressTold(answer, now); return;
      case 'deleted':
        if (answer.internalPort === target.localPort) this.#deleted('nat-pmp');
        return;
      case 'refused': this.#natPmpRefused(answer, now); return;
      case 'mapped': {
        const { host } = this.#round;
        if (this.#step?.kind !== 'map' || host === undefined || answer.internalPort !== target.localPort) return;
        // Between the two answers it lost its mappings, and perhaps its address with them.
        const isDoubtful = this.#epoch.hasBegunAnew(answer.epochSeconds, 'nat-pmp', now);
        this.#mapped({ host, port: answer.externalPort }, answer, 'nat-pmp', now);
        if (isDoubtful) this.#notice(now);
      }
    }
  }

  #addressTold({ host, epochSeconds }: NatPmpAnswer & { readonly kind: 'address' }, now: number): void {
    const step = this.#step;
    if (step?.kind === 'address' || (step !== undefined && this.#asksAlongside(step))) {
      this.#answered(epochSeconds, now);
      this.#round.host = host;
      this.#move('map', now);
    } else if (step === undefined && this.#method === 'nat-pmp') {
      if (host !== this.#external?.host || this.#epoch.hasBegunAnew(epochSeconds, 'nat-pmp', now)) this.#notice(now);
    }
  }

  #natPmpRefused({ operation, reason, epochSeconds }: NatPmpAnswer & { readonly kind: 'refused' }, now: number): void {
    const step = this.#step;
    const refusal: Refusal = { reason, toldSeconds: undefined };
    if (step?.kind === 'delete' && operation === 'map') this.#deleted('nat-pmp');
    else if (step?.kind === operation) {
      this.#answered(epochSeconds, now);
      this.#held.delete('nat-pmp');
      this.#refused(refusal, now);
    } else if (step !== undefined && operation === 'address' && this.#asksAlongside(step)) {
      // PCP may still have better news.
      this.#round.refusal = refusal;
    }
  }

  #answered(epochSeconds: number, now: number): void {
    this.#hasAnswered = true;
    this.#epoch.remember(epochSeconds, now);
  }

  #mapped(external: SocketAddress, granted: { readonly lifetimeSeconds: number; readonly epochSeconds: number }, method: PortControlMethod, now: number): void {
    this.#answered(granted.epochSeconds, now);
    const lifetimeSeconds = Math.min(granted.lifetimeSeconds, lifetimeMaximumSeconds);
    if (lifetimeSeconds < lifetimeMinimumSeconds) {
      this.#refused({ reason: 'no-resources', toldSeconds: undefined }, now);
      return;
    }
    const lifetimeMs = lifetimeSeconds * secondMs;
    this.#step = undefined;
    this.#silentRounds = 0;
    this.#method = method;
    this.#external = external;
    this.#nextRoundMs = now + renewalMs(lifetimeMs, this.#random);
    this.#change({ kind: 'mapped', external, lifetimeSeconds, expiresAtMs: now + lifetimeMs, method });
  }

  #refused({ reason, toldSeconds }: Refusal, now: number): void {
    this.#step = undefined;
    this.#silentRounds = 0;
    this.#method = undefined;
    this.#nextRoundMs = now + refusalMs(reason, toldSeconds, this.#random);
    this.#change({ kind: 'refused', reason });
  }

  #silent(now: number): void {
    const kind = this.#step?.kind;
    this.#step = undefined;
    if (kind === 'delete') {
      this.#end();
    } else if (this.#state.kind === 'mapped') {
      this.#nextRoundMs = now + renewalMs(this.#state.expiresAtMs - now, this.#random);
    } else if (this.#round.refusal !== undefined) {
      this.#refused(this.#round.refusal, now);
    } else {
      this.#silentRounds += 1;
      this.#nextRoundMs = now + silenceMs(this.#silentRounds, this.#random);
      this.#change({ kind: 'none' });
    }
  }

  #expired(now: number): void {
    this.#method = undefined;
    this.#nextRoundMs = Math.max(now, this.#lastRoundMs + hostGapMs);
    this.#change({ kind: 'none' });
  }

  #deleted(method: PortControlMethod): void {
    if (this.#step?.kind !== 'delete') return;
    this.#held.delete(method);
    if (this.#held.size === 0) this.#end();
  }

  #noticeExternal(external: SocketAddress, method: PortControlMethod, now: number): void {
    if (this.#method !== method) return;
    if (external.host !== this.#external?.host || external.port !== this.#external.port) this.#notice(now);
  }

  /** Something may have changed: a reason to ask, no reason to believe. */
  #notice(now: number): void {
    if (this.#step !== undefined) return;
    this.#nextRoundMs = Math.min(this.#nextRoundMs, Math.max(now, this.#lastRoundMs + noticeGapMs) + noticeDelayMs(this.#random));
  }

  #end(): void {
    this.#target = undefined;
    this.#step = undefined;
    this.#method = undefined;
    this.#held.clear();
  }

  #change(state: PortControlState): void {
    const before = this.#state;
    this.#state = state;
    const isSame = state.kind === before.kind && (state.kind !== 'refused' || before.kind !== 'refused' || state.reason === before.reason);
    if (isSame && state.kind !== 'mapped') return;
    this.#changes.push(state);
    if (this.#changes.length > queueMaximum) this.#changes.shift();
  }

  #clock(nowMs: number): number {
    if (nowMs > this.#nowMs && nowMs <= clockMaximumMs) this.#nowMs = nowMs;
    return this.#nowMs === -Infinity ? 0 : this.#nowMs;
  }
}

function isOurs({ nonce, internalPort }: PcpEcho, target: Target): boolean {
  return internalPort === target.localPort && equalBytes(nonce, target.nonce);
}
