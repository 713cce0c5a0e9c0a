/** Files that messages carry. What would tell about their contents is sealed; the name of the blob is that of ciphertext. */
import { fileFailReasons } from '../../../../shared/file-views.ts';
import type { FileRow, VisorResults } from '../../../engine/mail/visor-store.ts';
import { RowReader, integerOf } from '../row.ts';
import type { Statements } from '../statements.ts';
import { boundedTime, directions, fileCopies, fileStages, parseHeldBy } from './codecs.ts';
import type { SealedColumns } from './sealed-columns.ts';

const hashBytes = 32;
const keyBytes = 32;
/**
 * How long after its time an outgoing file is still loaded. The clock here may be wrong, and the engine, which corrects it, decides; this only keeps the
 * memory from growing with everything that was ever sent.
 */
const loadedLongerMs = 86_400_000;

export class Files {
  readonly #statements: Statements;
  readonly #sealed: SealedColumns;
  readonly #wallMs: () => number;

  constructor(statements: Statements, sealed: SealedColumns, wallMs: () => number) {
    this.#statements = statements;
    this.#sealed = sealed;
    this.#wallMs = wallMs;
  }

  put(row: FileRow): void {
    this.#statements
      .get(`INSERT OR REPLACE INTO file (message_id, conversation_id, direction, name_sealed, media_type_sealed, key_sealed, size_bytes, root, blob_bytes, stage,
          failure, held_by, expires_at_ms, copy)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(row.messageId, row.conversationId, row.direction, this.#sealed.sealText(row.name), this.#sealed.sealText(row.mediaType), this.#sealed.seal(row.key),
        row.sizeBytes, row.root, row.blobBytes, row.stage, row.failure ?? null, JSON.stringify(row.heldBy), boundedTime(row.expiresAtMs), row.copy ?? null);
  }

  /**
   * What is offered or to be moved, what has a copy here that may be freed one day, what the person may ask for again, and what relays are still to be told
   * to drop; in the order of their messages. A stage that is none is loaded too, and found damaged.
   */
  unfinished(): readonly FileRow[] {
    return this.#statements
      .get(`SELECT * FROM file WHERE stage NOT IN ('ready', 'failed') OR (direction = 'out' AND stage = 'ready' AND expires_at_ms > ?)
        OR (direction = 'in' AND stage = 'failed' AND coalesce(failure, '') NOT IN ('expired', 'taken-back')) OR (direction = 'out' AND copy IS NOT 'gone') OR held_by <> '[]'
        ORDER BY (SELECT row FROM message WHERE message.id = file.message_id), message_id`)
      .all(this.#wallMs() - loadedLongerMs)
      .map((row) => this.#row(row));
  }

  of(messageId: string): FileRow | undefined {
    const row = this.#statements.get('SELECT * FROM file WHERE message_id = ?').get(messageId);
    return row === undefined ? undefined : this.#row(row);
  }

  /** Whether a file of somebody else's that is all here has these bytes. */
  received(root: Uint8Array, length: number): VisorResults['received'] {
    const sql = "SELECT EXISTS (SELECT 1 FROM file WHERE root = ? AND blob_bytes = ? AND direction = 'in' AND stage = 'ready')";
    return { received: integerOf(this.#statements.pluck(sql).get(root, length), 'file', 'received') === 1 };
  }

  #row(row: unknown): FileRow {
    const reader = new RowReader('file', row);
    const key = this.#sealed.open(reader, 'key_sealed');
    if (key.length !== keyBytes) throw reader.damaged('key_sealed');
    return {
      messageId: reader.text('message_id'),
      conversationId: reader.text('conversation_id'),
      direction: reader.oneOf('direction', directions),
      name: this.#sealed.openText(reader, 'name_sealed'),
      mediaType: this.#sealed.openText(reader, 'media_type_sealed'),
      key,
      sizeBytes: reader.integer('size_bytes'),
      root: reader.bytes('root', hashBytes),
      blobBytes: reader.integer('blob_bytes'),
      stage: reader.oneOf('stage', fileStages),
      failure: reader.optionalText('failure') === undefined ? undefined : reader.oneOf('failure', fileFailReasons),
      heldBy: reader.json('held_by', parseHeldBy),
      expiresAtMs: reader.integer('expires_at_ms'),
      ...(reader.optionalText('copy') === undefined ? {} : { copy: reader.oneOf('copy', fileCopies) }),
    };
  }
}
