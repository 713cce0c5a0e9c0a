/** The surface of the session core: what it is told, what it hands back. The state machines are beside this file. */
import type { Crypto, KeyPair, RandomBytes } from '../crypto.ts';
import type { DeviceCertificate, Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';

/** A number that names one session (or dial in progress) for the life of the process; never on the wire. */
export type SessionId = number;

export interface SessionConfiguration {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly staticKeys: KeyPair;
  /** Own device certificate (wire bytes), shown unless a dial is anonymous. */
  readonly certificate: Uint8Array;
  readonly capabilities: readonly string[];
  /** 8 random bytes drawn at start: a peer that sees another value knows that we restarted. */
  readonly bootId: Uint8Array;
  /** Persisted 32 bytes; reset tokens derive from it, so that they survive a restart. */
  readonly resetSecret: Uint8Array;
  /** Accept handshakes from others at all (relay, direct peers). */
  readonly listening: boolean;
  /** Accept handshakes that come through circuits, and by the paths of sessions that came so. */
  readonly inCircuits?: boolean;
  /**
   * Whoever is not listened to otherwise may have been announced to come from there (path/lan-discovery.ts): whether anybody was, and then, when it is known who it is, whether it is they.
   * To others nothing is sent, whatever they send. Absent: nobody is.
   */
  readonly expects?: (from: SocketAddress, identity: PublicKeyHex | undefined, now: Instant) => boolean;
  /** How near an address is, of a session with several paths: lower is better. Absent: all alike. */
  readonly tierOf?: (address: SocketAddress) => number;
  /** Whether anything may be sent there, of sessions with several paths. Absent: everywhere. */
  readonly mayUse?: (address: SocketAddress) => boolean;
  /** How long a link to a relay may be silent there, in ms, as was learned; undefined: not known. Absent: never. */
  readonly learnedPauseMs?: (address: SocketAddress) => number | undefined;
  /** What was learned about it is not so: after such a pause the other side saw us elsewhere. */
  readonly pauseWasTooLong?: (address: SocketAddress, now: Instant) => void;
  /** Of a side whose dials may go around (session/detour.ts). */
  readonly detour?: DetourKnowledge;
  /** Bounds, all with defaults in session/constants.ts. */
  readonly limits?: Partial<SessionLimits>;
}

/** What is known of the network that we are in: whether UDP passes. */
export interface DetourKnowledge {
  /** How long UDP is given before TCP is tried beside it. */
  headStartMs(): number;
  /** It passes. */
  passed(): void;
  /** It was asked for, did not pass, and nobody else is reached by it. */
  didNotPass(): void;
}

export interface SessionLimits {
  readonly sessions: number;
  readonly pendingHandshakes: number;
  /** Handshakes per second above which cookies are demanded first. */
  readonly cookieThresholdPerSecond: number;
  /** secp256k1 certificate checks per second; known certificates (bounded cache) do not count. */
  readonly certificateChecksPerSecond: number;
}

export interface DialOptions {
  readonly address: SocketAddress;
  /** Identity that the other side must prove with its certificate. */
  readonly identity: PublicKeyHex;
  /** X25519 static if known from an earlier handshake or record: IK; after two unanswered IK attempts XX is tried too. */
  readonly remoteStatic: Uint8Array | undefined;
  /** Throwaway static key and no certificate: deposits do not say who deposits. */
  readonly anonymous: boolean;
  /** They announced themselves there: the session may have several paths, and the other side answers IK alone. */
  readonly announced?: boolean;
  /** Somebody else has told where they are, and may be wrong or lie: as long as nobody has answered there, the pauses between dials go on doubling (session/constants.ts). */
  readonly isHearsay?: boolean;
  /** Where the other side takes the same datagrams over TCP; absent: it is not tried. */
  readonly around?: SocketAddress | undefined;
}

export type CloseReason = 'idle' | 'silent' | 'replaced' | 'closed-by-peer' | 'closed-here' | 'unreachable' | 'wrong-identity' | 'bad-certificate' | 'network-changed';

export interface SessionView {
  readonly id: SessionId;
  readonly address: SocketAddress;
  readonly initiator: boolean;
  readonly anonymous: boolean;
  /** Undefined when the other side is anonymous. */
  readonly remoteCertificate: DeviceCertificate | undefined;
  readonly remoteStatic: Uint8Array;
  readonly remoteCapabilities: readonly string[];
  readonly remoteBootId: Uint8Array;
  readonly establishedMs: number;
  readonly lastHeardMs: number;
  /** Newest last, at most 64; undefined = an echo that was lost. */
  readonly roundTripsMs: readonly (number | undefined)[];
  readonly smoothedRoundTripMs: number | undefined;
  /** Their wall clock minus ours, corrected by half a round trip; undefined before the first echo. */
  readonly clockOffsetMs: number | undefined;
  /** When it was told, our wall clock less our monotonic one: what differs by now was set, or slept, since. */
  readonly clockToldAheadMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** An address of the other side that answers. */
export interface PathView {
  readonly address: SocketAddress;
  readonly tier: number;
  readonly isCurrent: boolean;
  /** It owes an answer, or the network changed since the last. */
  readonly isDoubtful: boolean;
  readonly provedMs: number;
  readonly answeredMs: number;
  readonly smoothedRoundTripMs: number | undefined;
}

export type SessionOutput =
  | { readonly kind: 'transmit'; readonly to: SocketAddress; readonly datagram: Uint8Array }
  /** `dial` ended well, or somebody dialled us (then after their first transport packet). */
  | { readonly kind: 'established'; readonly session: SessionView }
  /** A request or response frame for the layers above; echo, challenge and close never appear here. Bytes are the plaintext frame. */
  | { readonly kind: 'frame'; readonly sessionId: SessionId; readonly frame: Uint8Array }
  /** Same session id, but the other side restarted (new boot id) and the session was made anew: everything pending must be asked again. */
  | { readonly kind: 'restarted'; readonly session: SessionView }
  /** An echo came back or was missed: time to refresh what is shown. */
  | { readonly kind: 'measured'; readonly sessionId: SessionId }
  /** The other side's address changed and was validated. */
  | { readonly kind: 'moved'; readonly sessionId: SessionId; readonly address: SocketAddress }
  /** Of a session with several paths. `heard`: something authentic came from there, and it is being asked. */
  | { readonly kind: 'path'; readonly sessionId: SessionId; readonly change: 'heard' | 'proved' | 'lost'; readonly address: SocketAddress }
  /** No inbound proof inside the deadline; the session stays and dials again with backoff until `close`. Comes once per outage. */
  | { readonly kind: 'silent'; readonly sessionId: SessionId }
  | { readonly kind: 'closed'; readonly sessionId: SessionId; readonly reason: CloseReason };

/** Why a datagram was dropped; each has a counter. */
export type DropReason =
  | 'empty' | 'unknown-type' | 'truncated' | 'too-long' | 'bad-version' | 'not-listening' | 'unknown-session' | 'replayed' | 'unauthentic'
  | 'cookie-demanded' | 'bad-cookie' | 'bad-certificate' | 'certificate-budget' | 'session-limit' | 'handshake-limit' | 'unexpected' | 'bad-frame' | 'bad-reset-token' | 'self';

/**
 * The session core: one per socket. Drive it: after every input call `pollOutput` until undefined, then arm one timer for `pollTimeout`.
 * Nothing here throws on what a datagram contains.
 */
export interface Sessions {
  /** Takes the datagram over: it is decrypted where it lies, and what is given out are views of it. */
  handleDatagram(from: SocketAddress, datagram: Uint8Array, now: Instant): void;
  handleTimeout(now: Instant): void;
  pollOutput(): SessionOutput | undefined;
  /** Monotonic milliseconds. */
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
  /** Starts a dial that goes on with backoff (0.25 s doubling to 8 s, of hearsay to 5 min; jittered) until it is established or closed. */
  dial(options: DialOptions, now: Instant): SessionId;
  /** Changes where a (dialled) session is tried; used when a name resolves to something new. */
  redirect(sessionId: SessionId, address: SocketAddress, now: Instant): void;
  /** Where a (dialled) session's other side takes TCP, from now on. */
  goAround(sessionId: SessionId, around: SocketAddress): void;
  /** A connection over TCP has ended: whoever is asked there has to be asked anew. */
  connectionLost(address: SocketAddress, now: Instant): void;
  /** False when the session is not established or the frame exceeds 1,171 bytes; counted against an unvalidated address's budget. */
  send(sessionId: SessionId, frame: Uint8Array, now: Instant): boolean;
  /** Memory to make a frame in that goes to `send` next: it is the same each time, so nothing else of it may be kept. @throws RangeError beyond the longest frame. */
  frameRoom(sizeBytes: number): Uint8Array;
  /** A transmitted datagram's memory may be used again: nobody looks at it any more. Never demanded. */
  recycle(datagram: Uint8Array): void;
  close(sessionId: SessionId, now: Instant): void;
  /** A clean stop: goodbye to everybody, so that nobody waits for a keepalive to find out. */
  closeAll(now: Instant): void;
  /** The network changed, or the machine woke: every path is unproven; probe all dialled sessions now. */
  networkChanged(now: Instant): void;
  /** Asks the other side of a session that we dialled whether it is there, at once; from wherever we are now, so that it learns of that. */
  ask(sessionId: SessionId, now: Instant): void;
  view(sessionId: SessionId): SessionView | undefined;
  /** Of a dial: something came that answers one of its packets, whoever wrote it. */
  hasAnswered(sessionId: SessionId): boolean;
  /** Asks at an address that may be the other side's. Nothing happens where the session has no several paths, or this is one of them. */
  probe(sessionId: SessionId, address: SocketAddress, now: Instant): void;
  /** Nothing goes that way any more, such as a circuit that has ended. */
  dropPath(sessionId: SessionId, address: SocketAddress, now: Instant): void;
  /** Whether what came to a socket of that session's own is for it: from where it has a path, or under its keys. Nothing is opened for this. */
  concerns(sessionId: SessionId, from: SocketAddress, datagram: Uint8Array): boolean;
  /** Of a session that met by a circuit or in a local network; empty for others. */
  paths(sessionId: SessionId, now: Instant): readonly PathView[];
  /** Live session with that identity whose handshake carried a certificate, if any. */
  findByIdentity(identity: PublicKeyHex): SessionView | undefined;
  readonly establishedCount: number;
  readonly dropCounters: Readonly<Record<DropReason, number>>;
}

export type CreateSessions = (configuration: SessionConfiguration) => Sessions;
