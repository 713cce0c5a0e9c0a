import Database from 'better-sqlite3';
import { existsSync, openSync, readFileSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WaypostError } from '../../../shared/errors.ts';
import { openDatabase } from './database.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import type { Migration } from './migrations.ts';

const first: Migration = { version: 1, apply: (database) => { database.exec('CREATE TABLE thing (name TEXT NOT NULL) STRICT'); } };
const second: Migration = { version: 2, apply: (database) => { database.exec(`ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'`); } };
const failing: Migration = { version: 2, apply: (database) => { database.exec('DROP TABLE thing'); database.exec('nonsense'); } };
const wallMs = (): number => Date.UTC(2026, 0, 31, 12);

const codeOf = (run: () => unknown): unknown => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof WaypostError ? error.code : error;
  }
};

describe('opening a database', () => {
  it('sets what makes a commit durable and deletes for good', () => {
    const path = join(temporaryDirectory(), 'new', 'folder', 'a.db');
    const { database, quarantined } = openDatabase({ path, migrations: [first], wallMs });
    const pragma = (name: string): unknown => database.pragma(name, { simple: true });
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('secure_delete'), pragma('wal_autocheckpoint'), pragma('foreign_keys'), pragma('user_version')])
      .toEqual(['wal', 2, 1, 0, 1, 1]);
    expect(quarantined).toBeUndefined();
    if (process.platform !== 'win32') expect([statSync(path).mode & 0o777, statSync(`${path}-wal`).mode & 0o777]).toEqual([0o600, 0o600]);
    database.close();
  });

  it('keeps a copy before it migrates data, and drops the copy of the migration before', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'a.db');
    const one = openDatabase({ path, migrations: [first], wallMs });
    one.database.exec(`INSERT INTO thing VALUES ('kept')`);
    one.database.close();
    writeFileSync(`${path}.before-migration-0`, 'older');
    const two = openDatabase({ path, migrations: [first, second], wallMs });
    expect(two.database.prepare('SELECT * FROM thing').all()).toEqual([{ name: 'kept', colour: 'grey' }]);
    two.database.close();
    const copy = new Database(`${path}.before-migration-1`, { readonly: true });
    expect(copy.prepare('SELECT * FROM thing').all()).toEqual([{ name: 'kept' }]);
    copy.close();
    expect(existsSync(`${path}.before-migration-0`)).toBe(false);
  });

  it('leaves everything as it was when a migration fails', () => {
    const path = join(temporaryDirectory(), 'a.db');
    const one = openDatabase({ path, migrations: [first], wallMs });
    one.database.exec(`INSERT INTO thing VALUES ('kept')`);
    one.database.close();
    expect(codeOf(() => openDatabase({ path, migrations: [first, failing], wallMs }))).toBe('internal');
    const { database } = openDatabase({ path, migrations: [first], wallMs });
    expect(database.prepare('SELECT name FROM thing').pluck().all()).toEqual(['kept']);
    database.close();
  });

  it('refuses a database of a newer version and does not touch it', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'a.db');
    openDatabase({ path, migrations: [first, second], wallMs }).database.close();
    const before = readFileSync(path);
    expect(codeOf(() => openDatabase({ path, migrations: [first], wallMs }))).toBe('database-newer');
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(directory)).toEqual(['a.db']);
  });

  it('sets a file that is no database aside, byte for byte, and begins a new one', () => {
    const path = join(temporaryDirectory(), 'a.db');
    const garbage = Buffer.alloc(9_000, 'not a database ');
    writeFileSync(path, garbage);
    const { database, quarantined } = openDatabase({ path, migrations: [first], wallMs });
    expect(quarantined).toBe(`${path}.corrupt-2026-01-31T12-00-00-000Z`);
    expect(readFileSync(quarantined ?? '').equals(garbage)).toBe(true);
    expect(database.prepare('SELECT count(*) FROM thing').pluck().get()).toBe(0);
    database.close();
    writeFileSync(path, garbage);
    const again = openDatabase({ path, migrations: [first], wallMs });
    expect(again.quarantined).toBe(`${path}.corrupt-2026-01-31T12-00-00-000Z-2`);
    again.database.close();
  });

  it('finds a damaged page at open', () => {
    const path = join(temporaryDirectory(), 'a.db');
    const { database } = openDatabase({ path, migrations: [first], wallMs });
    const insert = database.prepare('INSERT INTO thing VALUES (?)');
    for (let index = 0; index < 500; index += 1) insert.run('x'.repeat(200));
    database.close();
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(4_096, 0x77), 0, 4_096, 8 * 4_096);
    const opened = openDatabase({ path, migrations: [first], wallMs });
    expect(opened.quarantined).toContain('.corrupt-');
    expect(opened.database.prepare('SELECT count(*) FROM thing').pluck().get()).toBe(0);
    opened.database.close();
  });

  it('says that the profile cannot be written when the directory is a file', () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, '');
    expect(codeOf(() => openDatabase({ path: join(path, 'a.db'), migrations: [first], wallMs }))).toBe('profile-unwritable');
  });

  it('says so when the database itself is a directory', () => {
    expect(codeOf(() => openDatabase({ path: temporaryDirectory(), migrations: [first], wallMs }))).toBe('profile-unwritable');
  });
});
