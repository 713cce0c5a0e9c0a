import Database from 'better-sqlite3';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryPath, openDatabase } from '../database.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { roomyBlobQuota } from './conformance-blob-world.ts';
import { mailStoreConformance } from './conformance.ts';
import { initialMail } from './migrations/0001-initial.ts';
import { mailMigrations } from './migrations/index.ts';
import { SqliteMailStore } from './sqlite-mail-store.ts';
import { letterOf, mailboxOf, rootOf, tokenHashOf } from './test-letters.ts';

mailStoreConformance('SqliteMailStore', () => {
  const { database } = openDatabase({ path: memoryPath, migrations: mailMigrations, wallMs: () => 0 });
  return { store: new SqliteMailStore(database), close: () => { database.close(); } };
});

function withStore<Result>(path: string, use: (store: SqliteMailStore) => Result, migrations = mailMigrations): Result {
  const { database } = openDatabase({ path, migrations, wallMs: () => 0 });
  try {
    return use(new SqliteMailStore(database));
  } finally {
    database.close();
  }
}

const mailbox = mailboxOf(1);
const ttlSeconds = 3_600;
const hold = (store: SqliteMailStore, value: number, length: number, elapsedMs: number, quota = roomyBlobQuota) =>
  store.apply<'hold-blob'>({ op: 'hold-blob', mailbox, tokenHash: tokenHashOf(1), root: rootOf(value), length, ttlSeconds, elapsedMs, quota });
const prepare = (store: SqliteMailStore): void => {
  store.apply<'register'>({ op: 'register', mailbox, elapsedMs: 0 });
  store.apply<'tokens'>({ op: 'tokens', mailbox, version: 1, reset: false, tokens: [{ granted: true, hash: tokenHashOf(1) }] });
};

describe('large contents noted in a mail database', () => {
  it('are all there when it is opened again: names, what is complete, ends, what counts', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const largest = Number.MAX_SAFE_INTEGER;
    const quota = { bytes: largest, bytesPerToken: largest, blobs: 9 };
    withStore(path, (store) => {
      prepare(store);
      hold(store, 1, largest - 7, 0, quota);
      hold(store, 2, 7, 1_000, quota);
      store.apply<'blob-complete'>({ op: 'blob-complete', root: rootOf(2), length: 7 });
    });
    withStore(path, (store) => {
      expect(store.apply<'blobs'>({ op: 'blobs', elapsedMs: 0 })).toEqual({
        blobs: [{ root: rootOf(1), length: largest - 7, complete: false }, { root: rootOf(2), length: 7, complete: true }],
      });
      expect(hold(store, 3, 1, 2_000, quota)).toEqual({ outcome: 'quota' });
      expect(store.apply<'expire-blobs'>({ op: 'expire-blobs', elapsedMs: 3_600_000, most: 9 })).toEqual({ orphaned: [{ root: rootOf(1), length: largest - 7 }], more: false });
      expect(store.apply<'expire-blobs'>({ op: 'expire-blobs', elapsedMs: 3_601_000, most: 9 })).toEqual({ orphaned: [{ root: rootOf(2), length: 7 }], more: false });
    });
  });

  it('come out as nobody\'s after their mailbox ended, also when it is opened again in between', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    withStore(path, (store) => {
      prepare(store);
      hold(store, 1, 7, 0);
      store.apply<'revoke-device'>({ op: 'revoke-device', identity: mailbox.identity, keepDeviceIds: [], elapsedMs: 0 });
      store.apply<'expire'>({ op: 'expire', elapsedMs: 0, most: 9 });
    });
    withStore(path, (store) => {
      expect(store.apply<'blobs'>({ op: 'blobs', elapsedMs: 0 }).blobs).toHaveLength(1);
      expect(store.apply<'expire-blobs'>({ op: 'expire-blobs', elapsedMs: 0, most: 9 })).toEqual({ orphaned: [{ root: rootOf(1), length: 7 }], more: false });
    });
  });

  it('can be noted in a database from before there were any, and its letters stay', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    withStore(path, (store) => {
      prepare(store);
      expect(store.apply<'deposit'>({ op: 'deposit', ...letterOf(1) }).outcome).toBe('stored');
    }, [initialMail]);
    withStore(path, (store) => {
      expect(hold(store, 1, 7, 0)).toMatchObject({ outcome: 'noted', complete: false });
      expect(store.apply<'list'>({ op: 'list', mailbox, afterSequence: 0, mostBytes: 9_999, elapsedMs: 0 }).entries).toHaveLength(1);
    });
  });

  it('are looked up by indexes', () => {
    const database = new Database(memoryPath);
    for (const migration of mailMigrations) migration.apply(database);
    const planOf = (sql: string): string => JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    expect(planOf('SELECT 1 FROM blob WHERE root = x\'00\' AND length = 1 AND mailbox = 1')).toContain('(root=? AND length=? AND mailbox=?)');
    expect(planOf('SELECT count(*), total(length) FILTER (WHERE token = x\'00\') FROM blob WHERE mailbox = 1')).toContain('USING COVERING INDEX blob_by_mailbox');
    expect(planOf('SELECT id, root, length FROM blob WHERE expires_ms <= 1 ORDER BY expires_ms, id LIMIT 1')).not.toContain('TEMP B-TREE');
    database.close();
  });
});
