/**
 * The smaller parts of a desktop: dialogs, shell, clipboard, screen, power and the like. They remember or answer the least that has
 * Electron's shape. Dialogs answer as if the user had cancelled: a test that wants more replaces the method.
 */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';

export const dialog = {
  showSaveDialog: (..._arguments: readonly unknown[]): Promise<object> => Promise.resolve({ canceled: true, filePath: '' }),
  showOpenDialog: (..._arguments: readonly unknown[]): Promise<object> => Promise.resolve({ canceled: true, filePaths: [] }),
  showMessageBox: (..._arguments: readonly unknown[]): Promise<object> => Promise.resolve({ response: 0, checkboxChecked: false }),
  showErrorBox(title: string, content: string): void {
    process.stderr.write(`${title}: ${content}\n`);
  },
};

export const shell = {
  /** Everything that would have left the application, in order. */
  opened: new Array<string>(),
  openExternal(url: string): Promise<void> {
    shell.opened.push(url);
    return Promise.resolve();
  },
  openPath(file: string): Promise<string> {
    shell.opened.push(file);
    return Promise.resolve('');
  },
  showItemInFolder(file: string): void {
    shell.opened.push(file);
  },
  trashItem: (file: string): Promise<void> => rm(file, { recursive: true }),
  beep(): void {
    // Nobody listens.
  },
};

let clipboardContent = { text: '', html: '' };
export const clipboard = {
  readText: (): string => clipboardContent.text,
  readHTML: (): string => clipboardContent.html,
  writeText(text: string): void {
    clipboardContent = { text, html: '' };
  },
  write(content: { readonly text?: string; readonly html?: string }): void {
    clipboardContent = { text: content.text ?? '', html: content.html ?? '' };
  },
  clear(): void {
    clipboardContent = { text: '', html: '' };
  },
  availableFormats: (): readonly string[] => (clipboardContent.text === '' ? [] : ['text/plain']),
};

const area = { x: 0, y: 0, width: 1920, height: 1080 };
const display = { id: 1, scaleFactor: 1, bounds: area, workArea: area, workAreaSize: { width: area.width, height: area.height } };
export const screen = Object.assign(new EventEmitter(), {
  getPrimaryDisplay: () => display,
  getAllDisplays: () => [display],
  getDisplayMatching: () => display,
  getDisplayNearestPoint: () => display,
  getCursorScreenPoint: () => ({ x: 0, y: 0 }),
});

/** Tests emit `suspend` and `resume` on it. */
export const powerMonitor = Object.assign(new EventEmitter(), {
  onBatteryPower: false,
  isOnBatteryPower: () => false,
  getSystemIdleState: () => 'active',
  getSystemIdleTime: () => 0,
});

export const powerSaveBlocker = { start: () => 1, stop: () => true, isStarted: () => false };

const shortcuts = new Map<string, () => void>();
export const globalShortcut = {
  register(accelerator: string, callback: () => void): boolean {
    shortcuts.set(accelerator, callback);
    return true;
  },
  unregister(accelerator: string): void {
    shortcuts.delete(accelerator);
  },
  unregisterAll(): void {
    shortcuts.clear();
  },
  isRegistered: (accelerator: string): boolean => shortcuts.has(accelerator),
};

export const net = {
  online: true,
  isOnline: (): boolean => net.online,
  async fetch(input: string | URL | Request, options?: RequestInit): Promise<Response> {
    const url = input instanceof Request ? input.url : String(input);
    return url.startsWith('file:') ? new Response(new Uint8Array(readFileSync(new URL(url)))) : fetch(input, options);
  },
};

export const crashReporter = {
  start(): void {
    // Crashes of a test are its result already.
  },
  getParameters: () => ({}),
  addExtraParameter(): void {
    // Nothing is reported.
  },
  getUploadToServer: () => false,
  getLastCrashReport: () => null,
};

export const systemPreferences = Object.assign(new EventEmitter(), { getMediaAccessStatus: () => 'denied', isTrustedAccessibilityClient: () => false });
export const autoUpdater = new EventEmitter();
