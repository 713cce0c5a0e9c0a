/**
 * The sending half of a visor: every letter that is not finished has a row here, and the row says what remains to be done.
 *
 * A row begins in stage `deposit`: its recipient's records are looked up, it is sealed once, and the same sealed bytes go to the recipient, if
 * there is a session with them, or to two of their relays. When enough of them have signed that they hold it, it goes to `await`: now and then the relays are asked what
 * became of it, and a copy that was lost or cannot be opened sends it back to `deposit`. A receipt from the recipient, or their answer, ends it. Retries
 * have full jitter and no count: only the TTL, a cancellation or a receipt end them. A cancelled letter whose copies may lie at
 * relays is in stage `withdraw` until these have let go of it.
 *
 * This file decides what is tried when. Beside it: outbox-turns.ts (how many at once), outbox-attempt.ts (one attempt), outbox-copies.ts (at
 * enough relays), outbox-present.ts and outbox-peers.ts (to recipients who are here), outbox-aftermath.ts (status, taking back, the end), outbox-sealing.ts, outbox-live.ts (pauses and time left), outbox-row.ts
 * (commits), outbox-relays.ts (the talk with relays).
 */
import { Deadlines } from '../deadlines.ts';
import { holders, mergeFacts } from './facts.ts';
import { OutboxAftermath } from './outbox-aftermath.ts';
import { OutboxAttempts } from './outbox-attempt.ts';
import { copiesWanted } from './outbox-copies.ts';
import { createLive, remainingMs, statusFirstMs, type Live, type WallClocks } from './outbox-live.ts';
import { OutboxPresent } from './outbox-present.ts';
import { OutboxRelays } from './outbox-relays.ts';
import { OutboxRows } from './outbox-row.ts';
import { seal } from './outbox-sealing.ts';
import { OutboxTurns } from './outbox-turns.ts';
import type { HopRow, LetterFacts, OutboxRow } from './visor-store.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { SessionId } from '../session/types.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';
import type { WaitReason } from '../../../shared/views.ts';
import type { VisorContext } from '../visor-context.ts';

export { copiesWanted };
/** After a change for the better status is asked this soon. */
const statusSoonMs = 2_000;
/** Reasons that end with a connection; the others are the relay's own word, and it said when to come again. */
const endedByLink: readonly (WaitReason | undefined)[] = [undefined, 'no-network', 'relay-unreachable', 'held-copy-lost', 'resealing', 'receipt-lost'];

export interface OutboxEvents {
  /** Why nothing can be reached right now: `no-network` when not even own relays are heard. */
  unreachableReason(): WaitReason;
  /** A row left for good; whoever waits to send the next one to that person may. */
  finished(row: OutboxRow, now: Instant): void;
  /** True once all own relays were drained after that monotonic time: no receipt can be waiting any more. */
  drainedSince(monotonicMs: number): boolean;
  /** A letter's time is over: is there a receipt at an own relay? */
  wantDrained(now: Instant): void;
  /** Wall time by any own relay; undefined when none was heard. */
  relayWallMs(now: Instant): number | undefined;
  readonly revoked: () => boolean;
  /** Somebody has said that they have that message, whose row had gone. */
  deliveredLate(messageId: string, recipient: PublicKeyHex, hop: HopRow): void;
  /** That session is none any more. */
  peerDown(sessionId: SessionId, now: Instant): void;
}

