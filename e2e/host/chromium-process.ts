/** Starts Chromium for the host: its switches, its own profile folder, and the line that tells where DevTools listens. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { locateChromium } from './locate-chromium.ts';

/** Cold starts on a busy machine with two cores take up to 5 s. */
const startDeadlineMs = 60_000;

export interface ChromiumOptions {
  readonly profileDirectory: string;
  readonly debuggingPort: number;
  readonly isHeaded: boolean;
  readonly isRoot: boolean;
  /** Switches the application appended through `app.commandLine`. */
  readonly extraSwitches: readonly string[];
}

const disableFeatures = '--disable-features=';
const disabledFeatures = ['HttpsUpgrades', 'Translate', 'OptimizationHints', 'MediaRouter', 'LocalNetworkAccessChecks'];

/** Nothing the browser does by itself may reach the network or ask the user anything. */
export function chromiumSwitches(options: ChromiumOptions): readonly string[] {
  return [
    ...(options.isHeaded ? [] : ['--headless=new', '--disable-gpu']),
    // As root Chromium refuses to start with its sandbox.
    ...(options.isRoot ? ['--no-sandbox'] : []),
    `--user-data-dir=${options.profileDirectory}`,
    `--remote-debugging-port=${options.debuggingPort}`,
    '--remote-debugging-pipe',
    '--no-startup-window',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-quic',
    '--disable-extensions',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--disable-popup-blocking',
    '--hide-crash-restore-bubble',
    '--force-color-profile=srgb',
    '--password-store=basic',
    '--use-mock-keychain',
    ...options.extraSwitches.filter((word) => !word.startsWith(disableFeatures)),
    // Chromium takes only the last of these, so ours and the application's (or playwright's) become one.
    `${disableFeatures}${[...disabledFeatures, ...listedFeatures(options.extraSwitches)].join(',')}`,
  ];
}

function listedFeatures(switches: readonly string[]): readonly string[] {
  return switches.filter((word) => word.startsWith(disableFeatures)).flatMap((word) => word.slice(disableFeatures.length).split(','));
}

export interface Chromium {
  readonly process: ChildProcess;
  readonly input: Readable;
  readonly output: Writable;
  /** WebSocket address of the browser endpoint, for playwright. */
  readonly endpoint: string;
}

function waitForEndpoint(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let log = '';
  const timer = setTimeout(() => {
    reject(new Error(`Chromium did not start within ${startDeadlineMs / 1000} seconds.\n${log}`));
  }, startDeadlineMs);
  child.stderr?.on('data', (chunk: Buffer) => {
    if (log.length > 20_000) return;
    log += chunk.toString();
    const endpoint = /DevTools listening on (ws:\S+)/.exec(log)?.[1];
    if (endpoint !== undefined) resolve(endpoint);
  });
  child.once('error', reject);
  child.once('exit', (code) => {
    reject(new Error(`Chromium ended at its start with code ${code ?? 'none'}.\n${log}`));
  });
  return promise.finally(() => {
    clearTimeout(timer);
  });
}

export async function startChromium(options: ChromiumOptions): Promise<Chromium> {
  const executable = locateChromium();
  if (executable === undefined) throw new Error('There is no Chromium on this machine: install the package "chromium" or set WAYPOST_CHROMIUM to the path of one.');
  mkdirSync(options.profileDirectory, { recursive: true });
  // Without a locale Chromium takes names of files for ASCII, and files with other names cannot be chosen.
  const env = { ...process.env, LC_ALL: process.env['LC_ALL'] ?? 'C.UTF-8' };
  const child = spawn(executable, chromiumSwitches(options), { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
  process.on('exit', () => {
    child.kill('SIGKILL');
    try {
      rmSync(options.profileDirectory, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // The browser was still writing; the next start removes it.
    }
  });
  const endpoint = await waitForEndpoint(child);
  const [output, input] = [child.stdio[3], child.stdio[4]];
  if (!(input instanceof Readable) || !(output instanceof Writable)) throw new Error('Chromium was started without its debugging pipe.');
  return { process: child, input, output, endpoint };
}
