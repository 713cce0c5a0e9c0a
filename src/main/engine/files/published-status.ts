/** What is shown of a published name: how far the relays are that hold it. */
import type { PublishedStatus } from '../inspection-types.ts';
import type { PublishedRow } from '../mail/visor-store.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { PublishedPlace } from './published-relays.ts';

export function publishedStatus(row: PublishedRow, content: ContentName, places: readonly PublishedPlace[], isLost: boolean, now: Instant): PublishedStatus {
  const relays = places.map(({ relay, names }) => ({ relay, told: names.get(row.path) }));
  const holders = relays.flatMap(({ relay, told }) => (told === undefined || told.sequence === 0 ? [] : [{ relay, heldBytes: told.heldBytes, complete: told.complete }]));
  const doneBytes = Math.max(0, ...holders.map(({ heldBytes }) => heldBytes));
  const taking = relays.find(({ told }) => told !== undefined && told.heldBytes > 0 && told.heldBytes === doneBytes);
  const file = ((): PublishedStatus['file'] => {
    if (isLost) return { state: { state: 'failed', reason: 'gone' }, holders };
    if (holders.some(({ complete }) => complete)) return { state: { state: 'ready' }, holders };
    if (taking?.told === undefined) return { state: { state: 'waiting', reason: relays.some(({ told }) => told?.full === true) ? 'relay-full' : 'no-source', doneBytes }, holders };
    const bytesPerSecond = taking.told.rate.bytesPerSecond(doneBytes, now.monotonicMs);
    const remaining = bytesPerSecond > 0 ? { remainingMs: (content.length - doneBytes) * 1_000 / bytesPerSecond } : {};
    return { state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources: [] }, holders };
  })();
  return { row, content, file };
}
