/** Unfinished letters. Content and purge key are sealed; the sealed letter itself is ciphertext already. */
import { waitReasons } from '../../../../shared/views.ts';
import type { OutboxRow } from '../../../engine/mail/visor-store.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';
import { outboxKinds, outboxStages, parseFacts } from './codecs.ts';
import type { SealedColumns } from './sealed-columns.ts';

export class Outbox {
  readonly #statements: Statements;
  readonly #sealed: SealedColumns;

  constructor(statements: Statements, sealed: SealedColumns) {
    this.#statements = statements;
    this.#sealed = sealed;
  }

  put(row: OutboxRow): void {
    const letter = row.sealed;
    this.#statements
      .get(`INSERT OR REPLACE INTO outbox (id, recipient, destination_port, source_port, kind, content_sealed, sequence, queued_at_ms, expires_at_ms,
          ttl_seconds, attempts, last_reason, stage, facts, letter_id, letter_header, letter_body, letter_body_root, letter_purge_hash,
          letter_purge_key_sealed, letter_device_id, letter_bundle_created_seconds, letter_sealed_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(row.id, row.recipient, row.destinationPort, row.sourcePort, row.kind, this.#sealed.seal(row.content), row.sequence, row.queuedAtMs, row.expiresAtMs,
        row.ttlSeconds, row.attempts, row.lastReason ?? null, row.stage, JSON.stringify(row.facts), letter?.letterId ?? null, letter?.header ?? null,
        letter?.body ?? null, letter?.bodyRoot ?? null, letter?.purgeHash ?? null, this.#sealed.sealOptional(letter?.purgeKey), letter?.deviceId ?? null,
        letter?.bundleCreatedSeconds ?? null, letter?.sealedAtMs ?? null);
  }

  delete(id: string): void {
    this.#statements.get('DELETE FROM outbox WHERE id = ?').run(id);
  }

  all(): readonly OutboxRow[] {
    return this.#statements.get('SELECT * FROM outbox ORDER BY queued_at_ms, id').all().map((row) => this.#row(new RowReader('outbox', row)));
  }

  #row(reader: RowReader): OutboxRow {
    return {
      id: reader.text('id'),
      recipient: reader.text('recipient'),
      destinationPort: reader.integer('destination_port'),
      sourcePort: reader.integer('source_port'),
      kind: reader.oneOf('kind', outboxKinds),
      content: this.#sealed.open(reader, 'content_sealed'),
      sequence: reader.integer('sequence'),
      queuedAtMs: reader.integer('queued_at_ms'),
      expiresAtMs: reader.integer('expires_at_ms'),
      ttlSeconds: reader.integer('ttl_seconds'),
      attempts: reader.integer('attempts'),
      lastReason: reader.optionalText('last_reason') === undefined ? undefined : reader.oneOf('last_reason', waitReasons),
      stage: reader.oneOf('stage', outboxStages),
      facts: reader.json('facts', parseFacts),
      sealed: reader.optionalBytes('letter_id') === undefined ? undefined : this.#letter(reader),
    };
  }

  #letter(reader: RowReader): NonNullable<OutboxRow['sealed']> {
    return {
      letterId: reader.bytes('letter_id'),
      header: reader.bytes('letter_header'),
      body: reader.bytes('letter_body'),
      bodyRoot: reader.bytes('letter_body_root'),
      purgeHash: reader.bytes('letter_purge_hash'),
      purgeKey: this.#sealed.open(reader, 'letter_purge_key_sealed'),
      deviceId: reader.text('letter_device_id'),
      bundleCreatedSeconds: reader.integer('letter_bundle_created_seconds'),
      sealedAtMs: reader.integer('letter_sealed_at_ms'),
    };
  }
}
