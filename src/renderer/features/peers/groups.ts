/** Who is shown where on the page of peers, and in which order. Pure. */
import { peerPathKinds, type ConversationView, type OutboxItemView, type PeerView } from '../../../shared/views.ts';

export interface PeerGroups {
  /** Nearest paths first. */
  readonly connected: readonly PeerView[];
  readonly sought: readonly PeerView[];
  readonly relays: readonly PeerView[];
  /** Contacts who are neither. */
  readonly others: readonly Unconnected[];
}
export interface Unconnected { readonly publicKey: string; readonly name: string; readonly conversationId: string }

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const byName = (one: { readonly name: string }, other: { readonly name: string }): number => collator.compare(one.name, other.name);
const rank = ({ kind, path }: PeerView): number => peerPathKinds.indexOf(kind ?? (path === 'direct' ? 'direct' : 'relay'));

export function groupPeers(peers: readonly PeerView[], conversations: readonly ConversationView[]): PeerGroups {
  const contacts = peers.filter(({ role }) => role === 'contact');
  const shown = new Set(contacts.map(({ publicKey }) => publicKey));
  const others = new Map<string, Unconnected>();
  for (const { publicKey, name, id, standing } of conversations) if (standing === 'contact' && !shown.has(publicKey) && !others.has(publicKey)) others.set(publicKey, { publicKey, name, conversationId: id });
  return {
    connected: contacts.filter(({ path }) => path !== 'none').toSorted((one, other) => rank(one) - rank(other) || byName(one, other)),
    sought: contacts.filter(({ path }) => path === 'none').toSorted(byName),
    relays: peers.filter(({ role }) => role === 'relay'),
    others: [...others.values()].toSorted(byName),
  };
}

/** Messages to each contact that are not delivered yet; what Waypost sends by itself does not count. */
export function lettersOnTheirWay(outbox: readonly OutboxItemView[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { conversationId, kind } of outbox) {
    const publicKey = conversationId.slice(0, conversationId.indexOf(':'));
    if (kind === 'message') counts.set(publicKey, (counts.get(publicKey) ?? 0) + 1);
  }
  return counts;
}
