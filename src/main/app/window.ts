/** The one place that makes a window, so that no window can be made without the secure preferences. */
import { BrowserWindow, screen } from 'electron';
import { secureWebPreferences } from './security.ts';
import { chooseBounds, minimumHeightPixels, minimumWidthPixels, readBounds, writeBounds } from './window-bounds.ts';

/** What shows for a moment before the page paints: `--canvas` of the page's style sheet. */
const backgroundColor = { light: '#f3f5f8', dark: '#10151b' } as const;

export interface MainWindowOptions {
  /** Address of the page, already known to be ours. */
  readonly url: string;
  readonly preloadFile: string;
  /** Picture for the task bar where the system takes it from the window (Linux, Windows). */
  readonly iconFile: string;
  /** File in the profile that remembers where the window was. */
  readonly boundsFile: string;
  readonly isDark: boolean;
  /** Start in the tray, as at login. */
  readonly startHidden?: boolean;
}

function rememberBounds(window: BrowserWindow, file: string): void {
  window.on('close', () => {
    // The size to come back to is the one before maximizing.
    const { x, y, width, height } = window.getNormalBounds();
    writeBounds(file, { x, y, width, height, isMaximized: window.isMaximized() });
  });
}

/** Makes the main window and starts loading the page; it shows itself when the page has painted. */
export function createMainWindow(options: MainWindowOptions): BrowserWindow {
  const { isMaximized, ...bounds } = chooseBounds(
    readBounds(options.boundsFile),
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const window = new BrowserWindow({
    ...bounds,
    minWidth: minimumWidthPixels,
    minHeight: minimumHeightPixels,
    show: false,
    title: 'Waypost',
    icon: options.iconFile,
    backgroundColor: options.isDark ? backgroundColor.dark : backgroundColor.light,
    webPreferences: secureWebPreferences(options.preloadFile),
  });
  if (isMaximized) window.maximize();
  rememberBounds(window, options.boundsFile);
  if (options.startHidden !== true) {
    window.once('ready-to-show', () => {
      window.show();
    });
  }
  window.loadURL(options.url).catch((error: unknown) => {
    // A window closed while loading rejects too; that is no failure.
    if (!window.isDestroyed()) process.stderr.write(`The window could not load its page: ${error instanceof Error ? error.message : 'unknown reason'}\n`);
  });
  return window;
}

/** Brings a window back from the tray, from minimized, or from behind others. */
export function revealWindow(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
