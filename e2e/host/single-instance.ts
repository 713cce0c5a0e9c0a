/**
 * One process for each profile: a lock file with the process id, which answers at once, and a folder the first instance watches, in which
 * later ones leave their command line.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { field, isRecord, listField, textField } from './json.ts';

export interface LaterStart {
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  readonly additionalData: unknown;
}

export interface SingleInstance {
  readonly lockFile: string;
  readonly spoolDirectory: string;
}

const filesIn = (directory: string): SingleInstance => ({ lockFile: path.join(directory, 'stand-in.lock'), spoolDirectory: path.join(directory, 'stand-in.spool') });

function isRunning(processId: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

function tryLock(lockFile: string): boolean {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readLaterStart(file: string): LaterStart | undefined {
  try {
    const message: unknown = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file);
    if (!isRecord(message)) return undefined;
    return { argv: listField(message, 'argv').map(String), workingDirectory: textField(message, 'workingDirectory'), additionalData: field(message, 'additionalData') };
  } catch {
    // Taken by another event for the same file.
    return undefined;
  }
}

function watchSpool(spoolDirectory: string, onLaterStart: (start: LaterStart) => void): void {
  rmSync(spoolDirectory, { recursive: true, force: true });
  mkdirSync(spoolDirectory);
  watch(spoolDirectory, { persistent: false }, (_kind, name) => {
    if (name?.endsWith('.json') !== true) return;
    const start = readLaterStart(path.join(spoolDirectory, name));
    if (start !== undefined) onLaterStart(start);
  }).on('error', () => undefined);
}

function leaveMessage(spoolDirectory: string, start: LaterStart): void {
  const file = path.join(spoolDirectory, randomUUID());
  writeFileSync(`${file}.new`, JSON.stringify(start));
  renameSync(`${file}.new`, `${file}.json`);
}

/** Whether this process is the one for the profile; if not, the other one has been told. */
export function claimProfile(directory: string, start: LaterStart, onLaterStart: (start: LaterStart) => void): boolean {
  mkdirSync(directory, { recursive: true });
  const { lockFile, spoolDirectory } = filesIn(directory);
  // Twice: the first try may find the lock of a process that was killed.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (tryLock(lockFile)) {
      process.on('exit', () => {
        releaseProfile(directory);
      });
      watchSpool(spoolDirectory, onLaterStart);
      return true;
    }
    if (isRunning(Number(readFileSync(lockFile, 'utf8')))) {
      leaveMessage(spoolDirectory, start);
      return false;
    }
    rmSync(lockFile, { force: true });
  }
  return false;
}

export function releaseProfile(directory: string): void {
  rmSync(filesIn(directory).lockFile, { force: true });
}
