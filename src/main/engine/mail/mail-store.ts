/**
 * What a relay keeps, as requests to whoever stores it. The engine sends one of these, the host applies it inside a group commit, and the
 * result comes back only after the commit: nothing is acknowledged before. SQLite is the embedded default; a cluster's PostgreSQL
 * serves the same requests under the same conformance suite.
 *
 * Times: `elapsedMs` is the relay's mail clock: time counted while TTLs run, persisted by `tick`, independent of the wall clock.
 */
import type { Lane, LetterState, ListEntry, Mailbox, RecordKind } from '../wire/types.ts';

export interface MailboxQuota {
  readonly letters: number;
  readonly bytes: number;
  /** Letters one deposit token may have waiting. */
  readonly lettersPerToken: number;
  /** Letters without a token that may wait (at most 5 % of `letters`). */
  readonly strangerLetters: number;
  /** Receipts have a lane of their own that letters cannot fill. */
  readonly receipts: number;
}

/** Of one mailbox: bytes of all blobs noted for it, of those of one token, and how many. Whole lengths count from the start: room that was promised is kept. */
export interface BlobQuota {
  readonly bytes: number;
  readonly bytesPerToken: number;
  readonly blobs: number;
}

export interface DepositArguments {
  readonly mailbox: Mailbox;
  /** BLAKE3 of the deposit token; undefined = stranger. */
  readonly tokenHash: Uint8Array | undefined;
  readonly lane: Lane;
  readonly letterId: Uint8Array;
  readonly header: Uint8Array;
  readonly bodyRoot: Uint8Array;
  readonly body: Uint8Array;
  readonly purgeHash: Uint8Array;
  readonly ttlSeconds: number;
  readonly elapsedMs: number;
  readonly wallMs: number;
  readonly quota: MailboxQuota;
}

export type MailRequest =
  /** First request: opens the store. A database that is new, restored or quarantined gets a new random epoch (8 bytes, given by the caller). */
  | { readonly op: 'open'; readonly freshEpoch: Uint8Array; readonly wallMs: number }
  | { readonly op: 'tick'; readonly elapsedMs: number; readonly wallMs: number }
  | { readonly op: 'register'; readonly mailbox: Mailbox; readonly elapsedMs: number }
  | { readonly op: 'tokens'; readonly mailbox: Mailbox; readonly version: number; readonly reset: boolean; readonly tokens: readonly { readonly granted: boolean; readonly hash: Uint8Array }[] }
  | ({ readonly op: 'deposit' } & DepositArguments)
  /** Is it worth pulling the body? Answers like deposit would, without storing (`would-store` included). */
  | ({ readonly op: 'check-deposit' } & Omit<DepositArguments, 'body'> & { readonly bodyLength: number })
  | { readonly op: 'list'; readonly mailbox: Mailbox; readonly afterSequence: number; readonly mostBytes: number; readonly elapsedMs: number }
  /** The owner has been given this letter with its body without having listed it: `fetched`, if it was `held`. */
  | { readonly op: 'shown'; readonly mailbox: Mailbox; readonly letterId: Uint8Array; readonly elapsedMs: number }
  | { readonly op: 'body'; readonly root: Uint8Array; readonly length: number }
  | { readonly op: 'ack'; readonly mailbox: Mailbox; readonly elapsedMs: number; readonly letters: readonly { readonly letterId: Uint8Array; readonly verdict: 'committed' | 'unopenable' }[] }
  | { readonly op: 'withdraw'; readonly mailbox: Mailbox; readonly letterId: Uint8Array; readonly purgeHash: Uint8Array; readonly elapsedMs: number }
  | { readonly op: 'status'; readonly mailbox: Mailbox; readonly letterIds: readonly Uint8Array[]; readonly elapsedMs: number }
  | { readonly op: 'refusals'; readonly mailbox: Mailbox }
  /** Deletes at most `most` expired letters (remembered as expired) and forgets old seen ids (letter expiry + 1 day). */
  | { readonly op: 'expire'; readonly elapsedMs: number; readonly most: number }
  /** Ends the mailboxes of an identity's other devices, and their tokens; their waiting letters become `unopenable`, so that senders seal again. */
  | { readonly op: 'revoke-device'; readonly identity: string; readonly keepDeviceIds: readonly string[]; readonly elapsedMs: number }
  /**
   * A content that is to be held for a mailbox: noted, partial, when its owner knows the token and there is room; noted before: as it stands, with the
   * later of both ends. The bytes lie in the blob store. Strangers have nothing held.
   */
  | {
      readonly op: 'hold-blob'; readonly mailbox: Mailbox; readonly tokenHash: Uint8Array | undefined; readonly root: Uint8Array; readonly length: number; readonly ttlSeconds: number; readonly elapsedMs: number;
      readonly quota: BlobQuota;
      /** The mailbox's owner asks: no token is needed, and from then on the note is the owner's, whoever made it. */
      readonly owner?: boolean;
    }
  /** All of it is durable in the blob store, for every mailbox that has it noted. */
  | { readonly op: 'blob-complete'; readonly root: Uint8Array; readonly length: number }
  /** The mailbox has no need of it any more. */
  | {
      readonly op: 'drop-blob'; readonly mailbox: Mailbox; readonly root: Uint8Array; readonly length: number;
      /** The mailbox's owner asks. Nobody else can drop what the owner had held: its name is no secret. */
      readonly owner?: boolean;
    }
  /** Everything noted, each name once: `complete` when it is. */
  | { readonly op: 'blobs'; readonly elapsedMs: number }
  /** Forgets at most `most` whose time is over. */
  | { readonly op: 'expire-blobs'; readonly elapsedMs: number; readonly most: number }
  /** A lower sequence never replaces a higher one; equal bytes are accepted again. */
  | {
      readonly op: 'put-record'; readonly kind: RecordKind; readonly identity: string; readonly deviceId: string; readonly sequence: number; readonly notAfterSeconds: number; readonly bytes: Uint8Array;
      /** Of a named record, and a part of its key. */
      readonly path?: string;
      /** Of named records: how many one identity may have. */
      readonly most?: number;
    }
  | { readonly op: 'get-record'; readonly kind: RecordKind; readonly identity: string; readonly deviceId: string; readonly path?: string }
  /** Forgets at most `most` named records that ended by `nowSeconds` of the wall clock. */
  | { readonly op: 'expire-records'; readonly nowSeconds: number; readonly most: number };
