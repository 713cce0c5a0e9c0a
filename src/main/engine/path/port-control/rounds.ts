/**
 * Rounds of asking: what is asked now and how often, what one round has come to, what there is in the end, and when it begins again (port-control.ts has the rules in
 * words). What an answer means is told by `pcp-answers.ts` and `nat-pmp-answers.ts`.
 */
import { encodeNatPmpAddress } from './nat-pmp-codec.ts';
import { deleteDatagram, mapDatagram, type Target } from './target.ts';
import { Epoch } from './epoch.ts';
import { portControlPort, type PortControlDatagram, type PortControlMethod, type PortControlState, type RefusalReason } from './port-control-types.ts';
import { hostGapMs, lifetimeMaximumSeconds, lifetimeMinimumSeconds, lifetimeWantedSeconds, noticeDelayMs, noticeGapMs, refusalMs, renewalMs, settleMs, silenceMs, waitMs, type Pace } from './schedule.ts';
import type { RandomBytes } from '../../crypto.ts';
import type { SocketAddress } from '../../wire/types.ts';

const secondMs = 1_000;
/** Questions that answers may call for in one round: PCP, its refusal, NAT-PMP's two, and one more. */
const movesMaximum = 4;
/** Of either queue; a caller that does not poll loses the oldest. */
const queueMaximum = 8;

/** A question that is open. `address` and `map` are NAT-PMP's. */
export interface Step { readonly kind: 'pcp' | 'address' | 'map' | 'delete'; readonly pace: Pace; readonly attempt: number; readonly dueMs: number }

export interface Refusal { readonly reason: RefusalReason; readonly toldSeconds: number | undefined }

/** What one round has come to so far. */
interface Round {
  moves: number;
  /** NAT-PMP's external address. */
  host: string | undefined;
  /** What is to be told if nothing else answers. */
  refusal: Refusal | undefined;
}

export class Rounds {
  readonly epoch = new Epoch();
  readonly outgoing: PortControlDatagram[] = [];
  /** States that nobody has taken yet. */
  readonly changes: PortControlState[] = [];
  state: PortControlState = { kind: 'idle' };
  target: Target | undefined;
  step: Step | undefined;
  round: Round = { moves: 0, host: undefined, refusal: undefined };
  nextRoundMs = Infinity;
  settleAtMs = Infinity;
  /** Of the present mapping. */
  method: PortControlMethod | undefined;
  /** What we have, or had before: to be had again. */
  external: SocketAddress | undefined;
  /** The gateway said something to us. */
  hasAnswered = false;
  /** By which a mapping may exist, known to us or not. */
  readonly held = new Set<PortControlMethod>();
  readonly #random: RandomBytes;
  #lastRoundMs = -Infinity;
  #silentRounds = 0;

