/** File operations around a database file that must be durable: creating, copying, setting aside. All synchronous: they run in the storage thread. */
import { closeSync, constants, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Owner only: a profile holds private keys (sealed) and who talks to whom (not sealed). */
const directoryMode = 0o700;
const fileMode = 0o600;

/** SQLite keeps these beside the database; they belong together and are moved together. */
const companions = ['', '-wal', '-shm'] as const;

/** A rename or a new file is durable only once its directory is synced. Windows cannot open directories and does not need it. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the directory and an empty file with tight permissions, which SQLite then also gives to its companions. True when it was absent. */
export function createIfAbsent(path: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: directoryMode });
  if (existsSync(path)) return false;
  closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR, fileMode));
  syncDirectory(dirname(path));
  return true;
}

/** Replaces `path` as a whole: readers see the old or the new text, also after a power loss. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: fileMode, flush: true });
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

export function copyDurably(from: string, to: string): void {
  const temporary = `${to}.new`;
  copyFileSync(from, temporary);
  const descriptor = openSync(temporary, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, to);
  syncDirectory(dirname(to));
}

/** `2026-01-31T12-00-00-000Z`: sortable and allowed in file names everywhere. */
const timestamp = (wallMs: number): string => new Date(wallMs).toISOString().replace(/[:.]/g, '-');

/** Moves a database with its companions to a name that did not exist before; returns that name. The database must be closed. */
export function setAside(path: string, wallMs: number): string {
  const base = join(dirname(path), `${basename(path)}.corrupt-${timestamp(wallMs)}`);
  let target = base;
  for (let attempt = 2; companions.some((suffix) => existsSync(target + suffix)); attempt += 1) target = `${base}-${String(attempt)}`;
  for (const suffix of companions) if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  syncDirectory(dirname(path));
  return target;
}

export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
