/**
 * One attempt to hand a letter over: look its recipient up, seal it once, give it to them when they are here, or lay copies at enough of their relays, and say when to try again.
 */
import { mergeFacts } from './facts.ts';
import { relayRoute } from './letter-way.ts';
import { layCopies, retryCapMs, retryPauseMs, type CopiesOutcome } from './outbox-copies.ts';
import { remainingMs, statusFirstMs, type Live, type WallClocks } from './outbox-live.ts';
import { needsSealing, seal } from './outbox-sealing.ts';
import type { WaitReason } from '../../../shared/views.ts';
import type { Recipient, Recipients } from '../overlay/recipients.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant } from '../wire/types.ts';
import type { OutboxAftermath } from './outbox-aftermath.ts';
import type { DepositOutcome, OutboxRelays } from './outbox-relays.ts';
import type { OutboxPresent } from './outbox-present.ts';
import type { OutboxRows } from './outbox-row.ts';
import type { HopRow, LetterFacts, OutboxRow } from './visor-store.ts';

/** What the outbox does for an attempt. */
export interface AttemptHooks {
  clocks(now: Instant): WallClocks;
  schedule(id: string, atMs: number): void;
  ended(id: string, now: Instant): void;
  /** What the attempt was about has changed under it. */
  overtaken(id: string, now: Instant): void;
  finish(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], now: Instant): void;
  unreachableReason(): WaitReason;
  revoked(): boolean;
}

export class OutboxAttempts {
  readonly #context: VisorContext;
  readonly #recipients: Recipients;
  readonly #relays: OutboxRelays;
  readonly #rows: OutboxRows;
  readonly #aftermath: OutboxAftermath;
  readonly #present: OutboxPresent;
  readonly #hooks: AttemptHooks;

  constructor(context: VisorContext, recipients: Recipients, relays: OutboxRelays, rows: OutboxRows, aftermath: OutboxAftermath, present: OutboxPresent, hooks: AttemptHooks) {
    this.#context = context;
    this.#recipients = recipients;
    this.#relays = relays;
    this.#rows = rows;
    this.#aftermath = aftermath;
    this.#present = present;
    this.#hooks = hooks;
  }

