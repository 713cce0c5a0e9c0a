/**
 * Small files that must never be half written: into a temporary file, fsync, then rename over the old one, then fsync of the directory.
 * Only the owner may read them.
 */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { WaypostError } from '../../shared/errors.ts';

const ownerOnly = 0o600;

async function syncDirectory(directory: string): Promise<void> {
  // Windows has no way to do this and needs none: its rename is journalled.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAndSync(handle: FileHandle, content: string): Promise<void> {
  try {
    await handle.writeFile(content, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws WaypostError `profile-unwritable` or `disk-full`; the old file is then untouched. */
export async function writeFileAtomically(file: string, content: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeAndSync(await open(temporary, 'wx', ownerOnly), content);
    await rename(temporary, file);
    await syncDirectory(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, file);
  }
}

/** A failure of the file system as one that says what to do. */
export function fileError(error: unknown, file: string): WaypostError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new WaypostError('disk-full', 'The disk is full. Make some room and try again.', { cause: error });
  return new WaypostError('profile-unwritable', `Waypost cannot write ${path.basename(file)} in its profile folder. Check who owns the folder and that it may be written.`, { cause: error });
}

/** Undefined when there is no such file; empty when it is larger than `mostBytes`, which no parser takes for a valid one. @throws WaypostError `profile-unwritable` when it may not be read. */
export async function readSmallFile(file: string, mostBytes: number): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new WaypostError('profile-unwritable', `Waypost cannot read ${path.basename(file)} in its profile folder. Check who owns the folder.`, { cause: error });
  }
  try {
    const { size } = await handle.stat();
    return size > mostBytes ? '' : await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
