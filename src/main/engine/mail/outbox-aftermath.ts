/**
 * After a letter was laid down: asking what became of it, taking it back, and its end when no receipt came. A copy that was lost, cannot
 * be opened, or lies where the recipient no longer looks sends the letter back to be deposited - sealed anew where its device changed.
 */
import { fullJitterMs } from '../random.ts';
import { holders, isSettled, mergeFacts } from './facts.ts';
import { coveredBy, retryCapMs } from './outbox-copies.ts';
import { isSurelyOver, remainingMs, type Live, type WallClocks } from './outbox-live.ts';
import { letGo, sealedAway } from './outbox-sealing.ts';
import { keptBackMs } from './receipts.ts';
import type { Deadlines } from '../deadlines.ts';
import type { Recipient, Recipients } from '../overlay/recipients.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant } from '../wire/types.ts';
import type { OutboxRelays, StatusNews } from './outbox-relays.ts';
import type { OutboxRows } from './outbox-row.ts';
import type { HopRow, LetterFacts, OutboxRow } from './visor-store.ts';

const statusCapMs = 30 * 60_000;
/** While a letter waits for somebody, it is looked up this often whether they have moved. */
const whereaboutsMs = 30 * 60_000;
/** An overdue letter whose end only the wall clock claims is held this long, so that relays can tell the time. */
const doubtMs = 30_000;
/** Receipts live 14 days: when these have passed since the end of a letter, none can be waiting at a relay that does not answer. */
const receiptLifetimeMs = 14 * 86_400_000;
const withdrawBaseMs = 1_000;
/** After the end of a letter that was given to them without an answer: their receipt may be kept back for so long, and then it needs a moment. */
const receiptMayWaitMs = keptBackMs + 30_000;

/** What the outbox does for its aftermath. */
export interface AftermathHooks {
  live(id: string): Live | undefined;
  clocks(now: Instant): WallClocks;
  drainedSince(monotonicMs: number): boolean;
  /** Own relays should be listed, to know whether a receipt waits there. */
  wantDrained(now: Instant): void;
  tryNow(id: string, now: Instant): void;
  schedule(id: string, atMs: number): void;
  attemptEnded(id: string, now: Instant): void;
  finish(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], now: Instant): void;
}

export class OutboxAftermath {
  readonly #context: VisorContext;
  readonly #recipients: Recipients;
  readonly #relays: OutboxRelays;
  readonly #rows: OutboxRows;
  readonly #deadlines: Deadlines;
  readonly #hooks: AftermathHooks;

  constructor(context: VisorContext, recipients: Recipients, relays: OutboxRelays, rows: OutboxRows, deadlines: Deadlines, hooks: AftermathHooks) {
    this.#context = context;
    this.#recipients = recipients;
    this.#relays = relays;
    this.#rows = rows;
    this.#deadlines = deadlines;
    this.#hooks = hooks;
  }

  /** The next look at what became of that person's letters, no later than `delayMs` from now. */
  watch(recipient: string, delayMs: number, now: Instant): void {
    const key = `status ${recipient}`;
    const atMs = this.#deadlines.at(key);
    if (atMs === undefined || atMs > now.monotonicMs + delayMs) this.#deadlines.set(key, now.monotonicMs + delayMs);
  }

  askStatus(recipient: string, now: Instant): void {
    const watched = (row: OutboxRow): boolean => row.recipient === recipient && row.sealed !== undefined && row.facts.unconfirmedAtMs === undefined
      && (row.stage === 'await' || (row.stage === 'deposit' && holders(row.facts).length > 0));
    const rows = this.#rows.all().filter(watched);
    if (rows.length === 0) return;
    let delayMs = statusCapMs;
    for (const row of rows) {
      const live = this.#hooks.live(row.id);
      if (live === undefined) continue;
      delayMs = Math.min(delayMs, live.statusDelayMs);
      live.statusDelayMs = Math.min(statusCapMs, live.statusDelayMs * 2);
    }
    this.#deadlines.set(`status ${recipient}`, now.monotonicMs + delayMs);
    this.#recipients.lookup(recipient, now, (result, at) => {
      const current = rows.flatMap((row) => this.#rows.get(row.id) ?? []).filter(watched);
      const followed = result.ok ? current.filter((row) => !this.#follow(row, result.recipient, at)) : current;
      this.#relays.askStatus(followed, (row) => this.#rows.hints(row), at, (news, then) => { this.#learn(news, then); });
    }, whereaboutsMs);
  }

