/** State of one session as seen from here, and of the half-made ones. Plain data: the rules are in the files beside. */
import type { CipherState, HandshakeState } from '../noise/index.ts';
import type { KeyPair } from '../crypto.ts';
import type { DeviceCertificate, Instant, SocketAddress } from '../wire/types.ts';
import type { PatternName } from './datagram.ts';
import type { Detour } from './detour.ts';
import type { PathSet } from './path-set.ts';
import type { ReplayWindow } from './replay-window.ts';
import type { DialOptions, SessionId, SessionView } from './types.ts';

/** One set of transport keys; a link has a current one and, after a rekey, the one before for a while. */
export interface TransportKeys {
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly send: CipherState;
  readonly receive: CipherState;
  readonly window: ReplayWindow;
  readonly initiator: boolean;
  readonly establishedMs: number;
  /** When their handshake-1 came or ours left: keys of an older handshake never replace those of a newer one. */
  readonly begunMs: number;
  /** What the other side will show when it has forgotten this session. */
  readonly resetToken: Uint8Array;
  sendCounter: number;
  /** Set when something authentic came under these keys. */
  confirmed: boolean;
  /** XX initiators repeat message 3 until then. */
  readonly handshake3: Uint8Array | undefined;
}

export interface Dialling {
  readonly pattern: PatternName;
  state: HandshakeState;
  readonly localIndex: number;
  /** Where it goes, and where the session will be; answers may come from anywhere, their address proves nothing. */
  readonly to: SocketAddress;
  readonly begunMs: number;
  datagram: Uint8Array;
  cookiesTaken: number;
  /** Somebody answered who is not who we want; counted once, the genuine answer may still come. */
  refused: boolean;
  /** It was sent around too. */
  wentAround: boolean;
  /** XX: makes the state anew after an answer that anybody could have written. */
  readonly renew: (() => HandshakeState) | undefined;
}

/** An address that an authentic packet came from and that has not proved yet that it can receive. */
export interface Candidate {
  readonly address: SocketAddress;
  readonly challenge: Uint8Array;
  readonly requestId: Uint8Array;
  readonly sinceMs: number;
  receivedBytes: number;
  sentBytes: number;
  challengedMs: number;
}

export interface Link {
  readonly id: SessionId;
  address: SocketAddress;
  /** The address that we were told to dial, to come back to when the one that we followed the other side to is silent. */
  home: SocketAddress;
  /** A handshake with them was completed there. */
  isPlaceProved: boolean;
  /** Set later on a link that the other side began, when it is dialled from here too. */
  dial: DialOptions | undefined;
  /** An anonymous dial has a boot id of its own, or it could be told to be ours by it. */
  readonly ownBootId: Uint8Array;
  readonly ownStatic: KeyPair;
  /** Of a session between two visors; others have one address and follow it (roaming.ts). */
  readonly paths: PathSet | undefined;
  /** Of a dialled one that may go over TCP. */
  detour: Detour | undefined;
  candidate: Candidate | undefined;
  keys: TransportKeys | undefined;
  previous: { readonly keys: TransportKeys; readonly untilMs: number } | undefined;
  dialling: Dialling | undefined;
  dialAttempts: number;
  nextDialMs: number;
  wrongIdentities: number;
  /** Something answered a dial of it. */
  answered: boolean;
  refusal: 'wrong-identity' | 'bad-certificate';
  remoteCertificate: DeviceCertificate | undefined;
  remoteStatic: Uint8Array;
  remoteCapabilities: readonly string[];
  remoteBootId: Uint8Array;
  announced: boolean;
  /** The other side said that it has forgotten the session, and nothing has been heard from it since. */
  forgotten: boolean;
  silent: boolean;
  /** While it is silent: asked whether it is there again. */
  knocking: { readonly sinceMs: number; nextMs: number } | undefined;
  lastHeardMs: number;
  /** Fixed part of this link's keepalive pause, in [0, 1). */
  readonly jitter: number;
  /** First request since something was last heard: when an answer became due. */
  expectingSinceMs: number | undefined;
  echo: { readonly requestId: Uint8Array; readonly sentMs: number } | undefined;
  /** A keepalive that is not answered yet. */
  beat: { readonly number: number; readonly sentMs: number } | undefined;
  /** When the other side's clock was told last. */
  clockToldMs: number;
  /** Our wall clock less our monotonic one at that time. */
  clockToldAheadMs: number;
  /** When the last keepalive ended a learned pause. */
  pauseEndedMs: number;
  /** The pause that is under way was learned. */
  isLearnedPause: boolean;
  echoesUnanswered: number;
  /** Ids of own echoes and challenges that nobody waits for any more, newest last: late answers end here. */
  unanswered: Uint8Array[] | undefined;
  nextEchoMs: number;
  /** The network changed: one missed echo is enough to start over. */
  doubted: boolean;
  lastHintMs: number;
  roundTripsMs: (number | undefined)[] | undefined;
  smoothedRoundTripMs: number | undefined;
  clockOffsetMs: number | undefined;
  sentBytes: number;
  receivedBytes: number;
}

