/**
 * What a visor keeps, as rows and atomic commits. The engine holds the rules and all live rows in memory (loaded once); the store
 * is told which rows to write, in one transaction per commit, and answers after the commit. Old messages stay on disk and are
 * read by the queries at the end, which the engine itself never needs.
 * Columns marked (sealed) are encrypted under the profile's local key by the store.
 */
import type { ContentName } from '../wire/types.ts';
import type { ErrorCode } from '../../../shared/errors.ts';
import type { FailReason, WaitReason } from '../../../shared/views.ts';
import type { FileFailReason } from '../../../shared/file-views.ts';

/** Facts are monotone: once set they stay; the headline is derived from them (architecture 9). */
export interface LetterFacts {
  readonly sendingSinceMs?: number;
  /** Per relay: a signed receipt was verified. `lostAtMs` when the relay later said that it does not hold it. */
  readonly held?: readonly { readonly relay: string; readonly sinceMs: number; readonly untilMs: number; readonly lostAtMs?: number }[];
  readonly fetchedAtMs?: number;
  readonly deliveredAtMs?: number;
  readonly readAtMs?: number;
  readonly expiredAtMs?: number;
  /** The TTL has ended but the mailboxes have not been drained since: not confirmed in time. */
  readonly unconfirmedAtMs?: number;
  readonly cancelledAtMs?: number;
  readonly failed?: { readonly reason: FailReason; readonly atMs: number };
}

export interface HopRow {
  readonly kind: 'saved' | 'sealed' | 'tried' | 'held' | 'lost' | 'fetched' | 'delivered' | 'read' | 'expired' | 'unconfirmed' | 'cancelled' | 'failed' | 'received' | 'opened';
  readonly atMs: number;
  readonly relay?: string;
  readonly path?: string;
  readonly reason?: string;
  readonly untilMs?: number;
}

export interface MessageRow {
  readonly id: string;
  readonly conversationId: string;
  readonly direction: 'out' | 'in';
  /** (sealed) */
  readonly text: string;
  readonly sentAtMs: number;
  readonly receivedAtMs: number | undefined;
  readonly expiresAtMs: number;
  /** Device id of the sender, and its sequence in this conversation: order and gaps come from these. */
  readonly senderDevice: string;
  readonly sequence: number;
  readonly facts: LetterFacts;
}

/** The file that a message carries. Its bytes are a blob (engine/files); the name of that is the name of the sealed bytes. */
export interface FileRow {
  readonly messageId: string;
  readonly conversationId: string;
  readonly direction: 'out' | 'in';
  /** (sealed) */
  readonly name: string;
  /** (sealed) */
  readonly mediaType: string;
  /** 32 bytes; opens the blob. (sealed) */
  readonly key: Uint8Array;
  /** Of the file itself; the blob is longer by its tags. */
  readonly sizeBytes: number;
  readonly root: Uint8Array;
  readonly blobBytes: number;
  /** `offered`: incoming, not asked for. `wanted`: to be moved. `ready`: all of it is here (incoming), or the recipient has it (outgoing). */
  readonly stage: 'offered' | 'wanted' | 'paused' | 'ready' | 'failed';
  readonly failure: FileFailReason | undefined;
  /** Relays that were seen holding all of an outgoing one; those that may still hold one that is over, in either direction, and are to be told. */
  readonly heldBy: readonly string[];
  readonly expiresAtMs: number;
  /** Of an outgoing one: the blob is about to be deleted, or was. Without it the blob is here. */
  readonly copy?: 'freeing' | 'gone';
}

/** What is published under a name, for everybody; or was, as long as what relays were told may last. */
export interface PublishedRow {
  readonly path: string;
  /** In the clear, and a complete blob here. Undefined: withdrawn. */
  readonly content: ContentName | undefined;
  readonly mediaType: string;
  /** Of the record that is told to relays, and its end. Higher with each change and each renewal. */
  readonly sequence: number;
  readonly notAfterSeconds: number;
  readonly publishedAtMs: number;
}

/** A letter that is not finished: everything needed to go on after a crash. */
export interface OutboxRow {
  readonly id: string;
  readonly recipient: string;
  readonly destinationPort: number;
  readonly sourcePort: number;
  readonly kind: 'message' | 'introduction' | 'receipt' | 'resume' | 'carry';
  /** Encoded Content (wire codec) until delivered. (sealed) */
  readonly content: Uint8Array;
  readonly sequence: number;
  readonly queuedAtMs: number;
  readonly expiresAtMs: number;
  readonly ttlSeconds: number;
  readonly attempts: number;
  readonly lastReason: WaitReason | undefined;
  /** The sealed letter once sealed: the same bytes go to every relay. Purge key (sealed). */
  readonly sealed: { readonly letterId: Uint8Array; readonly header: Uint8Array; readonly body: Uint8Array; readonly bodyRoot: Uint8Array; readonly purgeHash: Uint8Array; readonly purgeKey: Uint8Array; readonly deviceId: string; readonly bundleCreatedSeconds: number; readonly sealedAtMs: number } | undefined;
  readonly facts: LetterFacts;
  /** What remains to be done: `deposit` until enough relays hold it; `await` until a receipt; `withdraw` = take the copies back, then drop the row. */
  readonly stage: 'deposit' | 'await' | 'withdraw';
}

