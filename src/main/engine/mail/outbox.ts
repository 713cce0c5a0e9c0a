/**
 * The sending half of a visor: every letter that is not finished has a row here, and the row says what remains to be done.
 *
 * A row begins in stage `deposit`: its recipient's records are looked up, it is sealed once, and the same sealed bytes go to two of the
 * recipient's relays. When enough of them have signed that they hold it, it goes to `await`: now and then the relays are asked what
 * became of it, and a copy that was lost or cannot be opened sends it back to `deposit`. A receipt from the recipient ends it. Retries
 * have full jitter and no count: only the TTL, a cancellation or a receipt end them. A cancelled letter whose copies may lie at
 * relays is in stage `withdraw` until these have let go of it.
 *
 * This file schedules and commits; sealing is in outbox-sealing.ts, the talk with relays in outbox-relays.ts.
 */
import { Deadlines } from '../deadlines.ts';
import { fullJitterMs } from '../random.ts';
import { holders, isSettled, mergeFacts } from './facts.ts';
import { needsSealing, seal } from './outbox-sealing.ts';
import { OutboxRelays, type DepositOutcome } from './outbox-relays.ts';
import type { HopRow, LetterFacts, OutboxRow, VisorChange } from './visor-store.ts';
import type { EngineChange } from '../engine-types.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { Recipient, Recipients } from '../overlay/recipients.ts';
import type { Instant } from '../wire/types.ts';
import type { WaitReason } from '../../../shared/views.ts';
import type { CommitOptions, VisorContext } from '../visor-context.ts';

/** Copies wanted: any two of the recipient's relays (architecture 10). */
export const copiesWanted = 2;
const retryBaseMs = 1_000;
const retryCapMs = 5 * 60_000;
/** A full relay is asked again after its own word, growing by half each time, up to this (architecture 7). */
const quotaCapMs = 6 * 3_600_000;
const statusFirstMs = 60_000;
const statusCapMs = 30 * 60_000;
/** Letters in some relay conversation at once; the rest wait their turn, so that a thousand queued letters do not fill every table. */
const activeMaximum = 256;

interface Live {
  active: boolean;
  inFlight: number;
  nextTryMs: number | undefined;
  quotaRefusals: number;
  statusDelayMs: number;
  /** Relays that refused the token: the letter goes to their stranger lane. */
  readonly withoutToken: Set<string>;
}

export interface OutboxEvents {
  /** Why nothing can be reached right now: `no-network` when not even own relays are heard. */
  unreachableReason(): WaitReason;
  /** A row left for good; whoever waits to send the next one to that person may. */
  finished(row: OutboxRow, now: Instant): void;
  /** True once all own relays were drained after that wall time: no receipt can be waiting any more. */
  drainedSince(wallMs: number): boolean;
  readonly revoked: () => boolean;
}

export class Outbox {
  readonly #context: VisorContext;
  readonly #recipients: Recipients;
  readonly #events: OutboxEvents;
  readonly #relays: OutboxRelays;
  readonly #live = new Map<string, Live>();
  readonly #ready: string[] = [];
  readonly #deadlines = new Deadlines();
  #active = 0;

  constructor(context: VisorContext, links: RelayLinks, recipients: Recipients, events: OutboxEvents) {
    this.#context = context;
    this.#recipients = recipients;
    this.#events = events;
    this.#relays = new OutboxRelays(context, links);
  }

