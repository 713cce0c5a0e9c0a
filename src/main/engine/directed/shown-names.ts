/** Which names a session has shown in full: requests may then go by the 16-byte id. Whoever is forgotten shows the name again. */
import type { SessionId } from '../session/types.ts';
import type { ContentName } from '../wire/types.ts';

/** As many as one session downloads at once, and some. */
const perSessionMaximum = 256;
const sessionsMaximum = 16_384;

export interface ShownName { readonly name: ContentName; readonly key: string; readonly groupShift: number }

export class ShownNames {
  /** Each least recently shown first. */
  readonly #sessions = new Map<SessionId, Map<string, ShownName>>();

  add(sessionId: SessionId, id: string, shown: ShownName): void {
    const names = this.#sessions.get(sessionId) ?? new Map<string, ShownName>();
    if (!this.#sessions.has(sessionId)) {
      this.#sessions.set(sessionId, names);
      if (this.#sessions.size > sessionsMaximum) removeFirst(this.#sessions);
    }
    names.delete(id);
    names.set(id, shown);
    if (names.size > perSessionMaximum) removeFirst(names);
  }

  get(sessionId: SessionId, id: string): ShownName | undefined { return this.#sessions.get(sessionId)?.get(id); }

  sessionLost(sessionId: SessionId): void { this.#sessions.delete(sessionId); }
}

function removeFirst<Key>(map: Map<Key, unknown>): void {
  const first = map.keys().next();
  if (first.done !== true) map.delete(first.value);
}
