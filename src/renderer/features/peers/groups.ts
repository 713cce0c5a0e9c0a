/** Who is shown where on the page of peers, and in which order. Pure. */
import { peerPathKinds, type PeerPathView, type PeerView } from '../../../shared/peer-views.ts';
import type { ConversationView, OutboxItemView } from '../../../shared/views.ts';

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
    relays: mergedRelays(peers.filter(({ role }) => role === 'relay')),
    others: [...others.values()].toSorted(byName),
  };
}

/** To a relay there may be a session by name and one without: to people that is one relay. */
function mergedRelays(sessions: readonly PeerView[]): readonly PeerView[] {
  const merged = new Map<string, PeerView>();
  for (const session of sessions) {
    const before = merged.get(session.publicKey);
    merged.set(session.publicKey, before === undefined ? session : {
      ...session, ...before, sentBytes: before.sentBytes + session.sentBytes, receivedBytes: before.receivedBytes + session.receivedBytes,
      ...(before.lastHeardMs === undefined || session.lastHeardMs === undefined ? {} : { lastHeardMs: Math.max(before.lastHeardMs, session.lastHeardMs) }),
    });
  }
  return [...merged.values()];
}

/** The one in use first, then from the nearest. */
export const pathsInOrder = (paths: readonly PeerPathView[]): readonly PeerPathView[] =>
  paths.toSorted((one, other) => Number(other.isCurrent) - Number(one.isCurrent) || peerPathKinds.indexOf(one.kind) - peerPathKinds.indexOf(other.kind));

/** Messages to each contact that are not delivered yet; what Waypost sends by itself does not count. */
export function lettersOnTheirWay(outbox: readonly OutboxItemView[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { conversationId, kind } of outbox) {
    const publicKey = conversationId.slice(0, conversationId.indexOf(':'));
    if (kind === 'message') counts.set(publicKey, (counts.get(publicKey) ?? 0) + 1);
  }
  return counts;
}