  /** They have another device, or look at other relays than those that hold it. True when it is deposited anew. */
  #follow(row: OutboxRow, recipient: Recipient, now: Instant): boolean {
    if (row.stage !== 'await') return false;
    if (row.sealed?.deviceId !== recipient.device.deviceId) {
      this.#back(sealedAway(row, now), { kind: 'lost', atMs: now.wallMs, reason: 'unopenable' });
      return true;
    }
    // What friends hold counts only where there is nowhere else (outbox-copies.ts).
    if (coveredBy(row, recipient.relays.length === 0 ? this.#recipients.friends.all : recipient.relays).size > 0) return false;
    this.#back({ ...row, stage: 'deposit', lastReason: 'held-copy-lost' }, undefined);
    return true;
  }

  #back(row: OutboxRow, hop: HopRow | undefined): void {
    this.#rows.update(row, hop === undefined ? [] : [hop], { done: (_applied, at) => { this.#hooks.tryNow(row.id, at); } });
  }

  #learn(news: StatusNews, now: Instant): void {
    const row = this.#rows.get(news.id);
    // Not of a letter that was sealed anew meanwhile. One that is just being deposited begins again when that attempt ends.
    if (row === undefined || row.stage === 'withdraw' || row.facts.unconfirmedAtMs !== undefined || row.sealed?.letterId !== news.letterId) return;
    const { relay, state } = news;
    if (state === 'fetched' || state === 'acked') {
      if (state === 'acked' && this.#receiptIsLost(row, now)) return;
      if (row.facts.fetchedAtMs === undefined) this.#rows.update({ ...row, facts: mergeFacts(row.facts, { fetchedAtMs: now.wallMs }) }, [{ kind: 'fetched', atMs: now.wallMs, relay }]);
      return;
    }
    const hop: HopRow = { kind: 'lost', atMs: now.wallMs, relay, reason: state === 'unopenable' ? 'unopenable' : 'lost' };
    if (state === 'unopenable') {
      // Their device has changed, or lost its keys: seal the same message again to what they have now.
      this.#recipients.invalidate(row.recipient);
      this.#back(sealedAway(row, now), hop);
      return;
    }
    const facts = letGo(row.facts, now, relay);
    // Also when it was fetched: that may have been a list answer that never arrived, and a second copy costs nothing but brings the receipt.
    if (holders(facts).length > 0) { this.#rows.update({ ...row, facts }, [hop]); return; }
    // What a relay let expire or took back it never takes again under the same letter id.
    const sealed = state === 'lost' ? row.sealed : undefined;
    this.#back({ ...row, facts, sealed, stage: 'deposit', lastReason: 'held-copy-lost' }, hop);
  }

  /**
   * They have it, and their receipt has not come though our relays were emptied since: it was lost with a relay. The same message sealed anew
   * is recognised by them, not shown again, and confirmed again. True when that is under way.
   */
  #receiptIsLost(row: OutboxRow, now: Instant): boolean {
    const live = this.#hooks.live(row.id);
    if (live === undefined || row.stage !== 'await') return false;
    live.ackedMs ??= now.monotonicMs;
    if (now.monotonicMs - live.ackedMs < live.receiptPatienceMs || !this.#hooks.drainedSince(live.ackedMs)) return false;
    live.ackedMs = undefined;
    live.receiptPatienceMs *= 2;
    this.#back({ ...row, facts: mergeFacts(letGo(row.facts, now), { fetchedAtMs: now.wallMs }), sealed: undefined, stage: 'deposit', lastReason: 'receipt-lost' }, undefined);
    return true;
  }

  withdraw(row: OutboxRow, now: Instant): void {
    this.#relays.withdraw(row, this.#rows.hints(row), now, (allAnswered, fetched, at) => {
      const current = this.#rows.get(row.id);
      if (current?.stage !== 'withdraw') { this.#hooks.attemptEnded(row.id, at); return; }
      const facts = fetched ? mergeFacts(current.facts, { fetchedAtMs: at.wallMs }) : current.facts;
      if (allAnswered) { this.#hooks.finish(current, facts, fetched ? [{ kind: 'fetched', atMs: at.wallMs }] : [], at); return; }
      this.#rows.update({ ...current, facts, attempts: current.attempts + 1 }, []);
      this.#hooks.attemptEnded(row.id, at);
      const live = this.#hooks.live(row.id);
      const failures = live?.failures ?? 0;
      if (live !== undefined) live.failures += 1;
      this.#hooks.schedule(row.id, at.monotonicMs + Math.max(withdrawBaseMs, fullJitterMs(this.#context.random, failures, withdrawBaseMs, retryCapMs)));
    });
  }

  armExpiry(row: OutboxRow, live: Live, now: Instant): void {
    this.#deadlines.set(`expire ${row.id}`, now.monotonicMs + remainingMs(row, live, this.#hooks.clocks(now), now));
  }

  /** Its time seems to be over: nothing is sent, and soon it is looked at again. */
  doubt(row: OutboxRow, now: Instant): void { this.#deadlines.set(`expire ${row.id}`, now.monotonicMs + doubtMs); }

  /** Called when its time should be over, and again whenever own relays have been drained since. */
  expire(row: OutboxRow, now: Instant): void {
    const live = this.#hooks.live(row.id);
    if (live === undefined) return;
    if (live.endedMs === undefined) {
      if (remainingMs(row, live, this.#hooks.clocks(now), now) > 0 && !isSurelyOver(row, live, now)) {
        this.armExpiry(row, live, now);
        if (row.stage !== 'await') this.#hooks.tryNow(row.id, now);
        return;
      }
      live.endedMs = now.monotonicMs;
    }
    const neverLeft = (row.facts.held ?? []).length === 0 && !live.mayBeThere;
    const receiptsThereMs = live.endedMs + (live.handedOver ? receiptMayWaitMs : 0);
    const isOver = neverLeft || row.stage === 'withdraw' || row.kind === 'receipt' || row.kind === 'resume' || row.kind === 'carry' || this.#hooks.drainedSince(receiptsThereMs)
      || now.monotonicMs - live.endedMs >= receiptLifetimeMs;
    if (isOver) {
      const settled = isSettled(row.facts);
      this.#hooks.finish(row, settled ? row.facts : mergeFacts(row.facts, { expiredAtMs: now.wallMs }), settled ? [] : [{ kind: 'expired', atMs: now.wallMs }], now);
      return;
    }
    const mayWait = receiptsThereMs > now.monotonicMs;
    this.#deadlines.set(`expire ${row.id}`, mayWait ? receiptsThereMs : live.endedMs + receiptLifetimeMs);
    if (row.facts.unconfirmedAtMs !== undefined) {
      if (mayWait || !live.handedOver || live.askedAgain) return;
      live.askedAgain = true;
      this.#hooks.wantDrained(now);
      return;
    }
    this.#rows.update({ ...row, stage: 'await', facts: mergeFacts(row.facts, { unconfirmedAtMs: now.wallMs }) }, [{ kind: 'unconfirmed', atMs: now.wallMs }]);
    // Once: being drained brings us here again.
    this.#hooks.wantDrained(now);
  }
}
