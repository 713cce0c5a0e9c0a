/** Entry of the Electron main process: wiring only. Every decision is in the modules it connects. */
import path from 'node:path';
import { app, nativeTheme, session, type BrowserWindow } from 'electron';
import { appEntryUrl, parseDevelopmentServer } from './app/origin.ts';
import { registerAppScheme, serveAppScheme } from './app/protocol.ts';
import { confineAllContents, confineSession } from './app/security.ts';
import { createMainWindow, revealWindow } from './app/window.ts';

const outputDirectory = path.resolve(import.meta.dirname, '..');
const server = parseDevelopmentServer(process.env['ELECTRON_RENDERER_URL'], app.isPackaged);

let mainWindow: BrowserWindow | undefined;

function openMainWindow(): void {
  if (mainWindow !== undefined) {
    revealWindow(mainWindow);
    return;
  }
  mainWindow = createMainWindow({
    url: server === undefined ? appEntryUrl : `${server.origin}/`,
    preloadFile: path.join(outputDirectory, 'preload', 'index.cjs'),
    boundsFile: path.join(app.getPath('userData'), 'window.json'),
    isDark: nativeTheme.shouldUseDarkColors,
  });
  mainWindow.on('closed', () => {
    mainWindow = undefined;
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
  await app.whenReady();
  serveAppScheme(path.join(outputDirectory, 'renderer'));
  confineSession(session.defaultSession, server);
  openMainWindow();
}

// The profile belongs to one process at a time; a second start only brings the first one's window forward.
if (app.requestSingleInstanceLock()) {
  start().catch((error: unknown) => {
    process.stderr.write(`Waypost could not start: ${error instanceof Error ? error.message : String(error)}\n`);
    app.exit(1);
  });
} else {
  app.quit();
}
