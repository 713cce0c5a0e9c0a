/** Mailbox rows: finding one, registering one, and the counters of what waits in each pool. */
import type { MailResults } from '../../../engine/mail/mail-store.ts';
import type { Mailbox } from '../../../engine/wire/types.ts';
import { RowReader, bytesOfHex, hexOfBytes } from '../row.ts';
import type { Statements } from '../statements.ts';

/**
 * Whose quota a waiting letter uses. Independent of each other: strangers cannot fill the place of contacts, letters cannot fill the
 * place of receipts. The stored value is the index.
 */
export const pools = ['letters', 'strangers', 'receipts'] as const;
export type Pool = (typeof pools)[number];

export interface Waiting { readonly count: number; readonly bytes: number }

export interface MailboxState {
  readonly id: number;
  readonly highestSequence: number;
  readonly tokensVersion: number;
  /** Its device was revoked: it takes nothing any more, but still says what became of its letters. */
  readonly isEnded: boolean;
  readonly waiting: Readonly<Record<Pool, Waiting>>;
}

const findSql = `SELECT id, ended, highest_sequence, tokens_version, letters, letters_bytes, strangers, strangers_bytes, receipts, receipts_bytes
  FROM mailbox WHERE identity = ? AND device = ?`;

const countSql: Readonly<Record<Pool, string>> = {
  letters: 'UPDATE mailbox SET letters = letters + ?, letters_bytes = letters_bytes + ? WHERE id = ?',
  strangers: 'UPDATE mailbox SET strangers = strangers + ?, strangers_bytes = strangers_bytes + ? WHERE id = ?',
  receipts: 'UPDATE mailbox SET receipts = receipts + ?, receipts_bytes = receipts_bytes + ? WHERE id = ?',
};

const storeSql: Readonly<Record<Pool, string>> = {
  letters: 'UPDATE mailbox SET highest_sequence = ?, letters = letters + 1, letters_bytes = letters_bytes + ? WHERE id = ?',
  strangers: 'UPDATE mailbox SET highest_sequence = ?, strangers = strangers + 1, strangers_bytes = strangers_bytes + ? WHERE id = ?',
  receipts: 'UPDATE mailbox SET highest_sequence = ?, receipts = receipts + 1, receipts_bytes = receipts_bytes + ? WHERE id = ?',
};

export class Mailboxes {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  find(mailbox: Mailbox): MailboxState | undefined {
    const row = this.#statements.get(findSql).get(bytesOfHex(mailbox.identity), bytesOfHex(mailbox.deviceId));
    if (row === undefined) return undefined;
    const reader = new RowReader('mailbox', row);
    const waiting = (pool: Pool): Waiting => ({ count: reader.integer(pool), bytes: reader.integer(`${pool}_bytes`) });
    return {
      id: reader.integer('id'),
      highestSequence: reader.integer('highest_sequence'),
      tokensVersion: reader.integer('tokens_version'),
      isEnded: reader.integer('ended') === 1,
      waiting: { letters: waiting('letters'), strangers: waiting('strangers'), receipts: waiting('receipts') },
    };
  }

  /** Whether the device may have a mailbox is the engine's decision: an ended one opens again. Counts are of all pools together. */
  register(mailbox: Mailbox, elapsedMs: number): MailResults['register'] {
    this.#statements
      .get('INSERT INTO mailbox (identity, device, registered_ms) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET ended = 0 WHERE ended = 1')
      .run(bytesOfHex(mailbox.identity), bytesOfHex(mailbox.deviceId), elapsedMs);
    const found = this.find(mailbox);
    if (found === undefined) throw new Error('a mailbox just registered is absent');
    const { letters, strangers, receipts } = found.waiting;
    return {
      tokensVersion: found.tokensVersion,
      letters: letters.count + strangers.count + receipts.count,
      bytes: letters.bytes + strangers.bytes + receipts.bytes,
      highestSequence: found.highestSequence,
    };
  }

  countStored(mailboxId: number, pool: Pool, sequence: number, sizeBytes: number): void {
    this.#statements.get(storeSql[pool]).run(sequence, sizeBytes, mailboxId);
  }

  countRemoved(mailboxId: number, pool: Pool, sizeBytes: number): void {
    this.#statements.get(countSql[pool]).run(-1, -sizeBytes, mailboxId);
  }

  setTokensVersion(mailboxId: number, version: number): void {
    this.#statements.get('UPDATE mailbox SET tokens_version = ? WHERE id = ?').run(version, mailboxId);
  }

  /** Ids of the open mailboxes of an identity's devices other than `keepDeviceIds`. */
  othersOf(identity: string, keepDeviceIds: readonly string[]): readonly number[] {
    return this.#statements
      .get('SELECT id, device FROM mailbox WHERE identity = ? AND ended = 0')
      .all(bytesOfHex(identity))
      .map((row) => new RowReader('mailbox', row))
      .filter((reader) => !keepDeviceIds.includes(hexOfBytes(reader.bytes('device'))))
      .map((reader) => reader.integer('id'));
  }

  end(mailboxId: number): void {
    this.#statements.get('UPDATE mailbox SET ended = 1, tokens_version = 0 WHERE id = ?').run(mailboxId);
  }

  /** Ended ones go when nothing is remembered of their letters any more. */
  sweepEnded(): void {
    this.#statements.get('DELETE FROM mailbox WHERE ended = 1 AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.mailbox = mailbox.id)').run();
  }
}
