/**
 * Starts the built application for a spec, with a fresh profile: on the real Electron where its executable is installed, else on the
 * stand-in host. Specs cannot tell the difference and should not try.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { _electron, test as base, type ElectronApplication, type Page } from '@playwright/test';
import { findElectron } from '../scripts/electron-binary.ts';

export const projectRoot = path.resolve(import.meta.dirname, '..');
export const standInDirectory = path.join(import.meta.dirname, 'host');

/** `WAYPOST_E2E_HOST=stand-in` takes the stand-in even where Electron is installed. */
const realElectron = process.env['WAYPOST_E2E_HOST'] === 'stand-in' ? undefined : findElectron();
export const hostKind = realElectron === undefined ? 'stand-in' : 'electron';

// Playwright asks the electron package for the executable; with this it takes its usual path on the stand-in too.
if (realElectron === undefined) process.env['ELECTRON_OVERRIDE_DIST_PATH'] = standInDirectory;

export interface LaunchOptions {
  readonly userDataDirectory: string;
  readonly extraArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The variables of this process that have a value, without those that would change how the application starts. */
function inheritedEnvironment(): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined && name !== 'ELECTRON_RENDERER_URL') result[name] = value;
  return result;
}

/** Starts one instance; a story with two people starts two, each with its own profile. The caller closes it. */
export function launchApplication(options: LaunchOptions): Promise<ElectronApplication> {
  return _electron.launch({
    args: [projectRoot, `--user-data-dir=${options.userDataDirectory}`, ...(options.extraArguments ?? [])],
    cwd: projectRoot,
    env: { ...inheritedEnvironment(), ...options.environment },
  });
}

/** The first window once it shows our page: it exists before it navigates, and a spec could meet it blank. */
export async function mainWindow(application: ElectronApplication): Promise<Page> {
  const window = await application.firstWindow();
  await window.waitForURL(/bundle.*\/index\.html/);
  return window;
}

export function makeProfile(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'waypost-e2e-'));
}

export function removeProfile(directory: string): void {
  // Chromium may still be writing its last files.
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

interface Fixtures {
  readonly userDataDirectory: string;
  readonly application: ElectronApplication;
  readonly window: Page;
}

export const test = base.extend<Fixtures>({
  // eslint-disable-next-line no-empty-pattern -- playwright reads the needed fixtures from this pattern
  userDataDirectory: async ({}, use) => {
    const directory = makeProfile();
    await use(directory);
    removeProfile(directory);
  },
  application: async ({ userDataDirectory }, use) => {
    const application = await launchApplication({ userDataDirectory });
    await use(application);
    await application.close();
  },
  window: async ({ application }, use) => {
    await use(await mainWindow(application));
  },
});

export { expect } from '@playwright/test';
