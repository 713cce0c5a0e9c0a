/**
 * The checker for letters: it is told what the disks of senders, relays and recipients have committed and what senders are shown, and
 * holds it against what was asked for. It knows true time and true state of everybody, and nothing of how the engine works.
 */
import { tokenOf } from './letter-text.ts';
import type { Violations } from './violations.ts';
import type { HopRow, LetterFacts, MessageRow, OutboxRow } from '../src/main/engine/mail/visor-store.ts';
import type { Headline } from '../src/shared/views.ts';

/** Between a command and its row, a relay's sweep, a list answer under way: time that no clock error explains. */
const ttlSlackMs = 90_000;
/** Longest way of an attempt without a next one planned: look up, two relays and a third, each with its deadline. */
const attemptMaximumMs = 150_000;

/** `sending` is not in it: an attempt that failed goes back to `queued`, again and again. */
const ranks: Readonly<Record<Headline['state'], number>> = {
  queued: 0, sending: 0, stored: 1, unconfirmed: 2, expired: 3, cancelled: 3, failed: 3, delivered: 4, read: 5, received: 0,
};

export interface AskedLetter {
  readonly token: string;
  readonly sender: string;
  readonly recipient: string;
  readonly ttlMs: number;
}

export interface KnownLetter extends AskedLetter {
  readonly askedAtMs: number;
  answered: boolean;
  messageId: string | undefined;
  durable: boolean;
  cancelled: boolean;
  readonly letterIds: Set<string>;
  facts: LetterFacts;
  shown: Headline | undefined;
  committedAtRecipientMs: number | undefined;
  rowAtRecipient: string | undefined;
}

export interface ClockKnowledge {
  /** How wrong that machine's wall clock has been at worst. */
  wallErrorMs(machine: string): number;
  /** By how much it was moved while it ran. */
  wallJumpsMs(machine: string): number;
  wallMs(machine: string): number;
}

export class LetterChecker {
  readonly #violations: Violations;
  readonly #clocks: ClockKnowledge;
  readonly letters = new Map<string, KnownLetter>();
  readonly #byMessageId = new Map<string, KnownLetter>();
  /** Letter ids that each relay has ever committed. */
  readonly #relayHas = new Map<string, Set<string>>();
  readonly #lastHop = new Map<string, { readonly atMs: number; readonly kind: string }>();
  readonly #blocked = new Set<string>();
  readonly #everBlocked = new Set<string>();
  readonly #withoutTrySince = new Map<string, number>();

  constructor(violations: Violations, clocks: ClockKnowledge) {
    this.#violations = violations;
    this.#clocks = clocks;
  }

  asked(letter: AskedLetter): void {
    this.letters.set(letter.token, {
      ...letter, askedAtMs: this.#violations.nowMs, answered: false, messageId: undefined, durable: false, cancelled: false, letterIds: new Set(), facts: {},
      shown: undefined, committedAtRecipientMs: undefined, rowAtRecipient: undefined,
    });
  }

