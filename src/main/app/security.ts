/**
 * Default deny for everything a page can do beyond showing itself: navigating, opening windows, embedding, asking for permissions and
 * loading from the network. Each rule is applied to all web contents, whoever made them; exceptions are the pure functions of origin.ts.
 */
import { app, type Session, type WebContents, type WebPreferences } from 'electron';
import { isAllowedPermission, isAllowedRequest, isAppUrl, type DevelopmentServer } from './origin.ts';

/** The preferences of every window. Written out although several are defaults, so that a change of a default cannot weaken us. */
export function secureWebPreferences(preloadFile: string): WebPreferences {
  return {
    preload: preloadFile,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    spellcheck: false,
  };
}

function confine(contents: WebContents, server: DevelopmentServer | undefined): void {
  // Only the development server navigates by itself, when it reloads its own page.
  const isReload = (url: string): boolean => server !== undefined && isAppUrl(url, server);
  contents.on('will-navigate', (details) => {
    if (!isReload(details.url)) details.preventDefault();
  });
  contents.on('will-redirect', (details) => {
    details.preventDefault();
  });
  contents.on('will-frame-navigate', (details) => {
    if (!isReload(details.url)) details.preventDefault();
  });
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
  });
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

/** Confines all pages; must be called before the application is ready, so that no page escapes it. */
export function confineAllContents(server: DevelopmentServer | undefined): void {
  app.enableSandbox();
  app.on('web-contents-created', (_event, contents) => {
    confine(contents, server);
  });
}

/** Refuses permissions, devices and every request that is not for the application's own files. */
export function confineSession(session: Session, server: DevelopmentServer | undefined): void {
  session.setPermissionRequestHandler((_contents, permission, callback) => {
    callback(isAllowedPermission(permission));
  });
  session.setPermissionCheckHandler((_contents, permission) => isAllowedPermission(permission));
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, callback) => {
    callback({ cancel: !isAllowedRequest(details.url, server) });
  });
}
