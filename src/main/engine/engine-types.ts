/** The surface of the whole engine: what a host (or the simulated world) hands in, and what it gets back. */
import type { CreatePeerSessions } from './overlay/peer-sessions.ts';
import type { RelayTests } from './overlay/relay-reliability.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { RelayTrialView } from '../../shared/relay-trial.ts';
import type { MailboxUse } from './mail/own-relays.ts';
import type { ConnectionView, DirectReason, FileState, Headline, SeekReason, Settings } from '../../shared/views.ts';
import type { Crypto, RandomBytes } from './crypto.ts';
import type { MemoryUse } from './directed/types.ts';
import type { BlobInfo, BlobRequest, BlobResult } from './files/blob-store.ts';
import type { CarryOffer } from './mail/carrying.ts';
import type { MailOperation, MailRequest, MailResults } from './mail/mail-store.ts';
import type { ContactRow, ConversationRow, FileRow, LetterFacts, OutboxRow, PublishedRow, RelayChoice, RelayRow, VisorOperation, VisorRequest, VisorResults, VisorState } from './mail/visor-store.ts';
import type { CheckedNetwork, CreateNetworkCheck, EngineSocket, NetworkAnswer, NetworkRequest, SpareSocket } from './path/observation-port.ts';
import type { LanFacts } from './path/lan-network.ts';
import type { ContentName, GuessSocket, Instant, Invite, PublicKeyHex, RelayHint, SocketAddress } from './wire/types.ts';

export interface RelayPolicy {
  /** Who may register a mailbox: anyone, or the listed identities (hex). */
  readonly registration: 'open' | { readonly list: readonly PublicKeyHex[] };
  /** Bytes of files that are held for one recipient; undefined: `fileHeldMaximumBytes` (shared/views.ts). */
  readonly heldPerRecipientBytes?: number;
  /** Relays that are asked for records that are not here (engine/directory); at most 8 are. */
  readonly peers?: readonly RelayHint[];
  /** Of letters in one mailbox; undefined: as much as a relay for everybody holds. */
  readonly mailbox?: { readonly letters: number; readonly bytes: number };
  /** That all circuits together may carry; undefined: each as much as it may. */
  readonly circuitsPerHour?: HourlyCircuits;
}

export interface HourlyCircuits { readonly packets: number; readonly bytes: number }

export interface EngineConfiguration {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  /** 32 bytes; the host keeps it in the vault and hands it over for the life of the engine. */
  readonly identitySecret: Uint8Array;
  /** Shown in introductions when the store has no name yet. */
  readonly initialName: string;
  /** Sends, receives and shows mail. False for a dedicated relay. */
  readonly visor: boolean;
  /** Carries mail for others. */
  readonly relay: RelayPolicy | undefined;
  /** The host carries datagrams over TCP: `tcp/...` addresses mean something to it (wire/tcp-address.ts). */
  readonly carriesTcp?: boolean;
  /** Of a visor: what finds out about the network that it is in. */
  readonly createNetworkCheck?: CreateNetworkCheck;
  /** Of a visor: sessions with contacts themselves. */
  readonly createPeerSessions?: CreatePeerSessions;
}

