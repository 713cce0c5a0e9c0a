/**
 * Taking letters in. The body comes inline, or is pulled from the depositor, a long one after the store has said that there is room for it. What is
 * checked: sizes, time to live, and that the body is what its name says; who may deposit how much is the store's decision inside its
 * transaction. The answer is a signed receipt, and only a commit makes one.
 */
import { contentMaximumBytes } from '../directed/publisher.ts';
import { equalBytes } from '../wire/bytes.ts';
import { fragmentBytes } from '../wire/frame.ts';
import { letterHeaderBytes, letterIdOf } from './letter.ts';
import { shownBodyMaximumBytes, type Doorbell } from './mailbox-doorbell.ts';
import { addressPrefix, PrefixRate } from './mailbox-rate.ts';
import { ttlMaximumSeconds, ttlMinimumSeconds } from '../../../shared/views.ts';
import type { Crypto } from '../crypto.ts';
import type { Answer, PullOutcome } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, ListEntry, RequestBody } from '../wire/types.ts';
import type { DepositArguments, DepositResult } from './mail-store.ts';
import type { MailboxContext } from './mailbox-context.ts';
import type { MailboxOwners } from './mailbox-owners.ts';
import type { ReceiptBatch } from './mailbox-receipts.ts';

/** Deposits without a token per address prefix and minute. */
export const strangersPerMinute = 30;
/** First wait after a refusal for quota; depositors lengthen it themselves (architecture 7). */
export const quotaRetrySeconds = 300;
/** Bodies being pulled: 17 MiB at most, and no session may have them all. */
const bodiesMaximum = 256;
const bodiesPerSessionMaximum = 32;
/** Of these, pulled before the store has heard of the deposit. */
const uncheckedBodiesMaximum = 128;
const busyRetrySeconds = 5;

/** What `detail` of a refusal for quota says. */
const quotaScopes = ['mailbox', 'token', 'strangers', 'receipts'] as const satisfies readonly Extract<DepositResult, { outcome: 'quota' }>['scope'][];

type DepositBody = Extract<RequestBody, { verb: 'deposit' }>;
interface Depositor {
  readonly sessionId: SessionId;
  readonly host: string;
  readonly hasToken: boolean;
  /** Set when strangers of its neighbourhood have to wait. */
  readonly strangersWaitSeconds: number | undefined;
}
type Letter = Omit<DepositArguments, 'body' | 'elapsedMs' | 'wallMs'>;

export class MailboxDeposits {
  readonly #context: MailboxContext;
  readonly #owners: MailboxOwners;
  readonly #receipts: ReceiptBatch;
  readonly #doorbell: Doorbell;
  readonly #strangers = new PrefixRate(strangersPerMinute);
  /** Deposits under way whose token may turn out to be a stranger's, by address prefix. */
  readonly #unsureOf = new Map<string, number>();
  readonly #bodiesOf = new Map<SessionId, number>();
  #bodies = 0;

  constructor(context: MailboxContext, owners: MailboxOwners, receipts: ReceiptBatch, doorbell: Doorbell) {
    this.#owners = owners;
    this.#context = context;
    this.#receipts = receipts;
    this.#doorbell = doorbell;
  }

