/**
 * Relay mail, first version. Keys that are looked up for every deposit are blobs or integers, never hex. A letter's state stands in `seen`,
 * which outlives the letter, so that a change of state does not rewrite the letter's bytes. Times are milliseconds of the mail clock
 * except those named `wall`.
 */
import type { Migration } from '../../migrations.ts';

export const initialMail: Migration = {
  version: 1,
  apply(database) {
    database.exec(`
      CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

      CREATE TABLE mailbox (
        id INTEGER PRIMARY KEY,
        identity BLOB NOT NULL,
        device BLOB NOT NULL,
        registered_ms INTEGER NOT NULL,
        ended INTEGER NOT NULL DEFAULT 0,
        highest_sequence INTEGER NOT NULL DEFAULT 0,
        tokens_version INTEGER NOT NULL DEFAULT 0,
        letters INTEGER NOT NULL DEFAULT 0,
        letters_bytes INTEGER NOT NULL DEFAULT 0,
        strangers INTEGER NOT NULL DEFAULT 0,
        strangers_bytes INTEGER NOT NULL DEFAULT 0,
        receipts INTEGER NOT NULL DEFAULT 0,
        receipts_bytes INTEGER NOT NULL DEFAULT 0,
        UNIQUE (identity, device)
      ) STRICT;
      CREATE INDEX mailbox_ended ON mailbox (id) WHERE ended = 1;

      -- standing: 0 forgotten (kept while letters wait under it), 1 granted, 2 revoked
      CREATE TABLE token (
        id INTEGER PRIMARY KEY,
        mailbox INTEGER NOT NULL REFERENCES mailbox (id),
        hash BLOB NOT NULL,
        standing INTEGER NOT NULL,
        waiting INTEGER NOT NULL DEFAULT 0,
        refused INTEGER NOT NULL DEFAULT 0,
        UNIQUE (mailbox, hash)
      ) STRICT;
      CREATE INDEX token_refused ON token (mailbox) WHERE refused = 1;

      -- lane as on the wire (0 letter, 1 receipt); pool = whose quota it uses (0 letters, 1 strangers, 2 receipts)
      CREATE TABLE letter (
        id INTEGER PRIMARY KEY,
        mailbox INTEGER NOT NULL REFERENCES mailbox (id),
        sequence INTEGER NOT NULL,
        letter_id BLOB NOT NULL,
        lane INTEGER NOT NULL,
        pool INTEGER NOT NULL,
        token INTEGER,
        stored_ms INTEGER NOT NULL,
        stored_wall_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        purge_hash BLOB NOT NULL,
        root_prefix INTEGER NOT NULL,
        body_root BLOB NOT NULL,
        size INTEGER NOT NULL,
        header BLOB NOT NULL,
        body BLOB NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX letter_by_place ON letter (mailbox, sequence, expires_ms);
      CREATE INDEX letter_by_expiry ON letter (expires_ms);
      CREATE INDEX letter_by_root ON letter (root_prefix);

      -- state: index in letterStates
      CREATE TABLE seen (
        mailbox INTEGER NOT NULL,
        letter_id BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        state INTEGER NOT NULL,
        listed INTEGER NOT NULL DEFAULT 0,
        since_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        PRIMARY KEY (mailbox, letter_id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX seen_by_expiry ON seen (expires_ms);

      CREATE TABLE record (
        kind TEXT NOT NULL,
        identity BLOB NOT NULL,
        device BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        not_after_seconds INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (kind, identity, device)
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
