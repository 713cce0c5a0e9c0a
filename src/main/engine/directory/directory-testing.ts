/** A directory role with peers that answer as they are told, on a simulated clock. For tests only. */
import { nobleCrypto } from '../noble-crypto.ts';
import { createIdentityRecord } from '../wire/record.ts';
import { decodeResolved } from '../wire/resolved.ts';
import { bundleOf, recordOf, type Device } from '../mail/mailbox-testing.ts';
import { DirectoryRole } from './directory-role.ts';
import type { RequestHandler } from '../directed/types.ts';
import type { Instant, Negative, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { RelayAnswer } from './ask-relay.ts';
import type { FoundRecords } from './found-records.ts';

export const wallStartSeconds = 1_800_000_000;
export const nothing: RelayAnswer = { kind: 'nothing', isBusy: false };

/** What an honest peer has of that person. */
export function served(owner: Device, sequence: number, bundle: Uint8Array | undefined = bundleOf(owner, sequence).bytes): RelayAnswer {
  return { kind: 'served', resolved: { record: recordOf([owner], sequence).bytes, bundle } };
}

/** The longest that there can be. */
export const longRecordOf = (owner: Device, sequence: number, relays: readonly RelayHint[]): ReturnType<typeof createIdentityRecord> =>
  createIdentityRecord({ identitySecret: owner.secret, sequence, notAfterSeconds: sequence + 86_400, devices: [owner.certificate], relays });

export type Reply = { readonly record: Uint8Array; readonly bundle: Uint8Array | undefined } | { readonly negative: Negative };
interface Asked { readonly peer: number; readonly identity: PublicKeyHex; readonly answer: (answer: RelayAnswer) => void }

export class DirectoryWorld {
  readonly role: DirectoryRole;
  readonly held = new Map<PublicKeyHex, FoundRecords>();
  readonly asked: Asked[] = [];
  readonly counters = new Map<string, number>();
  nowMs = 1_000;
  #handler: RequestHandler | undefined;

  constructor(peers: number) {
    this.role = new DirectoryRole({
      crypto: nobleCrypto,
      directed: { handle: (_verb, handler) => { this.#handler = handler; } },
      peers: { count: peers, ask: (peer, identity, _now, done) => { this.asked.push({ peer, identity, answer: (answer) => { done(answer, this.now); } }); } },
      held: (identity, now, then) => { then(this.held.get(identity), now); },
      addressOf: (sessionId) => ({ host: `192.0.${String(sessionId >> 8)}.${String(sessionId & 0xff)}` }),
      count: (counter) => { this.counters.set(counter, (this.counters.get(counter) ?? 0) + 1); },
    });
  }

  get now(): Instant { return { monotonicMs: this.nowMs, wallMs: wallStartSeconds * 1_000 + this.nowMs }; }

  hold(owner: Device, sequence: number): void { this.held.set(owner.mailbox.identity, { record: recordOf([owner], sequence), bundle: bundleOf(owner, sequence) }); }

  /** What the session is told, once it is. */
  ask(owner: Device | PublicKeyHex, onward = true, sessionId = 1): { reply: Reply | undefined } {
    const identity = typeof owner === 'string' ? owner : owner.mailbox.identity;
    const told: { reply: Reply | undefined } = { reply: undefined };
    const respond = (payloads: readonly Uint8Array[]): void => { told.reply = decodeResolved(payloads); };
    this.#handler?.(sessionId, { verb: 'resolve', identity, onward }, {
      respond: (payload) => { respond([payload]); }, respondMany: respond, refuse: (negative) => { told.reply = { negative }; },
    }, this.now);
    return told;
  }

  /** Each question that waits is answered by its peer. */
  answer(...answers: readonly RelayAnswer[]): void {
    for (const one of this.asked.splice(0)) { const answer = answers[one.peer]; if (answer !== undefined) one.answer(answer); }
  }

  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (let due = this.role.pollTimeout(); due !== undefined && due.atMs <= endMs; due = this.role.pollTimeout()) {
      this.nowMs = Math.max(this.nowMs, due.atMs);
      this.role.handleTimeout(this.now);
    }
    this.nowMs = endMs;
  }
}
