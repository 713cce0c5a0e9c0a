/** A small application that exercises the bridge between page and main process; used by e2e/bridge.spec.ts on either host. */
import path from 'node:path';
import { app, BrowserWindow, ipcMain, protocol, safeStorage } from 'electron';

protocol.registerSchemesAsPrivileged([{ scheme: 'sample', privileges: { standard: true, secure: true, supportFetchAPI: true } }]);

void app.whenReady().then(() => {
  protocol.handle('sample', () => new Response('<!doctype html><title>Sample</title><h1>Sample</h1>', { headers: { 'content-type': 'text/html' } }));
  ipcMain.handle('echo', (_event, value) => value);
  ipcMain.handle('fail', () => {
    throw new TypeError('no such thing');
  });
  ipcMain.handle('sender', (event) => event.senderFrame?.url);
  ipcMain.handle('seal', (_event, text) => safeStorage.decryptString(safeStorage.encryptString(text)));
  ipcMain.on('ping', (event, value) => event.reply('pong', value + 1));
  const window = new BrowserWindow({
    width: 640,
    height: 480,
    webPreferences: { preload: path.join(import.meta.dirname, 'preload.cjs'), sandbox: true, contextIsolation: true },
  });
  return window.loadURL('sample://host/');
});
