/** What the engine tells of itself to those who present it: a read-only look at its memory. */
import type { RelayTests } from './overlay/relay-reliability.ts';
import type { RelayTrialView } from '../../shared/relay-trial.ts';
import type { MailboxUse } from './mail/own-relays.ts';
import type { ConnectionView, Headline, Settings } from '../../shared/views.ts';
import type { DirectReason, PeerPathKind, SeekReason } from '../../shared/peer-views.ts';
import type { FileState } from '../../shared/file-views.ts';
import type { ContactRow, ConversationRow, FileRow, LetterFacts, OutboxRow, PublishedRow, RelayRow } from './mail/visor-store.ts';
import type { CheckedNetwork } from './path/observation-port.ts';
import type { ContentName, PublicKeyHex, SocketAddress } from './wire/types.ts';

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

/** One way to a contact. */
export interface PeerPathStatus {
  readonly kind: PeerPathKind;
  /** Of a circuit: who carries it. */
  readonly relay: PublicKeyHex | undefined;
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
