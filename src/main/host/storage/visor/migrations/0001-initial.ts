/** The visor's own data, first version. Columns named `..._sealed` hold what FieldCipher makes. Ids and keys are lower-case hex; times are wall-clock milliseconds. */
import type { Migration } from '../../migrations.ts';

export const initialVisor: Migration = {
  version: 1,
  apply(database) {
    database.exec(`
      CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

      -- position: see messages.ts
      CREATE TABLE message (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL,
        direction TEXT NOT NULL,
        text_sealed BLOB NOT NULL,
        sent_at_ms INTEGER NOT NULL,
        received_at_ms INTEGER,
        expires_at_ms INTEGER NOT NULL,
        sender_device TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        position INTEGER NOT NULL,
        facts TEXT NOT NULL
      ) STRICT;
      CREATE INDEX message_by_place ON message (conversation_id, position, sequence, row);
      CREATE INDEX message_by_sender ON message (conversation_id, sender_device, sequence);
      CREATE INDEX message_incoming ON message (row) WHERE direction = 'in';
      CREATE INDEX message_unread ON message (conversation_id, row) WHERE direction = 'in';

      CREATE TABLE hop (
        number INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        relay TEXT,
        path TEXT,
        reason TEXT,
        until_ms INTEGER
      ) STRICT;
      CREATE INDEX hop_by_message ON hop (message_id, number);

      CREATE TABLE outbox (
        id TEXT PRIMARY KEY,
        recipient TEXT NOT NULL,
        destination_port INTEGER NOT NULL,
        source_port INTEGER NOT NULL,
        kind TEXT NOT NULL,
        content_sealed BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        queued_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL,
        ttl_seconds INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        last_reason TEXT,
        stage TEXT NOT NULL,
        facts TEXT NOT NULL,
        letter_id BLOB,
        letter_header BLOB,
        letter_body BLOB,
        letter_body_root BLOB,
        letter_purge_hash BLOB,
        letter_purge_key_sealed BLOB,
        letter_device_id TEXT,
        letter_bundle_created_seconds INTEGER,
        letter_sealed_at_ms INTEGER
      ) STRICT;

      CREATE TABLE contact (
        public_key TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        standing TEXT NOT NULL,
        granted_token_sealed BLOB,
        deposit_token_sealed BLOB,
        relays TEXT NOT NULL,
        identity_record BLOB,
        prekey_bundle BLOB,
        records_fetched_at_ms INTEGER NOT NULL,
        introduced_card TEXT NOT NULL,
        added_at_ms INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE conversation (
        id TEXT PRIMARY KEY,
        public_key TEXT NOT NULL,
        port INTEGER NOT NULL,
        next_sequence INTEGER NOT NULL,
        read_up_to_row INTEGER NOT NULL,
        draft_sealed BLOB NOT NULL,
        last_activity_ms INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE relay (
        public_key TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        port INTEGER NOT NULL,
        role TEXT NOT NULL,
        epoch BLOB,
        cursor INTEGER NOT NULL,
        added_at_ms INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE invite (token BLOB PRIMARY KEY, created_at_ms INTEGER NOT NULL, revoked INTEGER NOT NULL) STRICT;

      CREATE TABLE prekey (
        prekey_id INTEGER PRIMARY KEY,
        secret_key_sealed BLOB NOT NULL,
        bundle BLOB NOT NULL,
        created_at_ms INTEGER NOT NULL,
        superseded_at_ms INTEGER
      ) STRICT;

      -- one row: the device of this install
      CREATE TABLE device (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        device_id TEXT NOT NULL,
        x25519_secret_sealed BLOB NOT NULL,
        ed25519_seed_sealed BLOB NOT NULL,
        certificate BLOB NOT NULL,
        reset_secret_sealed BLOB NOT NULL
      ) STRICT;

      CREATE TABLE peer_key (public_key TEXT PRIMARY KEY, x25519 BLOB NOT NULL) STRICT;

      CREATE TABLE value (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

      -- messages committed before, until the prekey they were sealed to is deleted
      CREATE TABLE seen (
        sender TEXT NOT NULL,
        message_id TEXT NOT NULL,
        prekey_id INTEGER NOT NULL,
        PRIMARY KEY (sender, message_id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX seen_by_prekey ON seen (prekey_id);
    `);
  },
};
