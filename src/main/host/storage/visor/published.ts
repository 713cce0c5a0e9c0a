/** What is published under names. */
import type { PublishedRow } from '../../../engine/mail/visor-store.ts';
import { mediaTypePattern } from '../../../engine/wire/content.ts';
import { isNamePath } from '../../../engine/wire/name-path.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';

const hashBytes = 32;

export class Published {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  put(row: PublishedRow): void {
    this.#statements
      .get('INSERT OR REPLACE INTO published (path, root, length, media_type, sequence, not_after_seconds, published_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(row.path, row.content?.root ?? null, row.content?.length ?? 0, row.mediaType, row.sequence, row.notAfterSeconds, row.publishedAtMs);
  }

  delete(path: string): void {
    this.#statements.get('DELETE FROM published WHERE path = ?').run(path);
  }

  all(): readonly PublishedRow[] {
    return this.#statements.get('SELECT * FROM published ORDER BY path').all().map((row) => {
      const reader = new RowReader('published', row);
      const path = reader.text('path');
      if (!isNamePath(path)) throw reader.damaged('path');
      const root = reader.optionalBytes('root', hashBytes);
      const length = reader.integer('length');
      if ((root === undefined) !== (length === 0) || length < 0) throw reader.damaged('length');
      const mediaType = reader.text('media_type');
      if (!mediaTypePattern.test(mediaType) || (root === undefined && mediaType !== '')) throw reader.damaged('media_type');
      return {
        path,
        content: root === undefined ? undefined : { root, length },
        mediaType,
        sequence: reader.integer('sequence'),
        notAfterSeconds: reader.integer('not_after_seconds'),
        publishedAtMs: reader.integer('published_at_ms'),
      };
    });
  }
}
