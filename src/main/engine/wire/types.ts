/** The vocabulary of the wire: plain typed values that the codecs in this folder produce and take. No behaviour. */
import type { AddressFamily, Filtering, Mapping, PortAllocation } from '../../../shared/network-report.ts';

/** A UDP endpoint. `host` is a literal IPv4 or IPv6 address in canonical text: the engine never resolves names. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  /** By which socket of ours it is reached, where that is not the one that everything goes through: to the other side that is another address of ours. Never on the wire. */
  readonly socket?: GuessSocket;
}
/** Bound for one attempt at guessing ports (engine/path/guessing.ts); what came of it keeps its socket. */
export type GuessSocket = `guess-${number}`;
export const isGuessSocket = (socket: string): socket is GuessSocket => socket.startsWith('guess-');
export const sameAddress = (left: SocketAddress, right: SocketAddress): boolean => left === right || (left.port === right.port && left.host === right.host && left.socket === right.socket);
export const socketAddressKey = (address: SocketAddress): string => `${address.host}|${String(address.port)}${address.socket === undefined ? '' : `|${address.socket}`}`;

/** Time as the engine is told it. Durations come from `monotonicMs`; display and expiry from `wallMs`. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** 66 lower-case hex digits of a compressed secp256k1 key: map key and text form of an identity. */
export type PublicKeyHex = string;
/** Lower-case hex of a 16-byte device id. */
export type DeviceIdHex = string;

/** Where a relay is: its identity and a host (name or literal address) with port. */
export interface RelayHint {
  readonly publicKey: PublicKeyHex;
  readonly host: string;
  readonly port: number;
}

export interface DeviceCertificate {
  readonly identity: PublicKeyHex;
  readonly deviceId: DeviceIdHex;
  readonly x25519: Uint8Array;
  readonly ed25519: Uint8Array;
  readonly notBeforeSeconds: number;
  readonly notAfterSeconds: number;
  /** The signed bytes as received: they are forwarded, never re-encoded. */
  readonly bytes: Uint8Array;
}

export interface IdentityRecord {
  readonly identity: PublicKeyHex;
  readonly sequence: number;
  readonly notAfterSeconds: number;
  readonly devices: readonly DeviceCertificate[];
  readonly relays: readonly RelayHint[];
  readonly bytes: Uint8Array;
}

export interface PrekeyBundle {
  readonly identity: PublicKeyHex;
  readonly deviceId: DeviceIdHex;
  readonly prekeyId: number;
  readonly prekey: Uint8Array;
  readonly createdSeconds: number;
  readonly bytes: Uint8Array;
}

/** What its publisher has under a name, for everybody: the content with this root and length, or nothing any more. */
export interface NamedRecord {
  readonly identity: PublicKeyHex;
  readonly path: string;
  readonly sequence: number;
  readonly notAfterSeconds: number;
  /** Undefined: withdrawn. */
  readonly content: ContentName | undefined;
  /** May be empty. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface Invite {
  readonly publicKey: PublicKeyHex;
  readonly port: number;
  /** 16 bytes; undefined in a plain address or dmsg:// link. */
  readonly token: Uint8Array | undefined;
  readonly name: string;
  readonly relays: readonly RelayHint[];
}

/** What a letter's header says, once opened. */
export interface LetterHeader {
  readonly certificate: DeviceCertificate;
  readonly messageId: Uint8Array;
  readonly destinationPort: number;
  readonly sourcePort: number;
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly ttlSeconds: number;
  readonly bodyKey: Uint8Array;
  readonly bodyRoot: Uint8Array;
  readonly bodyLength: number;
  readonly purgeKey: Uint8Array;
}

export interface ReceiptItem { readonly messageId: Uint8Array; readonly atMs: number }

export type Content =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'delivered'; readonly items: readonly ReceiptItem[] }
  | { readonly kind: 'read'; readonly items: readonly ReceiptItem[] }
  /** The files of these messages are whole at the recipient's. */
  | { readonly kind: 'fetched'; readonly items: readonly ReceiptItem[] }
  /** The sender of these messages gives their files to nobody any more. */
  | { readonly kind: 'taken-back'; readonly items: readonly ReceiptItem[] }
  | {
      readonly kind: 'file';
      /** 32 bytes; opens the blob (engine/files/file-sealing.ts). */
      readonly key: Uint8Array;
      readonly blob: ContentName;
      readonly name: string;
      readonly mediaType: string;
      readonly text: string;
    }
  | {
      readonly kind: 'introduction';
      readonly answerWanted: boolean;
      /** The deposit token that the reader may use at the writer's relays. */
      readonly token: Uint8Array;
      readonly inviteToken: Uint8Array | undefined;
      readonly name: string;
      readonly relays: readonly RelayHint[];
    }
  | { readonly kind: 'resume' }
  /** The writer's computer carries for the reader: where its relay is, and until when unless that is renewed. Without an offer it does not, or no longer. */
  | { readonly kind: 'carry'; readonly offer: { readonly hint: RelayHint; readonly quotaBytes: number; readonly leaseSeconds: number } | undefined };

