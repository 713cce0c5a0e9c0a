/** State of one session as seen from here, and of the half-made ones. Plain data: the rules are in the files beside. */
import type { CipherState, HandshakeState } from '../noise/index.ts';
import type { KeyPair } from '../crypto.ts';
import type { DeviceCertificate, SocketAddress } from '../wire/types.ts';
import type { PatternName } from './datagram.ts';
import type { ReplayWindow } from './replay-window.ts';
import type { DialOptions, SessionId } from './types.ts';

/** One set of transport keys; a link has a current one and, after a rekey, the one before for a while. */
export interface TransportKeys {
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly send: CipherState;
  readonly receive: CipherState;
  readonly window: ReplayWindow;
  readonly initiator: boolean;
  readonly establishedMs: number;
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
  readonly state: HandshakeState;
  readonly localIndex: number;
  datagram: Uint8Array;
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
  readonly dial: DialOptions | undefined;
  readonly ownStatic: KeyPair;
  candidate: Candidate | undefined;
  keys: TransportKeys | undefined;
  previous: { readonly keys: TransportKeys; readonly untilMs: number } | undefined;
  dialling: Dialling | undefined;
  dialAttempts: number;
  nextDialMs: number;
  wrongIdentities: number;
  remoteCertificate: DeviceCertificate | undefined;
  remoteStatic: Uint8Array;
  remoteCapabilities: readonly string[];
  remoteBootId: Uint8Array;
  announced: boolean;
  silent: boolean;
  lastHeardMs: number;
  /** Fixed part of this link's keepalive pause, in [0, 1). */
  readonly jitter: number;
  /** First request since something was last heard: when an answer became due. */
  expectingSinceMs: number | undefined;
  echo: { readonly requestId: Uint8Array; readonly sentMs: number } | undefined;
  echoesUnanswered: number;
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
