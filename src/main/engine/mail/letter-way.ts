/** The way by which a letter came or went, as the hop log keeps it. Its words are in shared/sentences.ts. */
import type { PeerPath } from '../overlay/peer-sessions.ts';
import type { SessionId } from '../session/types.ts';
import type { PublicKeyHex } from '../wire/types.ts';
import { isStraight, type PeerPathCode, type PeerPathKind } from '../../../shared/peer-views.ts';
import type { HopRow } from './visor-store.ts';

export type LetterWay =
  /** It lay in our mailbox there. */
  | { readonly kind: 'relay'; readonly relay: PublicKeyHex; readonly isOverTcp: boolean }
  /** From its sender's device, in a session with it. No path: the session was lost since. */
  | { readonly kind: 'peer'; readonly sessionId: SessionId; readonly path: PeerPath | undefined };

const codes: Readonly<Record<PeerPathKind, PeerPathCode>> = { lan: 'peer-lan', direct: 'peer-direct', punched: 'peer-punched', friend: 'peer-friend', relay: 'peer-relay', 'relay-tcp': 'peer-relay-tcp' };

export type HopRoute = Pick<HopRow, 'relay' | 'path'>;

/** What a hop says of a letter that a relay took or gave. */
export const relayRoute = (relay: PublicKeyHex, isOverTcp: boolean): HopRoute => ({ relay, path: isOverTcp ? 'relay over TCP' : 'relay over UDP' });

/** A relay is named only for a circuit through it: it has carried the letter, and never held it. */
export const peerRoute = (path: PeerPath | undefined): HopRoute =>
  path === undefined ? {} : isStraight(path.kind) || path.relay === undefined ? { path: codes[path.kind] } : { path: codes[path.kind], relay: path.relay };

export const receivedRoute = (way: LetterWay): HopRoute => (way.kind === 'relay' ? relayRoute(way.relay, way.isOverTcp) : peerRoute(way.path));