/** A sealed letter as relays hold it. */
export interface SealedLetter {
  /** BLAKE3(header, body root, body length). */
  readonly letterId: Uint8Array;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  readonly bodyRoot: Uint8Array;
  /** BLAKE3(purge key). */
  readonly purgeHash: Uint8Array;
  readonly purgeKey: Uint8Array;
}

export const letterStates = ['unknown', 'held', 'fetched', 'acked', 'unopenable', 'expired', 'withdrawn'] as const;
export type LetterState = (typeof letterStates)[number];

export type Lane = 'letter' | 'receipt';

export interface StorageReceipt {
  readonly letterId: Uint8Array;
  readonly recipient: PublicKeyHex;
  readonly deviceId: DeviceIdHex;
  readonly state: LetterState;
  readonly expiresInSeconds: number;
  readonly storedAtMs: number;
  readonly epoch: Uint8Array;
}

export const negativeCodes = ['ok', 'not-found', 'not-yet', 'gone', 'refused', 'busy', 'quota', 'no-mailbox', 'revoked', 'malformed', 'stale',
  'too-far-ahead', 'too-large', 'unauthenticated', 'unknown-name'] as const;
export type NegativeCode = Exclude<(typeof negativeCodes)[number], 'ok'>;
export interface Negative { readonly code: NegativeCode; readonly retryAfterSeconds: number; readonly detail: number }

export interface ContentName { readonly root: Uint8Array; readonly length: number }

export interface Mailbox { readonly identity: PublicKeyHex; readonly deviceId: DeviceIdHex }
export const mailboxKey = (mailbox: Mailbox): string => `${mailbox.identity}/${mailbox.deviceId}`;

export type RecordKind = 'identity' | 'prekey' | 'named';

export interface ListEntry {
  readonly sequence: number;
  readonly letterId: Uint8Array;
  readonly lane: Lane;
  readonly remainingSeconds: number;
  readonly heldForSeconds: number;
  readonly bodyRoot: Uint8Array;
  readonly bodyLength: number;
  readonly header: Uint8Array;
  readonly inlineBody: Uint8Array | undefined;
}

export interface ListFragment { readonly epoch: Uint8Array; readonly remaining: number; readonly entries: readonly ListEntry[] }

/** Which leaves of a content are wanted: bit i of the bitmap is leaf first + i. `count` 0 asks for the proof alone. */
export interface LeafRun {
  readonly first: number;
  readonly count: number;
  readonly bitmap: Uint8Array;
  /** The proof of `first` is wanted too. */
  readonly proof: boolean;
  /** 8 random bytes, new for each request: whoever forwards it knows it when it comes round in a circle. */
  readonly nonce: Uint8Array;
  /** How many more sessions it may be forwarded over. */
  readonly hopLimit: number;
}

