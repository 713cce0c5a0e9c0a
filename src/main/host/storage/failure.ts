/**
 * Turns whatever SQLite, the file system or a row codec throws into a `StoreFailure`: a stable code and a sentence that says what is
 * wrong and what to do. Unknown errors keep their text out, since it may hold anything.
 */
import { WaypostError, toErrorView } from '../../../shared/errors.ts';
import type { StoreFailure } from '../../engine/mail/visor-store.ts';

type StoreFailureCode = StoreFailure['code'];

/** SQLite result names (their extended forms begin with them) and file system codes that mean the same to a person. */
const codesByPrefix: readonly (readonly [prefix: string, code: StoreFailureCode])[] = [
  ['SQLITE_FULL', 'disk-full'],
  ['ENOSPC', 'disk-full'],
  ['EDQUOT', 'disk-full'],
  ['SQLITE_CORRUPT', 'database-corrupt'],
  ['SQLITE_NOTADB', 'database-corrupt'],
  ['SQLITE_READONLY', 'profile-unwritable'],
  ['SQLITE_CANTOPEN', 'profile-unwritable'],
  ['SQLITE_PERM', 'profile-unwritable'],
  ['SQLITE_AUTH', 'profile-unwritable'],
  ['SQLITE_BUSY', 'profile-unwritable'],
  ['SQLITE_LOCKED', 'profile-unwritable'],
  ['SQLITE_IOERR', 'profile-unwritable'],
  ['EACCES', 'profile-unwritable'],
  ['EPERM', 'profile-unwritable'],
  ['EROFS', 'profile-unwritable'],
  ['ENOTDIR', 'profile-unwritable'],
  ['EISDIR', 'profile-unwritable'],
  ['EEXIST', 'profile-unwritable'],
  ['ENOENT', 'profile-unwritable'],
  ['EIO', 'profile-unwritable'],
];

const sentences: Readonly<Record<Exclude<StoreFailureCode, 'internal'>, string>> = {
  'disk-full': 'The disk is full, so nothing can be saved. Free some space, then try again.',
  'database-corrupt': 'The database is damaged. Start Waypost again: it sets the damaged file aside and begins a new one.',
  'database-newer': 'The database was written by a newer version of Waypost. Install that version or a later one.',
  'profile-unwritable': 'The profile folder cannot be written. Check its permissions, the disk, and that no other program holds it open.',
};

const storeCodes: readonly string[] = [...Object.keys(sentences), 'internal'] satisfies readonly string[];
const isStoreCode = (code: string): code is StoreFailureCode => storeCodes.includes(code);

/** The `code` property of an error by SQLite or the file system, else an empty text. */
export function causeCode(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}

export function toStoreFailure(thrown: unknown): StoreFailure {
  if (thrown instanceof WaypostError) {
    return isStoreCode(thrown.code) ? { code: thrown.code, message: thrown.message } : { code: 'internal', message: thrown.message };
  }
  const cause = causeCode(thrown);
  const code = codesByPrefix.find(([prefix]) => cause.startsWith(prefix))?.[1];
  if (code === undefined || code === 'internal') return { code: 'internal', message: toErrorView(undefined).message };
  return { code, message: `${sentences[code]} (${cause})` };
}

/** SQLite itself found the file damaged, as opposed to one row that does not parse: only this sets the file aside. */
export function isFileDamage(thrown: unknown): boolean {
  const cause = causeCode(thrown);
  return cause.startsWith('SQLITE_CORRUPT') || cause.startsWith('SQLITE_NOTADB');
}

export const databaseNewer = (found: number, known: number): WaypostError =>
  new WaypostError('database-newer', `${sentences['database-newer']} (database version ${String(found)}, this program knows ${String(known)})`);

/** One row that does not parse or authenticate. It is left as it is; the request that needed it fails. */
export const damagedRow = (table: string, column: string): WaypostError =>
  new WaypostError('database-corrupt', `A saved entry cannot be read (${table}, ${column}). It was left untouched; restore a backup of the profile or report the problem.`);
