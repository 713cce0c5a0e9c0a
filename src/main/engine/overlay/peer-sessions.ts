/**
 * What the rest of a visor knows of sessions with other visors: authenticated at both ends, whatever path their packets take. There is one with a contact only as long as both
 * are here; nothing may depend on it.
 */
import type { PeerPathKind } from '../../../shared/peer-views.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';

/** How a session's packets go; of a circuit, through whom. */
export interface PeerPath { readonly kind: PeerPathKind; readonly relay: PublicKeyHex | undefined }

/** Sessions with contacts themselves, for as long as both are here. */
export interface PeerSessions {
  /** One over which something was heard lately; undefined: none now. */
  session(publicKey: PublicKeyHex): SessionId | undefined;
  /** Whose session this is; undefined: not a peer's, or no accepted contact any more. */
  contactOf(sessionId: SessionId): PublicKeyHex | undefined;
  /** Somebody has to do with them now: worth a session for a while. */
  want(publicKey: PublicKeyHex, now: Instant): void;
  /** How it goes now, for the route shown with a letter. */
  pathOf(publicKey: PublicKeyHex): PeerPath | undefined;
}

export interface PeerEvents {
  peerUp(publicKey: PublicKeyHex, now: Instant): void;
  /** The session goes by another path. */
  peerMoved?(publicKey: PublicKeyHex, now: Instant): void;
  /** A nearer path does not answer any more: it may be the own network that is another one. */
  pathFailed?(now: Instant): void;
  peerDown(publicKey: PublicKeyHex, sessionId: SessionId, now: Instant): void;
}

/** Makes them for one visor. The events are not to be told before its first input. */
export type CreatePeerSessions = (context: VisorContext, events: PeerEvents) => PeerSessions;
