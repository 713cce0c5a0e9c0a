/**
 * Openings of circuits, from being wanted until they are granted or refused: who may have one, whom of the owner's sessions to ask, and what their answers
 * come to. exchange.ts says why all of them are asked.
 */
import { PrefixRate } from '../mail/mailbox-rate.ts';
import { isAllZero } from '../wire/bytes.ts';
import { attemptsPerPrefixPerMinute, circuitsMaximum, connectDeadlineMs, connectsMaximum, NeighbourhoodShares, sessionsAskedMaximum } from './circuit-budget.ts';
import type { Crypto } from '../crypto.ts';
import type { Answer, RequestOptions, RequestOutcome } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, Mailbox, NegativeCode, RequestBody, SocketAddress } from '../wire/types.ts';
import type { Attempt, End, Ends, EndsOfSession } from './exchange-ends.ts';
import type { HangUps } from './exchange-hang-ups.ts';

const tokenBytes = 16;
/** The owner was not here; when it comes, it comes within minutes. */
const absentRetrySeconds = 30;
/** Places become free by the minute. */
const fullRetrySeconds = 60;
/** An owner that is being asked by many has answered them by then. */
const askedRetrySeconds = 5;

export interface OpeningEnvironment {
  readonly crypto: Crypto;
  request(sessionId: SessionId, body: RequestBody, options: RequestOptions, now: Instant): void;
  /** Live sessions which have registered this mailbox, in the order in which they did. */
  sessionsOf(mailbox: Mailbox): readonly SessionId[];
  /** Undefined when the session is gone. */
  addressOf(sessionId: SessionId): SocketAddress | undefined;
  /** Names have the prefix `circuit.` already. */
  count(counter: string): void;
}

/** What an opening that was granted leaves: the end of its owner, the share of the opener's neighbourhood, which is given back when the circuit ends, and to whom it is charged. */
export interface Granted { readonly opener: EndsOfSession; readonly owner: End; readonly share: string; readonly parties: readonly string[]; readonly answer: Answer }

export class Openings {
  readonly #environment: OpeningEnvironment;
  readonly #ends: Ends;
  readonly #hangUps: HangUps;
  readonly #granted: (granted: Granted, now: Instant) => void;
  readonly #attempts = new Set<Attempt>();
  readonly #rate = new PrefixRate(attemptsPerPrefixPerMinute);
  readonly #shares = new NeighbourhoodShares();
  #connects = 0;

  /** `granted` is called while nothing of the opening is kept any more, and answers the opener. */
  constructor(environment: OpeningEnvironment, ends: Ends, hangUps: HangUps, granted: (granted: Granted, now: Instant) => void) {
    this.#environment = environment;
    this.#ends = ends;
    this.#hangUps = hangUps;
    this.#granted = granted;
  }

  get attempts(): number { return this.#attempts.size; }
  get connects(): number { return this.#connects; }
  get rates(): number { return this.#rate.size; }
  get neighbourhoods(): number { return this.#shares.size; }

  /** @param circuits how many there are now */
  wanted(sessionId: SessionId, mailbox: Mailbox, token: Uint8Array, circuits: number, answer: Answer, now: Instant): void {
    const from = this.#environment.addressOf(sessionId);
    if (from === undefined) return;
    // All zero is how a deposit says that it has no token; without one there is no circuit, and nobody to be asked for one.
    if (token.length !== tokenBytes || isAllZero(token)) { this.#refuse(answer, 'malformed', 0, now); return; }
    const waitSeconds = this.#rate.take(from.host, now.monotonicMs);
    if (waitSeconds !== undefined) { this.#refuse(answer, 'busy', waitSeconds, now); return; }
    const here = this.#environment.sessionsOf(mailbox).filter((id) => id !== sessionId);
    if (here.length === 0) { this.#refuse(answer, 'not-found', absentRetrySeconds, now); return; }
    if (circuits + this.#attempts.size >= circuitsMaximum || !this.#ends.mayOpen(sessionId)) { this.#refuse(answer, 'busy', fullRetrySeconds, now); return; }
    // The newest: those that are not missed yet are older.
    const asked = here.filter((id) => this.#ends.mayAsk(id)).slice(-sessionsAskedMaximum);
    if (asked.length === 0 || this.#connects + asked.length > connectsMaximum) { this.#refuse(answer, 'busy', askedRetrySeconds, now); return; }
    const share = this.#shares.take(from.host);
    if (share === undefined) { this.#refuse(answer, 'busy', fullRetrySeconds, now); return; }
    this.#ask({ opener: this.#ends.session(sessionId), answer, share, parties: [`friend ${mailbox.identity}`, `network ${share}`], waiting: asked.length, refused: false }, asked, this.#environment.crypto.blake3(token), now);
  }

  /** Its opener is gone: whoever says yes now is told that there is nobody. */
  openerGone(session: EndsOfSession): void {
    for (const attempt of session.attempts) this.#drop(attempt);
  }

  giveBack(share: string): void { this.#shares.giveBack(share); }

  #ask(attempt: Attempt, sessionIds: readonly SessionId[], tokenHash: Uint8Array, now: Instant): void {
    this.#environment.count('circuit.wanted');
    this.#attempts.add(attempt);
    attempt.opener.attempts.add(attempt);
    // All of them before the first is asked: the request layer may say at once that it has no room.
    const ends = sessionIds.map((id) => this.#ends.draw(this.#ends.session(id)));
    this.#connects += ends.length;
    for (const end of ends) end.session.asked += 1;
    for (const end of ends) {
      this.#environment.request(end.session.id, { verb: 'connect', circuit: end.number, tokenHash }, {
        deadlineMs: connectDeadlineMs, done: (outcome, at) => { this.#answered(attempt, end, outcome, at); },
      }, now);
    }
  }

  #answered(attempt: Attempt, end: End, outcome: RequestOutcome, now: Instant): void {
    this.#connects -= 1;
    end.session.asked -= 1;
    attempt.waiting -= 1;
    const isHere = this.#ends.has(end);
    if (isHere && isYes(outcome) && this.#attempts.delete(attempt)) {
      attempt.opener.attempts.delete(attempt);
      this.#granted({ opener: attempt.opener, owner: end, share: attempt.share, parties: attempt.parties, answer: attempt.answer }, now);
      return;
    }
    this.#ends.remove(end);
    // It believes to have a circuit: the opener is gone, or has one with another session; or what it said was neither yes nor no.
    if (isHere && outcome.kind === 'answered') this.#hangUps.tell(end, now);
    if (outcome.kind === 'answered' || outcome.kind === 'negative') attempt.refused = true;
    if (attempt.waiting > 0 || !this.#attempts.has(attempt)) return;
    this.#drop(attempt);
    this.#ends.tidy(attempt.opener);
    if (attempt.refused) this.#refuse(attempt.answer, 'refused', 0, now);
    else this.#refuse(attempt.answer, 'not-found', absentRetrySeconds, now);
  }

  #drop(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    attempt.opener.attempts.delete(attempt);
    this.#shares.giveBack(attempt.share);
  }

  #refuse(answer: Answer, code: NegativeCode, retryAfterSeconds: number, now: Instant): void {
    this.#environment.count(`circuit.refused.${code}`);
    answer.refuse({ code, retryAfterSeconds, detail: 0 }, now);
  }
}

const isYes = (outcome: RequestOutcome): boolean => outcome.kind === 'answered' && outcome.payloads.length === 1 && outcome.payloads[0]?.length === 0;
