/** What is shown of contacts who are here, and of those who are looked for. */
import { isStraight } from '../../../shared/peer-views.ts';
import type { PeerPathStatus, PeerStatus, SoughtPeer } from '../inspection-types.ts';
import type { PathView, SessionId, SessionView } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import type { PathUpgrade } from './path-upgrade.ts';
import type { PeerPath } from './peer-sessions.ts';
import { isWanted, type Peer } from './peer.ts';

/** Of a contact who is here, for the page that shows them. */
export interface PeerView extends Pick<PeerStatus, 'paths' | 'roundTrips' | 'switches' | 'problems' | 'search'> { readonly publicKey: PublicKeyHex; readonly session: SessionView }

/** Undefined: they are not here. */
export function viewOfPeer({ publicKey, sessionId, state, history }: Peer, context: VisorContext, upgrade: PathUpgrade, kindOf: (address: SocketAddress, sessionId: SessionId) => PeerPath, now: Instant): PeerView | undefined {
  const session = state === 'here' && sessionId !== undefined ? context.sessions.view(sessionId) : undefined;
  if (session === undefined || sessionId === undefined) return undefined;
  const paths = context.sessions.paths(sessionId, now).map((path) => pathStatus(path, kindOf(path.address, sessionId))).sort((one, other) => Number(other.isCurrent) - Number(one.isCurrent));
  const { roundTrips, switches, problems } = history;
  return { publicKey, session, paths, roundTrips, switches, problems, search: paths[0] !== undefined && !isStraight(paths[0].kind) ? upgrade.search(sessionId, now) : undefined };
}

/** Undefined: there is a session, or none is wanted. */
export function soughtPeer(peer: Peer, now: Instant): SoughtPeer | undefined {
  const { publicKey, state, wantedUntilMs, nextAskMs, failures, reason, history } = peer;
  if (state === 'here' || !isWanted(peer, now)) return undefined;
  const isDue = state === 'away' && nextAskMs < wantedUntilMs;
  return { publicKey, isAsking: state !== 'away', failures, reason, nextAskWallMs: isDue ? now.wallMs + Math.max(0, nextAskMs - now.monotonicMs) : undefined, problems: history.problems, lastHeardWallMs: history.heardWallMs };
}

function pathStatus({ address, isCurrent, isDoubtful, smoothedRoundTripMs }: PathView, { kind, relay }: PeerPath): PeerPathStatus {
  return { kind, relay, address: isStraight(kind) ? address : undefined, isCurrent, isDoubtful, roundTripMs: smoothedRoundTripMs };
}
