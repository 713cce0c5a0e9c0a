/** Files that messages carry; their bytes lie beside the databases (host/blobs). */
import type { Migration } from '../../migrations.ts';

export const files: Migration = {
  version: 3,
  apply(database) {
    database.exec(`
      CREATE TABLE file (
        message_id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL,
        direction TEXT NOT NULL,
        name_sealed BLOB NOT NULL,
        media_type_sealed BLOB NOT NULL,
        key_sealed BLOB NOT NULL,
        size_bytes INTEGER NOT NULL,
        root BLOB NOT NULL,
        blob_bytes INTEGER NOT NULL,
        stage TEXT NOT NULL,
        failure TEXT,
        held_by TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
