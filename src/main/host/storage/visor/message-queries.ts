/** What screens and programs read of the messages: pages in display order, the inbox in order of arrival, and a summary per conversation; each message with its file. */
import type { StoredMessage, VisorQuery, VisorQueryResults } from '../../../engine/mail/visor-store.ts';
import { RowReader, integerOf } from '../row.ts';
import type { Statements } from '../statements.ts';
import { directions, parseFacts } from './codecs.ts';
import type { Files } from './files.ts';
import type { SealedColumns } from './sealed-columns.ts';

/** Whatever a caller asks for, one answer has no more messages than this. */
const mostMessagesPerAnswer = 1_000;

/** `before_sequence` is the nearest earlier one that we have of the same sender device; sequences begin at 1. */
const columns = `row, id, conversation_id, direction, text_sealed, sent_at_ms, received_at_ms, expires_at_ms, sender_device, sequence, position, facts,
  coalesce((SELECT max(earlier.sequence) FROM message AS earlier WHERE earlier.conversation_id = message.conversation_id
    AND earlier.sender_device = message.sender_device AND earlier.sequence < message.sequence), 0) AS before_sequence`;
const newestFirst = 'ORDER BY position DESC, sequence DESC, row DESC LIMIT ?';

type Query<Name extends VisorQuery['query']> = Extract<VisorQuery, { query: Name }>;

export class MessageQueries {
  readonly #statements: Statements;
  readonly #sealed: SealedColumns;
  readonly #files: Files;

  constructor(statements: Statements, sealed: SealedColumns, files: Files) {
    this.#statements = statements;
    this.#sealed = sealed;
    this.#files = files;
  }

  page({ conversationId, beforeRow, limit }: Query<'page'>): VisorQueryResults['page'] {
    const most = bounded(limit);
    const rows = beforeRow === undefined
      ? this.#statements.get(`SELECT ${columns} FROM message WHERE conversation_id = ? ${newestFirst}`).all(conversationId, most + 1)
      : this.#before(conversationId, beforeRow, most + 1);
    return { messages: rows.slice(0, most).reverse().map((row) => this.#message(row)), more: rows.length > most };
  }

  inbox({ afterRow, limit }: Query<'inbox'>): VisorQueryResults['inbox'] {
    const sql = `SELECT ${columns} FROM message WHERE direction = 'in' AND row > ? ORDER BY row LIMIT ?`;
    return { messages: this.#statements.get(sql).all(afterRow, bounded(limit)).map((row) => this.#message(row)) };
  }

  message({ messageId }: Query<'message'>): VisorQueryResults['message'] {
    const row = this.#statements.get(`SELECT ${columns} FROM message WHERE id = ?`).get(messageId);
    return { message: row === undefined ? undefined : this.#message(row) };
  }

  /** Latest activity first, or in the order of the ids. Unread: incoming, and arrived after the row that was read up to. */
  summaries({ conversationIds }: Query<'summaries'>): VisorQueryResults['summaries'] {
    const one = this.#statements.get('SELECT id, read_up_to_row FROM conversation WHERE id = ?');
    const conversations = conversationIds === undefined
      ? this.#statements.get('SELECT id, read_up_to_row FROM conversation ORDER BY last_activity_ms DESC, id').all()
      : conversationIds.flatMap((id) => one.all(id));
    return { summaries: conversations.map((row) => this.#summary(row)) };
  }

  #summary(row: unknown): VisorQueryResults['summaries']['summaries'][number] {
    const reader = new RowReader('conversation', row);
    const conversationId = reader.text('id');
    const unreadSql = `SELECT count(*) FROM message WHERE conversation_id = ? AND direction = 'in' AND row > ?`;
    const unread = integerOf(this.#statements.pluck(unreadSql).get(conversationId, reader.integer('read_up_to_row')), 'message', 'count');
    return { conversationId, unread, last: this.page({ query: 'page', conversationId, beforeRow: undefined, limit: 1 }).messages[0] };
  }

  /** A row that is not of this conversation stands for its number: what arrived before it. */
  #before(conversationId: string, beforeRow: number, limit: number): unknown[] {
    const anchor = this.#statements.get('SELECT position, sequence FROM message WHERE row = ? AND conversation_id = ?').get(beforeRow, conversationId);
    const place = anchor === undefined ? undefined : new RowReader('message', anchor);
    return this.#statements
      .get(`SELECT ${columns} FROM message WHERE conversation_id = ? AND (position, sequence, row) < (?, ?, ?) ${newestFirst}`)
      .all(conversationId, place?.integer('position') ?? beforeRow, place?.integer('sequence') ?? 0, place === undefined ? 0 : beforeRow, limit);
  }

  #message(row: unknown): StoredMessage {
    const reader = new RowReader('message', row);
    const direction = reader.oneOf('direction', directions);
    const sequence = reader.integer('sequence');
    const id = reader.text('id');
    return {
      row: reader.integer('row'),
      id,
      conversationId: reader.text('conversation_id'),
      direction,
      text: this.#sealed.openText(reader, 'text_sealed'),
      sentAtMs: reader.integer('sent_at_ms'),
      receivedAtMs: reader.optionalInteger('received_at_ms'),
      expiresAtMs: reader.integer('expires_at_ms'),
      senderDevice: reader.text('sender_device'),
      sequence,
      facts: reader.json('facts', parseFacts),
      // Our own are never missing: a number that was not used (a change of device) is not a gap.
      missingBefore: direction === 'out' ? 0 : Math.max(0, sequence - 1 - reader.integer('before_sequence')),
      // By its primary key: few messages have one, and a join would carry its empty columns through every page.
      file: this.#files.of(id),
    };
  }
}

const bounded = (limit: number): number => Math.min(Math.max(0, Math.trunc(limit)), mostMessagesPerAnswer);
