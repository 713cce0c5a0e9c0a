/** Relays that the person removed are left step by step (engine/mail/own-relays.ts): since when, or NULL. */
import type { Migration } from '../../migrations.ts';

export const leavingRelays: Migration = {
  version: 2,
  apply(database) {
    database.exec('ALTER TABLE relay ADD COLUMN leaving_since_ms INTEGER');
  },
};
