/** Turns what the engine knows of sessions with relays and contacts into what people and programs are shown. Pure, as presenter.ts is. */
import { isStraight, type PeerPathView, type PeerView } from '../../../shared/peer-views.ts';
import type { DirectSearch, PeerPathProblem, PeerPathStatus, PeerStatus, PeerPathSwitch, SoughtPeer } from '../../engine/inspection-types.ts';
import type { PublicKeyHex, SocketAddress } from '../../engine/wire/types.ts';
import { hostOfTcp, isTcpAddress } from '../../engine/wire/tcp-address.ts';
import { formatHostPort, personName, relayName, wholeMs, type Names } from './presenter.ts';

export function presentPeer(peer: PeerStatus, names: Names): PeerView {
  const isRelay = peer.role === 'relay';
  const [current] = peer.paths;
  return {
    publicKey: peer.publicKey,
    name: isRelay ? relayName(names, peer.publicKey) : personName(names, peer.publicKey),
    role: peer.role,
    path: !isRelay && (current === undefined || isStraight(current.kind)) ? 'direct' : 'relay',
    ...(current === undefined ? {} : { kind: current.kind, ...throughOf(current.relay, names) }),
    ...addressOf(peer.address),
    ...(peer.address !== undefined && isTcpAddress(peer.address) ? { isOverTcp: true } : {}),
    ...(peer.roundTripMs === undefined ? {} : { roundTripMs: peer.roundTripMs }),
    lastHeardMs: wholeMs(peer.lastHeardWallMs),
    sentBytes: peer.sentBytes,
    receivedBytes: peer.receivedBytes,
    paths: peer.paths.map((path) => presentPath(path, names)),
    ...(isRelay ? {} : {
      roundTripsMs: peer.roundTrips.map(({ roundTripMs }) => roundTripMs ?? null),
      switches: peer.switches.map((one) => presentSwitch(one, names)),
      problems: peer.problems.map((one) => presentProblem(one, names)),
    }),
    ...(peer.search === undefined ? {} : { search: presentSearch(peer.search) }),
  };
}

/** Somebody who is wanted and not connected: no path, and what is done about it. */
export function presentSoughtPeer(peer: SoughtPeer, names: Names): PeerView {
  const { publicKey, isAsking, failures, reason, nextAskWallMs, lastHeardWallMs } = peer;
  return {
    publicKey,
    name: personName(names, publicKey),
    role: 'contact',
    path: 'none',
    ...(lastHeardWallMs === undefined ? {} : { lastHeardMs: wholeMs(lastHeardWallMs) }),
    sentBytes: 0,
    receivedBytes: 0,
    paths: [],
    problems: peer.problems.map((one) => presentProblem(one, names)),
    seek: { isAsking, failures, ...(reason === undefined ? {} : { reason }), ...(nextAskWallMs === undefined ? {} : { nextAskAtMs: wholeMs(nextAskWallMs) }) },
  };
}

const throughOf = (relay: PublicKeyHex | undefined, names: Names): Pick<PeerView, 'relay' | 'relayName'> => (relay === undefined ? {} : { relay, relayName: relayName(names, relay) });
const addressOf = (address: SocketAddress | undefined): Pick<PeerView, 'address'> => (address === undefined ? {} : { address: formatHostPort(hostOfTcp(address.host), address.port) });

function presentPath(path: PeerPathStatus, names: Names): PeerPathView {
  const { kind, relay, address, isCurrent, isDoubtful, roundTripMs } = path;
  return { kind, ...throughOf(relay, names), ...addressOf(address), isCurrent, isDoubtful, ...(roundTripMs === undefined ? {} : { roundTripMs }) };
}

function presentSwitch({ atWallMs, from, to, relay, sample }: PeerPathSwitch, names: Names): NonNullable<PeerView['switches']>[number] {
  return { atMs: wholeMs(atWallMs), to, ...(from === undefined ? {} : { from }), ...(relay === undefined ? {} : { relayName: relayName(names, relay) }), ...(sample === undefined ? {} : { sample }) };
}

function presentProblem({ kind, relay, address, reason, atWallMs }: PeerPathProblem, names: Names): NonNullable<PeerView['problems']>[number] {
  return { kind, reason, atMs: wholeMs(atWallMs), ...(relay === undefined ? {} : { relayName: relayName(names, relay) }), ...addressOf(address) };
}

function presentSearch({ reason, guess, attempts, begins, ownAddresses, theirAddresses, triedAddresses, lastAttemptWallMs, nextAttemptWallMs }: DirectSearch): NonNullable<PeerView['search']> {
  return {
    reason, attempts, begins, ownAddresses, triedAddresses,
    ...(guess === undefined ? {} : { guess: { opens: guess.opens, ...(guess.chance === undefined ? {} : { chance: guess.chance }), ...(guess.untilWallMs === undefined ? {} : { untilMs: wholeMs(guess.untilWallMs) }) } }),
    ...(theirAddresses === undefined ? {} : { theirAddresses }),
    ...(lastAttemptWallMs === undefined ? {} : { lastAttemptAtMs: wholeMs(lastAttemptWallMs) }),
    ...(nextAttemptWallMs === undefined ? {} : { nextAttemptAtMs: wholeMs(nextAttemptWallMs) }),
  };
}
