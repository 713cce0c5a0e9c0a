/**
 * Large contents held for mailboxes: who has which noted, and whether all of it has arrived. The bytes lie in the blob store. The token is its
 * hash, not a row of `token`, whose rows go and come again with each upload of the owner's grants.
 */
import type { Migration } from '../../migrations.ts';

export const blobsMail: Migration = {
  version: 2,
  apply(database) {
    database.exec(`
      -- mailbox: null where its mailbox ended; complete: the same in all rows of one root and length
      CREATE TABLE blob (
        id INTEGER PRIMARY KEY,
        mailbox INTEGER REFERENCES mailbox (id),
        root BLOB NOT NULL,
        length INTEGER NOT NULL,
        token BLOB NOT NULL,
        noted_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        UNIQUE (root, length, mailbox)
      ) STRICT;
      CREATE INDEX blob_by_mailbox ON blob (mailbox, token, length);
      CREATE INDEX blob_by_expiry ON blob (expires_ms);
    `);
  },
};
