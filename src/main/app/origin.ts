/**
 * Which addresses belong to the application. Pure, so that the rules can be tested without a window: the bundle under `app://bundle/`,
 * and, in development only, the Vite server named by electron-vite.
 */

export const appScheme = 'app';
export const appHost = 'bundle';
/** What `senderFrame.origin` and `new URL(...)` give for our pages, spelled once. */
export const appOrigin = `${appScheme}://${appHost}`;
export const appEntryUrl = `${appOrigin}/index.html`;

/** The development server, whose address electron-vite hands over; a packaged build never listens to it. */
export interface DevelopmentServer {
  /** For example `http://localhost:5173`. */
  readonly origin: string;
  readonly host: string;
}

/** Parses electron-vite's variable; only a loopback address counts, so that the variable cannot point the window at a stranger. */
export function parseDevelopmentServer(value: string | undefined, isPackaged: boolean): DevelopmentServer | undefined {
  if (value === undefined || isPackaged) return undefined;
  const url = URL.parse(value);
  if (url?.protocol !== 'http:') return undefined;
  const loopback = url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]';
  return loopback ? { origin: url.origin, host: url.host } : undefined;
}

/** Whether an address is a page or file of the application. Compares parsed parts, never prefixes. */
export function isAppUrl(text: string, server?: DevelopmentServer): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  if (url.protocol === `${appScheme}:`) return url.host === appHost && url.username === '' && url.password === '';
  return server !== undefined && url.origin === server.origin;
}

/**
 * Whether a request of a page may leave it: the application's own files, and what the page already holds in memory. The development
 * server also needs its WebSocket, and the developer tools their own pages.
 */
export function isAllowedRequest(text: string, server?: DevelopmentServer): boolean {
  if (isAppUrl(text, server)) return true;
  const url = URL.parse(text);
  if (url === null) return false;
  if (url.protocol === 'data:') return true;
  if (url.protocol === 'blob:') return isAppUrl(url.pathname, server);
  if (server === undefined) return false;
  return url.protocol === 'devtools:' || (url.protocol === 'ws:' && url.host === server.host);
}

/** Pages may write plain text to the clipboard after a click; everything else a page can ask for is refused. */
export function isAllowedPermission(permission: string): boolean {
  return permission === 'clipboard-sanitized-write';
}
