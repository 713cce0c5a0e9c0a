/** Letter rows: the sealed bytes with their place in the mailbox. Removing one also gives its room back to its pool and its token. */
import type { DepositArguments } from '../../../engine/mail/mail-store.ts';
import type { Lane } from '../../../engine/wire/types.ts';
import { RowReader, sameBytes } from '../row.ts';
import type { Statements } from '../statements.ts';
import { pools } from './mailboxes.ts';
import type { Mailboxes, Pool } from './mailboxes.ts';
import type { Tokens } from './tokens.ts';

export const lanes = ['letter', 'receipt'] as const satisfies readonly Lane[];

/** The index by body root holds the first six bytes as a number: exact in a double, small in the index; the full root is compared after. */
const rootPrefixBytes = 6;
export function rootPrefix(root: Uint8Array): number {
  let prefix = 0;
  for (let index = 0; index < rootPrefixBytes; index += 1) prefix = prefix * 256 + (root[index] ?? 0);
  return prefix;
}

export interface LetterKey { readonly mailboxId: number; readonly letterId: Uint8Array }

export interface Due extends LetterKey { readonly sequence: number; readonly expiresMs: number }

export interface StoredLetter {
  readonly mailboxId: number;
  readonly pool: Pool;
  readonly tokenId: number | undefined;
  readonly sequence: number;
}

export class Letters {
  readonly #statements: Statements;
  readonly #mailboxes: Mailboxes;
  readonly #tokens: Tokens;

  constructor(statements: Statements, mailboxes: Mailboxes, tokens: Tokens) {
    this.#statements = statements;
    this.#mailboxes = mailboxes;
    this.#tokens = tokens;
  }

  add(letter: DepositArguments, place: StoredLetter, expiresMs: number): void {
    const sizeBytes = letter.header.length + letter.body.length;
    this.#statements
      .get(`INSERT INTO letter (mailbox, sequence, letter_id, lane, pool, token, stored_ms, stored_wall_ms, expires_ms, purge_hash, root_prefix, body_root, size, header, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(place.mailboxId, place.sequence, letter.letterId, lanes.indexOf(letter.lane), pools.indexOf(place.pool), place.tokenId ?? null,
        letter.elapsedMs, letter.wallMs, expiresMs, letter.purgeHash, rootPrefix(letter.bodyRoot), letter.bodyRoot, sizeBytes, letter.header, letter.body);
    this.#mailboxes.countStored(place.mailboxId, place.pool, place.sequence, sizeBytes);
    if (place.pool === 'letters' && place.tokenId !== undefined) this.#tokens.countWaiting(place.tokenId, 1);
  }

  /** Deletes the bytes (SQLite overwrites them: `secure_delete`). False when there are none. */
  remove(mailboxId: number, sequence: number): boolean {
    const row = this.#statements.get('SELECT id, pool, token, size FROM letter WHERE mailbox = ? AND sequence = ?').get(mailboxId, sequence);
    if (row === undefined) return false;
    const reader = new RowReader('letter', row);
    const pool = reader.indexOf('pool', pools);
    const tokenId = reader.optionalInteger('token');
    this.#statements.get('DELETE FROM letter WHERE id = ?').run(reader.integer('id'));
    this.#mailboxes.countRemoved(mailboxId, pool, reader.integer('size'));
    if (pool === 'letters' && tokenId !== undefined) this.#tokens.countWaiting(tokenId, -1);
    return true;
  }

  purgeHash(mailboxId: number, sequence: number): Uint8Array | undefined {
    const row = this.#statements.get('SELECT purge_hash FROM letter WHERE mailbox = ? AND sequence = ?').get(mailboxId, sequence);
    return row === undefined ? undefined : new RowReader('letter', row).bytes('purge_hash');
  }

  /** All letters with this body, and the body itself; senders may well use one body for several devices. */
  withBody(root: Uint8Array, length: number): { readonly body: Uint8Array; readonly letters: readonly LetterKey[] } | undefined {
    const rows = this.#statements
      .get('SELECT id, mailbox, letter_id, body_root FROM letter WHERE root_prefix = ? AND length(body) = ? ORDER BY id')
      .all(rootPrefix(root), length)
      .map((row) => new RowReader('letter', row))
      .filter((reader) => sameBytes(reader.bytes('body_root'), root));
    const first = rows[0];
    if (first === undefined) return undefined;
    const body = this.#statements.get('SELECT body FROM letter WHERE id = ?').get(first.integer('id'));
    return {
      body: new RowReader('letter', body).bytes('body', length),
      letters: rows.map((reader) => ({ mailboxId: reader.integer('mailbox'), letterId: reader.bytes('letter_id') })),
    };
  }

  /** All that wait in a mailbox. */
  ofMailbox(mailboxId: number): readonly Due[] {
    return this.#statements.get('SELECT mailbox, letter_id, sequence, expires_ms FROM letter WHERE mailbox = ? ORDER BY sequence').all(mailboxId).map(toDue);
  }

  /** The oldest by expiry, at most `most`. */
  expired(elapsedMs: number, most: number): readonly Due[] {
    return this.#statements
      .get('SELECT mailbox, letter_id, sequence, expires_ms FROM letter WHERE expires_ms <= ? ORDER BY expires_ms, id LIMIT ?')
      .all(elapsedMs, most)
      .map(toDue);
  }
}

function toDue(row: unknown): Due {
  const reader = new RowReader('letter', row);
  return { mailboxId: reader.integer('mailbox'), letterId: reader.bytes('letter_id'), sequence: reader.integer('sequence'), expiresMs: reader.integer('expires_ms') };
}