export class Outbox {
  readonly #context: VisorContext;
  readonly #recipients: Recipients;
  readonly #events: OutboxEvents;
  readonly #relays: OutboxRelays;
  readonly #rows: OutboxRows;
  readonly #aftermath: OutboxAftermath;
  readonly #live = new Map<string, Live>();
  readonly #turns: OutboxTurns;
  readonly #attempts: OutboxAttempts;
  readonly #present: OutboxPresent;
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, links: RelayLinks, recipients: Recipients, peers: PeerSessions, events: OutboxEvents) {
    this.#context = context;
    this.#recipients = recipients;
    this.#events = events;
    this.#relays = new OutboxRelays(context, links);
    this.#rows = new OutboxRows(context, recipients);
    this.#aftermath = new OutboxAftermath(context, recipients, this.#relays, this.#rows, this.#deadlines, {
      live: (id) => this.#live.get(id),
      clocks: (now) => this.#clocks(now),
      drainedSince: (monotonicMs) => events.drainedSince(monotonicMs),
      wantDrained: (now) => { events.wantDrained(now); },
      tryNow: (id, now) => { this.#makeReady(id, now); },
      schedule: (id, atMs) => { this.#schedule(id, atMs); },
      attemptEnded: (id, now) => { this.#attemptEnded(id, now); },
      finish: (row, facts, hops, now) => { this.#finish(row, facts, hops, now); },
    });
    this.#turns = new OutboxTurns((id) => this.#live.get(id), (id, now) => { this.#startTurn(id, now); });
    this.#present = new OutboxPresent(context, peers, recipients, this.#relays, this.#rows, this.#deadlines, {
      live: (id) => this.#live.get(id),
      clocks: (now) => this.#clocks(now),
      tryNow: (id, now) => { this.#makeReady(id, now); },
      finish: (row, facts, hops, now, done) => { this.#finish(row, facts, hops, now, done); },
      revoked: () => events.revoked(),
      deliveredLate: (message, hop) => { events.deliveredLate(message.id, message.recipient, hop); },
    });
    this.#attempts = new OutboxAttempts(context, recipients, this.#relays, this.#rows, this.#aftermath, this.#present, {
      clocks: (now) => this.#clocks(now),
      schedule: (id, atMs) => { this.#schedule(id, atMs); },
      ended: (id, now) => { this.#attemptEnded(id, now); },
      overtaken: (id, now) => { this.#attemptOvertaken(id, now); },
      finish: (row, facts, hops, now) => { this.#finish(row, facts, hops, now); },
      unreachableReason: () => events.unreachableReason(),
      revoked: () => events.revoked(),
    });
  }

  /** Takes up every row that the last run left. */
  start(now: Instant): void {
    for (const row of this.#rows.all()) {
      const live = this.#createLive(row, now);
      live.mayBeThere = row.sealed !== undefined;
      live.handedOver = live.mayBeThere;
      if (remainingMs(row, live, this.#clocks(now), now) === 0 && row.stage !== 'withdraw') { this.#aftermath.doubt(row, now); continue; }
      this.#begin(row, now, 0);
    }
  }

  sendingNow(id: string): boolean { return (this.#live.get(id)?.inFlight ?? 0) > 0; }
  /** No datagram of it has gone out: it may still say something else under its id. */
  neverLeft(id: string): boolean { return this.#live.get(id)?.mayBeThere === false; }
  nextTryMs(id: string): number | undefined { return this.#live.get(id)?.nextTryMs; }

  /** Puts a new row under way; it is in memory and its commit was sent before. */
  adopt(row: OutboxRow, now: Instant, notBeforeMs = 0): void {
    this.#createLive(row, now);
    this.#begin(row, now, notBeforeMs);
  }

  /** Seals into the same commit that queues the letter when all that is needed is at hand: one fsync less on the way. */
  sealedNow(row: OutboxRow, now: Instant): OutboxRow {
    const recipient = this.#recipients.known(row.recipient);
    if (recipient === undefined || !this.#recipients.isFresh(row.recipient, now)) return row;
    return seal(this.#context, row, recipient, now) ?? row;
  }

  /** Things changed for the better (the network, a relay, the person asked): what waits goes now, and pauses begin short again. */
  kick(now: Instant, which: (row: OutboxRow) => boolean = () => true): void {
    for (const row of this.#rows.all()) {
      const live = this.#live.get(row.id);
      if (live === undefined || !which(row)) continue;
      live.failures = 0;
      live.paused.clear();
      this.#goOn(row, live, now);
    }
  }

  /** A relay of somebody's is connected: letters for it do not wait out their pause, unless it was this relay that named one. */
  linkUp(link: RelayLink, now: Instant): void {
    const relay = link.hint.publicKey;
    for (const row of this.#rows.all()) {
      const hasIt = holders(row.facts).some((held) => held.relay === relay);
      if (row.stage !== 'await' && !hasIt && endedByLink.includes(row.lastReason) && this.#rows.goesTo(row, relay)) this.#makeReady(row.id, now);
    }
  }

  /** A relay has lost its memory, perhaps its mail: what it holds is asked for as well. */
  linkRestarted(link: RelayLink, now: Instant): void {
    for (const row of this.#rows.all()) {
      const live = this.#live.get(row.id);
      if (live !== undefined && this.#rows.goesTo(row, link.hint.publicKey)) this.#goOn(row, live, now);
    }
  }

  /** A session with somebody is there. */
  peerUp(publicKey: PublicKeyHex, now: Instant): void { this.#present.peerUp(publicKey, now); }

  peerDown(publicKey: PublicKeyHex, sessionId: SessionId, now: Instant): void {
    this.#present.peerDown(publicKey, sessionId, now);
    this.#events.peerDown(sessionId, now);
  }

  cancel(row: OutboxRow, now: Instant, done: () => void): void {
    const facts = mergeFacts(row.facts, { cancelledAtMs: now.wallMs });
    const hop: HopRow = { kind: 'cancelled', atMs: now.wallMs };
    // Sealed means that a relay may have it even if its receipt was lost.
    if (row.sealed === undefined) { this.#finish(row, facts, [hop], now, done); return; }
    this.#rows.update({ ...row, facts, stage: 'withdraw' }, [hop], { done: (_applied, at) => { done(); this.#makeReady(row.id, at); } });
  }

  /** A newer row says the same and more: this one ends without a word. The caller commits its deletion. */
  superseded(row: OutboxRow): void { this.#forget(row); }

  /** Merges facts that came from the recipient; false when there is no such row (any more). */
  confirm(id: string, sender: string, news: LetterFacts, hops: readonly HopRow[], now: Instant, done: () => void): boolean {
    const row = this.#rows.get(id);
    if (row === undefined || row.recipient !== sender) return false;
    const facts = mergeFacts(row.facts, news);
    const remaining = holders(facts).map((held) => held.relay);
    const hints = this.#rows.hints(row);
    this.#finish(row, facts, hops, now, (at) => {
      if (row.sealed !== undefined && remaining.length > 1) this.#relays.purge(row, remaining, hints, at);
      done();
    });
    return true;
  }

  /** Own relays were drained: letters whose time is over may now be called expired. */
  settleExpired(now: Instant): void {
    for (const row of this.#rows.all()) if (row.facts.unconfirmedAtMs !== undefined) this.#aftermath.expire(row, now);
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const space = key.indexOf(' ');
      const id = key.slice(space + 1);
      if (key.startsWith('status')) { this.#aftermath.askStatus(id, now); continue; }
      if (key.startsWith('peer')) { this.#present.headStartOver(id, now); continue; }
      if (key.startsWith('rest')) { this.#present.handOverRest(id, now); continue; }
      const row = this.#rows.get(id);
      if (row === undefined) continue;
      if (key.startsWith('expire')) this.#aftermath.expire(row, now);
      else this.#makeReady(id, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: `letter ${next.key.split(' ')[0] ?? ''}` };
  }

  #createLive(row: OutboxRow, now: Instant): Live {
    const live = createLive(row, this.#clocks(now), now);
    this.#live.set(row.id, live);
    return live;
  }

  #begin(row: OutboxRow, now: Instant, notBeforeMs: number): void {
    const live = this.#live.get(row.id);
    if (live === undefined) return;
    this.#aftermath.armExpiry(row, live, now);
    if (holders(row.facts).length > 0) this.#aftermath.watch(row.recipient, statusFirstMs, now);
    if (row.stage === 'await') return;
    if (row.stage === 'deposit') this.#present.want(row, now);
    if (notBeforeMs > 0) this.#schedule(row.id, now.monotonicMs + notBeforeMs);
    else this.#makeReady(row.id, now);
  }

  #goOn(row: OutboxRow, live: Live, now: Instant): void {
    if (holders(row.facts).length > 0) {
      live.statusDelayMs = statusFirstMs;
      this.#aftermath.watch(row.recipient, statusSoonMs, now);
    }
    if (row.stage !== 'await') this.#makeReady(row.id, now);
  }

  // --- turns ---------------------------------------------------------------------------------------------------------------

  #makeReady(id: string, now: Instant): void {
    const live = this.#live.get(id);
    if (live === undefined || live.active) return;
    live.nextTryMs = undefined;
    this.#deadlines.clear(`try ${id}`);
    this.#turns.want(id, now);
  }

  #startTurn(id: string, now: Instant): void {
    const row = this.#rows.get(id);
    const live = this.#live.get(id);
    if (row === undefined || live === undefined) this.#turns.ended(id);
    else if (row.stage === 'withdraw') this.#aftermath.withdraw(row, now);
    else this.#attempts.start(row, live, now);
  }

  #attemptEnded(id: string, now: Instant): void {
    // Cancelled while it was under way: the copies are taken back now.
    if (this.#turns.ended(id) && this.#rows.get(id)?.stage === 'withdraw') this.#schedule(id, now.monotonicMs);
    this.#turns.next(now);
  }

  /** What this attempt was about has changed under it; a row that is still to be handed over begins again. */
  #attemptOvertaken(id: string, now: Instant): void {
    this.#attemptEnded(id, now);
    if (this.#rows.get(id)?.stage === 'deposit') this.#makeReady(id, now);
  }

  // --- rows ------------------------------------------------------------------------------------------------------------------

  #finish(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], now: Instant, done?: (now: Instant) => void): void {
    this.#forget(row);
    this.#rows.remove(row, facts, hops, done === undefined ? {} : { done: (_applied, at) => { done(at); } });
    this.#events.finished(row, now);
    this.#turns.next(now);
  }

  #forget(row: OutboxRow): void {
    this.#turns.forget(row.id);
    this.#live.delete(row.id);
    this.#deadlines.clear(`try ${row.id}`);
    this.#deadlines.clear(`expire ${row.id}`);
  }

  #schedule(id: string, atMs: number): void {
    const live = this.#live.get(id);
    if (live === undefined) return;
    live.nextTryMs = atMs;
    this.#deadlines.set(`try ${id}`, atMs);
  }

  #clocks(now: Instant): WallClocks {
    return { ownMs: now.wallMs, correctedMs: this.#context.correctedWallMs(now), relayMs: this.#events.relayWallMs(now) };
  }
}
