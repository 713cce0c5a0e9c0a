/** What changed for those who look, gathered until it is told. */
import type { EngineChange } from './engine-types.ts';

/** Many commits of one round touch the same rows; each is announced once, in the order of its last change. */
export function distinct(changes: readonly EngineChange[]): readonly EngineChange[] {
  const byKey = new Map<string, EngineChange>();
  for (const change of changes) {
    const key = JSON.stringify(change);
    byKey.delete(key);
    byKey.set(key, change);
  }
  return [...byKey.values()];
}
