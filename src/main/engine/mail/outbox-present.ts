/**
 * What the outbox does because a recipient is here, in a session of theirs and ours (the talk in it: outbox-peers.ts).
 *
 * A letter that is to be handed over goes to them first, and to relays when nothing comes of that. When a session begins, what waits here goes at once, and what relays took
 * a moment ago too: it may be quicker. Older letters that lie at relays are left to those, for whoever has just come fetches them anyway; but some that are still not
 * confirmed after a while - a relay may be away - are handed over too, and so on while the session lasts.
 */
import { holders, mergeFacts } from './facts.ts';
import { peerRoute } from './letter-way.ts';
import { remainingMs, type Live, type WallClocks } from './outbox-live.ts';
import { OutboxPeers, type PeerOutcome } from './outbox-peers.ts';
import { sealedAway } from './outbox-sealing.ts';
import type { Deadlines } from '../deadlines.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';
import type { OutboxRelays } from './outbox-relays.ts';
import type { OutboxRows } from './outbox-row.ts';
import type { HopRow, LetterFacts, OutboxRow } from './visor-store.ts';

/** A letter that a relay took within this time is most likely not on its recipient's disk yet. */
const justStoredMs = 2_000;
/** Time to fetch what lies at relays, before what is not confirmed is handed over as well; and how much of it at a time. */
const patienceMs = 10_000;
const lettersPerRound = 32;

/** What the outbox does for it. */
export interface PresentHooks {
  live(id: string): Live | undefined;
  clocks(now: Instant): WallClocks;
  tryNow(id: string, now: Instant): void;
  finish(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], now: Instant, done: (now: Instant) => void): void;
  revoked(): boolean;
  /** The row has gone before they said that they have the message. */
  deliveredLate(message: OutboxRow, hop: HopRow): void;
}

export interface HandingOver {
  /** It goes by relays, perhaps in addition. */
  readonly relays: (now: Instant) => void;
  /** They could not open it, and it is not sealed any more. */
  readonly again: (now: Instant) => void;
}

export class OutboxPresent {
  readonly #context: VisorContext;
  readonly #sessions: PeerSessions;
  readonly #recipients: Recipients;
  readonly #relays: OutboxRelays;
  readonly #rows: OutboxRows;
  readonly #deadlines: Deadlines;
  readonly #hooks: PresentHooks;
  readonly #peers: OutboxPeers;

