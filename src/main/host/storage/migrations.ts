/**
 * Numbered migrations: one file each, applied in order inside one transaction, `user_version` says how far a database has come. A database
 * of a newer version is refused untouched. Before existing data is migrated the file is copied beside itself; the copy of the
 * migration before that goes, because deleted mail must not live on in old copies.
 */
import type Database from 'better-sqlite3';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { copyDurably, removeFile } from './files.ts';
import { databaseNewer } from './failure.ts';
import { integerOf } from './row.ts';

export interface Migration {
  /** 1, 2, 3 ... without gaps. */
  readonly version: number;
  readonly apply: (database: Database.Database) => void;
}

export function databaseVersion(database: Database.Database): number {
  return integerOf(database.pragma('user_version', { simple: true }), 'database', 'user_version');
}

/** Throws `database-newer`; touches nothing. */
export function refuseNewer(database: Database.Database, migrations: readonly Migration[]): void {
  const found = databaseVersion(database);
  if (found > migrations.length) throw databaseNewer(found, migrations.length);
}

export function migrate(database: Database.Database, migrations: readonly Migration[], path: string): void {
  const from = databaseVersion(database);
  const due = migrations.slice(from);
  if (due.length === 0) return;
  const hasData = from > 0 && !database.memory;
  if (hasData) keepCopy(database, path, from);
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const [index, migration] of due.entries()) {
      if (migration.version !== from + index + 1) throw new RangeError(`migration ${String(migration.version)} is out of order`);
      migration.apply(database);
    }
    database.pragma(`user_version = ${String(migrations.length)}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
  if (hasData) removeOlderCopies(path, from);
}

const copySuffix = '.before-migration-';

function keepCopy(database: Database.Database, path: string, from: number): void {
  // Everything out of the write-ahead log first: the copy is then one file that is whole.
  database.pragma('wal_checkpoint(TRUNCATE)');
  copyDurably(path, `${path}${copySuffix}${String(from)}`);
}

function removeOlderCopies(path: string, from: number): void {
  const prefix = basename(path) + copySuffix;
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(prefix) && Number(name.slice(prefix.length)) < from) removeFile(join(dirname(path), name));
  }
}