export type EngineCommand =
  | { readonly name: 'send'; readonly to: PublicKeyHex; readonly port: number; readonly text: string; readonly ttlSeconds: number | undefined }
  /** The sealed copy of the file is a complete blob by now. */
  | { readonly name: 'send-file'; readonly to: PublicKeyHex; readonly port: number; readonly text: string; readonly ttlSeconds: number | undefined; readonly file: SealedFile }
  | { readonly name: 'fetch-file'; readonly messageId: string }
  | { readonly name: 'pause-file'; readonly messageId: string }
  | { readonly name: 'cancel-file'; readonly messageId: string }
  /** The public content is a complete blob by now, in the clear. */
  | { readonly name: 'publish'; readonly path: string; readonly content: ContentName; readonly mediaType: string }
  | { readonly name: 'unpublish'; readonly path: string }
  /** Begins to fetch what somebody has published, or says that it is wanted still: what nobody has asked about for a minute ends. */
  | { readonly name: 'fetch-named'; readonly publicKey: PublicKeyHex; readonly path: string; readonly relay: RelayHint | undefined; readonly begin: boolean }
  /** Each `fetch-named` that begins is to be followed by one of these; with the last one what came is forgotten. */
  | { readonly name: 'end-fetch-named'; readonly publicKey: PublicKeyHex; readonly path: string }
  | { readonly name: 'cancel'; readonly messageId: string }
  | { readonly name: 'retry'; readonly messageId: string }
  | { readonly name: 'retry-all' }
  | { readonly name: 'mark-read'; readonly conversationId: string; readonly upToRow: number; readonly messageIds: readonly string[] }
  | { readonly name: 'save-draft'; readonly conversationId: string; readonly text: string }
  | { readonly name: 'add-contact'; readonly invite: Invite; readonly as: string | undefined }
  | { readonly name: 'rename-contact'; readonly publicKey: PublicKeyHex; readonly as: string }
  | { readonly name: 'accept'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'block'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'unblock'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'create-invite' }
  /** For whom a relay for friends may hold mail; asked again whenever contacts may have changed. */
  | { readonly name: 'carry-members' }
  /** That relay is there, knows its members, and can be reached, or (undefined) is not: they are told. */
  | { readonly name: 'carry'; readonly offer: CarryOffer | undefined }
  | { readonly name: 'add-relay'; readonly hint: RelayHint; readonly role: 'own' | 'local' }
  | { readonly name: 'remove-relay'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'choose-relay'; readonly publicKey: PublicKeyHex; readonly choice: RelayChoice }
  /** The most preferred first; the others come after them, or stay where they are. */
  | { readonly name: 'order-relays'; readonly publicKeys: readonly PublicKeyHex[]; readonly others: 'after' | 'stay' }
  /** Answered when the test has ended, after a minute and a half at most; `RelayStatus.trial` tells how far it is. */
  | { readonly name: 'test-relay'; readonly publicKey: PublicKeyHex }
  | { readonly name: 'rename-self'; readonly as: string }
  | { readonly name: 'words-confirmed' }
  /** A session with this contact is wanted for a while, as if there were something to say. */
  | { readonly name: 'reach'; readonly publicKey: PublicKeyHex }
  /** Contacts may be looked for in the network that the machine is in now, or not. */
  | { readonly name: 'trust-network'; readonly isTrusted: boolean }
  /** Answered within 5 s. */
  | { readonly name: 'check-network' }
  /** The machine runs on its battery, or does not any more: as the setting `metered`, for as long as that lasts. */
  | { readonly name: 'low-power'; readonly isOn: boolean }
  | { readonly name: 'update-settings'; readonly settings: Partial<Settings> };
/** A file as it is sent: its sealed bytes are the blob (root, blobBytes), and the key opens them. */
export interface SealedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly key: Uint8Array;
  readonly root: Uint8Array;
  readonly blobBytes: number;
}

export type CommandName = EngineCommand['name'];

export interface CommandResults {
  'send': { readonly messageId: string };
  'send-file': { readonly messageId: string };
  'fetch-file': void; 'pause-file': void; 'cancel-file': void;
  'publish': void; 'unpublish': void; 'fetch-named': void; 'end-fetch-named': void;
  'cancel': void; 'retry': void; 'retry-all': void; 'mark-read': void; 'save-draft': void;
  'add-contact': { readonly conversationId: string };
  'rename-contact': void; 'accept': void; 'block': void; 'unblock': void;
  'create-invite': { readonly invite: Invite };
  'carry-members': { readonly members: readonly PublicKeyHex[] };
  'carry': void;
  'choose-relay': void; 'order-relays': void; 'test-relay': RelayTrialView;
  'add-relay': void; 'remove-relay': void; 'rename-self': void; 'words-confirmed': void; 'reach': void; 'trust-network': void; 'low-power': void;
  'check-network': CheckedNetwork;
  'update-settings': Settings;
}

export type CommandReply<Name extends CommandName = CommandName> =
  | { readonly ok: true; readonly value: CommandResults[Name] }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** What changed, by name; the host builds views from `inspect` and the store's queries. */
export type EngineChange =
  | { readonly kind: 'message'; readonly messageId: string; readonly conversationId: string }
  | { readonly kind: 'conversation'; readonly conversationId: string }
  | { readonly kind: 'outbox'; readonly messageId: string }
  | { readonly kind: 'outbox-removed'; readonly messageId: string }
  | { readonly kind: 'relay'; readonly publicKey: PublicKeyHex }
  | { readonly kind: 'relay-removed'; readonly publicKey: PublicKeyHex }
  | { readonly kind: 'connection' } | { readonly kind: 'identity' } | { readonly kind: 'settings' } | { readonly kind: 'notices' } | { readonly kind: 'network' };

/** Files of one's own, and contents that are held for others: kept apart, so that forgetting one never takes the other. */
export type BlobShelfName = 'own-blobs' | 'held-blobs';

