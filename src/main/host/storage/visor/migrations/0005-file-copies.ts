/** What became of the copy here of a file that was sent; and by the name of a blob, which files need it. */
import type { Migration } from '../../migrations.ts';

export const fileCopies: Migration = {
  version: 5,
  apply(database) {
    database.exec(`
      -- of an outgoing file: null while its blob is here, 'freeing' while that is to be deleted, 'gone' after it
      ALTER TABLE file ADD COLUMN copy TEXT;
      CREATE INDEX file_by_root ON file (root);
    `);
  },
};
