import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';

const electron = vi.hoisted((): { app: unknown } => ({ app: undefined }));
vi.mock('electron', () => ({
  get app() {
    return electron.app;
  },
}));

const { confineAllContents, confineSession, secureWebPreferences } = await import('./security.ts');

class FakeApplication extends EventEmitter {
  isSandboxed = false;
  enableSandbox(): void {
    this.isSandboxed = true;
  }
}

class FakeContents extends EventEmitter {
  openHandler: (() => { readonly action: string }) | undefined;
  setWindowOpenHandler(handler: () => { readonly action: string }): void {
    this.openHandler = handler;
  }
  /** Whether a listener objected to the event. */
  isVetoed(name: string, url: string): boolean {
    const preventDefault = vi.fn();
    this.emit(name, { url, preventDefault });
    return preventDefault.mock.calls.length > 0;
  }
}

function confinedContents(server?: Parameters<typeof confineAllContents>[0]): { readonly application: FakeApplication; readonly contents: FakeContents } {
  const application = new FakeApplication();
  electron.app = application;
  confineAllContents(server);
  const contents = new FakeContents();
  application.emit('web-contents-created', {}, contents);
  return { application, contents };
}

describe('confining pages', () => {
  beforeEach(() => {
    electron.app = undefined;
  });

  it('states every preference that keeps a page away from Node', () => {
    expect(secureWebPreferences('/preload.cjs')).toEqual({
      preload: '/preload.cjs', sandbox: true, contextIsolation: true, nodeIntegration: false, nodeIntegrationInWorker: false, nodeIntegrationInSubFrames: false,
      webSecurity: true, allowRunningInsecureContent: false, experimentalFeatures: false, webviewTag: false, navigateOnDragDrop: false, safeDialogs: true, spellcheck: false,
    });
  });

  it('refuses every navigation, redirect, embedded view and window, in all contents', () => {
    const { application, contents } = confinedContents();
    expect(application.isSandboxed).toBe(true);
    for (const name of ['will-navigate', 'will-redirect', 'will-frame-navigate', 'will-attach-webview']) {
      expect(contents.isVetoed(name, 'https://example.com/')).toBe(true);
      expect(contents.isVetoed(name, 'app://bundle/index.html')).toBe(true);
    }
    expect(contents.openHandler?.()).toEqual({ action: 'deny' });
  });

  it('lets only the development server reload its own page', () => {
    const { contents } = confinedContents({ origin: 'http://localhost:5173', host: 'localhost:5173' });
    expect(contents.isVetoed('will-navigate', 'http://localhost:5173/')).toBe(false);
    expect(contents.isVetoed('will-navigate', 'http://localhost:5174/')).toBe(true);
    expect(contents.isVetoed('will-redirect', 'http://localhost:5173/')).toBe(true);
  });

  it('refuses permissions, devices and requests to anywhere else', () => {
    const session = {
      setPermissionRequestHandler: vi.fn<(handler: (contents: null, permission: string, callback: (isGranted: boolean) => void) => void) => void>(),
      setPermissionCheckHandler: vi.fn<(handler: (contents: null, permission: string) => boolean) => void>(),
      setDevicePermissionHandler: vi.fn<(handler: () => boolean) => void>(),
      webRequest: { onBeforeRequest: vi.fn<(listener: (details: { url: string }, callback: (answer: { cancel: boolean }) => void) => void) => void>() },
    };
    confineSession(session as unknown as Parameters<typeof confineSession>[0], undefined);
    const answer = vi.fn();
    session.setPermissionRequestHandler.mock.calls[0]?.[0](null, 'media', answer);
    session.webRequest.onBeforeRequest.mock.calls[0]?.[0]({ url: 'https://example.com/' }, answer);
    session.webRequest.onBeforeRequest.mock.calls[0]?.[0]({ url: 'app://bundle/a.js' }, answer);
    expect(answer.mock.calls).toEqual([[false], [{ cancel: true }], [{ cancel: false }]]);
    expect(session.setPermissionCheckHandler.mock.calls[0]?.[0](null, 'geolocation')).toBe(false);
    expect(session.setDevicePermissionHandler.mock.calls[0]?.[0]()).toBe(false);
  });
});
