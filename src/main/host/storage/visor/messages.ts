/**
 * Messages and their place in a conversation.
 *
 * Display order is (position, sequence, row). A message that comes in turn takes the number of its arrival as position. One that comes late,
 * that is with a lower sequence than one already here of the same sender device, takes the position of the next higher of those: it then
 * stands directly before it, where the gap was shown. All messages of one position are of one sender device, so their sequences order them;
 * positions never decrease along a sender's sequence, so this holds for any number of late letters without ever renumbering.
 *
 * `row` counts arrivals and is never reused: a program's inbox cursor and the unread count go by it, so a late letter is new to both.
 */
import type { LetterFacts, MessageRow, VisorResults } from '../../../engine/mail/visor-store.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';
import { boundedTime, directions, parseFacts } from './codecs.ts';
import type { SealedColumns } from './sealed-columns.ts';

export class Messages {
  readonly #statements: Statements;
  readonly #sealed: SealedColumns;

  constructor(statements: Statements, sealed: SealedColumns) {
    this.#statements = statements;
    this.#sealed = sealed;
  }

  /** What is here already stays as it is: nobody can change a message that was shown by sending its id again. */
  put(row: MessageRow): void {
    const next = this.#statements
      .pluck('SELECT position FROM message WHERE conversation_id = ? AND sender_device = ? AND sequence > ? ORDER BY sequence LIMIT 1')
      .get(row.conversationId, row.senderDevice, row.sequence);
    this.#statements
      .get(`INSERT INTO message (id, conversation_id, direction, text_sealed, sent_at_ms, received_at_ms, expires_at_ms, sender_device, sequence, facts, position)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, (SELECT coalesce(max(row), 0) + 1 FROM message)))
        ON CONFLICT (id) DO NOTHING`)
      .run(row.id, row.conversationId, row.direction, this.#sealed.sealText(row.text), boundedTime(row.sentAtMs), row.receivedAtMs ?? null,
        boundedTime(row.expiresAtMs), row.senderDevice, row.sequence, JSON.stringify(row.facts), next ?? null);
  }

  setFacts(messageId: string, facts: LetterFacts): void {
    this.#statements.get('UPDATE message SET facts = ? WHERE id = ?').run(JSON.stringify(facts), messageId);
  }

  /** For an unknown message: no facts, an empty conversation id. */
  facts(messageId: string): VisorResults['facts'] {
    const row = this.#statements.get('SELECT facts, conversation_id, direction FROM message WHERE id = ?').get(messageId);
    if (row === undefined) return { facts: undefined, conversationId: '', direction: 'out' };
    const reader = new RowReader('message', row);
    return { facts: reader.json('facts', parseFacts), conversationId: reader.text('conversation_id'), direction: reader.oneOf('direction', directions) };
  }
}
