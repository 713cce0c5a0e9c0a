import { memoryPath, openDatabase } from '../database.ts';
import { mailStoreConformance } from './conformance.ts';
import { mailMigrations } from './migrations/index.ts';
import { SqliteMailStore } from './sqlite-mail-store.ts';

mailStoreConformance('SqliteMailStore', () => {
  const { database } = openDatabase({ path: memoryPath, migrations: mailMigrations, wallMs: () => 0 });
  return { store: new SqliteMailStore(database), close: () => { database.close(); } };
});
