/**
 * A profile is a folder: the identity, the databases, the lock and the local API's socket. One process owns it at a time.
 *
 * The lock is SQLite's own exclusive lock on an empty database: the kernel takes it back when its process ends, however it ends, so there
 * is no stale lock to guess about after a crash. The process id beside it is for the sentence that a second one gets to see.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { WaypostError } from '../../shared/errors.ts';
import { fileError, readSmallFile, writeFileAtomically } from './atomic-file.ts';

const ownerOnlyDirectory = 0o700;
/** sun_path holds 104 bytes on macOS and 108 on Linux, the final zero included. */
const socketPathMaximumBytes = 103;
const applicationFolder = 'waypost';
/** Beside the window's own files, which Electron keeps in the folder above. */
const profileFolder = 'profile';

export interface Profile {
  readonly directory: string;
  readonly identityFile: string;
  /** Small remembered facts, such as the port that the system gave last time. */
  readonly lockFile: string;
  readonly processFile: string;
  /** Path of a Unix socket, or name of a pipe on Windows. */
  readonly controlAddress: string;
  /** Profiles of the relay and of Echo that live inside the app. */
  readonly relayDirectory: string;
  readonly echoDirectory: string;
}

/** The same folder as the desktop app uses, so that the command line talks to the running app. */
export function defaultProfileDirectory(platform: NodeJS.Platform = process.platform, environment: NodeJS.ProcessEnv = process.env, home: string = homedir()): string {
  const fromEnvironment = environment['WAYPOST_PROFILE'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return path.resolve(fromEnvironment);
  switch (platform) {
    case 'win32': return path.join(environment['APPDATA'] ?? path.join(home, 'AppData', 'Roaming'), applicationFolder, profileFolder);
    case 'darwin': return path.join(home, 'Library', 'Application Support', applicationFolder, profileFolder);
    default: return path.join(environment['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), applicationFolder, profileFolder);
  }
}

/** Names only; nothing is created. */
export function profileAt(directory: string): Profile {
  const resolved = path.resolve(directory);
  return {
    directory: resolved,
    identityFile: path.join(resolved, 'identity.json'),
    lockFile: path.join(resolved, 'lock'),
    processFile: path.join(resolved, 'lock.pid'),
    controlAddress: controlAddress(resolved),
    relayDirectory: path.join(resolved, 'relay'),
    echoDirectory: path.join(resolved, 'echo'),
  };
}

function controlAddress(directory: string): string {
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, 32);
  if (process.platform === 'win32') return `\\\\.\\pipe\\waypost-${digest}`;
  const inProfile = path.join(directory, 'control.sock');
  if (Buffer.byteLength(inProfile) <= socketPathMaximumBytes) return inProfile;
  return path.join(tmpdir(), `waypost-${userInfo().uid}`, `${digest}.sock`);
}

/** Creates the folder (and the one for the socket, where the profile's path is too long for it) for the owner alone. */
export function createProfileDirectory(profile: Profile): void {
  try {
    mkdirSync(profile.directory, { recursive: true, mode: ownerOnlyDirectory });
    if (process.platform === 'win32') return;
    chmodSync(profile.directory, ownerOnlyDirectory);
    const socketDirectory = path.dirname(profile.controlAddress);
    if (socketDirectory === profile.directory) return;
    mkdirSync(socketDirectory, { recursive: true, mode: ownerOnlyDirectory });
    // In a folder that all may write to, somebody else may have made it first.
    const found = lstatSync(socketDirectory);
    if (!found.isDirectory() || found.uid !== userInfo().uid) {
      throw new WaypostError('profile-unwritable', `The folder ${socketDirectory} belongs to somebody else. Use a profile folder with a shorter path.`);
    }
    chmodSync(socketDirectory, ownerOnlyDirectory);
  } catch (error) {
    throw error instanceof WaypostError ? error : fileError(error, profile.directory);
  }
}

export interface ProfileLock {
  release(): void;
}

/** @throws WaypostError `profile-in-use` while another process has it, `profile-unwritable` where there is no writing. */
export async function lockProfile(profile: Profile): Promise<ProfileLock> {
  createProfileDirectory(profile);
  let database: Database.Database;
  try {
    database = new Database(profile.lockFile, { timeout: 0 });
  } catch (error) {
    throw fileError(error, profile.lockFile);
  }
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED') throw await inUse(profile, error);
    throw fileError(error, profile.lockFile);
  }
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    database.close();
  };
  try {
    await writeFileAtomically(profile.processFile, `${process.pid}\n`);
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}

async function inUse(profile: Profile, cause: unknown): Promise<WaypostError> {
  const text = await readSmallFile(profile.processFile, 64).catch(() => undefined);
  const processId = Number.parseInt(text ?? '', 10);
  const who = Number.isSafeInteger(processId) ? ` (process ${processId})` : '';
  return new WaypostError('profile-in-use', `Another Waypost${who} is using this profile. Close it, or use another profile folder.`, { cause });
}
