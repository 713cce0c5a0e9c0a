/** What `import ... from 'electron'` gives on this host: the parts Waypost uses, each in a file of its own. */
import { app } from './app.ts';
import { BrowserWindow } from './browser-window.ts';
import { autoUpdater, clipboard, crashReporter, dialog, globalShortcut, net, powerMonitor, powerSaveBlocker, screen, shell, systemPreferences } from './desktop.ts';
import { ipcMain } from './ipc-main.ts';
import { Menu, MenuItem } from './menu.ts';
import { nativeImage } from './native-image.ts';
import { nativeTheme } from './native-theme.ts';
import { Notification } from './notification.ts';
import { protocol } from './protocol.ts';
import { safeStorage } from './safe-storage.ts';
import { session } from './session.ts';
import { Tray } from './tray.ts';
import { webContents } from './web-contents.ts';

const electron = {
  app, autoUpdater, BrowserWindow, clipboard, crashReporter, dialog, globalShortcut, ipcMain, Menu, MenuItem, nativeImage, nativeTheme, net,
  Notification, powerMonitor, powerSaveBlocker, protocol, safeStorage, screen, session, shell, systemPreferences, Tray, webContents,
};

export {
  app, autoUpdater, BrowserWindow, clipboard, crashReporter, dialog, globalShortcut, ipcMain, Menu, MenuItem, nativeImage, nativeTheme, net,
  Notification, powerMonitor, powerSaveBlocker, protocol, safeStorage, screen, session, shell, systemPreferences, Tray, webContents,
};
export default electron;
