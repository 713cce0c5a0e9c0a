/** All windows and web contents that are open; apart from the classes, so that these can ask for each other without importing in circles. */
import type { BrowserWindow } from './browser-window.ts';
import type { WebContents } from './web-contents.ts';

export const openWindows = new Set<BrowserWindow>();
export const openContents = new Map<number, WebContents>();
