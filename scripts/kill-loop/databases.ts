/** Asks SQLite whether the databases of a profile are whole after everything that was done to their processes. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';

export interface DatabaseFinding {
  readonly file: string;
  /** `ok`, or what SQLite says. */
  readonly state: string;
}

/** Only while no process has the profile open. A database that was set aside as damaged is a finding too. */
export function inspectDatabases(directory: string): readonly DatabaseFinding[] {
  if (!existsSync(directory)) return [{ file: directory, state: 'missing' }];
  const names = readdirSync(directory);
  const whole = names.filter((name) => name.endsWith('.db')).map((name) => ({ file: name, state: integrityOf(path.join(directory, name)) }));
  return [...whole, ...names.filter((name) => name.includes('.corrupt-')).map((name) => ({ file: name, state: 'set aside as damaged' }))];
}

function integrityOf(file: string): string {
  const database = new Database(file);
  try {
    return String(database.pragma('integrity_check', { simple: true }));
  } finally {
    database.close();
  }
}
