/**
 * One question to all peers of a relay, for everybody who asks the same meanwhile. The first whole answer is given after a short while, in which a newer one
 * may come; what comes later still is kept for the next who asks.
 */
import { Deadlines } from '../deadlines.ts';
import { newerRecords, proveRecords, type FoundRecords } from './found-records.ts';
import { KnownRecords, absentMs } from './known-records.ts';
import { sequenceAheadMaximumSeconds } from '../mail/mailbox-records.ts';
import type { Crypto } from '../crypto.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';
import type { RelayAnswer } from './ask-relay.ts';

/** Whoever asked us waits six seconds, part of which their own way takes. */
export const questionMs = 4_500;
/** For a newer record than the first, from peers about as far away. */
const newerMs = 300;
/** Some peer did not answer: it may know, and be back soon. */
const unsureMs = 10_000;
const questionsMaximum = 128;
const waitingMaximum = 64;

export interface PeerAnswers {
  /** How many there are to ask. */
  readonly count: number;
  /** Asks that peer, and answers once. */
  ask(peer: number, identity: PublicKeyHex, now: Instant, done: (answer: RelayAnswer, now: Instant) => void): void;
}

export interface QuestionResult { readonly found: FoundRecords | undefined; /** Not worth asking again before, ms; 0 where something was found. */ readonly retryMs: number }
type Done = (result: QuestionResult, now: Instant) => void;

interface Question { readonly waiting: Done[]; outstanding: number; isUnsure: boolean; found: FoundRecords | undefined; isAnswered: boolean }

export class PeerQuestions {
  readonly known = new KnownRecords();
  readonly #crypto: Crypto;
  readonly #peers: PeerAnswers;
  readonly #count: (counter: string) => void;
  readonly #questions = new Map<PublicKeyHex, Question>();
  readonly #deadlines = new Deadlines();

  constructor(crypto: Crypto, peers: PeerAnswers, count: (counter: string) => void) {
    this.#crypto = crypto;
    this.#peers = peers;
    this.#count = count;
  }

  /** It costs nobody anything: the same is being asked, and there is room for one more who waits. */
  join(identity: PublicKeyHex, done: Done): boolean {
    const running = this.#questions.get(identity);
    if (running === undefined || running.waiting.length >= waitingMaximum) return false;
    running.waiting.push(done);
    return true;
  }

  get isFull(): boolean { return this.#questions.size >= questionsMaximum; }
  /** Where `join` says no: so many wait that no more may. */
  isAsking(identity: PublicKeyHex): boolean { return this.#questions.has(identity); }

  /** Only where nobody is being asked about it. */
  ask(identity: PublicKeyHex, now: Instant, done: Done): void {
    const question: Question = { waiting: [done], outstanding: this.#peers.count, isUnsure: false, found: undefined, isAnswered: false };
    this.#questions.set(identity, question);
    this.#deadlines.set(identity, now.monotonicMs + questionMs);
    for (let peer = 0; peer < this.#peers.count; peer += 1) {
      this.#count('directory.asked');
      this.#peers.ask(peer, identity, now, (answer, at) => { this.#answered(identity, question, answer, at); });
    }
  }

  handleTimeout(now: Instant): void {
    for (let identity = this.#deadlines.takeDue(now.monotonicMs); identity !== undefined; identity = this.#deadlines.takeDue(now.monotonicMs)) {
      const question = this.#questions.get(identity);
      if (question !== undefined) this.#settle(identity, question, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'directory question' };
  }

  #answered(identity: PublicKeyHex, question: Question, answer: RelayAnswer, now: Instant): void {
    question.outstanding -= 1;
    if (answer.kind === 'silent' || (answer.kind === 'nothing' && answer.isBusy)) question.isUnsure = true;
    if (answer.kind === 'served') this.#served(identity, question, answer, now);
    if (question.isAnswered) return;
    if (question.outstanding === 0) this.#settle(identity, question, now);
    else if (question.found?.bundle !== undefined) this.#deadlines.set(identity, Math.min(this.#deadlines.at(identity) ?? Infinity, now.monotonicMs + newerMs));
  }

  #served(identity: PublicKeyHex, question: Question, answer: RelayAnswer & { kind: 'served' }, now: Instant): void {
    const proved = proveRecords(this.#crypto, identity, answer.resolved, question.found?.record);
    const nowSeconds = Math.floor(now.wallMs / 1_000);
    if (proved === undefined) { this.#count('directory.refused.false'); return; }
    if (proved.record.notAfterSeconds <= nowSeconds || proved.record.sequence > nowSeconds + sequenceAheadMaximumSeconds) { this.#count('directory.refused.date'); return; }
    question.found = newerRecords(question.found, proved);
    this.known.keep(identity, proved, now);
  }

  #settle(identity: PublicKeyHex, question: Question, now: Instant): void {
    question.isAnswered = true;
    this.#questions.delete(identity);
    this.#deadlines.clear(identity);
    const retryMs = question.found !== undefined ? 0 : question.isUnsure || question.outstanding > 0 ? unsureMs : absentMs;
    if (question.found === undefined) this.known.keepAbsent(identity, retryMs, now);
    for (const done of question.waiting) done({ found: question.found, retryMs }, now);
  }
}
