/**
 * The receiving half of a visor. Each own relay is listed from the beginning until nothing is left; each letter is opened and committed (letter-taker.ts), and
 * only then acknowledged, so that a crash at any point means at worst that the relay shows it again - and the dedupe row, written in the
 * same transaction as the letter, makes the second time harmless. A letter that cannot be opened is reported, never acknowledged.
 */
import { decodeListFragment } from '../wire/responses.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { newRelayInbox } from './relay-inbox.ts';
import type { RelayInbox, Verdict } from './relay-inbox.ts';
import { Deadlines } from '../deadlines.ts';
import { isOverTcp, type RelayLink } from '../overlay/relay-links.ts';
import type { Instant, ListEntry, RequestBody } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { LetterTaker, OpenedLetter } from './letter-taker.ts';

const listDeadlineMs = 15_000;
const ackDeadlineMs = 15_000;
const acksPerRequest = 32;
/** Fragments of one list answer: a burst of 16 datagrams is what a fresh path carries without congestion control. */
const listFragments = 16;
/** A pass that ended with failures (a body that did not come) is repeated after this, doubling up to the other while that goes on. */
const listAgainMs = 5_000;
const listAgainMaximumMs = 5 * 60_000;
/** The doorbell may have been lost with the path it was sent on: look by oneself now and then. */
const lookAgainMs = 5 * 60_000;

export interface InboxEvents {
  /** All letters that the relay had are settled. `hadLetters`: there were some since it was said so the time before last, or it is the first time. */
  drained(relay: string, now: Instant, hadLetters: boolean): void;
  /** The relay says that this mailbox is not ours (any more): registering again finds out why. */
  refused(relay: string, now: Instant): void;
  waitingChanged(relay: string): void;
}

