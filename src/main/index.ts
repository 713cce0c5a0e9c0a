/** Entry of the Electron main process: wiring only. Every decision is in the modules it connects. */
import path from 'node:path';
import { app, dialog, nativeTheme, powerMonitor, session, type BrowserWindow } from 'electron';
import { toErrorView } from '../shared/errors.ts';
import { Backend } from './app/backend.ts';
import { forkHelper } from './app/helper-process.ts';
import { appEntryUrl, isAppUrl, parseDevelopmentServer } from './app/origin.ts';
import { registerAppScheme, serveAppScheme } from './app/protocol.ts';
import { findSealer } from './app/safe-storage.ts';
import { confineAllContents, confineSession } from './app/security.ts';
import { createMainWindow, revealWindow } from './app/window.ts';
import { profileAt } from './host/profile.ts';
import { workerFile } from './host/worker-file.ts';
import { registerIpc, type IpcRegistration } from './ipc/register.ts';

const outputDirectory = path.resolve(import.meta.dirname, '..');
const server = parseDevelopmentServer(process.env['ELECTRON_RENDERER_URL'], app.isPackaged);

let mainWindow: BrowserWindow | undefined;
let backend: Backend | undefined;
let ipc: IpcRegistration | undefined;

function openMainWindow(): void {
  if (mainWindow !== undefined) {
    revealWindow(mainWindow);
    return;
  }
  mainWindow = createMainWindow({
    url: server === undefined ? appEntryUrl : `${server.origin}/`,
    preloadFile: path.join(outputDirectory, 'preload', 'index.cjs'),
    iconFile: path.join(outputDirectory, '..', 'resources', 'icon.png'),
    boundsFile: path.join(app.getPath('userData'), 'window.json'),
    isDark: nativeTheme.shouldUseDarkColors,
  });
  ipc?.trust(mainWindow);
  mainWindow.on('closed', () => {
    mainWindow = undefined;
  });
}

/** The profile lies beside the window's own files; the command line finds it there. */
async function startBackend(): Promise<void> {
  const profile = profileAt(path.join(app.getPath('userData'), 'profile'));
  backend = new Backend({
    profile,
    sealer: await findSealer(process.platform),
    platform: process.platform,
    forkEcho: () => forkHelper(workerFile('echo-process'), 'Waypost Echo'),
    notify: (channel, payload) => { ipc?.notify(channel, payload); },
    stopRequested: () => { app.quit(); },
  });
  ipc = registerIpc({ pipe: backend.pipe, isOwnUrl: (url) => isAppUrl(url, server), pastedDirectory: path.join(profile.directory, 'pasted') });
  await backend.start();
  backend.setLowPower(powerMonitor.isOnBatteryPower());
  powerMonitor.on('on-battery', () => { backend?.setLowPower(true); });
  powerMonitor.on('on-ac', () => { backend?.setLowPower(false); });
  powerMonitor.on('resume', () => { backend?.networkChanged(); });
}

/** The windows are closed by then; sessions get their goodbye and what is being committed is waited for, both within two seconds. */
function stopBeforeQuitting(): void {
  app.on('will-quit', (event) => {
    ipc?.close();
    const stopping = backend;
    if (stopping === undefined) return;
    backend = undefined;
    event.preventDefault();
    void stopping.stop().finally(() => { app.exit(0); });
  });
}

async function start(): Promise<void> {
  registerAppScheme();
  confineAllContents(server);
  app.on('second-instance', openMainWindow);
  app.on('activate', openMainWindow);
  app.on('window-all-closed', () => {
    app.quit();
  });
  stopBeforeQuitting();
  await app.whenReady();
  serveAppScheme(path.join(outputDirectory, 'renderer'));
  confineSession(session.defaultSession, server);
  await startBackend();
  openMainWindow();
}

// The profile belongs to one process at a time; a second start only brings the first one's window forward.
if (app.requestSingleInstanceLock()) {
  start().catch((error: unknown) => {
    const { message } = toErrorView(error);
    process.stderr.write(`Waypost could not start: ${message}\n`);
    if (app.isReady()) dialog.showErrorBox('Waypost could not start', message);
    app.exit(1);
  });
} else {
  app.quit();
}
