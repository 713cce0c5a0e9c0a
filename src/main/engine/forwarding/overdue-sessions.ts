/** Sessions that have not answered in time, gathered by name until they are reported. */
import type { SessionId } from '../session/types.ts';
import type { Overdue } from './types.ts';

/** Names and sessions to be reported as overdue at the next timeout. */
const overdueMaximum = 1_024;

export class OverdueSessions {
  readonly #overdue = new Map<string, { nameId: string; session: SessionId; askedAtMs: number; items: number }>();

  get isEmpty(): boolean { return this.#overdue.size === 0; }

  /** One item more. */
  note(nameId: string, session: SessionId, askedAtMs: number): void {
    const key = `${String(session)}/${nameId}`;
    const known = this.#overdue.get(key);
    if (known !== undefined) {
      known.items += 1;
      known.askedAtMs = Math.min(known.askedAtMs, askedAtMs);
    } else if (this.#overdue.size < overdueMaximum) this.#overdue.set(key, { nameId, session, askedAtMs, items: 1 });
  }

  /** They are reported once. */
  takeAll(): readonly Overdue[] {
    const overdue = [...this.#overdue.values()];
    this.#overdue.clear();
    return overdue;
  }
}