  deposit(sessionId: SessionId, body: DepositBody, told: Answer, now: Instant): void {
    const { crypto } = this.#context.environment;
    if (body.bodyLength > contentMaximumBytes) { this.#context.refuse(told, 'too-large', now); return; }
    if (!isWellFormed(crypto, body)) { this.#context.refuse(told, 'malformed', now); return; }
    // Whoever may have no mailbox any more has none for those who write.
    if (!this.#owners.admits(body.mailbox.identity)) { this.#context.refuse(told, 'no-mailbox', now); return; }
    const host = this.#context.environment.session(sessionId)?.address.host ?? '';
    if (body.token === undefined) {
      const waitSeconds = this.#strangers.take(host, now.monotonicMs);
      if (waitSeconds !== undefined) { this.#context.refuse(told, 'busy', now, waitSeconds); return; }
    }
    // Only the store knows whether it knows a token; while the neighbourhood has used up its rate, it takes none that it does not.
    const unsure = body.token === undefined ? 0 : (this.#unsureOf.get(addressPrefix(host)) ?? 0) + 1;
    const strangersWaitSeconds = unsure === 0 ? undefined : this.#strangers.waitSeconds(host, unsure, now.monotonicMs);
    const letter: Letter = {
      mailbox: body.mailbox, tokenHash: body.token === undefined ? undefined : crypto.blake3(body.token), lane: body.lane,
      letterId: letterIdOf(crypto, body.header, body.bodyRoot, body.bodyLength), header: body.header.slice(), bodyRoot: body.bodyRoot.slice(),
      purgeHash: body.purgeHash.slice(), ttlSeconds: Math.max(body.ttlSeconds, ttlMinimumSeconds),
      quota: strangersWaitSeconds === undefined ? this.#context.quota : { ...this.#context.quota, strangerLetters: 0 },
    };
    const answer = unsure === 0 ? told : this.#counted(host, told);
    const depositor: Depositor = { sessionId, host, hasToken: body.token !== undefined, strangersWaitSeconds };
    if (body.inlineBody !== undefined) this.#store(depositor, letter, body.inlineBody.slice(), answer, now);
    // One fragment costs less than asking the store whether there is room for it, as long as there are places for those who have reason to come.
    else if (body.bodyLength <= fragmentBytes && this.#bodies < uncheckedBodiesMaximum) this.#pull(depositor, letter, body.bodyLength, answer, now);
    else this.#check(depositor, letter, body.bodyLength, answer, now);
  }

  /** Nobody uploads 64 KiB to be told that the mailbox is full. */
  #check(depositor: Depositor, letter: Letter, bodyLength: number, answer: Answer, now: Instant): void {
    const times = { elapsedMs: this.#context.elapsedMs(now), wallMs: now.wallMs };
    this.#context.store<'check-deposit'>({ op: 'check-deposit', ...letter, ...times, bodyLength }, (result, at) => {
      if (result.outcome === 'would-store') this.#pull(depositor, letter, bodyLength, answer, at);
      else this.#settle(depositor, letter, result, answer, at);
    });
  }

  #pull(depositor: Depositor, letter: Letter, bodyLength: number, answer: Answer, now: Instant): void {
    const { sessionId } = depositor;
    const own = this.#bodiesOf.get(sessionId) ?? 0;
    if (this.#bodies >= bodiesMaximum || own >= bodiesPerSessionMaximum) { this.#context.refuse(answer, 'busy', now, busyRetrySeconds); return; }
    this.#countBody(sessionId, 1);
    this.#context.environment.directed.pull(sessionId, { root: letter.bodyRoot, length: bodyLength }, (outcome, at) => {
      this.#countBody(sessionId, -1);
      if (outcome.kind === 'pulled') this.#store(depositor, letter, outcome.bytes, answer, at);
      else this.#refuseBody(outcome.reason, answer, at);
    }, now);
  }

  #refuseBody(reason: Extract<PullOutcome, { kind: 'failed' }>['reason'], answer: Answer, now: Instant): void {
    switch (reason) {
      case 'absent': this.#context.refuse(answer, 'not-found', now); return;
      case 'wrong-root': this.#context.refuse(answer, 'malformed', now); return;
      case 'too-large': this.#context.refuse(answer, 'too-large', now); return;
      case 'timed-out':
      case 'session-lost': this.#context.refuse(answer, 'busy', now, busyRetrySeconds); return;
      default: reason satisfies never;
    }
  }

  #store(depositor: Depositor, letter: Letter, body: Uint8Array, answer: Answer, now: Instant): void {
    const times = { elapsedMs: this.#context.elapsedMs(now), wallMs: now.wallMs };
    this.#context.store<'deposit'>({ op: 'deposit', ...letter, ...times, body }, (result, at) => {
      if (result.outcome === 'stored') this.#doorbell.letterStored(letter.mailbox, result.sequence, body.length <= shownBodyMaximumBytes ? entryOf(letter, body, result) : undefined);
      this.#settle(depositor, letter, result, answer, at);
    });
  }

  #settle(depositor: Depositor, letter: Letter, result: DepositResult, answer: Answer, now: Instant): void {
    switch (result.outcome) {
      case 'stored':
        this.#context.counters.count('stored');
        if (result.byStranger && depositor.hasToken) this.#strangers.take(depositor.host, now.monotonicMs);
        this.#promise(letter, result, answer, now);
        return;
      case 'duplicate':
        this.#context.counters.count('duplicates');
        this.#promise(letter, result, answer, now);
        return;
      case 'quota':
        if (result.scope === 'strangers' && depositor.strangersWaitSeconds !== undefined) { this.#context.refuse(answer, 'busy', now, depositor.strangersWaitSeconds); return; }
        this.#context.refuse(answer, 'quota', now, quotaRetrySeconds, quotaScopes.indexOf(result.scope));
        return;
      case 'no-mailbox': this.#context.refuse(answer, 'no-mailbox', now); return;
      case 'token-revoked': this.#context.refuse(answer, 'revoked', now); return;
      default: result satisfies never;
    }
  }

  #promise(letter: Letter, result: Extract<DepositResult, { outcome: 'stored' | 'duplicate' }>, answer: Answer, now: Instant): void {
    this.#receipts.add({
      letterId: letter.letterId, recipient: letter.mailbox.identity, deviceId: letter.mailbox.deviceId, state: result.state,
      expiresInSeconds: result.remainingSeconds, storedAtMs: Math.floor(now.wallMs), epoch: this.#context.epoch,
    }, answer);
  }

  /** Counts the deposit as under way until it is answered, which each is in the end. */
  #counted(host: string, answer: Answer): Answer {
    const prefix = addressPrefix(host);
    this.#unsureOf.set(prefix, (this.#unsureOf.get(prefix) ?? 0) + 1);
    let isOpen = true;
    const over = (): void => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.#unsureOf.get(prefix) ?? 1) - 1;
      if (left > 0) this.#unsureOf.set(prefix, left);
      else this.#unsureOf.delete(prefix);
    };
    return {
      respond: (payload, at) => { over(); answer.respond(payload, at); },
      respondMany: (payloads, at) => { over(); answer.respondMany(payloads, at); },
      refuse: (negative, at) => { over(); answer.refuse(negative, at); },
    };
  }

  #countBody(sessionId: SessionId, by: 1 | -1): void {
    this.#bodies += by;
    const own = (this.#bodiesOf.get(sessionId) ?? 0) + by;
    if (own > 0) this.#bodiesOf.set(sessionId, own);
    else this.#bodiesOf.delete(sessionId);
  }
}

function entryOf(letter: Letter, body: Uint8Array, stored: Extract<DepositResult, { outcome: 'stored' }>): ListEntry {
  const { letterId, lane, bodyRoot, header } = letter;
  return { sequence: stored.sequence, letterId, lane, remainingSeconds: stored.remainingSeconds, heldForSeconds: 0, bodyRoot, bodyLength: body.length, header, inlineBody: body };
}

function isWellFormed(crypto: Crypto, body: DepositBody): boolean {
  if (body.header.length !== letterHeaderBytes || body.bodyLength === 0 || body.ttlSeconds > ttlMaximumSeconds) return false;
  return body.inlineBody === undefined || (body.inlineBody.length === body.bodyLength && equalBytes(crypto.blake3(body.inlineBody), body.bodyRoot));
}
