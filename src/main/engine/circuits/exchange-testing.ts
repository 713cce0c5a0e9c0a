/** An exchange with sessions that are only numbers and addresses, whose requests wait until a test answers them. Not part of the product. */
import { nobleCrypto } from '../noble-crypto.ts';
import { seededRandom } from '../session/testing.ts';
import { mailboxKey } from '../wire/types.ts';
import { CircuitExchange } from './exchange.ts';
import type { HourlyBudget } from './hourly-budget.ts';
import { circuitOf, tunnelled, writeTunnelFrame } from './tunnel.ts';
import type { RandomBytes } from '../crypto.ts';
import type { RequestOptions, RequestOutcome } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, Mailbox, Negative, RequestBody } from '../wire/types.ts';

export const token = new Uint8Array(16).fill(7);
export const mailboxOf = (number: number): Mailbox => ({ identity: `02${number.toString(16).padStart(64, '0')}`, deviceId: '11'.repeat(16) });
export const yes: RequestOutcome = { kind: 'answered', payloads: [new Uint8Array(0)] };
export const no: RequestOutcome = { kind: 'negative', negative: { code: 'refused', retryAfterSeconds: 0, detail: 0 } };

export interface Asked { readonly sessionId: SessionId; readonly body: RequestBody; readonly options: RequestOptions }
/** Undefined while it waits: the number of the opener's end, or why not. */
export interface Wish { answer: number | Negative | undefined; answers: number }
export interface Sent { readonly sessionId: SessionId; readonly circuit: number; readonly datagram: Uint8Array }

export class ExchangeWorld {
  readonly exchange: CircuitExchange;
  readonly addresses = new Map<SessionId, string>();
  readonly registered = new Map<string, Set<SessionId>>();
  /** Requests of the relay without an outcome yet. */
  readonly asked: Asked[] = [];
  readonly sent: Sent[] = [];
  readonly counters = new Map<string, number>();
  /** Sessions that can take nothing now. */
  readonly deaf = new Set<SessionId>();
  ms = 1_000;
  /** The room that is used again and again, as that of the sessions is. */
  readonly #room = new Uint8Array(2_048);

  constructor(random: RandomBytes = seededRandom(1), hourly?: HourlyBudget) {
    this.exchange = new CircuitExchange({
      random, hourly, crypto: nobleCrypto, request: (sessionId, body, options) => { this.asked.push({ sessionId, body, options }); },
      send: (sessionId, frame) => {
        if (this.deaf.has(sessionId)) return false;
        this.sent.push({ sessionId, circuit: circuitOf(frame), datagram: tunnelled(frame).slice() });
        return true;
      },
      frameRoom: (sizeBytes) => this.#room.subarray(0, sizeBytes), sessionsOf: (mailbox) => [...this.registered.get(mailboxKey(mailbox)) ?? []],
      addressOf: (sessionId) => { const host = this.addresses.get(sessionId); return host === undefined ? undefined : { host, port: 4_000 }; },
      count: (counter) => { this.counters.set(counter, this.count(counter) + 1); },
    });
  }

  get now(): Instant { return { monotonicMs: this.ms, wallMs: 1_800_000_000_000 + this.ms }; }
  count(counter: string): number { return this.counters.get(counter) ?? 0; }

  connect(sessionId: SessionId, host = `192.0.${String(sessionId % 256)}.1`): SessionId {
    this.addresses.set(sessionId, host);
    return sessionId;
  }

  register(sessionId: SessionId, mailbox: Mailbox): void {
    if (!this.addresses.has(sessionId)) this.connect(sessionId);
    this.registered.set(mailboxKey(mailbox), (this.registered.get(mailboxKey(mailbox)) ?? new Set()).add(sessionId));
  }

  wish(sessionId: SessionId, mailbox: Mailbox, shown = token): Wish {
    const wish: Wish = { answer: undefined, answers: 0 };
    const set = (answer: number | Negative): void => { wish.answer = answer; wish.answers += 1; };
    this.exchange.wanted(sessionId, { verb: 'circuit', mailbox, token: shown }, {
      respond: (payload) => { set(payload.length === 4 ? new DataView(payload.buffer, payload.byteOffset).getUint32(0) : -1); },
      respondMany: () => { set(-1); }, refuse: (negative) => { set(negative); },
    }, this.now);
    return wish;
  }

