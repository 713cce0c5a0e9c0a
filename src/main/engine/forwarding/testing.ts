/** A model network for tests: forwarders, holders and requesters, joined by messages that each take the same time. A session is the number of the other side. */
import { Forwarder, ShownName } from './forwarding.ts';
import type { ForwarderOptions, NegativeScope, Refusal, RerouteStep, ResponsePart } from './forwarding.ts';
import type { ItemKind } from './types.ts';

export const hopMs = 10;

interface Envelope { readonly from: number; readonly to: number; readonly nameId: string }
export type Message = Envelope & (
  | { readonly type: 'request'; readonly kind: ItemKind; readonly items: readonly number[]; readonly nonce: string; readonly hopLimit: number }
  | { readonly type: 'response'; readonly part: ResponsePart; readonly item: number; readonly payload: Uint8Array }
  | { readonly type: 'negative'; readonly scope: NegativeScope | undefined });

/** `honest` has every item of every name; `empty` says that it has none; `silent` never answers; `liar` sends something else. */
export type HolderManner = 'honest' | 'empty' | 'silent' | 'liar';

export const payloadOf = (nameId: string, item: number): Uint8Array => new TextEncoder().encode(`${nameId}/${String(item)}`);
const isTrue = (nameId: string, item: number, payload: Uint8Array): boolean => new TextDecoder().decode(payload) === `${nameId}/${String(item)}`;

export class ModelNetwork {
  readonly forwarders = new Map<number, Forwarder>();
  readonly holders = new Map<number, HolderManner>();
  /** What came to sessions that are neither: requesters. */
  readonly received: Message[] = [];
  /** Whether forwarders verify what they hand on. */
  verifying = true;
  /** For loss: false drops a message. */
  passes: (message: Message) => boolean = () => true;
  nowMs = 0;
  delivered = 0;
  requests = 0;
  #queue: { readonly atMs: number; readonly message: Message }[] = [];
  #nonces = 0;

  forwarder(number: number, options: ForwarderOptions = {}): Forwarder {
    const forwarder = new Forwarder(options);
    this.forwarders.set(number, forwarder);
    return forwarder;
  }

  /** A requester's request; returns its nonce. */
  ask(from: number, to: number, nameId: string, items: readonly number[], kind: ItemKind = 'fragment', hopLimit = 8): string {
    this.#nonces += 1;
    const nonce = `${String(from)}:${String(this.#nonces)}`;
    this.send({ type: 'request', from, to, nameId, kind, items, nonce, hopLimit });
    return nonce;
  }

  send(message: Message): void { this.#queue.push({ atMs: this.nowMs + hopMs, message }); }

  /** Until nothing is under way. @throws when there is no end to it. */
  settle(messagesMaximum = 100_000): void {
    for (let count = 0; this.#queue.length > 0; count += 1) {
      if (count >= messagesMaximum) throw new Error('the network does not come to rest');
      const batch = this.#queue;
      this.#queue = [];
      for (const { atMs, message } of batch) {
        this.nowMs = Math.max(this.nowMs, atMs);
        if (this.passes(message)) this.#deliver(message);
      }
    }
  }

  /** Lets time pass, with each deadline kept. */
  wait(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (const forwarder of this.forwarders.values()) {
      for (let due = forwarder.pollTimeout(); due !== undefined && due.atMs <= untilMs; due = forwarder.pollTimeout()) forwarder.handleTimeout(due.atMs);
    }
    this.nowMs = untilMs;
  }

  payloadsFor(requester: number): string[] {
    return this.received.flatMap((message) => (message.to === requester && message.type === 'response' ? [new TextDecoder().decode(message.payload)] : []));
  }

  negativesFor(requester: number): number { return this.received.filter((message) => message.to === requester && message.type === 'negative').length; }

  apply(at: number, step: RerouteStep): void {
    for (const { to, ...rest } of step.forwards) this.send({ type: 'request', from: at, to, ...rest });
    for (const refusal of step.refusals) this.#tell(at, refusal);
  }

  #tell(at: number, { nameId, scope, sessions }: Refusal): void {
    for (const session of sessions) this.send({ type: 'negative', from: at, to: session, nameId, scope });
  }

  #deliver(message: Message): void {
    this.delivered += 1;
    if (message.type === 'request') this.requests += 1;
    const forwarder = this.forwarders.get(message.to);
    const manner = this.holders.get(message.to);
    if (forwarder !== undefined) this.#forward(message.to, forwarder, message);
    else if (manner === undefined) this.received.push(message);
    else if (message.type === 'request') this.#serve(message.to, manner, message);
  }

  #serve(at: number, manner: HolderManner, request: Extract<Message, { type: 'request' }>): void {
    const back = { from: at, to: request.from, nameId: request.nameId };
    if (manner === 'empty') this.send({ ...back, type: 'negative', scope: undefined });
    if (manner === 'empty' || manner === 'silent') return;
    for (const item of request.items) {
      const payload = payloadOf(manner === 'liar' ? 'a lie' : request.nameId, item);
      const parts: readonly ResponsePart[] = request.kind === 'fragment' ? ['fragment'] : ['path', 'ahead'];
      for (const part of parts) this.send({ ...back, type: 'response', part, item, payload });
    }
  }

  #forward(at: number, forwarder: Forwarder, message: Message): void {
    const { from, nameId } = message;
    switch (message.type) {
      case 'request': {
        const name = ShownName.from(nameId, nameId, (id) => id);
        if (name === undefined) return;
        const { kind, items, nonce, hopLimit } = message;
        const step = forwarder.request({ from, name, kind, items, nonce, hopLimit }, this.nowMs);
        for (const { part, item, payload } of step.cached) this.send({ type: 'response', from: at, to: from, nameId, part, item, payload });
        if (step.forward !== undefined) this.send({ type: 'request', from: at, ...step.forward });
        if (step.refused !== undefined) this.send({ type: 'negative', from: at, to: from, nameId, scope: step.refused === 'no-holder' ? undefined : { kind, items } });
        return;
      }
      case 'response': {
        const { part, item, payload } = message;
        if (this.verifying && !isTrue(nameId, item, payload)) {
          this.apply(at, forwarder.lied(from, nameId, part, item, this.nowMs));
          return;
        }
        for (const to of forwarder.response({ from, nameId, part, item, payload, verified: this.verifying }, this.nowMs)) this.send({ ...message, from: at, to });
        return;
      }
      case 'negative':
        this.apply(at, forwarder.negative(from, nameId, message.scope, this.nowMs));
    }
  }
}
