/**
 * A stand-in for the Electron executable: runs the built application in plain Node, with an installed Chromium drawing its windows. It
 * takes Electron's command line and prints the two lines playwright waits for, so that specs use playwright's Electron support unchanged.
 *
 * What it is not: Electron's own bindings, its BoringSSL and its V8 settings. Specs that pass here still have to pass on the real one.
 * Left out: sendSync, further windows opened by pages, preloads in frames, utility processes (Waypost uses worker threads), and
 * whatever a page keeps in the browser's own profile beyond one run.
 */
import { existsSync, statSync } from 'node:fs';
import inspector from 'node:inspector';
import { createRequire, registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHostArguments } from './argv.ts';
import { readManifest, setHostContext } from './context.ts';
import { errorText, textField } from './json.ts';

const electronVersionFile = path.resolve(import.meta.dirname, '../../node_modules/electron/package.json');

/** Folder and main file of the application, from a folder or a file. */
function findApplication(argument: string): { readonly root: string; readonly entry: string } {
  const target = path.resolve(argument);
  if (statSync(target).isDirectory()) return { root: target, entry: path.resolve(target, textField(readManifest(target), 'main') || 'index.js') };
  let root = path.dirname(target);
  while (root !== path.dirname(root) && !existsSync(path.join(root, 'package.json'))) root = path.dirname(root);
  return { root, entry: target };
}

/** Sync hooks cover `import`, `require`, and the `require` playwright calls through the inspector: all get the same module. */
function installElectronModule(): void {
  const url = pathToFileURL(path.join(import.meta.dirname, 'electron.ts')).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'electron' || specifier === 'electron/main' || specifier === 'electron/common' ? { url, format: 'module-typescript', shortCircuit: true } : next(specifier, context),
  });
}

function pretendToBeElectron(commandLine: readonly string[]): void {
  process.argv = [path.join(import.meta.dirname, 'electron'), ...commandLine];
  Object.defineProperty(process, 'type', { value: 'browser' });
  Object.defineProperty(process, 'resourcesPath', { value: path.join(import.meta.dirname, 'resources') });
  Object.defineProperty(process.versions, 'electron', { value: textField(readManifest(path.dirname(electronVersionFile)), 'version'), enumerable: true });
}

async function run(): Promise<void> {
  const commandLine = process.argv.slice(2);
  const given = parseHostArguments(commandLine);
  if (given.application === undefined) throw new Error('Name the folder of the application.');
  const { root, entry } = findApplication(given.application);
  setHostContext({ root, manifest: readManifest(root), debuggingPort: given.debuggingPort ?? 0, isHeaded: process.env['WAYPOST_HOST_HEADED'] === '1' });
  pretendToBeElectron(commandLine);
  installElectronModule();
  if (given.inspectPort !== undefined) inspector.open(given.inspectPort, '127.0.0.1');
  const { app } = await import('./app.ts');
  const require = createRequire(import.meta.url);
  for (const file of given.requires) require(path.resolve(file));
  // Chromium takes longer to start than the application to load.
  await Promise.all([app.startBrowser(), import(pathToFileURL(entry).href)]);
  app.becomeReady();
}

run().catch((error: unknown) => {
  process.stderr.write(`The application could not be started: ${error instanceof Error ? (error.stack ?? error.message) : errorText(error)}\n`);
  process.exit(1);
});