export type MailOperation = MailRequest['op'];

export interface MailResults {
  'open': { readonly epoch: Uint8Array; readonly elapsedMs: number; readonly lastWallMs: number | undefined };
  'tick': Record<string, never>;
  'register': { readonly tokensVersion: number; readonly letters: number; readonly bytes: number; readonly highestSequence: number };
  'tokens': Record<string, never>;
  'deposit': DepositResult;
  'check-deposit': DepositResult | { readonly outcome: 'would-store' };
  /** In order of sequence; bodies of at most 272 bytes inline. Letters listed become `fetched`... only once acked or their body was pulled; see `body`. */
  'list': { readonly entries: readonly ListEntry[]; readonly remaining: number };
  'shown': Record<string, never>;
  'body': { readonly body: Uint8Array | undefined };
  'ack': { readonly acked: number };
  'withdraw': { readonly state: LetterState };
  'status': { readonly states: readonly { readonly state: LetterState; readonly secondsSince: number }[] };
  'refusals': { readonly hashes: readonly Uint8Array[] };
  'expire': { readonly expired: number; readonly more: boolean };
  'revoke-device': { readonly mailboxes: number; readonly letters: number };
  'hold-blob': HoldResult;
  'blob-complete': Record<string, never>;
  /** `orphaned`: no mailbox has it noted any more, and its bytes may be deleted. */
  'drop-blob': { readonly orphaned: boolean };
  'blobs': { readonly blobs: readonly { readonly root: Uint8Array; readonly length: number; readonly complete: boolean }[] };
  'expire-blobs': { readonly orphaned: readonly { readonly root: Uint8Array; readonly length: number }[]; readonly more: boolean };
  /** `quota`: another named record, and there is no room. */
  'put-record': { readonly outcome: 'stored' | 'unchanged' | 'stale' | 'quota' };
  'get-record': { readonly bytes: Uint8Array | undefined; readonly sequence: number };
  'expire-records': { readonly expired: number; readonly more: boolean };
}

export type HoldResult =
  | { readonly outcome: 'noted'; readonly complete: boolean; readonly remainingSeconds: number }
  | { readonly outcome: 'quota' } | { readonly outcome: 'no-mailbox' } | { readonly outcome: 'token-revoked' } | { readonly outcome: 'stranger' };

export type DepositResult =
  /** `byStranger`: no token, or one that this mailbox was not told of. */
  | { readonly outcome: 'stored'; readonly sequence: number; readonly remainingSeconds: number; readonly state: LetterState; readonly byStranger: boolean }
  /** Seen before: `state` says what became of it (held, fetched, acked, unopenable, expired, withdrawn). */
  | { readonly outcome: 'duplicate'; readonly sequence: number; readonly remainingSeconds: number; readonly state: LetterState }
  | { readonly outcome: 'quota'; readonly scope: 'mailbox' | 'token' | 'strangers' | 'receipts' }
  | { readonly outcome: 'no-mailbox' }
  | { readonly outcome: 'token-revoked' };

/** Applied synchronously inside a transaction that the host opened; a throw fails the whole batch. */
export interface MailStore {
  apply<Op extends MailOperation>(request: Extract<MailRequest, { op: Op }>): MailResults[Op];
}