  /** The command was answered with success: from here on the letter must not get lost. */
  answered(token: string, messageId: string): void {
    const letter = this.letters.get(token);
    if (letter === undefined) return;
    letter.answered = true;
    this.#violations.require(letter.durable && letter.messageId === messageId, 'acknowledged-means-durable',
      () => `${letter.sender} answered the send of ${token} as ${messageId}, which its disk does not hold`);
  }

  cancelAnswered(sender: string, messageId: string): void {
    const letter = this.#byMessageId.get(`${sender} ${messageId}`);
    if (letter !== undefined) letter.cancelled = true;
  }

  letterOf(sender: string, messageId: string): KnownLetter | undefined { return this.#byMessageId.get(`${sender} ${messageId}`); }

  messageCommitted(machine: string, row: MessageRow, isNew: boolean): void {
    const letter = this.letters.get(tokenOf(row.text) ?? '');
    if (letter === undefined) { this.#violations.report('shown-at-most-once', `${machine} shows a message that nobody wrote: ${row.text.slice(0, 40)}`); return; }
    if (row.direction === 'out') {
      letter.durable = true;
      letter.messageId = row.id;
      this.#byMessageId.set(`${machine} ${row.id}`, letter);
      return;
    }
    const { token } = letter;
    this.#violations.require(machine === letter.recipient, 'shown-at-most-once', () => `${token} for ${letter.recipient} is shown by ${machine}`);
    this.#violations.require(isNew && letter.committedAtRecipientMs === undefined, 'shown-at-most-once',
      () => `${machine} committed ${token} of ${letter.sender} again, first as ${String(letter.rowAtRecipient)}, now as ${row.id}`);
    this.#violations.require(!this.#blocked.has(`${machine} ${letter.sender}`), 'blocked-is-not-shown', () => `${machine} shows ${token} of ${letter.sender}, who is blocked`);
    const slackMs = this.#clocks.wallErrorMs(letter.sender) + this.#clocks.wallErrorMs('relays') + ttlSlackMs;
    this.#violations.require(this.#violations.nowMs <= letter.askedAtMs + letter.ttlMs + slackMs, 'ttl-honoured',
      () => `${token} is shown ${String(Math.round((this.#violations.nowMs - letter.askedAtMs - letter.ttlMs) / 1000))} s after its time`);
    letter.committedAtRecipientMs ??= this.#violations.nowMs;
    letter.rowAtRecipient ??= row.id;
  }

  outboxCommitted(machine: string, row: OutboxRow): void {
    const letter = this.#byMessageId.get(`${machine} ${row.id}`);
    if (letter !== undefined && row.sealed !== undefined) letter.letterIds.add(hex(row.sealed.letterId));
  }

  /** A relay committed (or already had) a letter. */
  relayCommitted(relay: string, letterId: string): void {
    const has = this.#relayHas.get(relay) ?? new Set();
    has.add(letterId);
    this.#relayHas.set(relay, has);
  }

  factsCommitted(machine: string, messageId: string, facts: LetterFacts): void {
    const letter = this.#byMessageId.get(`${machine} ${messageId}`);
    if (letter === undefined) return;
    const before = letter.facts;
    letter.facts = facts;
    const { nowMs } = this.#violations;
    if (facts.deliveredAtMs !== undefined || facts.readAtMs !== undefined) this.#requireDelivered(letter, 'commits');
    const endedNow = (facts.expiredAtMs !== undefined && before.expiredAtMs === undefined) || (facts.unconfirmedAtMs !== undefined && before.unconfirmedAtMs === undefined);
    if (endedNow && facts.cancelledAtMs === undefined) {
      const slackMs = this.#clocks.wallErrorMs(letter.sender) + this.#clocks.wallErrorMs('relays') + 2_000;
      this.#violations.require(nowMs >= letter.askedAtMs + letter.ttlMs - slackMs, 'ttl-honoured', () => `${letter.sender} calls ${letter.token} expired ${String(Math.round((letter.askedAtMs + letter.ttlMs - nowMs) / 1000))} s early`);
    }
    for (const name of ['fetchedAtMs', 'deliveredAtMs', 'readAtMs', 'expiredAtMs', 'cancelledAtMs', 'unconfirmedAtMs', 'failed'] as const) {
      this.#violations.require(before[name] === undefined || facts[name] !== undefined, 'headline-never-goes-backwards', () => `${letter.sender} forgot the fact ${name} of ${letter.token}`);
    }
  }

  /** What the sender is shown now. */
  headline(machine: string, messageId: string, headline: Headline): void {
    const letter = this.#byMessageId.get(`${machine} ${messageId}`);
    if (letter === undefined) return;
    const before = letter.shown;
    letter.shown = headline;
    if (headline.state === 'delivered' || headline.state === 'read') this.#requireDelivered(letter, 'shows');
    if (headline.state === 'stored') for (const holding of headline.heldBy) this.#requireHeld(letter, holding.relay);
    if (before === undefined || before.state === headline.state) return;
    const allowed = ranks[headline.state] > ranks[before.state] || (ranks[headline.state] === 0 && ranks[before.state] === 0)
      // A copy was lost: back to the queue, but never without saying why.
      || (before.state === 'stored' && ((headline.state === 'queued' && headline.reason !== undefined) || (headline.state === 'sending' && this.#lostACopy(letter))));
    this.#violations.require(allowed, 'headline-never-goes-backwards', () => `${machine} showed ${letter.token} as ${before.state} and now as ${JSON.stringify(headline)}`);
  }

  hopCommitted(machine: string, messageId: string, hop: HopRow): void {
    const key = `${machine} ${messageId}`;
    // The recipient's clock says when it was delivered; all that is sure is that this is not ahead of ours.
    if (hop.kind === 'delivered' || hop.kind === 'read') {
      this.#violations.require(hop.atMs <= this.#clocks.wallMs(machine) + this.#clocks.wallJumpsMs(machine), 'hops-in-order', () => `${machine} logs ${hop.kind} of ${messageId} in its own future`);
      return;
    }
    const last = this.#lastHop.get(key);
    this.#lastHop.set(key, hop);
    this.#violations.require(last === undefined || hop.atMs >= last.atMs - this.#clocks.wallJumpsMs(machine), 'hops-in-order',
      () => `${machine} logs ${hop.kind} of ${messageId} ${String((last?.atMs ?? 0) - hop.atMs)} ms before the earlier ${String(last?.kind)}`);
  }

  blockAnswered(machine: string, contact: string): void {
    this.#blocked.add(`${machine} ${contact}`);
    this.#everBlocked.add(`${machine} ${contact}`);
  }

  /** From the moment somebody asks for it: whether it took effect before a crash nobody knows. */
  unblockAsked(machine: string, contact: string): void { this.#blocked.delete(`${machine} ${contact}`); }
  blockAsked(machine: string, contact: string): void { this.#everBlocked.add(`${machine} ${contact}`); }
  everBlocked(left: string, right: string): boolean { return this.#everBlocked.has(`${left} ${right}`) || this.#everBlocked.has(`${right} ${left}`); }

  /** One look at a running visor's outbox: letters to be deposited that have no next try planned are being tried right now, or forgotten. */
  outboxSeen(machine: string, waiting: readonly { readonly id: string; readonly planned: boolean }[]): void {
    const { nowMs } = this.#violations;
    const now = new Set(waiting.filter((one) => !one.planned).map((one) => `${machine} ${one.id}`));
    for (const key of [...this.#withoutTrySince.keys()]) if (key.startsWith(`${machine} `) && !now.has(key)) this.#withoutTrySince.delete(key);
    for (const key of now) {
      const sinceMs = this.#withoutTrySince.get(key) ?? nowMs;
      this.#withoutTrySince.set(key, sinceMs);
      this.#violations.require(nowMs - sinceMs <= attemptMaximumMs, 'retry-is-scheduled', () => `${key} waits in the outbox and nothing is planned for it since ${String(Math.round((nowMs - sinceMs) / 1000))} s`);
    }
  }

  /** The machine slept or restarted: time without a plan counts anew. */
  outboxForgotten(machine: string): void {
    for (const key of [...this.#withoutTrySince.keys()]) if (key.startsWith(`${machine} `)) this.#withoutTrySince.delete(key);
  }

  #requireDelivered(letter: KnownLetter, verb: string): void {
    this.#violations.require(letter.committedAtRecipientMs !== undefined, 'delivered-means-committed', () => `${letter.sender} ${verb} ${letter.token} as delivered, but ${letter.recipient} has not committed it`);
  }

  #requireHeld(letter: KnownLetter, relay: string): void {
    const has = this.#relayHas.get(relay);
    this.#violations.require([...letter.letterIds].some((id) => has?.has(id) === true), 'stored-means-committed', () => `${letter.sender} shows ${letter.token} as held by ${relay.slice(0, 8)}, which never committed it`);
  }

  #lostACopy(letter: KnownLetter): boolean { return (letter.facts.held ?? []).some((held) => held.lostAtMs !== undefined); }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
