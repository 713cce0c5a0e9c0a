/** The way by which a letter came or went, as the hop log keeps it. Its words are in shared/sentences.ts. */
import type { PeerPath } from '../overlay/peer-sessions.ts';
import type { SessionId } from '../session/types.ts';
import type { PublicKeyHex } from '../wire/types.ts';
import type { PeerPathCode } from '../../../shared/views.ts';
import type { HopRow } from './visor-store.ts';

export type LetterWay =
  /** It lay in our mailbox there. */
  | { readonly kind: 'relay'; readonly relay: PublicKeyHex }
  /** From its sender's device, in a session with it. No path: the session was lost since. */
  | { readonly kind: 'peer'; readonly sessionId: SessionId; readonly path: PeerPath | undefined };

/** What a hop says of a letter that a relay took or gave. */
export const relayPath = 'relay over UDP';

const codes: Readonly<Record<PeerPath['kind'], PeerPathCode>> = { lan: 'peer-lan', direct: 'peer-direct', relay: 'peer-relay' };

export type HopRoute = Pick<HopRow, 'relay' | 'path'>;

/** A relay is named only for a circuit through it: it has carried the letter, and never held it. */
export const peerRoute = (path: PeerPath | undefined): HopRoute =>
  path === undefined ? {} : path.kind === 'relay' && path.relay !== undefined ? { path: codes.relay, relay: path.relay } : { path: codes[path.kind] };

export const receivedRoute = (way: LetterWay): HopRoute => (way.kind === 'relay' ? { relay: way.relay, path: relayPath } : peerRoute(way.path));
