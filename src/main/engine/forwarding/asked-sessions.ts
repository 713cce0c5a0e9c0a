/** What each session was asked for and has not answered, by name: found at once when it refuses, or is lost. */
import type { SessionId } from '../session/types.ts';
import type { AwaitedItem } from './awaited-item.ts';

export class AskedSessions {
  readonly #bySession = new Map<SessionId, Map<string, Set<AwaitedItem>>>();

  list(session: SessionId, item: AwaitedItem): void {
    const names = this.#bySession.get(session) ?? new Map<string, Set<AwaitedItem>>();
    this.#bySession.set(session, names);
    const listed = names.get(item.nameId) ?? new Set<AwaitedItem>();
    names.set(item.nameId, listed.add(item));
  }

  unlist(session: SessionId, item: AwaitedItem): void {
    const names = this.#bySession.get(session);
    const listed = names?.get(item.nameId);
    listed?.delete(item);
    if (listed?.size === 0) names?.delete(item.nameId);
    if (names?.size === 0) this.#bySession.delete(session);
  }

  /** Undefined when it was asked for nothing of that name. */
  itemsOf(session: SessionId, nameId: string): ReadonlySet<AwaitedItem> | undefined { return this.#bySession.get(session)?.get(nameId); }

  allOf(session: SessionId): readonly AwaitedItem[] {
    const items: AwaitedItem[] = [];
    for (const listed of this.#bySession.get(session)?.values() ?? []) items.push(...listed);
    return items;
  }
}
