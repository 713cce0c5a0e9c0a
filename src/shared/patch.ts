/** Applies patches to a view; pure, shared by the renderer, the CLI and the tests. */
import type { Change, ConversationView, OutboxItemView, View } from './views.ts';
import type { RelayView } from './relay-views.ts';

function upsert<T>(list: readonly T[], item: T, same: (other: T) => boolean): T[] {
  const index = list.findIndex(same);
  if (index < 0) return [...list, item];
  return list.map((other, position) => (position === index ? item : other));
}

export function applyChange(view: View, change: Change): View {
  switch (change.kind) {
    case 'identity': return { ...view, identity: change.value };
    case 'connection': return { ...view, connection: change.value };
    case 'conversation':
      return { ...view, conversations: upsert<ConversationView>(view.conversations, change.value, (other) => other.id === change.value.id) };
    case 'conversation-removed':
      return { ...view, conversations: view.conversations.filter((other) => other.id !== change.id) };
    case 'message': return view;
    case 'relay':
      return { ...view, relays: upsert<RelayView>(view.relays, change.value, (other) => other.publicKey === change.value.publicKey) };
    case 'relay-removed': return { ...view, relays: view.relays.filter((other) => other.publicKey !== change.publicKey) };
    case 'outbox':
      return { ...view, outbox: upsert<OutboxItemView>(view.outbox, change.value, (other) => other.messageId === change.value.messageId) };
    case 'outbox-removed': return { ...view, outbox: view.outbox.filter((other) => other.messageId !== change.messageId) };
    case 'settings': return { ...view, settings: change.value };
    case 'echo': return { ...view, echo: change.value };
    case 'carrying': return { ...view, carrying: change.value };
    case 'notices': return { ...view, notices: change.value };
    case 'network': return { ...view, network: change.value };
  }
}