  constructor(context: VisorContext, sessions: PeerSessions, recipients: Recipients, relays: OutboxRelays, rows: OutboxRows, deadlines: Deadlines, hooks: PresentHooks) {
    this.#context = context;
    this.#sessions = sessions;
    this.#recipients = recipients;
    this.#relays = relays;
    this.#rows = rows;
    this.#deadlines = deadlines;
    this.#hooks = hooks;
    this.#peers = new OutboxPeers(context, sessions, {
      arm: (id, atMs) => { deadlines.set(`peer ${id}`, atMs); },
      clear: (id) => { deadlines.clear(`peer ${id}`); },
    });
  }

  /** Somebody writes to them: a session may be worth while. */
  want(row: OutboxRow, now: Instant): void {
    if (this.#context.memory.contacts.get(row.recipient)?.standing === 'contact') this.#sessions.want(row.recipient, now);
  }

  mayTry(row: OutboxRow, live: Live, now: Instant): boolean { return !this.#hooks.revoked() && this.#peers.mayTry(row, live, now); }

  /** A sealed letter; only when it may be tried. */
  handOver(row: OutboxRow, live: Live, next: HandingOver, now: Instant): void {
    this.#peers.start(row, live, {
      relays: next.relays,
      sending: (by) => { live.inFlight += by; this.#rows.announce(row); },
      ended: (outcome, besideRelays, at) => { this.#ended(row, outcome, besideRelays ? undefined : next.again, at); },
    }, now);
  }

  peerUp(publicKey: PublicKeyHex, now: Instant): void {
    this.#peers.peerUp(publicKey);
    for (const row of this.#rowsOf(publicKey)) {
      const live = this.#hooks.live(row.id);
      if (live === undefined) continue;
      const justStored = holders(row.facts).some((held) => Math.abs(now.wallMs - held.sinceMs) < justStoredMs);
      if (row.stage === 'deposit' && !live.active) this.#hooks.tryNow(row.id, now);
      // Relays are being tried just now, and may take long over it.
      else if (row.stage === 'deposit' || (row.stage === 'await' && justStored)) this.#besideRelays(row, live, now);
    }
    this.#deadlines.set(`rest ${publicKey}`, now.monotonicMs + patienceMs);
  }

  peerDown(publicKey: PublicKeyHex, sessionId: SessionId, now: Instant): void {
    this.#peers.peerDown(publicKey, sessionId, now);
    if (this.#sessions.session(publicKey) === undefined) this.#deadlines.clear(`rest ${publicKey}`);
  }

  headStartOver(id: string, now: Instant): void { this.#peers.handleTimeout(id, now); }

  /** They have been here for a while, and some of what relays hold for them is not confirmed. */
  handOverRest(publicKey: PublicKeyHex, now: Instant): void {
    if (this.#sessions.session(publicKey) === undefined) return;
    const rest = this.#rowsOf(publicKey).filter((row) => row.stage === 'await' && row.facts.unconfirmedAtMs === undefined);
    if (rest.length === 0) return;
    for (const row of rest.slice(0, lettersPerRound)) {
      const live = this.#hooks.live(row.id);
      if (live !== undefined) this.#besideRelays(row, live, now);
    }
    this.#deadlines.set(`rest ${publicKey}`, now.monotonicMs + patienceMs);
  }

  /** In the order in which they were queued. */
  #rowsOf(publicKey: PublicKeyHex): readonly OutboxRow[] {
    return this.#rows.all().filter((row) => row.recipient === publicKey).sort((left, right) => left.queuedAtMs - right.queuedAtMs || left.sequence - right.sequence);
  }

  #besideRelays(row: OutboxRow, live: Live, now: Instant): void {
    if (row.sealed === undefined || live.endedMs !== undefined || remainingMs(row, live, this.#hooks.clocks(now), now) === 0 || !this.mayTry(row, live, now)) return;
    this.handOver(row, live, { relays: () => undefined, again: (at) => { this.#hooks.tryNow(row.id, at); } }, now);
  }

  #ended(tried: OutboxRow, outcome: PeerOutcome, again: ((now: Instant) => void) | undefined, now: Instant): void {
    switch (outcome) {
      case 'committed': this.#arrived(tried, now); return;
      case 'unopenable': this.#sealAgain(tried, again, now); return;
      case 'not-taken': return;
      default: outcome satisfies never;
    }
  }

  /** As good as a receipt: their device has said that it is on their disk. */
  #arrived(tried: OutboxRow, now: Instant): void {
    const hop: HopRow = { kind: 'delivered', atMs: now.wallMs, ...peerRoute(this.#sessions.pathOf(tried.recipient)) };
    const row = this.#rows.get(tried.id);
    if (row === undefined) {
      if (tried.kind === 'message') this.#hooks.deliveredLate(tried, hop);
      return;
    }
    // Deposits that are under way now may leave copies too.
    const relays = new Set([...holders(row.facts).map((held) => held.relay), ...(this.#hooks.live(row.id)?.laidAt ?? [])]);
    const hints = this.#rows.hints(row);
    this.#hooks.finish(row, mergeFacts(row.facts, { deliveredAtMs: now.wallMs }), [hop], now, (at) => { this.#relays.purge(row, [...relays], hints, at); });
  }

  /** Their device has changed, or lost its keys: the same message is sealed to what they have now. */
  #sealAgain(tried: OutboxRow, again: ((now: Instant) => void) | undefined, now: Instant): void {
    this.#recipients.invalidate(tried.recipient);
    const row = this.#rows.get(tried.id);
    if (row === undefined || row.stage === 'withdraw' || row.facts.unconfirmedAtMs !== undefined || row.sealed?.letterId !== tried.sealed?.letterId) { again?.(now); return; }
    const hop: HopRow = { kind: 'tried', atMs: now.wallMs, reason: 'resealing', ...peerRoute(this.#sessions.pathOf(row.recipient)) };
    this.#rows.update(sealedAway(row, now), [hop], { done: (_applied, at) => { if (again === undefined) this.#hooks.tryNow(row.id, at); else again(at); } });
  }
}
