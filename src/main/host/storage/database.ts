/**
 * Opens a database so that a commit means durable: WAL, `synchronous=FULL` (and `fullfsync` on macOS, whose fsync does not reach the
 * platter), deleted bytes overwritten, checkpoints by hand (see group-commit). A damaged file is moved aside with its companions, never
 * overwritten, and a new one is begun; the caller is told where the old one is.
 */
import Database from 'better-sqlite3';
import { isFileDamage, toStoreFailure } from './failure.ts';
import { createIfAbsent, setAside } from './files.ts';
import { migrate, refuseNewer } from './migrations.ts';
import type { Migration } from './migrations.ts';
import { WaypostError } from '../../../shared/errors.ts';

export const memoryPath = ':memory:';

/** How long to wait for another process that looks into the file (an inspection tool, a backup). */
const busyTimeoutMs = 5_000;
/** 16 MiB of pages in memory, in KiB and negative as SQLite wants it: the hot parts of the indexes of a busy relay. */
const cacheKibibytes = -16_384;

export interface OpenOptions {
  /** `:memory:` for the simulated world. */
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Only names the file of a quarantine. */
  readonly wallMs: () => number;
  /** SQLite reported damage at run time, which a check at open may not find: set the file aside without asking. */
  readonly knownDamaged?: boolean;
}

export interface OpenedDatabase {
  readonly database: Database.Database;
  /** Where the damaged database went. */
  readonly quarantined: string | undefined;
}

/** Throws a WaypostError with a code of `StoreFailure`. */
export function openDatabase(options: OpenOptions): OpenedDatabase {
  try {
    if (options.knownDamaged === true && options.path !== memoryPath) return replaceDamaged(options);
    try {
      return { database: openOnce(options), quarantined: undefined };
    } catch (error) {
      if (!isFileDamage(error) || options.path === memoryPath) throw error;
      return replaceDamaged(options);
    }
  } catch (error) {
    if (error instanceof WaypostError) throw error;
    const failure = toStoreFailure(error);
    throw new WaypostError(failure.code, failure.message, { cause: error });
  }
}

function replaceDamaged(options: OpenOptions): OpenedDatabase {
  const quarantined = setAside(options.path, options.wallMs());
  return { database: openOnce(options), quarantined };
}

function openOnce(options: OpenOptions): Database.Database {
  const isFile = options.path !== memoryPath;
  if (isFile) createIfAbsent(options.path);
  const database = new Database(options.path, { timeout: busyTimeoutMs });
  try {
    // Before anything that writes: a newer database stays byte for byte as it is.
    refuseNewer(database, options.migrations);
    if (isFile) checkQuickly(database);
    configure(database);
    migrate(database, options.migrations, options.path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
  readonly code = 'SQLITE_CORRUPT';
}

function checkQuickly(database: Database.Database): void {
  if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') throw new DamagedFileError('quick_check found damage');
}

function configure(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  if (process.platform === 'darwin') {
    database.pragma('fullfsync = ON');
    database.pragma('checkpoint_fullfsync = ON');
  }
  database.pragma('secure_delete = ON');
  database.pragma('wal_autocheckpoint = 0');
  database.pragma('foreign_keys = ON');
  database.pragma('trusted_schema = OFF');
  database.pragma(`cache_size = ${String(cacheKibibytes)}`);
}
