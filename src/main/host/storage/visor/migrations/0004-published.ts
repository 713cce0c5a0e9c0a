/** What is published under names, for everybody: nothing of it is sealed. Its bytes lie beside the databases (host/blobs). */
import type { Migration } from '../../migrations.ts';

export const published: Migration = {
  version: 4,
  apply(database) {
    database.exec(`
      -- root: null where the name is withdrawn; the length is 0 then
      CREATE TABLE published (
        path TEXT PRIMARY KEY,
        root BLOB,
        length INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        not_after_seconds INTEGER NOT NULL,
        published_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