  constructor(random: RandomBytes) { this.#random = random; }

  /** Another gateway, or another port of ours: nothing of before holds. */
  setTarget(target: Target): void {
    this.target = target;
    this.epoch.forget();
    this.external = undefined;
    this.hasAnswered = false;
    this.held.clear();
    this.#lastRoundMs = -Infinity;
  }

  beginAfresh(now: number): void {
    this.change({ kind: 'checking' });
    this.method = undefined;
    this.#silentRounds = 0;
    this.step = undefined;
    const atMs = Math.max(now, this.#lastRoundMs + hostGapMs);
    this.settleAtMs = atMs + settleMs;
    this.nextRoundMs = atMs;
    if (atMs === now) this.beginRound(now);
  }

  beginRound(now: number): void {
    this.#lastRoundMs = now;
    this.nextRoundMs = Infinity;
    this.round = { moves: 0, host: undefined, refusal: undefined };
    this.ask(this.method === 'nat-pmp' ? 'address' : 'pcp', this.#pace(), now);
  }

  #pace(): Pace { return this.state.kind === 'mapped' ? 'calm' : 'hasty'; }

  ask(kind: Step['kind'], pace: Pace, now: number): void {
    this.send({ kind, pace, attempt: 0, dueMs: now + (waitMs(pace, 0) ?? 0) });
  }

  /** Because of what an answer said. */
  move(kind: 'pcp' | 'address' | 'map', now: number): void {
    if (this.round.moves >= movesMaximum) return;
    this.round.moves += 1;
    this.ask(kind, this.#pace(), now);
  }

  send(step: Step): void {
    const target = this.target;
    this.step = step;
    if (target === undefined) return;
    switch (step.kind) {
      case 'pcp':
        this.#sendMap(target, 'pcp');
        if (this.asksAlongside(step)) this.#push(target, encodeNatPmpAddress());
        return;
      case 'address': this.#push(target, encodeNatPmpAddress()); return;
      case 'map': this.#sendMap(target, 'nat-pmp'); return;
      case 'delete': this.sendDeletions(target); return;
    }
  }

  asksAlongside({ kind, attempt }: Step): boolean {
    return kind === 'pcp' && attempt > 0 && this.method === undefined && this.target?.isIpv4 === true;
  }

  #sendMap(target: Target, method: PortControlMethod): void {
    this.held.add(method);
    this.#push(target, mapDatagram(target, method, lifetimeWantedSeconds, this.external));
  }

  sendDeletions(target: Target): void {
    if (!this.hasAnswered) return;
    for (const method of this.held) this.#push(target, deleteDatagram(target, method));
  }

  #push({ gateway }: Target, datagram: Uint8Array): void {
    this.outgoing.push({ to: { host: gateway, port: portControlPort }, datagram });
    if (this.outgoing.length > queueMaximum) this.outgoing.shift();
  }

  answered(epochSeconds: number, now: number): void {
    this.hasAnswered = true;
    this.epoch.remember(epochSeconds, now);
  }

  mapped(external: SocketAddress, granted: { readonly lifetimeSeconds: number; readonly epochSeconds: number }, method: PortControlMethod, now: number): void {
    this.answered(granted.epochSeconds, now);
    const lifetimeSeconds = Math.min(granted.lifetimeSeconds, lifetimeMaximumSeconds);
    if (lifetimeSeconds < lifetimeMinimumSeconds) {
      this.refused({ reason: 'no-resources', toldSeconds: undefined }, now);
      return;
    }
    const lifetimeMs = lifetimeSeconds * secondMs;
    this.step = undefined;
    this.#silentRounds = 0;
    this.method = method;
    this.external = external;
    this.nextRoundMs = now + renewalMs(lifetimeMs, this.#random);
    this.change({ kind: 'mapped', external, lifetimeSeconds, expiresAtMs: now + lifetimeMs, method });
  }

  refused({ reason, toldSeconds }: Refusal, now: number): void {
    this.step = undefined;
    this.#silentRounds = 0;
    this.method = undefined;
    this.nextRoundMs = now + refusalMs(reason, toldSeconds, this.#random);
    this.change({ kind: 'refused', reason });
  }

  silent(now: number): void {
    const kind = this.step?.kind;
    this.step = undefined;
    if (kind === 'delete') {
      this.end();
    } else if (this.state.kind === 'mapped') {
      this.nextRoundMs = now + renewalMs(this.state.expiresAtMs - now, this.#random);
    } else if (this.round.refusal !== undefined) {
      this.refused(this.round.refusal, now);
    } else {
      this.#silentRounds += 1;
      this.nextRoundMs = now + silenceMs(this.#silentRounds, this.#random);
      this.change({ kind: 'none' });
    }
  }

  expired(now: number): void {
    this.method = undefined;
    this.nextRoundMs = Math.max(now, this.#lastRoundMs + hostGapMs);
    this.change({ kind: 'none' });
  }

  deleted(method: PortControlMethod): void {
    if (this.step?.kind !== 'delete') return;
    this.held.delete(method);
    if (this.held.size === 0) this.end();
  }

  noticeExternal(external: SocketAddress, method: PortControlMethod, now: number): void {
    if (this.method !== method) return;
    if (external.host !== this.external?.host || external.port !== this.external.port) this.notice(now);
  }

  /** Something may have changed: a reason to ask, no reason to believe. */
  notice(now: number): void {
    if (this.step !== undefined) return;
    this.nextRoundMs = Math.min(this.nextRoundMs, Math.max(now, this.#lastRoundMs + noticeGapMs) + noticeDelayMs(this.#random));
  }

  end(): void {
    this.target = undefined;
    this.step = undefined;
    this.method = undefined;
    this.held.clear();
  }

  change(state: PortControlState): void {
    const before = this.state;
    this.state = state;
    const isSame = state.kind === before.kind && (state.kind !== 'refused' || before.kind !== 'refused' || state.reason === before.reason);
    if (isSame && state.kind !== 'mapped') return;
    this.changes.push(state);
    if (this.changes.length > queueMaximum) this.changes.shift();
  }
}
