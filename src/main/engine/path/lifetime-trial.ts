/**
 * One silence of one length: does a mapping outlive it? (RFC 5780 section 4.6, with sealed questions.)
 *
 * A spare socket speaks with a relay twice, some seconds apart, and is silent then: many routers give a conversation its full time only once both sides have spoken for
 * longer than a moment, as sessions do. It gets a pass for its place, and so does the main socket. After the silence the main socket shows both. What arrives at the
 * spare socket proves that its mapping still lives. That nothing arrives there counts only where the main socket's own answers, asked for by a pass
 * just as old, arrived more than once: then the relay has not started anew, honours passes of that age, and not everything is lost.
 */
import type { Instant, PublicKeyHex } from '../wire/types.ts';
import type { Pass } from './observe-codec.ts';
import type { ObservationPort, PassNews, SpareSocket } from './observation-port.ts';
import type { ProbeSocket } from './types.ts';

/** Of the exchanges: a datagram without an answer is sent again after this, in ms, so often in all. */
const repeatAfterMs = 1_000;
const timesMaximum = 4;
/** From the first exchange to the second, in ms: Linux takes a UDP conversation for a lasting one after two seconds. */
export const lastingAfterMs = 3_000;
/** Rounds of questions after the silence; of the main socket's answers so many have to come, or nothing is concluded. */
const roundsMaximum = 4;
const controlsNeeded = 2;
/** A timer that came so much too late, in ms, measured a sleep and not a silence. */
const lateMaximumMs = 5_000;
/** Two sockets, two exchanges, lost ones again; and the questions. */
const probesWanted = 8;

export type TrialResult = 'outlived' | 'gone' | 'inconclusive';
type Phase = 'preparing' | 'first' | 'pausing' | 'second' | 'silent' | 'preparing-again' | 'asking' | 'over';

export class LifetimeTrial {
  readonly silenceMs: number;
  readonly #port: ObservationPort;
  readonly #relay: PublicKeyHex;
  readonly #done: (result: TrialResult, now: Instant) => void;
  readonly #socket: SpareSocket | undefined;
  readonly #passes = new Map<ProbeSocket, Pass>();
  #phase: Phase = 'preparing';
  #isBound = false;
  #hasTicket = false;
  #times = 0;
  #controls = 0;
  #nextAtMs: number;

  /** Begins at once; `done` comes once. */
  constructor(port: ObservationPort, relay: PublicKeyHex, silenceMs: number, now: Instant, done: (result: TrialResult, now: Instant) => void) {
    this.#port = port;
    this.#relay = relay;
    this.silenceMs = silenceMs;
    this.#done = done;
    this.#nextAtMs = now.monotonicMs + repeatAfterMs * timesMaximum * 2;
    this.#socket = port.bindSpare();
    this.#prepare(now, (at) => { this.#begin(at); });
  }

  /** Undefined once over. */
  get nextAtMs(): number | undefined { return this.#phase === 'over' ? undefined : this.#nextAtMs; }

  bound(socket: SpareSocket, port: number | undefined, now: Instant): void {
    if (socket !== this.#socket || this.#phase === 'over') return;
    if (port === undefined) { this.#end('inconclusive', now); return; }
    this.#isBound = true;
    this.#begin(now);
  }

  passed(news: PassNews, now: Instant): void {
    if (news.relay !== this.#relay || (news.at !== 'main' && news.at !== this.#socket)) return;
    if (news.kind === 'given') this.#given(news.at, news.pass, now);
    else if (this.#phase === 'asking') {
      if (news.at !== 'main') this.#end('outlived', now);
      else this.#controls += 1;
    }
  }

  handleTimeout(now: Instant): void {
    if (this.#phase === 'over' || now.monotonicMs < this.#nextAtMs) return;
    // A machine that slept in between knows nothing.
    if (now.monotonicMs - this.#nextAtMs > lateMaximumMs) { this.#end('inconclusive', now); return; }
    switch (this.#phase) {
      case 'preparing': case 'preparing-again': this.#end('inconclusive', now); return;
      case 'first': case 'second': this.#exchange(now); return;
      case 'pausing':
        this.#phase = 'second';
        this.#times = 0;
        this.#passes.clear();
        this.#exchange(now);
        return;
      case 'silent':
        this.#phase = 'preparing-again';
        this.#nextAtMs = now.monotonicMs + repeatAfterMs * timesMaximum * 2;
        this.#prepare(now, (at) => {
          if (this.#phase !== 'preparing-again') return;
          this.#phase = 'asking';
          this.#times = 0;
          this.#ask(at);
        });
        return;
      case 'asking': this.#ask(now); return;
    }
  }

  /** The network is another one, or nobody wants to know any more. */
  drop(): void {
    this.#phase = 'over';
    if (this.#socket !== undefined) this.#port.unbindSpare(this.#socket);
  }

  #prepare(now: Instant, then: (now: Instant) => void): void {
    if (this.#socket === undefined) { this.#nextAtMs = now.monotonicMs; return; }
    this.#port.prepare(this.#relay, probesWanted, now, ({ kind }, at) => {
      if (this.#phase === 'over') return;
      if (kind === 'failed') { this.#end('inconclusive', at); return; }
      this.#hasTicket = true;
      then(at);
    });
  }

  #begin(now: Instant): void {
    if (this.#phase !== 'preparing' || !this.#isBound || !this.#hasTicket) return;
    this.#phase = 'first';
    this.#exchange(now);
  }

  /** The main socket needs a pass from the second exchange alone. */
  #exchange(now: Instant): void {
    const wanted = this.#wanted().filter((socket) => !this.#passes.has(socket));
    if (this.#times >= timesMaximum) { this.#end('inconclusive', now); return; }
    this.#times += 1;
    this.#nextAtMs = now.monotonicMs + repeatAfterMs;
    for (const socket of wanted) this.#port.askPass(this.#relay, socket, now);
  }

  #wanted(): readonly ProbeSocket[] {
    const spare = this.#socket === undefined ? [] : [this.#socket];
    return this.#phase === 'second' ? ['main', ...spare] : spare;
  }

  #given(at: ProbeSocket, pass: Pass, now: Instant): void {
    // A late answer to a repeated question ends the silence as well: what comes in keeps many a mapping alive. The silence begins anew then.
    if (this.#phase === 'silent' && at !== 'main') { this.#nextAtMs = now.monotonicMs + this.silenceMs; return; }
    if (this.#phase !== 'first' && this.#phase !== 'second') return;
    this.#passes.set(at, pass);
    if (!this.#wanted().every((socket) => this.#passes.has(socket))) return;
    const isLasting = this.#phase === 'second';
    this.#phase = isLasting ? 'silent' : 'pausing';
    this.#nextAtMs = now.monotonicMs + (isLasting ? this.silenceMs : lastingAfterMs);
  }

  #ask(now: Instant): void {
    const [own, spare] = [this.#passes.get('main'), this.#socket === undefined ? undefined : this.#passes.get(this.#socket)];
    if (this.#times >= roundsMaximum || own === undefined || spare === undefined || this.#socket === undefined) {
      this.#end(this.#controls >= controlsNeeded ? 'gone' : 'inconclusive', now);
      return;
    }
    this.#times += 1;
    this.#nextAtMs = now.monotonicMs + repeatAfterMs;
    this.#port.askByPass(this.#relay, spare, this.#socket, now);
    this.#port.askByPass(this.#relay, own, 'main', now);
  }

  #end(result: TrialResult, now: Instant): void {
    this.drop();
    this.#done(result, now);
  }
}