export class Inbox {
  readonly #context: VisorContext;
  readonly #events: InboxEvents;
  readonly #relays = new Map<string, RelayInbox>();
  readonly #taker: LetterTaker;
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, taker: LetterTaker, events: InboxEvents) {
    this.#context = context;
    this.#taker = taker;
    this.#events = events;
  }

  waitingLetters(relay: string): number | undefined { return this.#relays.get(relay)?.waiting; }

  registered(link: RelayLink, waitingLetters: number, now: Instant): void {
    const { publicKey } = link.hint;
    const inbox = newRelayInbox(link, this.#context.memory.relays.get(publicKey)?.epoch ?? new Uint8Array(8), waitingLetters, this.#relays.get(publicKey)?.failedPasses ?? 0);
    this.#relays.set(link.hint.publicKey, inbox);
    this.#list(inbox, now);
    this.#events.waitingChanged(link.hint.publicKey);
  }

  linkDown(relay: string): void {
    this.#relays.delete(relay);
    this.#deadlines.clear(relay);
  }

  /** The relay's doorbell. A letter in it is taken as if it had been listed, provided that it is the very next one. */
  notified(relay: string, now: Instant, news?: Extract<RequestBody, { verb: 'notify' }>): void {
    const inbox = this.#relays.get(relay);
    if (inbox === undefined) return;
    const entry = news?.entry;
    if (inbox.listing) inbox.again = true;
    else if (entry?.sequence !== inbox.afterSequence + 1 || news === undefined || !equalBytes(news.epoch, inbox.epoch)) this.#list(inbox, now);
    else this.#shown(inbox, { ...entry, letterId: entry.letterId.slice() }, news.highestSequence > entry.sequence, now);
  }

  #shown(inbox: RelayInbox, entry: ListEntry, hasMore: boolean, now: Instant): void {
    inbox.listing = true;
    inbox.shown = true;
    inbox.again = hasMore;
    inbox.passDone = true;
    inbox.afterSequence = entry.sequence;
    inbox.waiting += 1;
    this.#events.waitingChanged(inbox.link.hint.publicKey);
    this.#receive(inbox, entry, now);
    this.#finishPass(inbox, now);
  }

  /** Sends the acknowledgements that gathered while commits came back. */
  flush(now: Instant): void {
    for (const inbox of this.#relays.values()) this.#sendAcks(inbox, now);
  }

  handleTimeout(now: Instant): void {
    for (let relay = this.#deadlines.takeDue(now.monotonicMs); relay !== undefined; relay = this.#deadlines.takeDue(now.monotonicMs)) {
      const inbox = this.#relays.get(relay);
      if (inbox === undefined) continue;
      // A pass that is about a shown letter sets no timer of its own.
      if (inbox.listing) { this.#deadlines.set(relay, now.monotonicMs + listAgainMs); continue; }
      inbox.afterSequence = 0;
      inbox.hasFailed = false;
      this.#list(inbox, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'list again' };
  }

  #list(inbox: RelayInbox, now: Instant): void {
    if (inbox.link.sessionId === undefined) return;
    inbox.listing = true;
    inbox.again = false;
    inbox.passDone = false;
    inbox.shown = false;
    const body = { verb: 'list', epoch: inbox.epoch, afterSequence: inbox.afterSequence, mostFragments: listFragments } as const;
    this.#context.directed.request(inbox.link.sessionId, body, {
      deadlineMs: listDeadlineMs,
      done: (outcome, at) => {
        if (this.#relays.get(inbox.link.hint.publicKey) !== inbox) return;
        if (outcome.kind !== 'answered') {
          inbox.listing = false;
          if (outcome.kind === 'negative' && (outcome.negative.code === 'revoked' || outcome.negative.code === 'unauthenticated')) this.#events.refused(inbox.link.hint.publicKey, at);
          else if (outcome.kind !== 'session-lost') this.#listLater(inbox, at);
          return;
        }
        this.#listed(inbox, outcome.payloads, at);
      },
    }, now);
  }

  #listLater(inbox: RelayInbox, now: Instant): void {
    this.#deadlines.set(inbox.link.hint.publicKey, now.monotonicMs + Math.min(listAgainMaximumMs, listAgainMs * 2 ** Math.min(inbox.failedPasses, 10)));
    inbox.failedPasses += 1;
  }

  #listed(inbox: RelayInbox, payloads: readonly Uint8Array[], now: Instant): void {
    const before = inbox.afterSequence;
    let remaining = 0;
    for (const payload of payloads) {
      const fragment = decodeListFragment(payload);
      if (fragment === undefined) { inbox.failures = true; this.#context.count('inbox.bad-list'); continue; }
      inbox.epoch = fragment.epoch;
      remaining = fragment.remaining;
      for (const entry of fragment.entries) {
        inbox.afterSequence = Math.max(inbox.afterSequence, entry.sequence);
        this.#receive(inbox, entry, now);
      }
    }
    inbox.waiting = remaining + inbox.pendingLetters;
    this.#events.waitingChanged(inbox.link.hint.publicKey);
    if (remaining > 0 && inbox.afterSequence > before) { this.#list(inbox, now); return; }
    // It says that there is more and does not show it: asked again later, not at once for ever.
    if (remaining > 0) inbox.failures = true;
    inbox.passDone = true;
    this.#finishPass(inbox, now);
  }

  /** A pass ends when nothing is left at the relay and each letter of it has been committed, or has failed. */
  #finishPass(inbox: RelayInbox, now: Instant): void {
    if (!inbox.listing || !inbox.passDone || inbox.pendingLetters > 0) return;
    inbox.listing = false;
    inbox.waiting = 0;
    this.#events.waitingChanged(inbox.link.hint.publicKey);
    if (inbox.failures) {
      inbox.failures = false;
      inbox.hasFailed = true;
      this.#listLater(inbox, now);
    } else if (!inbox.shown) {
      // Not later than it was after a pass that failed: this one may have begun behind the letter that is still to come.
      const failedMs = inbox.hasFailed ? this.#deadlines.at(inbox.link.hint.publicKey) : undefined;
      // One that began behind it shows nothing of the letter that failed.
      if (!inbox.hasFailed) inbox.failedPasses = 0;
      this.#deadlines.set(inbox.link.hint.publicKey, Math.min(failedMs ?? Infinity, now.monotonicMs + lookAgainMs));
      const hadLetters = inbox.emptyPasses < 2;
      inbox.emptyPasses += 1;
      this.#events.drained(inbox.link.hint.publicKey, now, hadLetters);
    }
    if (inbox.again) this.#list(inbox, now);
  }

  #receive(inbox: RelayInbox, entry: ListEntry, now: Instant): void {
    const key = toHex(entry.letterId);
    if (inbox.inProgress.has(key)) return;
    inbox.inProgress.add(key);
    inbox.emptyPasses = 0;
    inbox.pendingLetters += 1;
    const settle = (verdict: Verdict | 'later', at: Instant): void => {
      inbox.inProgress.delete(key);
      inbox.pendingLetters -= 1;
      inbox.waiting = Math.max(0, inbox.waiting - 1);
      if (verdict === 'later') inbox.failures = true;
      else inbox.acks.push({ letterId: entry.letterId, verdict });
      this.#finishPass(inbox, at);
    };
    const opened = this.#taker.open(entry.header, now);
    if (opened === undefined) { settle('unopenable', now); return; }
    const name = { root: opened.header.bodyRoot, length: opened.header.bodyLength };
    if (entry.inlineBody !== undefined) { this.#take(inbox, opened, entry.inlineBody, now, settle); return; }
    if (inbox.link.sessionId === undefined) { settle('later', now); return; }
    this.#context.directed.pull(inbox.link.sessionId, name, (outcome, at) => {
      // The machine slept while the body was on its way: the relay has let go of the letter, and its sender may have been told so.
      const waitedMs = Math.max(at.monotonicMs - now.monotonicMs, at.wallMs - now.wallMs);
      if (waitedMs > entry.remainingSeconds * 1000) settle('later', at);
      else if (outcome.kind === 'pulled') this.#take(inbox, opened, outcome.bytes, at, settle);
      else settle(outcome.reason === 'wrong-root' || outcome.reason === 'too-large' ? 'unopenable' : 'later', at);
    }, now);
  }

  #take(inbox: RelayInbox, opened: OpenedLetter, body: Uint8Array, now: Instant, settle: (verdict: Verdict, at: Instant) => void): void {
    this.#taker.take(opened, body, { kind: 'relay', relay: inbox.link.hint.publicKey, isOverTcp: isOverTcp(this.#context.sessions, inbox.link) }, now, (taken, at) => { settle(taken === 'unopenable' ? taken : 'committed', at); });
  }

  #sendAcks(inbox: RelayInbox, now: Instant): void {
    while (inbox.acks.length > 0 && inbox.link.sessionId !== undefined) {
      const letters = inbox.acks.splice(0, acksPerRequest);
      this.#context.directed.request(inbox.link.sessionId, { verb: 'ack', letters }, {
        deadlineMs: ackDeadlineMs,
        // Not acknowledged = listed again later, deduplicated, acknowledged again.
        done: (outcome, at) => {
          if (outcome.kind !== 'answered' && outcome.kind !== 'session-lost' && this.#relays.get(inbox.link.hint.publicKey) === inbox) {
            if (outcome.kind === 'negative' && outcome.negative.code === 'revoked') this.#events.refused(inbox.link.hint.publicKey, at);
            else this.#listLater(inbox, at);
          }
        },
      }, now);
    }
  }
}