export interface ContactRow {
  readonly publicKey: string;
  /** As the person calls them; a name from an introduction until renamed. */
  readonly name: string;
  readonly standing: 'contact' | 'pending' | 'request' | 'blocked';
  /** 16 bytes they use at our relays; granted when they are added or accepted. (sealed) */
  readonly grantedToken: Uint8Array | undefined;
  /** 16 bytes that we use at theirs. (sealed) */
  readonly depositToken: Uint8Array | undefined;
  readonly relays: readonly { readonly publicKey: string; readonly host: string; readonly port: number }[];
  readonly identityRecord: Uint8Array | undefined;
  readonly prekeyBundle: Uint8Array | undefined;
  readonly recordsFetchedAtMs: number;
  /** Introductions we owe them: written once, then re-sent only when our card changes. */
  readonly introducedCard: string;
  readonly addedAtMs: number;
}

export interface ConversationRow {
  readonly id: string;
  readonly publicKey: string;
  readonly port: number;
  /** Next sequence of letters that we send in it. */
  readonly nextSequence: number;
  readonly readUpToRow: number;
  /** (sealed) */
  readonly draft: string;
  readonly lastActivityMs: number;
}

export interface RelayRow {
  readonly publicKey: string;
  readonly host: string;
  readonly port: number;
  /** `friend`: a contact carries for us (friend-relays.ts). */
  readonly role: 'own' | 'local' | 'friend';
  /** Mail cursor: (epoch, sequence). Undefined epoch = list from the beginning. */
  readonly epoch: Uint8Array | undefined;
  readonly cursor: number;
  readonly addedAtMs: number;
  /** The person removed it: mail that waits there is fetched still, until it is forgotten (own-relays.ts). */
  readonly leavingSinceMs: number | undefined;
  readonly choice: RelayChoice;
  /** Where the person put it among their relays, from 0; undefined: they did not say. */
  readonly rank: number | undefined;
}

/** What the person said about a relay. `pinned`: before all others, whatever is measured. `banned`: it is never used, and kept to be known. */
export type RelayChoice = 'normal' | 'pinned' | 'banned';

export interface InviteRow { readonly token: Uint8Array; readonly createdAtMs: number; readonly revoked: boolean }

export interface PrekeyRow {
  readonly prekeyId: number;
  /** (sealed) */
  readonly secretKey: Uint8Array;
  readonly bundle: Uint8Array;
  readonly createdAtMs: number;
  /** When every relay of the owner had acknowledged the successor; it is deleted 39 days after. */
  readonly supersededAtMs: number | undefined;
}

export interface DeviceRow {
  readonly deviceId: string;
  /** (sealed) */
  readonly x25519Secret: Uint8Array;
  /** (sealed) */
  readonly ed25519Seed: Uint8Array;
  readonly certificate: Uint8Array;
  /** (sealed) Secret of the stateless reset tokens. */
  readonly resetSecret: Uint8Array;
}

/** X25519 static key of a peer's device, learned in an authenticated handshake: lets the next handshake be IK. */
export interface PeerKeyRow { readonly publicKey: string; readonly x25519: Uint8Array }

export type VisorChange =
  | { readonly kind: 'put-message'; readonly row: MessageRow }
  | { readonly kind: 'set-facts'; readonly messageId: string; readonly facts: LetterFacts }
  | { readonly kind: 'add-hop'; readonly messageId: string; readonly hop: HopRow }
  | { readonly kind: 'put-file'; readonly row: FileRow }
  | { readonly kind: 'put-published'; readonly row: PublishedRow }
  | { readonly kind: 'delete-published'; readonly path: string }
  | { readonly kind: 'put-outbox'; readonly row: OutboxRow }
  | { readonly kind: 'delete-outbox'; readonly id: string }
  | { readonly kind: 'put-contact'; readonly row: ContactRow }
  | { readonly kind: 'put-conversation'; readonly row: ConversationRow }
  | { readonly kind: 'put-relay'; readonly row: RelayRow }
  | { readonly kind: 'delete-relay'; readonly publicKey: string }
  | { readonly kind: 'put-invite'; readonly row: InviteRow }
  | { readonly kind: 'put-prekey'; readonly row: PrekeyRow }
  /** Deletes the prekey and, in the same transaction, the dedupe rows of letters sealed to it. */
  | { readonly kind: 'delete-prekey'; readonly prekeyId: number }
  | { readonly kind: 'put-device'; readonly row: DeviceRow }
  | { readonly kind: 'put-peer-key'; readonly row: PeerKeyRow }
  /** Small values under a name: `name`, `settings`, `record-sequence`, `tokens-version`, `words-confirmed`, `revoked` ... */
  | { readonly kind: 'put-value'; readonly key: string; readonly value: string };

