/** What the rows of published names say, and how the next one of a name is numbered. */
import { nameKey } from '../directed/datum.ts';
import type { PublishedRow } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';

/** What relays hold of public contents, and how long a record is believed; both are renewed daily while the visor runs. */
export const lifetimeSeconds = 7 * 86_400;
/** A number from further ahead was made by a clock that was wrong; relays refuse it. */
export const aheadMaximumSeconds = 2 * 86_400;

/** Above the one before, and about now. */
export function nextNumber(context: VisorContext, before: PublishedRow | undefined, now: Instant): Pick<PublishedRow, 'sequence' | 'notAfterSeconds'> {
  const nowSeconds = Math.floor(context.correctedWallMs(now) / 1_000);
  const lowest = before === undefined || before.sequence > nowSeconds + aheadMaximumSeconds ? 0 : before.sequence + 1;
  return { sequence: Math.max(lowest, nowSeconds), notAfterSeconds: nowSeconds + lifetimeSeconds };
}

/** Whether a name stands for these bytes. */
export function isNamed(context: VisorContext, content: ContentName): boolean {
  const key = nameKey(content);
  for (const row of context.memory.published.values()) if (row.content !== undefined && nameKey(row.content) === key) return true;
  return false;
}
