/** The order of the list of conversations, and who is next to whom in it. Pure. */
import type { ConversationView } from '../../../shared/views.ts';

const byActivity = (first: ConversationView, second: ConversationView): number => second.lastActivityMs - first.lastActivityMs;

export const requestsOf = (conversations: readonly ConversationView[]): readonly ConversationView[] => conversations.filter((conversation) => conversation.standing === 'request').toSorted(byActivity);
export const contactsOf = (conversations: readonly ConversationView[]): readonly ConversationView[] => conversations.filter((conversation) => conversation.standing === 'contact' || conversation.standing === 'pending').toSorted(byActivity);

/** As the list shows them: requests first, since they wait for an answer. Blocked ones are in Settings only. */
export const sortedConversations = (conversations: readonly ConversationView[]): readonly ConversationView[] => [...requestsOf(conversations), ...contactsOf(conversations)];

/** The conversation above or below; the first or last one when none is open. Stops at the ends. */
export function neighbourOf(sorted: readonly ConversationView[], currentId: string | undefined, step: 1 | -1): ConversationView | undefined {
  const current = sorted.findIndex((conversation) => conversation.id === currentId);
  if (current < 0) return step > 0 ? sorted[0] : sorted.at(-1);
  return sorted[Math.min(sorted.length - 1, Math.max(0, current + step))];
}