export type EngineOutput =
  /** Without `via`: from the main socket. */
  | { readonly kind: 'transmit'; readonly to: SocketAddress; readonly datagram: Uint8Array; readonly via?: EngineSocket }
  | { readonly kind: 'store'; readonly ticket: number; readonly store: 'visor'; readonly request: VisorRequest }
  | { readonly kind: 'store'; readonly ticket: number; readonly store: 'mail'; readonly request: MailRequest }
  /** Unlike the other two it may fail, with an answer that says so. */
  | { readonly kind: 'blobs'; readonly ticket: number; readonly shelf: BlobShelfName; readonly request: BlobRequest }
  /** Resolve a host name to literal addresses; answer with `handleResolved`. Literal addresses never come here. */
  | { readonly kind: 'resolve'; readonly ticket: number; readonly host: string }
  /** Another socket, at a port that the system chooses: answer with `handleBound`. At most 16 at once, and no name twice. */
  | { readonly kind: 'bind'; readonly socket: SpareSocket }
  /** Of IPv4, to guess ports with: at most 512 at once, answered alike. The first datagram goes `firstHops` hops far and no farther, all others as far as ever. */
  | { readonly kind: 'bind-guess'; readonly socket: GuessSocket; readonly firstHops: number }
  | { readonly kind: 'unbind'; readonly socket: SpareSocket | GuessSocket }
  /** To everybody in the local network that the interface with that address is in. */
  | { readonly kind: 'announce'; readonly fromHost: string; readonly datagram: Uint8Array }
  /** Find out what only the machine knows; answer with `handleNetwork`, or not at all. */
  | { readonly kind: 'network'; readonly request: NetworkRequest }
  | { readonly kind: 'reply'; readonly ticket: number; readonly reply: CommandReply }
  | { readonly kind: 'changed'; readonly changes: readonly EngineChange[] }
  /** For the ring log: a stable event name and non-secret fields (ids shortened). */
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly event: string; readonly fields: Readonly<Record<string, string | number>> };

export interface RelayStatus {
  readonly row: RelayRow;
  readonly state: 'connected' | 'connecting' | 'unreachable' | 'refused' | 'idle';
  /** It is reached over TCP. */
  readonly isOverTcp: boolean;
  readonly problem: string;
  /** Set when the person removed it and it is being left: it is forgotten then at the latest. */
  readonly leavingUntilWallMs: number | undefined;
  readonly sinceWallMs: number | undefined;
  readonly lastHeardWallMs: number | undefined;
  readonly roundTripsMs: readonly (number | undefined)[];
  readonly waitingLetters: number | undefined;
  /** What test letters say about it; undefined before the first. */
  readonly tests: RelayTests | undefined;
  /** Among those in use, from 0 for the most preferred; undefined of one that is being left or banned. */
  readonly place: number | undefined;
  /** Others are told of it. */
  readonly isTold: boolean;
  /** As it said when the mailbox was registered last; undefined before that. */
  readonly mailbox: MailboxUse | undefined;
  /** What it says that it can do; empty while there is no session. */
  readonly capabilities: readonly string[];
  readonly trial: RelayTrialView | undefined;
  /** Of a friend's: the contact whose computer it is. */
  readonly carrier: PublicKeyHex | undefined;
}

export type PeerPathKind = 'lan' | 'direct' | 'relay';

/** One way to a contact. */
export interface PeerPathStatus {
  readonly kind: PeerPathKind;
  /** Of a circuit: who carries it. */
  readonly relay: PublicKeyHex | undefined;
  /** Of a circuit: that relay is reached over TCP. */
  readonly isOverTcp?: boolean;
  readonly address: SocketAddress | undefined;
  readonly isCurrent: boolean;
  readonly isDoubtful: boolean;
  readonly roundTripMs: number | undefined;
}

/** Undefined: it was lost. */
export interface PeerRoundTrip { readonly kind: PeerPathKind; readonly roundTripMs: number | undefined }

/** What is sent goes another way than before; `from` is undefined for the first way of a session. */
export interface PeerPathSwitch {
  readonly atWallMs: number;
  readonly from: PeerPathKind | undefined;
  readonly to: PeerPathKind;
  /** Of `to`. */
  readonly relay: PublicKeyHex | undefined;
  /** The first of the round trips that are still known since then; undefined: there is none. */
  readonly sample: number | undefined;
}

/** A way that ended: it did not answer any more, or the circuit was closed by the relay or the other side. */
export interface PeerPathProblem {
  readonly kind: PeerPathKind;
  readonly relay: PublicKeyHex | undefined;
  readonly address: SocketAddress | undefined;
  readonly reason: 'no-answer' | 'circuit-ended';
  readonly atWallMs: number;
}

