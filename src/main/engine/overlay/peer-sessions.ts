/** What the parts that write and read letters see of sessions with contacts themselves. */
import type { SessionId } from '../session/types.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';

/** Sessions with contacts themselves, for as long as both are here. */
export interface PeerSessions {
  /** One over which something was heard lately; undefined: none now. */
  session(publicKey: PublicKeyHex): SessionId | undefined;
  /** Whose session this is; undefined: not a peer's, or no accepted contact any more. */
  contactOf(sessionId: SessionId): PublicKeyHex | undefined;
  /** Somebody has to do with them now: worth a session for a while. */
  want(publicKey: PublicKeyHex, now: Instant): void;
  /** How it goes now, for the route shown with a letter: 'lan' | 'direct' | 'relay', and the relay's key when by relay. */
  pathOf(publicKey: PublicKeyHex): { readonly kind: 'lan' | 'direct' | 'relay'; readonly relay: PublicKeyHex | undefined } | undefined;
}
