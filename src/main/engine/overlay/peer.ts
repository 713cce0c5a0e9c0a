/** What is known of a contact with whom a session is wanted, or is there. Plain data: the rules are in peer-links.ts. */
import { PeerHistory } from './peer-history.ts';
import type { SoughtPeer } from '../engine-types.ts';
import type { SessionId } from '../session/types.ts';
import type { PublicKeyHex } from '../wire/types.ts';

export interface Peer {
  readonly publicKey: PublicKeyHex;
  state: 'away' | 'asking' | 'meeting' | 'here';
  sessionId: SessionId | undefined;
  wantedUntilMs: number;
  nextAskMs: number;
  lastAskMs: number;
  failures: number;
  /** Why they are not here, as far as it is known. */
  reason: SoughtPeer['reason'];
  readonly history: PeerHistory;
}

export const newPeer = (publicKey: PublicKeyHex): Peer => ({
  publicKey, state: 'away', sessionId: undefined, wantedUntilMs: -Infinity, nextAskMs: -Infinity, lastAskMs: -Infinity, failures: 0, reason: undefined, history: new PeerHistory(),
});
