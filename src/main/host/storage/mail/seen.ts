/**
 * What became of each letter: a row per letter id that outlives the letter until one day after the letter's own expiry, so that a repeated
 * deposit is recognised and its sender can ask. A row past that day counts as absent even before the sweep has deleted it.
 */
import { letterStates } from '../../../engine/wire/types.ts';
import type { LetterState } from '../../../engine/wire/types.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';

export const seenRetentionMs = 86_400_000;

export interface Seen {
  readonly sequence: number;
  /** As of the time asked: an expired letter is `expired` also before the sweep. */
  readonly state: LetterState;
  readonly sinceMs: number;
  readonly expiresMs: number;
  /** Its bytes are still here. */
  readonly isStored: boolean;
}

export const stateIndex = (state: LetterState): number => letterStates.indexOf(state);
const isLive = (state: LetterState): boolean => state === 'held' || state === 'fetched';

export class SeenLetters {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  find(mailboxId: number, letterId: Uint8Array, elapsedMs: number): Seen | undefined {
    const row = this.#statements.get('SELECT sequence, state, since_ms, expires_ms FROM seen WHERE mailbox = ? AND letter_id = ?').get(mailboxId, letterId);
    if (row === undefined) return undefined;
    const reader = new RowReader('seen', row);
    const state = reader.indexOf('state', letterStates);
    const expiresMs = reader.integer('expires_ms');
    if (expiresMs + seenRetentionMs <= elapsedMs) return undefined;
    const isStored = isLive(state);
    const isExpired = isStored && expiresMs <= elapsedMs;
    return {
      sequence: reader.integer('sequence'),
      state: isExpired ? 'expired' : state,
      sinceMs: isExpired ? expiresMs : reader.integer('since_ms'),
      expiresMs,
      isStored,
    };
  }

  /** True when the row is there though forgotten: an old row that the sweep has not reached. */
  sequenceOfForgotten(mailboxId: number, letterId: Uint8Array): number | undefined {
    const sequence = this.#statements.pluck('SELECT sequence FROM seen WHERE mailbox = ? AND letter_id = ?').get(mailboxId, letterId);
    return typeof sequence === 'number' ? sequence : undefined;
  }

  add(mailboxId: number, letterId: Uint8Array, sequence: number, sinceMs: number, expiresMs: number): void {
    this.#statements
      .get(`INSERT INTO seen (mailbox, letter_id, sequence, state, since_ms, expires_ms) VALUES (?, ?, ?, ${String(stateIndex('held'))}, ?, ?)`)
      .run(mailboxId, letterId, sequence, sinceMs, expiresMs);
  }

  set(mailboxId: number, letterId: Uint8Array, state: LetterState, sinceMs: number): void {
    this.#statements.get('UPDATE seen SET state = ?, since_ms = ? WHERE mailbox = ? AND letter_id = ?').run(stateIndex(state), sinceMs, mailboxId, letterId);
  }

  /** Remembers that the owner was shown the letter; `fetched` at once where the answer had the body in it. Later calls change nothing. */
  setListed(mailboxId: number, letterId: Uint8Array, withBody: boolean, nowMs: number): void {
    const held = String(stateIndex('held'));
    const fetched = String(stateIndex('fetched'));
    const sql = withBody
      ? `UPDATE seen SET listed = 1, state = ${fetched}, since_ms = ? WHERE mailbox = ? AND letter_id = ? AND state = ${held}`
      : 'UPDATE seen SET listed = 1 WHERE mailbox = ? AND letter_id = ? AND listed = 0';
    if (withBody) this.#statements.get(sql).run(nowMs, mailboxId, letterId);
    else this.#statements.get(sql).run(mailboxId, letterId);
  }

  /** The body was pulled: `fetched`, if the owner had been shown the letter (anybody who knows the root may pull). */
  setPulled(mailboxId: number, letterId: Uint8Array, nowMs: number): void {
    this.#statements
      .get(`UPDATE seen SET state = ${String(stateIndex('fetched'))}, since_ms = ? WHERE mailbox = ? AND letter_id = ? AND listed = 1 AND state = ${String(stateIndex('held'))}`)
      .run(nowMs, mailboxId, letterId);
  }

  remove(mailboxId: number, letterId: Uint8Array): void {
    this.#statements.get('DELETE FROM seen WHERE mailbox = ? AND letter_id = ?').run(mailboxId, letterId);
  }

  /** Deletes at most `most` rows whose day is over; true when there are more. Rows of letters that still have bytes wait for those. */
  sweep(elapsedMs: number, most: number): boolean {
    const dueSql = `FROM seen WHERE expires_ms <= ? AND state NOT IN (${String(stateIndex('held'))}, ${String(stateIndex('fetched'))})`;
    const removed = this.#statements
      .get(`DELETE FROM seen WHERE (mailbox, letter_id) IN (SELECT mailbox, letter_id ${dueSql} LIMIT ?)`)
      .run(elapsedMs - seenRetentionMs, most).changes;
    return removed >= most && this.#statements.pluck(`SELECT 1 ${dueSql} LIMIT 1`).get(elapsedMs - seenRetentionMs) !== undefined;
  }
}
