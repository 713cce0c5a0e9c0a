/** What identities have published under names. Unlike the other records these end, and there may be many of one identity. */
import type { Migration } from '../../migrations.ts';

export const namedRecordsMail: Migration = {
  version: 3,
  apply(database) {
    database.exec(`
      -- not_after_seconds: of the wall clock, as the record says
      CREATE TABLE named_record (
        identity BLOB NOT NULL,
        path TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        not_after_seconds INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (identity, path)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX named_record_by_end ON named_record (not_after_seconds);
    `);
  },
};
