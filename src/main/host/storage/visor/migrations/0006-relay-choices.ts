/** What the person said about their relays (engine/overlay/relay-order.ts): pinned or banned, and the place that they put each at, or NULL. */
import type { Migration } from '../../migrations.ts';

export const relayChoices: Migration = {
  version: 6,
  apply(database) {
    database.exec(`
      ALTER TABLE relay ADD COLUMN choice TEXT NOT NULL DEFAULT 'normal';
      ALTER TABLE relay ADD COLUMN place INTEGER;
    `);
  },
};
