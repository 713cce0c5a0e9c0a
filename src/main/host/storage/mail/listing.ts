/** What the owner of a mailbox reads: pages of letters in order of sequence, and bodies by content name. Reading advances `held` to `fetched`. */
import type { MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import type { ListEntry } from '../../../engine/wire/types.ts';
import { RowReader, integerOf } from '../row.ts';
import type { Statements } from '../statements.ts';
import { remainingSeconds } from './deposits.ts';
import { lanes } from './letters.ts';
import type { Letters } from './letters.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { SeenLetters } from './seen.ts';

/** Bodies up to this size come with the listing: the smallest bucket (256) and its tag. */
export const inlineBodyBytes = 272;
/** Entry on the wire without header and inline body: protocol section 2. */
const entryOverheadBytes = 8 + 32 + 1 + 4 + 4 + 32 + 4 + 2 + 2;

const pageSql = `SELECT sequence, letter_id, lane, stored_ms, expires_ms, body_root, length(body) AS body_length, header,
  CASE WHEN length(body) <= ${String(inlineBodyBytes)} THEN body END AS inline_body
  FROM letter WHERE mailbox = ? AND sequence > ? AND expires_ms > ? ORDER BY sequence`;

export class Listing {
  readonly #statements: Statements;
  readonly #mailboxes: Mailboxes;
  readonly #letters: Letters;
  readonly #seen: SeenLetters;

  constructor(statements: Statements, mailboxes: Mailboxes, letters: Letters, seen: SeenLetters) {
    this.#statements = statements;
    this.#mailboxes = mailboxes;
    this.#letters = letters;
    this.#seen = seen;
  }

  /** At least one entry where there is one, even when it is larger than `mostBytes`: a listing always gets on. */
  list({ mailbox, afterSequence, mostBytes, elapsedMs }: Extract<MailRequest, { op: 'list' }>): MailResults['list'] {
    const found = this.#mailboxes.find(mailbox);
    if (found === undefined) return { entries: [], remaining: 0 };
    const entries: ListEntry[] = [];
    let bytes = 0;
    for (const row of this.#statements.get(pageSql).iterate(found.id, afterSequence, elapsedMs)) {
      const entry = toEntry(row, elapsedMs);
      bytes += entryOverheadBytes + entry.header.length + (entry.inlineBody?.length ?? 0);
      if (entries.length > 0 && bytes > mostBytes) break;
      entries.push(entry);
    }
    for (const entry of entries) this.#seen.setListed(found.id, entry.letterId, entry.inlineBody !== undefined, elapsedMs);
    const last = entries.at(-1);
    return { entries, remaining: last === undefined ? 0 : this.#count(found.id, last.sequence, elapsedMs) };
  }

  shown({ mailbox, letterId, elapsedMs }: Extract<MailRequest, { op: 'shown' }>): MailResults['shown'] {
    const found = this.#mailboxes.find(mailbox);
    if (found !== undefined) this.#seen.setListed(found.id, letterId, true, elapsedMs);
    return {};
  }

  body({ root, length }: Extract<MailRequest, { op: 'body' }>, nowMs: number): MailResults['body'] {
    const found = this.#letters.withBody(root, length);
    if (found === undefined) return { body: undefined };
    for (const { mailboxId, letterId } of found.letters) this.#seen.setPulled(mailboxId, letterId, nowMs);
    return { body: found.body };
  }

  #count(mailboxId: number, afterSequence: number, elapsedMs: number): number {
    const sql = 'SELECT count(*) FROM letter WHERE mailbox = ? AND sequence > ? AND expires_ms > ?';
    return integerOf(this.#statements.pluck(sql).get(mailboxId, afterSequence, elapsedMs), 'letter', 'count');
  }
}

function toEntry(row: unknown, elapsedMs: number): ListEntry {
  const reader = new RowReader('letter', row);
  return {
    sequence: reader.integer('sequence'),
    letterId: reader.bytes('letter_id'),
    lane: reader.indexOf('lane', lanes),
    remainingSeconds: remainingSeconds(reader.integer('expires_ms') - elapsedMs),
    heldForSeconds: Math.max(0, Math.floor((elapsedMs - reader.integer('stored_ms')) / 1_000)),
    bodyRoot: reader.bytes('body_root'),
    bodyLength: reader.integer('body_length'),
    header: reader.bytes('header'),
    inlineBody: reader.optionalBytes('inline_body'),
  };
}
