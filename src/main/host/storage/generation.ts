/**
 * Notices that a database file was restored from a copy. A random nonce stands in the database and in a file beside it (`NAME.generation`)
 * and changes at every open, at every orderly close and every few minutes in between. A file put back from a backup carries an older
 * nonce than its neighbour: then the store's epoch is deleted, so that `open` takes a fresh one and every visor lists again from 0. The same
 * happens when the neighbour is missing. A nonce changes in three steps (file: old and new; database: new; file: new), so that a
 * crash in between is not taken for a restore. A backup taken and put back within the same few minutes goes unnoticed.
 */
import type Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { causeCode } from './failure.ts';
import { replaceFile } from './files.ts';

const nonceSizeBytes = 16;
const nonceLength = nonceSizeBytes * 2;
/** How often the nonce changes while the store runs. Each change costs two small synced files and a commit. */
export const generationIntervalMs = 10 * 60_000;

const generationPath = (path: string): string => `${path}.generation`;

function readNonces(path: string): readonly string[] {
  try {
    return readFileSync(generationPath(path), 'utf8').split('\n').filter((line) => line.length === nonceLength);
  } catch (error) {
    if (causeCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function databaseNonce(database: Database.Database): string | undefined {
  const stored = database.prepare(`SELECT value FROM meta WHERE name = 'generation'`).pluck().get();
  return typeof stored === 'string' ? stored : undefined;
}

/** Gives database and neighbour a new nonce. Not inside a transaction. */
export function renewGeneration(database: Database.Database, path: string): void {
  const next = randomBytes(nonceSizeBytes).toString('hex');
  const current = databaseNonce(database);
  replaceFile(generationPath(path), current === undefined ? `${next}\n` : `${current}\n${next}\n`);
  database.prepare(`INSERT INTO meta (name, value) VALUES ('generation', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`).run(next);
  replaceFile(generationPath(path), `${next}\n`);
}

/** At open. Returns true when the file is not the one that was closed here last; its epoch is gone then. */
export function checkGeneration(database: Database.Database, path: string): boolean {
  const current = databaseNonce(database);
  const isRestored = current !== undefined && !readNonces(path).includes(current);
  // Durable before the new nonce is: a crash in between must find the restore again or find it done.
  if (isRestored) database.prepare(`DELETE FROM meta WHERE name = 'epoch'`).run();
  renewGeneration(database, path);
  return isRestored;
}