  /** Takes up every row that the last run left. */
  start(now: Instant): void {
    for (const row of this.#context.memory.outbox.values()) this.adopt(row, now);
  }

  sendingNow(id: string): boolean { return (this.#live.get(id)?.inFlight ?? 0) > 0; }
  nextTryMs(id: string): number | undefined { return this.#live.get(id)?.nextTryMs; }

  /** Puts a new or loaded row under way; the row is in memory and its commit was sent before. */
  adopt(row: OutboxRow, now: Instant, notBeforeMs = 0): void {
    this.#live.set(row.id, { active: false, inFlight: 0, nextTryMs: undefined, quotaRefusals: 0, statusDelayMs: statusFirstMs, withoutToken: new Set() });
    this.#armExpiry(row, now);
    if (row.stage === 'await') this.#deadlines.set(`status ${row.recipient}`, now.monotonicMs + statusFirstMs);
    else if (notBeforeMs > 0) this.#schedule(row.id, now.monotonicMs + notBeforeMs);
    else this.#makeReady(row.id, now);
  }

  /** Seals into the same commit that queues the letter when all that is needed is at hand: one fsync less on the way. */
  sealedNow(row: OutboxRow, now: Instant): OutboxRow {
    const recipient = this.#recipients.known(row.recipient);
    if (recipient === undefined || !this.#recipients.isFresh(row.recipient, now)) return row;
    return seal(this.#context, row, recipient, now) ?? row;
  }

  /** Everything that waits for a retry goes now: the network changed, a relay came back, the person asked. */
  kick(now: Instant, which: (row: OutboxRow) => boolean = () => true): void {
    for (const row of [...this.#context.memory.outbox.values()]) {
      if (!which(row)) continue;
      const live = this.#live.get(row.id);
      if (live === undefined || live.active) continue;
      live.quotaRefusals = 0;
      if (row.stage === 'await') {
        live.statusDelayMs = statusFirstMs;
        this.#deadlines.set(`status ${row.recipient}`, now.monotonicMs + Math.min(statusFirstMs, 2_000));
      } else this.#makeReady(row.id, now);
    }
  }

  /** A relay of somebody's is connected again: letters for it do not wait out their pause. */
  linkUp(link: RelayLink, now: Instant): void {
    this.kick(now, (row) => row.stage !== 'await' && this.#goesTo(row, link.hint.publicKey));
  }

  linkRestarted(link: RelayLink, now: Instant): void {
    this.kick(now, (row) => this.#goesTo(row, link.hint.publicKey));
  }

  cancel(row: OutboxRow, now: Instant, done: () => void): void {
    const facts = mergeFacts(row.facts, { cancelledAtMs: now.wallMs });
    const hop: HopRow = { kind: 'cancelled', atMs: now.wallMs };
    // Sealed means that a relay may have it even if its receipt was lost.
    if (row.sealed === undefined) { this.#finish(row, facts, [hop], now, { done }); return; }
    this.#update({ ...row, facts, stage: 'withdraw' }, [hop], { done: (_applied, at) => { done(); this.#makeReady(row.id, at); } });
  }

  /** A receipt of the recipient, or what the outbox itself found out. The row's last facts go to the message, then it is gone. */
  #finish(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], now: Instant, options: { done?: () => void } = {}): void {
    this.#forget(row);
    const changes: VisorChange[] = [{ kind: 'delete-outbox', id: row.id }];
    const announce: EngineChange[] = [{ kind: 'outbox-removed', messageId: row.id }];
    this.#messageChanges(row, facts, hops, changes, announce);
    this.#context.commit(changes, { announce, ...(options.done === undefined ? {} : { done: options.done }) });
    this.#events.finished(row, now);
  }

  /** Merges facts that came from the recipient; undefined when there is no such row (any more). */
  confirm(id: string, sender: string, news: LetterFacts, hops: readonly HopRow[], now: Instant, done: () => void): boolean {
    const row = this.#context.memory.outbox.get(id);
    if (row === undefined || row.recipient !== sender) return false;
    const facts = mergeFacts(row.facts, news);
    const remaining = holders(facts);
    if (row.sealed !== undefined && remaining.length > 1) this.#relays.purge(row, remaining.map((held) => held.relay), this.#hints(row), now);
    this.#finish(row, facts, hops, now, { done });
    return true;
  }

  /** Own relays were drained: letters whose time is over may now be called expired. */
  settleExpired(now: Instant): void {
    for (const row of [...this.#context.memory.outbox.values()]) {
      if (row.facts.unconfirmedAtMs !== undefined) this.#expire(row, now);
    }
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const space = key.indexOf(' ');
      const id = key.slice(space + 1);
      if (key.startsWith('status')) { this.#askStatus(id, now); continue; }
      const row = this.#context.memory.outbox.get(id);
      if (row === undefined) continue;
      if (key.startsWith('expire')) this.#expire(row, now);
      else this.#makeReady(id, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: `letter ${next.key.split(' ')[0] ?? ''}` };
  }

  // --- one attempt ---------------------------------------------------------------------------------------------------------

  #makeReady(id: string, now: Instant): void {
    const live = this.#live.get(id);
    if (live === undefined || live.active) return;
    live.nextTryMs = undefined;
    this.#deadlines.clear(`try ${id}`);
    live.active = true;
    this.#ready.push(id);
    this.#startReady(now);
  }

  #startReady(now: Instant): void {
    while (this.#active < activeMaximum) {
      const id = this.#ready.shift();
      if (id === undefined) return;
      const row = this.#context.memory.outbox.get(id);
      if (row === undefined || !this.#live.has(id)) continue;
      this.#active += 1;
      if (row.stage === 'withdraw') this.#withdraw(row, now);
      else this.#attempt(row, now);
    }
  }

  #attempt(row: OutboxRow, now: Instant): void {
    if (row.stage !== 'deposit') { this.#attemptEnded(row.id, now); return; }
    const contact = this.#context.memory.contacts.get(row.recipient);
    if (this.#events.revoked()) { this.#retryLater(row, 'no-network', now, retryCapMs); return; }
    // Strangers get no receipts before they are accepted; accepting kicks the row.
    if (contact === undefined || contact.standing === 'blocked' || (contact.standing === 'request' && row.kind !== 'message')) { this.#attemptEnded(row.id, now); return; }
    this.#recipients.lookup(row.recipient, now, (result, at) => {
      const current = this.#context.memory.outbox.get(row.id);
      if (current?.stage !== 'deposit') { this.#attemptEnded(row.id, at); return; }
      if (!result.ok) { this.#retryLater(current, result.reason === 'relay-unreachable' ? this.#events.unreachableReason() : result.reason, at); return; }
      if (!needsSealing(current, result.recipient, at)) { this.#deposit(current, result.recipient, at); return; }
      const sealed = seal(this.#context, current, result.recipient, at);
      if (sealed === undefined) { this.#fail(current, at); return; }
      this.#update(sealed, [{ kind: 'sealed', atMs: at.wallMs }], {
        done: (_applied, then) => {
          const again = this.#context.memory.outbox.get(row.id);
          if (again?.stage === 'deposit') this.#deposit(again, result.recipient, then);
          else this.#attemptEnded(row.id, then);
        },
      });
    });
  }

  #deposit(row: OutboxRow, recipient: Recipient, now: Instant): void {
    const live = this.#live.get(row.id);
    if (live === undefined) return;
    const holding = new Set(holders(row.facts).map((held) => held.relay));
    const wanted = Math.min(copiesWanted, recipient.relays.length);
    const missing = wanted - holding.size;
    const open = recipient.relays.filter((relay) => !holding.has(relay.publicKey));
    if (recipient.relays.length === 0) { this.#retryLater(row, 'no-relay-known', now); return; }
    if (missing <= 0 || open.length === 0) { this.#toAwait(row, now); return; }
    // Up to two at a time; a third relay is tried only when one of these fails, so that copies stay few.
    const queue = this.#relays.byReadiness(open);
    let running = 0;
    let stored = 0;
    let ended = false;
    let worst: DepositOutcome & { kind: 'refused' } | undefined;
    const next = (at: Instant): void => {
      while (!ended && running + stored < missing) {
        const hint = queue.shift();
        if (hint === undefined) break;
        running += 1;
        const token = live.withoutToken.has(hint.publicKey) ? undefined : this.#context.memory.contacts.get(row.recipient)?.depositToken;
        this.#relays.deposit(row, hint, token, this.#remainingSeconds(row, at), at, {
          sending: () => { this.#countInFlight(row, live, 1); },
          done: (outcome, sent, then) => {
            if (sent) this.#countInFlight(row, live, -1);
            running -= 1;
            if (outcome.kind === 'held') { stored += 1; this.#heldBy(row.id, outcome, then); }
            else {
              if (outcome.reason === 'relay-refused' && token !== undefined) live.withoutToken.add(hint.publicKey);
              if (outcome.recordsStale) this.#recipients.invalidate(row.recipient);
              if (worst === undefined || outcome.retryAfterMs > worst.retryAfterMs) worst = outcome;
            }
            next(then);
          },
        });
      }
      if (running > 0 || ended) return;
      ended = true;
      const current = this.#context.memory.outbox.get(row.id);
      if (current?.stage !== 'deposit') { this.#attemptEnded(row.id, at); return; }
      if (holders(current.facts).length >= wanted) { this.#toAwait(current, at); return; }
      const reason = worst?.reason ?? 'relay-unreachable';
      const pause = worst !== undefined && worst.retryAfterMs > 0 ? Math.min(quotaCapMs, worst.retryAfterMs * 1.5 ** live.quotaRefusals) : 0;
      if (pause > 0) live.quotaRefusals += 1;
      this.#retryLater(current, reason === 'relay-unreachable' ? this.#events.unreachableReason() : reason, at, pause);
    };
    next(now);
  }

  #countInFlight(row: OutboxRow, live: Live, by: number): void {
    live.inFlight += by;
    this.#context.announce({ kind: 'outbox', messageId: row.id }, { kind: 'message', messageId: row.id, conversationId: this.#conversationId(row) });
  }

  #heldBy(id: string, outcome: DepositOutcome & { kind: 'held' }, now: Instant): void {
    const row = this.#context.memory.outbox.get(id);
    if (row === undefined) return;
    const news: LetterFacts = {
      held: [{ relay: outcome.relay, sinceMs: now.wallMs, untilMs: now.wallMs + outcome.expiresInMs }],
      ...(outcome.fetched ? { fetchedAtMs: now.wallMs } : {}),
    };
    const hop: HopRow = { kind: 'held', atMs: now.wallMs, relay: outcome.relay, path: 'relay over UDP', untilMs: now.wallMs + outcome.expiresInMs };
    this.#update({ ...row, facts: mergeFacts(row.facts, news) }, [hop], {});
  }

  #toAwait(row: OutboxRow, now: Instant): void {
    this.#attemptEnded(row.id, now);
    // Nothing comes back for receipts and resume notes: held is as far as they go.
    if (row.kind === 'receipt' || row.kind === 'resume') { this.#finish(row, row.facts, [], now); return; }
    this.#update({ ...row, stage: 'await', lastReason: undefined }, [], {});
    const at = this.#deadlines.at(`status ${row.recipient}`);
    if (at === undefined) this.#deadlines.set(`status ${row.recipient}`, now.monotonicMs + statusFirstMs);
  }

  #retryLater(row: OutboxRow, reason: WaitReason, now: Instant, pauseMs = 0): void {
    this.#attemptEnded(row.id, now);
    const delayMs = pauseMs > 0 ? pauseMs : Math.max(250, fullJitterMs(this.#context.random, row.attempts, retryBaseMs, retryCapMs));
    this.#schedule(row.id, now.monotonicMs + delayMs);
    const changed = row.lastReason !== reason;
    const hops: HopRow[] = changed ? [{ kind: 'tried', atMs: now.wallMs, reason }] : [];
    this.#update({ ...row, attempts: row.attempts + 1, lastReason: reason }, hops, {});
  }

  #fail(row: OutboxRow, now: Instant): void {
    this.#attemptEnded(row.id, now);
    this.#finish(row, mergeFacts(row.facts, { failed: { reason: 'too-large', atMs: now.wallMs } }), [{ kind: 'failed', atMs: now.wallMs, reason: 'too-large' }], now);
  }

  #attemptEnded(id: string, now: Instant): void {
    const live = this.#live.get(id);
    // A row that was finished meanwhile gave its place back when it was forgotten.
    if (live?.active !== true) return;
    live.active = false;
    this.#active = Math.max(0, this.#active - 1);
    // Cancelled while it was under way: the copies are taken back now.
    if (this.#context.memory.outbox.get(id)?.stage === 'withdraw') this.#schedule(id, now.monotonicMs);
    this.#startReady(now);
  }

  // --- afterwards -----------------------------------------------------------------------------------------------------------

  #askStatus(recipient: string, now: Instant): void {
    const rows = [...this.#context.memory.outbox.values()].filter((row) => row.recipient === recipient && row.stage === 'await' && row.sealed !== undefined);
    if (rows.length === 0) return;
    let delayMs = statusCapMs;
    for (const row of rows) {
      const live = this.#live.get(row.id);
      if (live === undefined) continue;
      delayMs = Math.min(delayMs, live.statusDelayMs);
      live.statusDelayMs = Math.min(statusCapMs, live.statusDelayMs * 2);
    }
    this.#deadlines.set(`status ${recipient}`, now.monotonicMs + delayMs);
    this.#relays.askStatus(rows, (row) => this.#hints(row), now, (id, relay, state, at) => { this.#learnStatus(id, relay, state, at); });
  }

  #learnStatus(id: string, relay: string, state: 'lost' | 'fetched' | 'unopenable', now: Instant): void {
    const row = this.#context.memory.outbox.get(id);
    if (row?.stage !== 'await') return;
    if (state === 'fetched') {
      if (row.facts.fetchedAtMs !== undefined) return;
      this.#update({ ...row, facts: mergeFacts(row.facts, { fetchedAtMs: now.wallMs }) }, [{ kind: 'fetched', atMs: now.wallMs, relay }], {});
      return;
    }
    const held = (row.facts.held ?? []).find((one) => one.relay === relay);
    const facts = held === undefined ? row.facts : mergeFacts(row.facts, { held: [{ ...held, lostAtMs: Math.max(now.wallMs, held.sinceMs) }] });
    const hop: HopRow = { kind: 'lost', atMs: now.wallMs, relay, reason: state };
    if (state === 'unopenable') {
      // Their device has changed, or lost its keys: seal the same message again to what they have now.
      this.#recipients.invalidate(row.recipient);
      this.#update({ ...row, facts, sealed: undefined, stage: 'deposit', lastReason: 'resealing' }, [hop], { done: (_applied, at) => { this.#makeReady(id, at); } });
    } else if (holders(facts).length === 0 && facts.fetchedAtMs === undefined) {
      this.#update({ ...row, facts, stage: 'deposit', lastReason: 'held-copy-lost' }, [hop], { done: (_applied, at) => { this.#makeReady(id, at); } });
    } else this.#update({ ...row, facts }, [hop], {});
  }

  #withdraw(row: OutboxRow, now: Instant): void {
    this.#relays.withdraw(row, this.#hints(row), now, (allAnswered, fetched, at) => {
      this.#attemptEnded(row.id, at);
      const current = this.#context.memory.outbox.get(row.id);
      if (current?.stage !== 'withdraw') return;
      const facts = fetched ? mergeFacts(current.facts, { fetchedAtMs: at.wallMs }) : current.facts;
      if (allAnswered) { this.#finish(current, facts, fetched ? [{ kind: 'fetched', atMs: at.wallMs }] : [], at); return; }
      this.#schedule(row.id, at.monotonicMs + Math.max(1_000, fullJitterMs(this.#context.random, current.attempts, retryBaseMs, retryCapMs)));
      this.#update({ ...current, facts, attempts: current.attempts + 1 }, [], {});
    });
  }

  #expire(row: OutboxRow, now: Instant): void {
    const overdueMs = this.#context.correctedWallMs(now) - row.expiresAtMs;
    if (overdueMs < 0) { this.#armExpiry(row, now); return; }
    const neverStored = (row.facts.held ?? []).length === 0 && !this.sendingNow(row.id);
    if (neverStored || row.stage === 'withdraw' || row.kind === 'receipt' || row.kind === 'resume' || this.#events.drainedSince(row.expiresAtMs)) {
      const facts = isSettled(row.facts) ? row.facts : mergeFacts(row.facts, { expiredAtMs: now.wallMs });
      this.#finish(row, facts, [{ kind: 'expired', atMs: now.wallMs }], now);
      return;
    }
    if (row.facts.unconfirmedAtMs !== undefined) return;
    this.#update({ ...row, stage: 'await', facts: mergeFacts(row.facts, { unconfirmedAtMs: now.wallMs }) }, [{ kind: 'unconfirmed', atMs: now.wallMs }], {});
  }

  // --- rows ------------------------------------------------------------------------------------------------------------------

  #update(row: OutboxRow, hops: readonly HopRow[], options: Pick<CommitOptions, 'done'>): void {
    const changes: VisorChange[] = [{ kind: 'put-outbox', row }];
    const announce: EngineChange[] = [{ kind: 'outbox', messageId: row.id }];
    this.#messageChanges(row, row.facts, hops, changes, announce);
    this.#context.commit(changes, { ...options, announce });
  }

  #messageChanges(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], changes: VisorChange[], announce: EngineChange[]): void {
    if (row.kind !== 'message') return;
    changes.push({ kind: 'set-facts', messageId: row.id, facts });
    for (const hop of hops) changes.push({ kind: 'add-hop', messageId: row.id, hop });
    announce.push({ kind: 'message', messageId: row.id, conversationId: this.#conversationId(row) });
  }

  #forget(row: OutboxRow): void {
    const live = this.#live.get(row.id);
    if (live?.active === true && !this.#ready.includes(row.id)) this.#active = Math.max(0, this.#active - 1);
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

  #armExpiry(row: OutboxRow, now: Instant): void {
    this.#deadlines.set(`expire ${row.id}`, now.monotonicMs + Math.max(0, row.expiresAtMs - this.#context.correctedWallMs(now)));
  }

  #remainingSeconds(row: OutboxRow, now: Instant): number {
    return Math.max(1, Math.ceil((row.expiresAtMs - this.#context.correctedWallMs(now)) / 1000));
  }

  #hints(row: OutboxRow): Recipient['relays'] {
    const contact = this.#context.memory.contacts.get(row.recipient);
    return [...(this.#recipients.known(row.recipient)?.relays ?? []), ...(contact?.relays ?? [])];
  }

  #goesTo(row: OutboxRow, relay: string): boolean {
    return this.#hints(row).some((hint) => hint.publicKey === relay);
  }

  #conversationId(row: OutboxRow): string { return `${row.recipient}:${String(row.destinationPort)}`; }
}