/** A request's verb and body, parsed. */
export type RequestBody =
  | { readonly verb: 'echo' }
  | { readonly verb: 'challenge'; readonly random: Uint8Array }
  | { readonly verb: 'close'; readonly reason: number }
  | ({ readonly verb: 'pull'; readonly name: ContentName; /** Leaf groups of 2^groupShift KiB. */ readonly groupShift: number } & LeafRun)
  /** As `pull`, of a name that was shown in this session: the request id stands for it. */
  | ({ readonly verb: 'more' } & LeafRun)
  /** Asks for an answer in a datagram of that size: does the path carry it? */
  /** This session has the content, for that mailbox: to be held by the relay until the recipient has it. Repeated, it tells how far that is. */
  | { readonly verb: 'hold'; readonly mailbox: Mailbox; readonly token: Uint8Array | undefined; readonly ttlSeconds: number; readonly name: ContentName }
  /** The mailbox has no need of the content any more. */
  | { readonly verb: 'drop'; readonly mailbox: Mailbox; readonly name: ContentName }
  | { readonly verb: 'pad'; readonly datagramBytes: number }
  | { readonly verb: 'record'; readonly kind: Exclude<RecordKind, 'named'>; readonly identity: PublicKeyHex; readonly deviceId: DeviceIdHex | undefined }
  | { readonly verb: 'record'; readonly kind: 'named'; readonly identity: PublicKeyHex; readonly path: string }
  | { readonly verb: 'publish'; readonly kind: RecordKind; readonly object: Uint8Array }
  | { readonly verb: 'register'; readonly tokensVersion: number }
  | { readonly verb: 'tokens'; readonly version: number; readonly reset: boolean; readonly tokens: readonly { readonly granted: boolean; readonly hash: Uint8Array }[] }
  | {
      readonly verb: 'deposit';
      readonly mailbox: Mailbox;
      readonly token: Uint8Array | undefined;
      readonly lane: Lane;
      readonly ttlSeconds: number;
      readonly purgeHash: Uint8Array;
      readonly bodyRoot: Uint8Array;
      readonly bodyLength: number;
      readonly header: Uint8Array;
      readonly inlineBody: Uint8Array | undefined;
    }
  | { readonly verb: 'list'; readonly epoch: Uint8Array; readonly afterSequence: number; readonly mostFragments: number }
  | { readonly verb: 'ack'; readonly letters: readonly { readonly letterId: Uint8Array; readonly verdict: 'committed' | 'unopenable' }[] }
  | { readonly verb: 'withdraw'; readonly mailbox: Mailbox; readonly letterId: Uint8Array; readonly purgeKey: Uint8Array }
  | { readonly verb: 'status'; readonly mailbox: Mailbox; readonly letterIds: readonly Uint8Array[] }
  | { readonly verb: 'notify'; readonly epoch: Uint8Array; readonly highestSequence: number; readonly entry: ListEntry | undefined }
  | { readonly verb: 'refusals' }
  /** A ticket for probes outside of the session (engine/path). */
  | { readonly verb: 'observe' }
  /** To a relay: a circuit to the owner of this mailbox, who has given us that token (engine/circuits). */
  | { readonly verb: 'circuit'; readonly mailbox: Mailbox; readonly token: Uint8Array }
  /** From a relay: somebody wants a circuit, and showed the token with this hash. */
  | { readonly verb: 'connect'; readonly circuit: number; readonly tokenHash: Uint8Array }
  /** Nothing comes or goes by this circuit any more. */
  | { readonly verb: 'hang-up'; readonly circuit: number }
  /** To an address that may be the other side's: does this come to you, and does your answer come back? */
  | { readonly verb: 'probe'; readonly random: Uint8Array }
  /** Where we may be reached; the answer says the same of the other side. `generation` rises from exchange to exchange. */
  | { readonly verb: 'candidates'; readonly offer: CandidateOffer }
  /** To a relay: what it has of that identity's signed records. `onward`: what its peers have, too; a relay that asks for others never says so. */
  | { readonly verb: 'resolve'; readonly identity: PublicKeyHex; readonly onward: boolean }
  /** A letter from its sender itself, in a session with the sender's certificate; the answer says what became of it. */
  | { readonly verb: 'letter'; readonly bodyRoot: Uint8Array; readonly bodyLength: number; readonly header: Uint8Array; readonly inlineBody: Uint8Array | undefined }
  /** How our router treats us; the answer says the same of theirs, and who is to open ports that the other guesses (engine/path/guessing.ts). */
  | { readonly verb: 'guess'; readonly offer: GuessOffer };

/** `host`: an address of the machine. `reflexive`: as others see it. `mapped`: opened by its router. */
export const offeredKinds = ['host', 'reflexive', 'mapped'] as const;
export interface OfferedCandidate { readonly kind: (typeof offeredKinds)[number]; readonly address: SocketAddress }

/** Who does what, as the side says that was asked. `none`: nothing is guessed, or this is the question. */
export const guessRoles = ['none', 'asker-opens', 'asker-probes'] as const;
export type GuessRole = (typeof guessRoles)[number];
export const guessMappings = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const satisfies readonly Mapping[];
export const guessAllocations = ['preserving', 'sequential', 'block', 'random'] as const satisfies readonly PortAllocation['kind'][];
/** What one side has found out about its own router; undefined: not known. */
export interface GuessFacts {
  /** Where relays see the main socket: the host that ports are guessed of, and the last port that was seen of it. */
  readonly address: SocketAddress;
  readonly mapping: Mapping | undefined;
  readonly filtering: Filtering | undefined;
  readonly onePublicHost: boolean | undefined;
  readonly allocation: PortAllocation | undefined;
}
export interface GuessOffer { readonly generation: number; readonly role: GuessRole; readonly facts: GuessFacts }

/** Whether packets that nobody here asked for come in. */
export const inbounds = ['open', 'filtered'] as const;
export type Inbound = (typeof inbounds)[number];
/** Undefined: not known. */
export type InboundByFamily = Readonly<Record<AddressFamily, Inbound | undefined>>;

export interface CandidateOffer { readonly generation: number; readonly inbound: InboundByFamily; readonly candidates: readonly OfferedCandidate[] }

export type Verb = RequestBody['verb'];

export type Frame =
  | { readonly type: 'request'; readonly requestId: Uint8Array; readonly body: RequestBody }
  | { readonly type: 'response'; readonly requestId: Uint8Array; readonly fragment: number; readonly final: boolean; readonly negative: boolean; readonly proof: boolean; readonly payload: Uint8Array };