export interface VisorState {
  readonly device: DeviceRow | undefined;
  readonly contacts: readonly ContactRow[];
  readonly conversations: readonly ConversationRow[];
  readonly outbox: readonly OutboxRow[];
  /** Those that are `offered`, `wanted` or `paused`, and outgoing ones with a copy here; in the order of their messages. */
  readonly files: readonly FileRow[];
  readonly published: readonly PublishedRow[];
  readonly relays: readonly RelayRow[];
  readonly invites: readonly InviteRow[];
  readonly prekeys: readonly PrekeyRow[];
  readonly peerKeys: readonly PeerKeyRow[];
  readonly values: ReadonlyMap<string, string>;
}

export type VisorRequest =
  | { readonly op: 'load' }
  /**
   * Applies all changes or none. With `unlessSeen`, nothing is applied when that sender's message id was committed before (dedupe
   * row written in the same transaction otherwise). `prekeyId` says with which key the row may be forgotten.
   */
  | { readonly op: 'commit'; readonly changes: readonly VisorChange[]; readonly unlessSeen?: { readonly sender: string; readonly messageId: string; readonly prekeyId: number } }
  /** What an outgoing message became, for receipts that come after its outbox row has gone. */
  | { readonly op: 'facts'; readonly messageId: string }
  /** Whether an incoming file that is all here is this blob: such rows are not loaded. */
  | { readonly op: 'received'; readonly root: Uint8Array; readonly length: number };

export interface VisorResults {
  'load': VisorState;
  'commit': { readonly applied: boolean };
  'facts': { readonly facts: LetterFacts | undefined; readonly conversationId: string; readonly direction: 'out' | 'in' };
  'received': { readonly received: boolean };
}
export type VisorOperation = VisorRequest['op'];

/**
 * A stored message. `row` counts arrivals (inbox cursor, `readUpToRow`, anchor of pages): a late letter has a high row though it is shown further up,
 * so the order of a page is the order of its array. `missingBefore` counts absent earlier sequences of the same sender device directly before it.
 */
export interface StoredMessage extends MessageRow { readonly row: number; readonly missingBefore: number; readonly file: FileRow | undefined }

/** Read-only queries for the screens and the CLI; served by the storage worker beside the commits. */
export type VisorQuery =
  /** Newest `limit` messages of a conversation before `beforeRow`, in display order: arrival, but an earlier letter that comes late is inserted at its place in its sender's sequence. */
  | { readonly query: 'page'; readonly conversationId: string; readonly beforeRow: number | undefined; readonly limit: number }
  | { readonly query: 'inbox'; readonly afterRow: number; readonly limit: number }
  | { readonly query: 'message'; readonly messageId: string }
  | { readonly query: 'hops'; readonly messageId: string }
  /** Last message and unread count of each conversation, or of those named: reading thousands for each message that comes would take a second. */
  | { readonly query: 'summaries'; readonly conversationIds?: readonly string[] };

export interface VisorQueryResults {
  'page': { readonly messages: readonly StoredMessage[]; readonly more: boolean };
  'inbox': { readonly messages: readonly StoredMessage[] };
  'message': { readonly message: StoredMessage | undefined };
  'hops': { readonly hops: readonly HopRow[] };
  'summaries': { readonly summaries: readonly { readonly conversationId: string; readonly unread: number; readonly last: StoredMessage | undefined }[] };
}

export interface VisorStore {
  apply<Op extends VisorOperation>(request: Extract<VisorRequest, { op: Op }>): VisorResults[Op];
  query<Q extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Q }>): VisorQueryResults[Q];
}

/** Seals the columns marked above; the host derives the key from the profile's vault. */
export interface FieldCipher {
  seal(plaintext: Uint8Array): Uint8Array;
  /** Undefined when it does not authenticate: the row is then reported as damaged, never overwritten. */
  open(sealed: Uint8Array): Uint8Array | undefined;
}

export type StoreFailure = { readonly code: Extract<ErrorCode, 'disk-full' | 'database-corrupt' | 'database-newer' | 'profile-unwritable' | 'internal'>; readonly message: string };