  /** The requests of this verb that wait, of one session or all. */
  waiting(verb: 'connect' | 'hang-up', sessionId?: SessionId): readonly { readonly asked: Asked; readonly sessionId: SessionId; readonly circuit: number }[] {
    return this.asked.flatMap((asked) => {
      const { body } = asked;
      const isOne = (body.verb === 'connect' || body.verb === 'hang-up') && body.verb === verb && (sessionId === undefined || asked.sessionId === sessionId);
      return isOne ? [{ asked, sessionId: asked.sessionId, circuit: body.circuit }] : [];
    });
  }

  settle(asked: Asked, outcome: RequestOutcome): void {
    const index = this.asked.indexOf(asked);
    if (index < 0) throw new Error('that request has its outcome');
    this.asked.splice(index, 1);
    asked.options.done(outcome, this.now);
  }

  /** All that wait, in the order in which they were asked; returns their circuits by session. */
  settleAll(verb: 'connect' | 'hang-up', outcome: RequestOutcome, sessionId?: SessionId): readonly { readonly sessionId: SessionId; readonly circuit: number }[] {
    const waiting = this.waiting(verb, sessionId);
    for (const { asked } of waiting) this.settle(asked, outcome);
    return waiting.map((one) => ({ sessionId: one.sessionId, circuit: one.circuit }));
  }

  /** A circuit between the opener and the one session of this mailbox; the numbers of its ends. */
  open(opener: SessionId, mailbox: Mailbox): { readonly opener: number; readonly owner: number } {
    const wish = this.wish(opener, mailbox);
    const [asked] = this.settleAll('connect', yes);
    if (asked === undefined || typeof wish.answer !== 'number') throw new Error(`no circuit: ${JSON.stringify(wish)}`);
    return { opener: wish.answer, owner: asked.circuit };
  }

  frame(sessionId: SessionId, circuit: number, datagram: Uint8Array): void {
    this.exchange.frame(sessionId, writeTunnelFrame((sizeBytes) => new Uint8Array(sizeBytes), circuit, datagram), this.now);
  }

  hangUp(sessionId: SessionId, circuit: number): number {
    let answers = 0;
    this.exchange.hangUp(sessionId, { verb: 'hang-up', circuit }, { respond: (payload) => { answers += payload.length === 0 ? 1 : NaN; }, respondMany: () => undefined, refuse: () => undefined }, this.now);
    return answers;
  }

  /** @param lostFirst whether the request layer is told before the exchange is, or after it */
  close(sessionId: SessionId, lostFirst = true): void {
    this.addresses.delete(sessionId);
    for (const sessions of this.registered.values()) sessions.delete(sessionId);
    const lost = (): void => { for (const asked of this.asked.filter((one) => one.sessionId === sessionId)) this.settle(asked, { kind: 'session-lost' }); };
    if (lostFirst) lost();
    this.exchange.sessionClosed(sessionId, this.now);
    if (!lostFirst) lost();
  }

  /** To that time, by way of what is due before it. */
  runTo(ms: number): void {
    for (let next = this.exchange.pollTimeout(); next !== undefined && next.atMs <= ms; next = this.exchange.pollTimeout()) {
      this.ms = Math.max(this.ms, next.atMs);
      this.exchange.handleTimeout(this.now);
    }
    this.ms = Math.max(this.ms, ms);
  }
}

export const [opener, owner, stranger] = [1, 2, 3];
/** The owner's. */
export const mailbox = mailboxOf(1);
export const datagram = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, index) => index);
export const negative = (code: Negative['code'], retryAfterSeconds = 0): Negative => ({ code, retryAfterSeconds, detail: 0 });

/** With three sessions, of which one has registered. */
export function smallWorld(): ExchangeWorld {
  const made = new ExchangeWorld();
  made.connect(opener);
  made.register(owner, mailbox);
  made.connect(stranger);
  return made;
}

const rates: readonly string[] = ['rates', 'strays', 'deadlines'];
/** What is kept, bounded rates aside, and is not nothing. */
export function keptOf(made: ExchangeWorld): readonly string[] {
  return Object.entries(made.exchange.sizes).flatMap(([name, size]) => size === 0 || rates.includes(name) ? [] : [name]);
}
