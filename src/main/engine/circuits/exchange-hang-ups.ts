/**
 * Tells sessions that a circuit is no more. A hang-up is a courtesy: when it is lost or left out, the other side learns from the next one, which answers
 * its next datagram. So there are never many under way, and what nobody answers is soon given up.
 */
import { hangUpDeadlineMs, hangUpsMaximum, StrayAnswers } from './circuit-budget.ts';
import type { RequestOptions } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, RequestBody } from '../wire/types.ts';
import type { End } from './exchange-ends.ts';

export interface HangUpEnvironment {
  request(sessionId: SessionId, body: RequestBody, options: RequestOptions, now: Instant): void;
  count(counter: string): void;
}

export class HangUps {
  readonly #environment: HangUpEnvironment;
  readonly #strays = new StrayAnswers();
  #underWay = 0;

  constructor(environment: HangUpEnvironment) { this.#environment = environment; }

  get underWay(): number { return this.#underWay; }
  get strays(): number { return this.#strays.size; }

  tell(end: End, now: Instant): void { this.#send(end.session.id, end.number, now); }

  /** A frame came for a circuit that this session has not got. */
  stray(sessionId: SessionId, circuit: number, now: Instant): void {
    if (this.#strays.take(sessionId, now.monotonicMs)) this.#send(sessionId, circuit, now);
  }

  sessionClosed(sessionId: SessionId): void { this.#strays.forget(sessionId); }

  #send(sessionId: SessionId, circuit: number, now: Instant): void {
    if (this.#underWay >= hangUpsMaximum) { this.#environment.count('circuit.hang-up-left-out'); return; }
    this.#underWay += 1;
    this.#environment.request(sessionId, { verb: 'hang-up', circuit }, { deadlineMs: hangUpDeadlineMs, done: () => { this.#underWay -= 1; } }, now);
  }
}
