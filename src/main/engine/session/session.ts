/**
 * The state of one session: data and the small questions about it. What moves it stands in the files of the single machines
 * (initiator, responder, liveness, path validation) and in `sessions.ts`. No closures and no maps: a relay holds ten thousand of these.
 */
import type { KeyPair } from '../crypto.ts';
import type { DeviceCertificate, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import { idleAfterMs, silentAfterMs } from './constants.ts';
import type { Attempt } from './attempt.ts';
import type { RoundTrips } from './round-trips.ts';
import type { SessionKeys } from './session-keys.ts';
import type { Timed } from './timers.ts';
import type { SessionId, SessionView } from './types.ts';

/** What the handshake proved about the other side. */
export interface Peer {
  /** Undefined when it is anonymous. */
  readonly certificate: DeviceCertificate | undefined;
  readonly staticKey: Uint8Array;
  readonly capabilities: readonly string[];
  readonly bootId: Uint8Array;
}

/** What an initiator needs to shake hands again at any time. */
export interface Dial {
  /** Where the owner wants it tried; the session's own address may have moved since. */
  address: SocketAddress;
  readonly identity: PublicKeyHex;
  readonly staticKeys: KeyPair;
  remoteStatic: Uint8Array | undefined;
  readonly startedMs: number;
  /** At most one of each pattern. */
  attempts: Attempt[];
  transmissions: number;
  unansweredIk: number;
  /** Infinity while no handshake is in progress. */
  nextTransmitMs: number;
  lastBeginMs: number;
  lastHintMs: number;
  cookie: Uint8Array | undefined;
}

export interface Candidate {
  readonly address: SocketAddress;
  readonly challenge: Uint8Array;
  readonly requestId: Uint8Array;
  readonly expiresMs: number;
  receivedBytes: number;
  sentBytes: number;
  /** -Infinity before the first challenge. */
  challengedMs: number;
}

export interface OutstandingEcho { readonly requestId: Uint8Array; readonly sentMs: number }

export class Session implements Timed {
  readonly kind = 'session';
  readonly timerName = 'session';
  wakeAtMs = Infinity;
  queuedAtMs = Infinity;

  readonly id: SessionId;
  readonly anonymous: boolean;
  /** Present exactly in sessions that were dialled from here. */
  readonly dial: Dial | undefined;
  /** Always a proven address, or the one that is dialled. */
  address: SocketAddress;
  candidate: Candidate | undefined = undefined;

  peer: Peer | undefined = undefined;
  /** Undefined until the first handshake has succeeded. */
  keys: SessionKeys | undefined = undefined;
  previousKeys: SessionKeys | undefined = undefined;
  previousUntilMs = Infinity;
  rekeyAtMs = Infinity;
  rekeyPackets = Infinity;

  establishedMs = 0;
  lastHeardMs = 0;
  sentBytes = 0;
  receivedBytes = 0;

  silent = false;
  /** The handshake under way is no planned rekey: the other side may have forgotten what was built on the session, so it is told as established anew. */
  doubted = false;
  /** When the oldest unanswered thing was sent; Infinity when nothing is owed to us. */
  expectingSinceMs = Infinity;
  nextProbeMs = Infinity;
  probes = 0;
  keepaliveAtMs = Infinity;
  echoes: OutstandingEcho[] | undefined = undefined;
  roundTrips: RoundTrips | undefined = undefined;
  clockOffsetMs: number | undefined = undefined;
  closed = false;

  constructor(id: SessionId, address: SocketAddress, anonymous: boolean, dial: Dial | undefined) {
    this.id = id;
    this.address = address;
    this.anonymous = anonymous;
    this.dial = dial;
  }

  get identity(): PublicKeyHex | undefined { return this.dial?.identity ?? this.peer?.certificate?.identity; }

  get isHandshaking(): boolean { return this.dial !== undefined && this.dial.nextTransmitMs !== Infinity; }

  /** A responder that hears nothing cannot call back: it lets go. */
  isIdle(nowMs: number): boolean { return this.dial === undefined && this.lastHeardMs + idleAfterMs <= nowMs; }

  /** Deadlines of everything that runs in this session. */
  earliestDeadline(): number {
    let earliestMs = Math.min(this.previousUntilMs, this.candidate?.expiresMs ?? Infinity, this.dial?.nextTransmitMs ?? Infinity);
    if (this.keys === undefined) return earliestMs;
    if (this.dial === undefined) earliestMs = Math.min(earliestMs, this.lastHeardMs + idleAfterMs);
    else if (!this.isHandshaking) earliestMs = Math.min(earliestMs, this.rekeyAtMs);
    if (!this.silent) earliestMs = Math.min(earliestMs, this.keepaliveAtMs, this.nextProbeMs, this.expectingSinceMs + silentAfterMs);
    return earliestMs;
  }

  view(): SessionView | undefined {
    if (this.peer === undefined) return undefined;
    return {
      id: this.id,
      address: this.address,
      initiator: this.dial !== undefined,
      anonymous: this.anonymous,
      remoteCertificate: this.peer.certificate,
      remoteStatic: this.peer.staticKey,
      remoteCapabilities: this.peer.capabilities,
      remoteBootId: this.peer.bootId,
      establishedMs: this.establishedMs,
      lastHeardMs: this.lastHeardMs,
      roundTripsMs: this.roundTrips?.list() ?? [],
      smoothedRoundTripMs: this.roundTrips?.smoothedMs,
      clockOffsetMs: this.clockOffsetMs,
      sentBytes: this.sentBytes,
      receivedBytes: this.receivedBytes,
    };
  }
}