/** Whoever is there may never have heard of the side that is dialled. */
export const isDoubtfulPlace = ({ dial, isPlaceProved }: Link): boolean => dial?.isHearsay === true && !isPlaceProved;

const noBytes = new Uint8Array(0);

/** Nothing is known of the other side yet. @param jitter in [0, 1) */
export function createLink(begin: Pick<Link, 'id' | 'address' | 'dial' | 'ownStatic' | 'ownBootId' | 'jitter' | 'paths'>, now: Instant): Link {
  return {
    ...begin, home: begin.address, isPlaceProved: false, detour: undefined, candidate: undefined, keys: undefined, previous: undefined, dialling: undefined, dialAttempts: 0, nextDialMs: 0, wrongIdentities: 0, answered: false, refusal: 'wrong-identity',
    remoteCertificate: undefined, remoteStatic: noBytes, remoteCapabilities: [], remoteBootId: noBytes, announced: false, forgotten: false, silent: false, knocking: undefined, lastHeardMs: now.monotonicMs,
    expectingSinceMs: undefined, echo: undefined, beat: undefined, clockToldMs: Number.NEGATIVE_INFINITY, clockToldAheadMs: 0, pauseEndedMs: Number.NEGATIVE_INFINITY, isLearnedPause: false, echoesUnanswered: 0, nextEchoMs: Number.POSITIVE_INFINITY, doubted: false, unanswered: undefined, lastHintMs: Number.NEGATIVE_INFINITY,
    roundTripsMs: undefined, smoothedRoundTripMs: undefined, clockOffsetMs: undefined, sentBytes: 0, receivedBytes: 0,
  };
}

/** Late answers come within seconds; older ones cannot matter. */
const unansweredMaximum = 8;

export function noLongerAwaited(link: Link, requestId: Uint8Array): void {
  link.unanswered ??= [];
  link.unanswered.push(requestId);
  if (link.unanswered.length > unansweredMaximum) link.unanswered.shift();
}

/** Somebody's handshake that we answered; becomes a link with their first transport packet. */
export interface Pending {
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly from: SocketAddress;
  readonly createdMs: number;
  readonly answer: Uint8Array;
  readonly dedupeKey: string;
  /** XX: waiting for message 3. */
  state: HandshakeState | undefined;
  keys: TransportKeys | undefined;
  certificate: DeviceCertificate | undefined;
  remoteStatic: Uint8Array;
  capabilities: readonly string[];
  bootId: Uint8Array;
}

export function viewOf(link: Link): SessionView {
  return {
    id: link.id, address: link.address, initiator: link.keys?.initiator ?? link.dial !== undefined, anonymous: link.dial?.anonymous ?? link.remoteCertificate === undefined,
    remoteCertificate: link.remoteCertificate, remoteStatic: link.remoteStatic, remoteCapabilities: link.remoteCapabilities, remoteBootId: link.remoteBootId,
    establishedMs: link.keys?.establishedMs ?? 0, lastHeardMs: link.lastHeardMs, roundTripsMs: link.roundTripsMs ?? [], smoothedRoundTripMs: link.smoothedRoundTripMs,
    clockOffsetMs: link.clockOffsetMs, clockToldAheadMs: link.clockToldAheadMs, sentBytes: link.sentBytes, receivedBytes: link.receivedBytes,
  };
}
