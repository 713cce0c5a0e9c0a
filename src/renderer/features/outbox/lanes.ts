/** Which waiting messages hold up later ones to the same person: each conversation is a lane, and its oldest unsent item goes first. Pure. */
import type { OutboxItemView } from '../../../shared/views.ts';

const unsent = (item: OutboxItemView): boolean => item.headline.state === 'queued' || item.headline.state === 'sending';

/** Ids of items that others of the same conversation wait behind. */
export function laneHeads(items: readonly OutboxItemView[]): ReadonlySet<string> {
  const lanes = new Map<string, OutboxItemView[]>();
  for (const item of items) {
    if (unsent(item)) lanes.set(item.conversationId, [...(lanes.get(item.conversationId) ?? []), item]);
  }
  const heads = new Set<string>();
  for (const lane of lanes.values()) {
    const [oldest, ...behind] = lane.toSorted((first, second) => first.queuedAtMs - second.queuedAtMs);
    if (oldest?.headline.state === 'queued' && oldest.lastReason !== undefined && behind.length > 0) heads.add(oldest.messageId);
  }
  return heads;
}
