/** What is known of a contact with whom a session is wanted, or is there, and when they are asked for again. What is done with it is in peer-links.ts. */
import { PeerHistory } from './peer-history.ts';
import type { SoughtPeer } from '../inspection-types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';

/** Somebody who is not here is asked for again after so long, doubling. */
const awayFirstMs = 20_000;
const awayMaximumMs = 600_000;
/** However often there is something to say to them. */
const askAgainMs = 10_000;
/** When somebody asks by hand. */
const askByHandMs = 2_000;

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

export const isWanted = ({ wantedUntilMs }: Peer, now: Instant): boolean => now.monotonicMs < wantedUntilMs;

/** Something to say is a reason to ask sooner than by the clock, and so is a person who asks by hand. */
export function mayAsk({ state, nextAskMs, lastAskMs }: Peer, reason: 'something to say' | 'by hand', now: Instant): boolean {
  return state === 'away' && now.monotonicMs >= Math.min(nextAskMs, lastAskMs + (reason === 'by hand' ? askByHandMs : askAgainMs));
}

/** They were not reached. Returns when to ask again; undefined: nobody wants it by then. */
export function notReached(peer: Peer, reason: Peer['reason'], now: Instant): number | undefined {
  peer.state = 'away';
  peer.reason = reason;
  peer.nextAskMs = now.monotonicMs + Math.min(awayMaximumMs, awayFirstMs * 2 ** Math.min(peer.failures, 10));
  peer.failures += 1;
  return peer.nextAskMs < peer.wantedUntilMs ? peer.nextAskMs : undefined;
}

/** What failed before says nothing any more. */
export function askAnew(peer: Peer, now: Instant): void {
  peer.failures = 0;
  peer.nextAskMs = now.monotonicMs;
}
