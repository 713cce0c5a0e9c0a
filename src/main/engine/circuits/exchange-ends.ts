/**
 * Which session has which end of which circuit. Numbers belong to a session: the same number at another session is another circuit's, so nobody can
 * name an end of somebody else's. They are random, so that one that has ended is not soon another's.
 */
import { connectsPerOwnerMaximum, circuitsPerOpenerMaximum, circuitsPerOwnerMaximum } from './circuit-budget.ts';
import type { RandomBytes } from '../crypto.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { TunnelBudget } from './circuit-budget.ts';

/** An opening that is neither granted nor refused yet. */
export interface Attempt {
  readonly opener: EndsOfSession;
  readonly answer: Answer;
  /** Share of its neighbourhood (circuit-budget.ts). */
  readonly share: string;
  /** To whom what goes through is charged (hourly-budget.ts). */
  readonly parties: readonly string[];
  /** Sessions that have not answered. */
  waiting: number;
  /** One of them has said no. */
  refused: boolean;
}

export interface Circuit {
  readonly key: string;
  readonly opener: End;
  readonly owner: End;
  readonly share: string;
  readonly parties: readonly string[];
  readonly budget: TunnelBudget;
  lastForwardedMs: number;
}

export interface End {
  readonly session: EndsOfSession;
  /** From 1 to 2^32 - 1. */
  readonly number: number;
  /** Undefined while its session is asked whether it wants it. */
  circuit: Circuit | undefined;
}

export interface EndsOfSession {
  readonly id: SessionId;
  readonly ends: Map<number, End>;
  readonly attempts: Set<Attempt>;
  /** Circuits that it opened, and such that were opened to it. */
  opened: number;
  owned: number;
  /** `connect` requests that it has not answered. */
  asked: number;
}

export class Ends {
  readonly #random: RandomBytes;
  readonly #sessions = new Map<SessionId, EndsOfSession>();

  constructor(random: RandomBytes) { this.#random = random; }

  get sessionCount(): number { return this.#sessions.size; }
  get endCount(): number { return [...this.#sessions.values()].reduce((sum, { ends }) => sum + ends.size, 0); }

  find(sessionId: SessionId, number: number): End | undefined { return this.#sessions.get(sessionId)?.ends.get(number); }

  known(sessionId: SessionId): EndsOfSession | undefined { return this.#sessions.get(sessionId); }

  /** To be given to `tidy` when something of it has ended. */
  session(sessionId: SessionId): EndsOfSession {
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return known;
    const made: EndsOfSession = { id: sessionId, ends: new Map(), attempts: new Set(), opened: 0, owned: 0, asked: 0 };
    this.#sessions.set(sessionId, made);
    return made;
  }

  mayOpen(sessionId: SessionId): boolean {
    const session = this.#sessions.get(sessionId);
    return session === undefined || session.opened + session.attempts.size < circuitsPerOpenerMaximum;
  }

  /** Also counts those that it is asked about: it may want them all. */
  mayAsk(sessionId: SessionId): boolean {
    const session = this.#sessions.get(sessionId);
    return session === undefined || (session.asked < connectsPerOwnerMaximum && session.owned + session.asked < circuitsPerOwnerMaximum);
  }

  /** A new end under a number that the session has not got now. */
  draw(session: EndsOfSession): End {
    const bytes = this.#random(4);
    const drawn = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    let number = drawn;
    // A session has few: the next free number is as good as another draw, and is found whatever the generator gives.
    while (number === 0 || session.ends.has(number)) number = (number + 1) >>> 0;
    const end: End = { session, number, circuit: undefined };
    session.ends.set(number, end);
    return end;
  }

  /** Whether nobody has ended it meanwhile. */
  has(end: End): boolean { return this.find(end.session.id, end.number) === end; }

  remove(end: End): void {
    if (end.session.ends.get(end.number) === end) end.session.ends.delete(end.number);
    this.tidy(end.session);
  }

  /** Forgets the session if there is nothing of it. */
  tidy(session: EndsOfSession): void {
    if (session.ends.size === 0 && session.attempts.size === 0 && session.asked === 0) this.forget(session);
  }

  /** Whatever still has to do with it has to do with nobody: a session under the same number is somebody's new start. */
  forget(session: EndsOfSession): void {
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
  }
}
