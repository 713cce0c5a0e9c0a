/** The relay role as a core: mailboxes, records, deposits and their rules; storage and requests come in as interfaces. */
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { RelayPolicy } from '../engine-types.ts';
import type { Directed } from '../directed/types.ts';
import type { SessionId, SessionView } from '../session/types.ts';
import type { BlobShelf } from '../files/blob-shelf.ts';
import type { FoundRecords } from '../directory/found-records.ts';
import type { Instant, Mailbox, PublicKeyHex } from '../wire/types.ts';
import type { MailOperation, MailRequest, MailResults } from './mail-store.ts';

export interface MailboxEnvironment {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly directed: Directed;
  readonly policy: RelayPolicy;
  /** Seed of the device's Ed25519 key: signs storage receipts. */
  readonly ed25519Seed: Uint8Array;
  /** Sends a request to the mail store; `done` runs after its commit. */
  store<Op extends MailOperation>(request: Extract<MailRequest, { op: Op }>, done: (result: MailResults[Op], now: Instant) => void): void;
  /** Where the bytes of contents lie that are held for others. */
  readonly shelf: BlobShelf;
  session(sessionId: SessionId): SessionView | undefined;
  log(level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>): void;
}

/** Registers its handlers with `directed` when created. */
export interface MailboxRole {
  /** The batch of commits whose results were just handled is over: receipts gathered are signed with one signature and sent. */
  flush(now: Instant): void;
  sessionClosed(sessionId: SessionId): void;
  /** Live sessions that have registered this mailbox, in the order in which they did. */
  sessionsOf(mailbox: Mailbox): readonly SessionId[];
  /** The records that are held here of that identity. */
  held(identity: PublicKeyHex, now: Instant, then: (found: FoundRecords | undefined, now: Instant) => void): void;
  /** Another list of who may have a mailbox. */
  setMembers(members: readonly PublicKeyHex[]): void;
  handleTimeout(now: Instant): void;
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
  /** Set when the wall clock jumped by more than a day: nothing expires until `confirmClock`. */
  readonly expirySuspended: boolean;
  confirmClock(now: Instant): void;
  readonly counters: Readonly<Record<string, number>>;
}
export type CreateMailboxRole = (environment: MailboxEnvironment, opened: MailResults['open'], now: Instant) => MailboxRole;
