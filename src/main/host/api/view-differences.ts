/** What differs between a view that is shown and what is now: no patch tells what a window knows already. */
import type { Change, View } from '../../../shared/views.ts';

/** A whole view as changes against the one that was shown. */
export function differences(shown: View, next: View): Change[] {
  return [
    { kind: 'identity', value: next.identity },
    { kind: 'connection', value: next.connection },
    { kind: 'settings', value: next.settings },
    { kind: 'notices', value: next.notices },
    { kind: 'network', value: next.network },
    ...shown.conversations.filter((old) => !next.conversations.some((item) => item.id === old.id)).map((old): Change => ({ kind: 'conversation-removed', id: old.id })),
    ...next.conversations.map((value): Change => ({ kind: 'conversation', value })),
    ...shown.relays.filter((old) => !next.relays.some((item) => item.publicKey === old.publicKey)).map((old): Change => ({ kind: 'relay-removed', publicKey: old.publicKey })),
    ...next.relays.map((value): Change => ({ kind: 'relay', value })),
    ...shown.outbox.filter((old) => !next.outbox.some((item) => item.messageId === old.messageId)).map((old): Change => ({ kind: 'outbox-removed', messageId: old.messageId })),
    ...next.outbox.map((value): Change => ({ kind: 'outbox', value })),
  ];
}

/** Both sides come from the same presenter, so equal values have equal text. */
const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

export function isUnchanged(view: View, change: Change): boolean {
  switch (change.kind) {
    case 'message': return false;
    case 'identity': return same(view.identity, change.value);
    case 'connection': return same(view.connection, change.value);
    case 'settings': return same(view.settings, change.value);
    case 'echo': return same(view.echo, change.value);
    case 'carrying': return view.carrying !== undefined && same(view.carrying, change.value);
    case 'notices': return same(view.notices, change.value);
    case 'network': return same(view.network, change.value);
    case 'conversation': return same(view.conversations.find((item) => item.id === change.value.id), change.value);
    case 'conversation-removed': return !view.conversations.some((item) => item.id === change.id);
    case 'relay': return same(view.relays.find((item) => item.publicKey === change.value.publicKey), change.value);
    case 'relay-removed': return !view.relays.some((item) => item.publicKey === change.publicKey);
    case 'outbox': return same(view.outbox.find((item) => item.messageId === change.value.messageId), change.value);
    case 'outbox-removed': return !view.outbox.some((item) => item.messageId === change.messageId);
  }
}
