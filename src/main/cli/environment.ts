/** What every verb is given: the profile, how to speak, how to open the identity, and a visor to talk to. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Client } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { createClient, type ClientPipe } from '../../shared/transport.ts';
import { connectControlSocket } from '../host/control-client.ts';
import { serveControlSocket, type ControlSocket } from '../host/control-socket.ts';
import { defaultProfileDirectory, lockProfile, profileAt, type Profile, type ProfileLock } from '../host/profile.ts';
import { openVault, readVault, type VaultContents, type VaultFile } from '../host/vault.ts';
import { formatLogEntry, type LogEntry } from '../diagnostics/ring-log.ts';
import type { RuntimeOptions, VisorRuntime } from '../host/visor-runtime.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** Another short command may just be ending; after that the profile really is in use. */
const inUsePatienceMs = 3_000;
const inUsePauseMs = 100;
const passphraseMaximumCharacters = 1_024;

export const unprotectedWarning = 'Warning: the secret key of this profile lies unprotected in identity.json. Whoever reads that file can read and write in your name. Use --passphrase-file to protect it.';
const unprotectedNotice = 'The secret key of this profile is protected by file permissions only.';

export interface Environment {
  readonly profile: Profile;
  readonly terminal: Terminal;
  readonly lingerMs: number;
  passphrase(): Promise<string | undefined>;
  /** The vault in clear. @throws WaypostError `no-identity` */
  vault(): Promise<VaultFile>;
  open(vault: VaultFile): Promise<VaultContents>;
  /** Takes the profile and starts a visor or relay here, with the local API. */
  start(options: Pick<RuntimeOptions, 'visor' | 'relay' | 'listenHost' | 'listenPort' | 'observePort' | 'tcpListen' | 'confirmClock'>, opened: { contents: VaultContents; vault: VaultFile }): Promise<RunningVisor>;
  /** Runs `action` with the visor of the profile: the running one, or one that runs as long as the action. */
  withVisor<T>(action: (visor: VisorAccess) => Promise<T>): Promise<T>;
}

export interface RunningVisor {
  readonly runtime: VisorRuntime;
  stop(): Promise<void>;
}

export interface VisorAccess {
  readonly client: Client;
  readonly pipe: ClientPipe;
  /** This process runs the visor: when the command ends, the network ends too. */
  readonly isOwn: boolean;
  /** Settles when the connection to a running visor is lost; never for an own one. */
  readonly lost: Promise<void>;
}

interface GlobalOptions {
  readonly profile?: string;
  readonly json?: boolean;
  readonly passphraseFile?: string;
  readonly linger?: string;
  readonly verbose?: boolean;
}

/** Adds the options that every verb has. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--profile <dir>', 'folder of the profile (default: the one of the desktop app)')
    .option('--json', 'print results as JSON, one object a line')
    .option('--passphrase-file <file>', 'read the passphrase of the identity from a file (or set WAYPOST_PASSPHRASE)')
    .option('--linger <seconds>', 'without a running Waypost: how long to give the network before ending (default: 2)')
    .option('--verbose', 'write the log to the error stream');
}

export function createEnvironment(command: Command): Environment {
  const options: GlobalOptions = command.optsWithGlobals();
  const profile = profileAt(options.profile ?? defaultProfileDirectory());
  const terminal = createTerminal(options.json === true);
  const onLog = options.verbose === true ? (entry: LogEntry): void => { terminal.note(formatLogEntry(entry)); } : undefined;

  const passphrase = (): Promise<string | undefined> => readPassphrase(options.passphraseFile);
  const vault = async (): Promise<VaultFile> => {
    const found = await readVault(profile.identityFile);
    if (found === undefined) throw new WaypostError('no-identity', `There is no identity in ${profile.directory}. Run "waypost init" first, or name another folder with --profile.`);
    return found;
  };
  const open = async (file: VaultFile): Promise<VaultContents> => openVault(file, { passphrase: await passphrase() });

  const environment: Environment = {
    profile,
    terminal,
    lingerMs: parseLinger(options.linger),
    passphrase,
    vault,
    open,
    async start(runtimeOptions, { contents, vault: file }) {
      return startLocked(profile, await lockProfile(profile), {
        ...runtimeOptions,
        directory: profile.directory,
        identitySecret: contents.identitySecret,
        localKey: contents.localKey,
        initialName: file.name,
        notices: file.protection === 'file' ? [unprotectedNotice] : [],
      }, onLog);
    },
    async withVisor(action) {
      const connected = await connectControlSocket(profile.controlAddress);
      if (connected !== undefined) {
        try {
          return await action({ client: createClient(connected), pipe: connected, isOwn: false, lost: connected.closed });
        } finally {
          connected.close();
        }
      }
      const file = await vault();
      const contents = await open(file);
      const running = await startUnlessRunning(environment, { contents, vault: file });
      if (running === undefined) return environment.withVisor(action);
      try {
        return await action({ client: createClient(running.runtime.pipe), pipe: running.runtime.pipe, isOwn: true, lost: new Promise(() => undefined) });
      } finally {
        await running.stop();
      }
    },
  };
  return environment;
}

async function startLocked(profile: Profile, lock: ProfileLock, options: RuntimeOptions, onLog: ((entry: LogEntry) => void) | undefined): Promise<RunningVisor> {
  let runtime: VisorRuntime | undefined;
  let socket: ControlSocket | undefined;
  const stop = async (): Promise<void> => {
    await socket?.close();
    await runtime?.stop();
    lock.release();
  };
  try {
    // Loaded when a visor is needed: most of the program is the engine, and many verbs get by without.
    const { startVisorRuntime } = await import('../host/visor-runtime.ts');
    runtime = await startVisorRuntime(options, onLog);
    socket = await serveControlSocket(profile.controlAddress, runtime.pipe);
    return { runtime, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Undefined when meanwhile another one runs that can be talked to. */
async function startUnlessRunning(environment: Environment, opened: { contents: VaultContents; vault: VaultFile }): Promise<RunningVisor | undefined> {
  const untilMs = performance.now() + inUsePatienceMs;
  for (;;) {
    try {
      return await environment.start({ visor: true, relay: undefined, listenHost: undefined, listenPort: 0, confirmClock: false }, opened);
    } catch (error) {
      if (!(error instanceof WaypostError) || error.code !== 'profile-in-use' || performance.now() > untilMs) throw error;
      const connected = await connectControlSocket(environment.profile.controlAddress);
      if (connected !== undefined) {
        connected.close();
        return undefined;
      }
      await pause(inUsePauseMs);
    }
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

async function readPassphrase(file: string | undefined): Promise<string | undefined> {
  let text = process.env['WAYPOST_PASSPHRASE'];
  if (file !== undefined) {
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      throw new WaypostError('invalid-argument', 'The passphrase file cannot be read. Check its path and permissions.', { cause: error });
    }
    // Editors end a file with a line break that is not part of the passphrase.
    text = text.replace(/\r?\n$/, '');
  }
  if (text === undefined) return undefined;
  if (text === '' || text.length > passphraseMaximumCharacters) throw new WaypostError('invalid-argument', 'A passphrase has between 1 and 1,024 characters.');
  return text;
}

function parseLinger(text: string | undefined): number {
  const seconds = Number(text ?? '2');
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > 3_600) throw new WaypostError('invalid-argument', '--linger takes a number of seconds up to 3600.');
  return seconds * 1_000;
}