/** Of a session that has no path but through relays: what was done for a direct one, and what came of it. */
export interface DirectSearch {
  readonly reason: DirectReason;
  /** Of the guess that goes on, or went on last: whose router's ports, with what chance of a hit (undefined: not known), until when at most. */
  readonly guess?: { readonly opens: 'own' | 'theirs'; readonly chance: number | undefined; readonly untilWallMs: number | undefined } | undefined;
  /** Since the session began, the network changed, or there was a direct path last. */
  readonly attempts: number;
  readonly lastAttemptWallMs: number | undefined;
  /** One side begins an attempt, for both. */
  readonly begins: 'own' | 'theirs';
  /** Undefined: the other side begins, or none is due. */
  readonly nextAttemptWallMs: number | undefined;
  /** Addresses that they were told of. */
  readonly ownAddresses: number;
  /** That they told of; undefined: they have not said. */
  readonly theirAddresses: number | undefined;
  /** Of theirs, those that can be tried from here. */
  readonly triedAddresses: number;
}

export interface PeerStatus {
  readonly publicKey: PublicKeyHex;
  /** A relay is reached where it is; a contact by one of several paths. */
  readonly role: 'relay' | 'contact';
  readonly address: SocketAddress | undefined;
  /** Of a contact: the one in use first. */
  readonly paths: readonly PeerPathStatus[];
  /** Newest last, at most 64. */
  readonly roundTrips: readonly PeerRoundTrip[];
  readonly switches: readonly PeerPathSwitch[];
  readonly problems: readonly PeerPathProblem[];
  /** Undefined where a direct path is in use, and of relays. */
  readonly search: DirectSearch | undefined;
  readonly roundTripMs: number | undefined;
  readonly lastHeardWallMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** `off`: by the settings. `no-network`: nobody could be near. */
export interface LanStatus { readonly state: 'on' | 'off' | 'untrusted' | 'no-network'; readonly foundContacts: number }

/** A contact to whom a session is wanted and not there. */
export interface SoughtPeer {
  readonly publicKey: PublicKeyHex;
  /** They are being asked for at this moment. */
  readonly isAsking: boolean;
  /** In a row. */
  readonly failures: number;
  /** Why the last time came to nothing; undefined: there was none. */
  readonly reason: SeekReason | undefined;
  readonly nextAskWallMs: number | undefined;
  /** In the last session since the start; undefined: there was none. */
  readonly lastHeardWallMs?: number | undefined;
  readonly problems: readonly PeerPathProblem[];
}

/** What is shown of a file that moves or lies here; `relayName` of sources is for the presenter to fill in. */
export interface FileStatus {
  readonly state: FileState;
  readonly holders: readonly { readonly relay: PublicKeyHex; readonly heldBytes: number; readonly complete: boolean }[];
}

export interface PublishedStatus {
  readonly row: PublishedRow;
  readonly content: ContentName;
  /** As of an outgoing file: `ready` when one of our relays holds all of it. */
  readonly file: FileStatus;
}

/** What somebody has published, on its way here. */
export interface NamedFetchStatus {
  /** Undefined: its relays are still being asked. */
  readonly found: { readonly content: ContentName; readonly mediaType: string; readonly sequence: number } | undefined;
  readonly state: FileState;
  /** Why nothing came of it: its relays do not answer, none is known, they know nothing under this name, it is withdrawn, or too large. */
  readonly failure: 'unreachable' | 'no-relay' | 'unknown' | 'withdrawn' | 'too-large' | 'disk-full' | 'damaged' | undefined;
}

export interface OutboxStatus { readonly row: OutboxRow; readonly headline: Headline; readonly nextTryWallMs: number | undefined }

/** Read-only view of the engine's memory, for presenting. */
export interface EngineInspection {
  readonly publicKey: PublicKeyHex;
  readonly name: string;
  readonly wordsConfirmed: boolean;
  readonly settings: Settings;
  readonly notices: readonly string[];
  readonly connection: ConnectionView;
  /** What the last check of the network found out; undefined: it was not checked. */
  readonly network: CheckedNetwork | undefined;
  /** How it stands with finding contacts in local networks; undefined: here nobody looks. */
  readonly lan: LanStatus | undefined;
  readonly contacts: ReadonlyMap<PublicKeyHex, ContactRow>;
  readonly conversations: ReadonlyMap<string, ConversationRow>;
  readonly relays: readonly RelayStatus[];
  readonly peers: readonly PeerStatus[];
  readonly soughtPeers: readonly SoughtPeer[];
  outbox(): readonly OutboxStatus[];
  outboxItem(messageId: string): OutboxStatus | undefined;
  /** Headline of a stored message from its facts, and of a live one from the outbox. */
  headline(messageId: string, facts: LetterFacts): Headline;
  /** Of a message's file, as its row says and as it moves now. */
  fileStatus(row: FileRow): FileStatus;
  /** The most that any relay of theirs holds of files for them; undefined when that is not known. */
  relayHoldsBytes(publicKey: PublicKeyHex): number | undefined;
  /** What we publish. */
  published(): readonly PublishedStatus[];
  namedFetch(publicKey: PublicKeyHex, path: string): NamedFetchStatus | undefined;
  readonly counters: Readonly<Record<string, number>>;
  /** Relay role: mailboxes and letters are in the store; sessions are here. */
  readonly sessions: number;
  /** Relay role: the clock jumped by more than a day, so no letter expires until the operator confirms it. */
  readonly expirySuspended: boolean;
}

/**
 * Drive it: after every input call `pollOutput` until undefined, then arm one timer for `pollTimeout`. Store requests must be applied in
 * order, each answered by `handleStored` after its commit. When a commit fails the host discards the engine and starts a new one
 * from the store: memory is never ahead of the disk.
 */
export interface Engine {
  /**
   * Takes the datagram over: its bytes are changed. Says what is still used of its memory; `until-flush` means until `pollOutput` has returned undefined, and that the
   * host had better hand over the other datagrams that are there before it calls that: they are worked on together.
   * `socket`: where it came to; without it, the main one.
   */
  handleDatagram(from: SocketAddress, datagram: Uint8Array, now: Instant, socket?: EngineSocket): MemoryUse;
  /** A transmitted datagram has gone out, and its memory may be used again. A host that does not say so costs memory and nothing else. */
  recycle(datagram: Uint8Array): void;
  handleStored(ticket: number, result: VisorResults[VisorOperation] | MailResults[MailOperation] | BlobResult, now: Instant): void;
  handleResolved(ticket: number, hosts: readonly string[], now: Instant): void;
  /** A spare socket is bound to that local port, or (undefined) could not be or broke. Of a relay's second one: it broke, or there is one again. A host without such sockets answers nothing. */
  handleBound?(socket: Exclude<EngineSocket, 'main'>, port: number | undefined, now: Instant): void;
  handleNetwork?(answer: NetworkAnswer, now: Instant): void;
  /** The local networks that the machine is in, at the start and whenever they may be others. A host that never says finds nobody in them. */
  handleLan?(facts: LanFacts, now: Instant): void;
  /** Somebody said that to everybody in a local network. */
  handleAnnouncement?(from: SocketAddress, datagram: Uint8Array, now: Instant): void;
  /** A connection that was made from here has ended, or could not be made although one had been. */
  connectionLost?(address: SocketAddress, now: Instant): void;
  handleTimeout(now: Instant): void;
  /** @param network tells this network from others */
  networkChanged(now: Instant, network?: string): void;
  command(ticket: number, command: EngineCommand, now: Instant): void;
  /** Relay role: the operator vouches for the wall clock; expiry goes on. */
  confirmClock(now: Instant): void;
  /** Relay role with a list of those who may have a mailbox: another list from now on. Whoever is on it no longer is heard no longer. */
  setMembers?(members: readonly PublicKeyHex[], now: Instant): void;
  pollOutput(): EngineOutput | undefined;
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
  readonly inspect: EngineInspection;
  /** Says goodbye to all sessions (a clean stop); durability never depends on it. */
  stop(now: Instant): void;
}

/** `state` is the result of the visor store's `load`, `mail` that of the mail store's `open` where there is a relay role. */
export interface StartArguments {
  readonly configuration: EngineConfiguration;
  readonly state: VisorState;
  readonly mail: MailResults['open'] | undefined;
  /** What the blob stores have. */
  readonly blobs: { readonly own: readonly BlobInfo[]; readonly held: readonly BlobInfo[] };
  /** Of a relay: the port of its second socket, which answers for the first one (engine/path). Undefined: it has none. */
  readonly secondPort?: number | undefined;
  /** Of a relay: the port at which it takes TCP. Undefined: it takes none. */
  readonly tcpPort?: number | undefined;
  /** Tells this network from others. */
  readonly network?: string | undefined;
  readonly now: Instant;
}
export type CreateEngine = (start: StartArguments) => Engine;
