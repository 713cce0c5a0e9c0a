/**
 * One store over one database file: opens it, applies batches in a transaction, answers queries between batches, checkpoints, and opens it
 * again after a failure. The store object lives as long as the connection; it may therefore cache what it has written.
 */
import type Database from 'better-sqlite3';
import type { StoreFailure } from '../../engine/mail/visor-store.ts';
import { memoryPath, openDatabase } from './database.ts';
import { isFileDamage, toStoreFailure } from './failure.ts';
import type { BatchTarget } from './group-commit.ts';
import type { Migration } from './migrations.ts';

/** Pages (4 KiB) in the write-ahead log before a passive checkpoint: 8 MiB, so that pages written by many batches are copied once. */
const checkpointPages = 2_000;

/** Watches over one open file, from its opening on; see generation.ts. */
export interface FileGuard {
  begin(): void;
  /** In the transaction, after its changes. True: `committed` is to be called after the commit. */
  committing(): boolean;
  committed(): void;
  /** Between batches, outside a transaction. A throw is swallowed: it is tried again after the next batch. */
  maintain(): void;
  /** Before an orderly close. */
  closing(): void;
  /** The file is closed, in whatever way. */
  close(): void;
}

export interface StoreFileOptions<Store> {
  readonly path: string;
  readonly migrations: readonly Migration[];
  readonly createStore: (database: Database.Database) => Store;
  readonly wallMs: () => number;
  /** Told when a damaged file was moved aside and a new one begun. */
  readonly quarantined?: (path: string) => void;
  /** Runs at every open, before the store is made; files only. */
  readonly guard?: (database: Database.Database, path: string) => FileGuard;
}

interface Live<Store> { readonly database: Database.Database; readonly store: Store; readonly guard: FileGuard | undefined }

export abstract class StoreFile<Store, Request, Result> implements BatchTarget<Request, Result> {
  readonly #options: StoreFileOptions<Store>;
  #live: Live<Store> | undefined;
  #isDamaged = false;

  constructor(options: StoreFileOptions<Store>) {
    this.#options = options;
  }

  protected abstract applyTo(store: Store, request: Request): Result;
  abstract sizeOf(request: Request): number;

  /** Throws a WaypostError. Opening again is harmless. */
  open(): void {
    this.#open();
  }

  commit(requests: readonly Request[]): readonly Result[] {
    const { database, store, guard } = this.#open();
    guard?.begin();
    database.exec('BEGIN IMMEDIATE');
    const results = requests.map((request) => this.applyTo(store, request));
    const isCounted = guard?.committing() === true;
    database.exec('COMMIT');
    if (isCounted) guard.committed();
    return results;
  }

  recover(thrown: unknown): StoreFailure {
    if (isFileDamage(thrown)) this.#isDamaged = true;
    const failure = toStoreFailure(thrown);
    try {
      this.#reopen();
    } catch {
      // Still failing: the next batch tries to open again and reports what it finds.
    }
    return failure;
  }

  maintain(): void {
    const live = this.#live;
    if (live === undefined || this.#options.path === memoryPath) return;
    try {
      if (logPages(live.database) >= checkpointPages) live.database.pragma('wal_checkpoint(PASSIVE)');
      live.guard?.maintain();
    } catch (error) {
      if (isFileDamage(error)) this.recover(error);
    }
  }

  /** Reads between batches. Throws what the store throws. */
  read<Value>(run: (store: Store) => Value): Value {
    try {
      return run(this.#open().store);
    } catch (error) {
      if (isFileDamage(error)) this.recover(error);
      throw error;
    }
  }

  /** Pages in the write-ahead log that are not in the database file yet. */
  logPages(): number {
    return logPages(this.#open().database);
  }

  /** Test hooks for failures that a test cannot cause otherwise; gone with the connection. A full disk: no more than `pages` pages of 4 KiB. */
  limitPages(pages: number): void {
    this.#open().database.pragma(`max_page_count = ${String(pages)}`);
  }

  /** A file system that has become read-only. */
  queryOnly(): void {
    this.#open().database.pragma('query_only = ON');
  }

  close(): void {
    const live = this.#live;
    if (live === undefined) return;
    this.#live = undefined;
    try {
      live.guard?.closing();
    } finally {
      live.guard?.close();
      live.database.close();
    }
  }

  #open(): Live<Store> {
    if (this.#live !== undefined) return this.#live;
    const { path, migrations, wallMs } = this.#options;
    const { database, quarantined } = openDatabase({ path, migrations, wallMs, knownDamaged: this.#isDamaged });
    try {
      this.#isDamaged = false;
      if (quarantined !== undefined) this.#options.quarantined?.(quarantined);
      const guard = path === memoryPath ? undefined : this.#options.guard?.(database, path);
      this.#live = { database, store: this.#options.createStore(database), guard };
      return this.#live;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #reopen(): void {
    const live = this.#live;
    this.#live = undefined;
    if (live === undefined) return;
    if (live.database.inTransaction) live.database.exec('ROLLBACK');
    if (this.#options.path === memoryPath) {
      // Closing would lose the data that a disk would have kept; a new store object forgets what the failed batch had cached.
      this.#live = { ...live, store: this.#options.createStore(live.database) };
      return;
    }
    live.guard?.close();
    live.database.close();
    this.#open();
  }
}

/** Frames in the log that are not in the database yet. NOOP only looks (SQLite 3.51). */
function logPages(database: Database.Database): number {
  const rows: unknown = database.pragma('wal_checkpoint(NOOP)');
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  if (typeof row !== 'object' || row === null || !('log' in row) || !('checkpointed' in row)) return 0;
  return typeof row.log === 'number' && typeof row.checkpointed === 'number' ? row.log - row.checkpointed : 0;
}