  start(row: OutboxRow, live: Live, now: Instant): void {
    if (row.stage !== 'deposit' || live.endedMs !== undefined) { this.#hooks.ended(row.id, now); return; }
    if (remainingMs(row, live, this.#hooks.clocks(now), now) === 0) { this.#aftermath.doubt(row, now); this.#hooks.ended(row.id, now); return; }
    if (this.#hooks.revoked()) { this.#retryLater(row, live, 'device-revoked', retryCapMs, now); return; }
    const contact = this.#context.memory.contacts.get(row.recipient);
    // Strangers get no receipts before they are accepted; accepting kicks the row.
    if (contact === undefined || contact.standing === 'blocked' || (contact.standing === 'request' && row.kind !== 'message')) { this.#hooks.ended(row.id, now); return; }
    const known = this.#recipients.known(row.recipient);
    // Who is here is not looked up first: their relays may be out of reach.
    if (known !== undefined && this.#present.mayTry(row, live, now)) this.#prepare(row, live, known, now, true);
    else this.#lookUp(row, live, now, true);
  }

  /** @param toPeer whether it may be given to them; false where that was tried, or is being tried. */
  #lookUp(row: OutboxRow, live: Live, now: Instant, toPeer: boolean): void {
    this.#recipients.lookup(row.recipient, now, (result, at) => {
      const current = this.#rows.get(row.id);
      if (current?.stage !== 'deposit') { this.#hooks.ended(row.id, at); return; }
      if (!result.ok) this.#retryLater(current, live, result.reason, retryPauseMs(this.#context, live), at);
      else this.#prepare(current, live, result.recipient, at, toPeer);
    });
  }

  #prepare(row: OutboxRow, live: Live, recipient: Recipient, now: Instant, toPeer: boolean): void {
    if (needsSealing(row, recipient, now)) this.#seal(row, live, recipient, now, toPeer);
    else this.#handOver(row, live, recipient, now, toPeer);
  }

  #handOver(row: OutboxRow, live: Live, recipient: Recipient, now: Instant, toPeer: boolean): void {
    if (!toPeer || !this.#present.mayTry(row, live, now)) { this.#deposit(row, live, recipient, now); return; }
    this.#present.handOver(row, live, {
      relays: (at) => { this.#lookUp(row, live, at, false); },
      again: (at) => { this.#lookUp(row, live, at, true); },
    }, now);
  }

  #seal(row: OutboxRow, live: Live, recipient: Recipient, now: Instant, toPeer: boolean): void {
    const sealed = seal(this.#context, row, recipient, now);
    if (sealed === undefined) {
      this.#hooks.finish(row, mergeFacts(row.facts, { failed: { reason: 'too-large', atMs: now.wallMs } }), [{ kind: 'failed', atMs: now.wallMs, reason: 'too-large' }], now);
      return;
    }
    this.#rows.update(sealed, [{ kind: 'sealed', atMs: now.wallMs }], {
      done: (_applied, at) => {
        const current = this.#rows.get(row.id);
        if (current?.stage === 'deposit' && current.sealed !== undefined) this.#handOver(current, live, recipient, at, toPeer);
        else this.#hooks.overtaken(row.id, at);
      },
    });
  }

  #deposit(row: OutboxRow, live: Live, recipient: Recipient, now: Instant): void {
    // The machine may have slept between the look-up and here.
    if (remainingMs(row, live, this.#hooks.clocks(now), now) === 0) { this.#aftermath.doubt(row, now); this.#hooks.ended(row.id, now); return; }
    const ttlSeconds = (): number => Math.min(row.ttlSeconds, Math.max(1, Math.ceil(remainingMs(row, live, this.#hooks.clocks(now), now) / 1000)));
    layCopies(this.#context, this.#relays, row, recipient, this.#recipients.friends.of(row.recipient, now), live, ttlSeconds, now, {
      sending: (by) => { live.inFlight += by; this.#rows.announce(row); },
      held: (outcome, at) => { this.#heldBy(row, outcome, at); },
      recordsStale: () => { this.#recipients.invalidate(row.recipient); },
      noMailbox: (relay, at) => { this.#recipients.friends.hasNone(row.recipient, relay, at); },
      done: (outcome, at) => { this.#deposited(row.id, live, outcome, at); },
    });
  }

  #deposited(id: string, live: Live, outcome: CopiesOutcome, now: Instant): void {
    const row = this.#rows.get(id);
    if (row === undefined || outcome.kind === 'overtaken') { this.#hooks.overtaken(id, now); return; }
    if (outcome.kind === 'later') {
      this.#retryLater(outcome.sealAgain ? { ...row, sealed: undefined } : row, live, outcome.reason, outcome.pauseMs, now);
      return;
    }
    live.failures = 0;
    // Nothing comes back for receipts, resume notes and offers to carry: held is as far as they go.
    if (row.kind === 'receipt' || row.kind === 'resume' || row.kind === 'carry') { this.#hooks.finish(row, row.facts, [], now); return; }
    this.#rows.update({ ...row, stage: 'await', lastReason: undefined }, []);
    this.#hooks.ended(id, now);
    this.#aftermath.watch(row.recipient, statusFirstMs, now);
  }

  #heldBy(deposited: OutboxRow, outcome: DepositOutcome & { kind: 'held' }, now: Instant): void {
    const row = this.#rows.get(deposited.id);
    // What was laid down is not this letter any more when it was sealed anew meanwhile.
    if (row === undefined || row.sealed?.letterId !== deposited.sealed?.letterId) return;
    const before = (row.facts.held ?? []).find((held) => held.relay === outcome.relay);
    // A receipt is newer than the loss it makes good, also when the clock was set back between them.
    const sinceMs = Math.max(now.wallMs, (before?.lostAtMs ?? -1) + 1);
    const untilMs = now.wallMs + outcome.expiresInMs;
    const news: LetterFacts = { held: [{ relay: outcome.relay, sinceMs, untilMs }], ...(outcome.fetched ? { fetchedAtMs: now.wallMs } : {}) };
    this.#rows.update({ ...row, facts: mergeFacts(row.facts, news) }, [{ kind: 'held', atMs: now.wallMs, ...relayRoute(outcome.relay, outcome.isOverTcp), untilMs }]);
    this.#aftermath.watch(row.recipient, statusFirstMs, now);
  }

  #retryLater(row: OutboxRow, live: Live, told: WaitReason, pauseMs: number, now: Instant): void {
    const reason = told === 'relay-unreachable' ? this.#hooks.unreachableReason() : told;
    live.failures += 1;
    this.#rows.update({ ...row, attempts: row.attempts + 1, lastReason: reason }, row.lastReason === reason ? [] : [{ kind: 'tried', atMs: now.wallMs, reason }]);
    this.#hooks.schedule(row.id, now.monotonicMs + pauseMs);
    this.#hooks.ended(row.id, now);
  }
}
