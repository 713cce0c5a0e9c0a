/** `WebContents`: loading, messages with the preload, and the events around navigation. */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { browser } from './browser.ts';
import type { BrowserWindow } from './browser-window.ts';
import { makeCodec } from './codec.ts';
import { hostContext } from './context.ts';
import { ipcMain } from './ipc-main.ts';
import { errorText, field, listField, numberField, textField, type Json } from './json.ts';
import { nativeImage, type NativeImage } from './native-image.ts';
import { nativeTheme } from './native-theme.ts';
import { PageSession } from './page-session.ts';
import { preventableEvent } from './preventable-event.ts';
import { servedSchemes } from './protocol.ts';
import { openContents } from './registry.ts';
import { answerRequest } from './request-interception.ts';
import { defaultSession } from './session.ts';
import { toAppUrl, toBrowserUrl } from './url-mapping.ts';

/** Electron's permission names and what DevTools calls them. */
const browserPermissions = { geolocation: 'geolocation', notifications: 'notifications', media: 'camera', 'clipboard-read': 'clipboard-read', midi: 'midi' } as const;

export interface WebContentsOptions {
  readonly width: number;
  readonly height: number;
  readonly preloadFile: string | undefined;
  readonly additionalArguments: readonly string[];
}

type OpenHandler = (details: Json) => { readonly action: 'allow' | 'deny' };

const codec = makeCodec();
let nextId = 1;

/** A page that hangs must not keep the application from ending. */
const leaveTimeoutMs = 1000;

export class WebContents extends EventEmitter {
  readonly id = nextId++;
  readonly session = defaultSession;
  readonly hostWindow: BrowserWindow;
  readonly #options: WebContentsOptions;
  readonly #opening: Promise<PageSession>;
  #page: PageSession | undefined;
  #url = '';
  #requestedUrl = '';
  #hasPainted = false;
  #isDestroyed = false;
  #openHandler: OpenHandler = () => ({ action: 'allow' });

  constructor(hostWindow: BrowserWindow, options: WebContentsOptions) {
    super();
    this.hostWindow = hostWindow;
    this.#options = options;
    openContents.set(this.id, this);
    this.#opening = this.#open();
    this.#opening.catch((error: unknown) => {
      if (!this.#isDestroyed) process.stderr.write(`A window could not be opened: ${errorText(error)}\n`);
    });
  }

  get targetId(): string | undefined {
    return this.#page?.targetId;
  }

  get mainFrame(): Json {
    const url = URL.parse(this.#url);
    const origin = url === null ? '' : url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin;
    return { url: this.#url, origin, parent: null, top: null, processId: 1, routingId: 1, frameTreeNodeId: this.id, send: this.send.bind(this) };
  }

  getURL(): string {
    return this.#url;
  }
  getTitle(): string {
    return this.hostWindow.getTitle();
  }
  isDestroyed(): boolean {
    return this.#isDestroyed;
  }
  isLoading(): boolean {
    return false;
  }
  setWindowOpenHandler(handler: OpenHandler): void {
    this.#openHandler = handler;
  }
  getOSProcessId(): number {
    return browser.processId;
  }
  openDevTools(): void {
    // DevTools are reached through the debugging port.
  }
  closeDevTools(): void {
    // Never opened.
  }
  isDevToolsOpened(): boolean {
    return false;
  }
  setZoomFactor(): void {
    // Zoom is not imitated.
  }
  setBackgroundThrottling(): void {
    // Headless pages are never in the background.
  }
  focus(): void {
    this.hostWindow.focus();
  }
  close(): void {
    this.hostWindow.close();
  }

  /** Resolves when the page has loaded; rejects when its main document could not be. */
  async loadURL(url: string): Promise<void> {
    const page = await this.#opening;
    this.#requestedUrl = new URL(url).href;
    const { promise: loaded, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => {
      resolve(undefined);
    };
    this.once('did-finish-load', done);
    this.once('destroyed', done);
    const failure = textField(await page.send('Page.navigate', { url: toBrowserUrl(url, servedSchemes) }), 'errorText');
    if (failure !== '') {
      const name = failure.replace('net::', '');
      this.emit('did-fail-load', preventableEvent({}), -2, name, url, true);
      throw new Error(`${name} (-2) loading '${url}'`);
    }
    await loaded;
  }

  loadFile(file: string, options: { readonly hash?: string; readonly query?: Readonly<Record<string, string>> } = {}): Promise<void> {
    const url = pathToFileURL(path.resolve(hostContext().root, file));
    if (options.hash !== undefined) url.hash = options.hash;
    for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
    return this.loadURL(url.href);
  }

  reload(): void {
    this.#requestedUrl = this.#url;
    this.#page?.send('Page.reload').catch(() => undefined);
  }

  send(channel: string, ...values: readonly unknown[]): void {
    if (this.#isDestroyed) throw new TypeError('Object has been destroyed');
    this.#page?.post({ type: 'event', channel, values: codec.encode(values) });
  }

  async executeJavaScript(code: string): Promise<unknown> {
    return (await this.#opening).evaluate(code);
  }

  async capturePage(): Promise<NativeImage> {
    const shot = await (await this.#opening).send('Page.captureScreenshot', { format: 'png' });
    return nativeImage.createFromBuffer(Buffer.from(textField(shot, 'data'), 'base64'));
  }

  applyTheme(isDark: boolean): void {
    this.#page?.applyTheme(isDark).catch(() => undefined);
  }

  resize(width: number, height: number): void {
    this.#opening.then((page) => page.resize(width, height)).catch(() => undefined);
  }

  /** Tells the page that it is left. Resolves when all that it has said until then is here, which comes in order; sooner if it does not answer. */
  async leavePage(): Promise<void> {
    const page = this.#page;
    if (page === undefined || this.#isDestroyed) return;
    const left = page.evaluate('void dispatchEvent(new PageTransitionEvent("pagehide"))').catch(() => undefined);
    await Promise.race([left, delay(leaveTimeoutMs, undefined, { ref: false })]);
  }

  /** The target is gone, or is about to be: nothing is sent to it from here on. */
  markDestroyed(): void {
    this.#isDestroyed = true;
    openContents.delete(this.id);
    this.emit('destroyed');
  }

  async #open(): Promise<PageSession> {
    const page = await PageSession.open(
      { ...this.#options, isDark: nativeTheme.shouldUseDarkColors },
      {
        message: (message, contextId) => {
          this.#onMessage(message, contextId);
        },
        event: (method, parameters) => {
          this.#onEvent(method, parameters);
        },
      },
    );
    this.#page = page;
    await this.#applyPermissions();
    return page;
  }

  /** Chromium cannot ask us while a page waits, so every permission is decided once, before the page loads. */
  async #applyPermissions(): Promise<void> {
    for (const [permission, name] of Object.entries(browserPermissions)) {
      const isGranted = await defaultSession.isPermitted(this, permission, this.#url);
      await browser.send('Browser.setPermission', { permission: { name }, setting: isGranted ? 'granted' : 'denied' }).catch(() => undefined);
    }
  }

  #onEvent(method: string, parameters: Json): void {
    switch (method) {
      case 'Page.frameNavigated':
        if (textField(parameters, 'frame', 'parentId') === '') {
          this.#url = toAppUrl(textField(parameters, 'frame', 'url'), servedSchemes);
          this.emit('did-navigate', preventableEvent({}), this.#url);
        }
        break;
      case 'Page.domContentEventFired':
        this.emit('dom-ready', preventableEvent({}));
        break;
      case 'Page.loadEventFired':
        if (this.#url !== '' && this.#url !== 'about:blank') this.emit('did-finish-load');
        break;
      case 'Page.lifecycleEvent':
        this.#onPaint(parameters);
        break;
      case 'Inspector.targetCrashed':
        this.emit('render-process-gone', preventableEvent({}), { reason: 'crashed', exitCode: 1 });
        break;
      case 'Fetch.requestPaused':
        this.#onRequest(parameters);
        break;
      case 'Runtime.consoleAPICalled':
        this.#onConsole(parameters);
        break;
    }
  }

  /** Electron tells the window once, at the first paint of its first page; a blank page paints nothing but is ready when loaded. */
  #onPaint(parameters: Json): void {
    const name = textField(parameters, 'name');
    const isPaint = name === 'firstContentfulPaint' || name === 'networkAlmostIdle';
    if (!isPaint || this.#hasPainted || this.#url === '' || this.#url === 'about:blank') return;
    this.#hasPainted = true;
    this.hostWindow.emit('ready-to-show');
  }

  #onConsole(parameters: Json): void {
    const words = listField(parameters, 'args').map((argument) => field(argument, 'value') ?? textField(argument, 'description'));
    this.emit('console-message', { level: textField(parameters, 'type'), message: words.map(String).join(' '), lineNumber: numberField(parameters, 'stackTrace', 'lineNumber') });
  }

  #onRequest(paused: Json): void {
    const page = this.#page;
    const send = (method: string, parameters: Json): Promise<Json> => page?.send(method, parameters) ?? Promise.resolve({});
    answerRequest(
      {
        mainFrameId: page?.mainFrameId ?? '',
        isExpected: (url) => url === this.#requestedUrl || url === this.#url,
        isNavigationVetoed: (url) => this.#isNavigationVetoed(url),
        send,
      },
      paused,
    ).catch((error: unknown) => {
      if (this.#isDestroyed) return undefined;
      process.stderr.write(`A request could not be answered: ${errorText(error)}\n`);
      return send('Fetch.failRequest', { requestId: textField(paused, 'requestId'), errorReason: 'Failed' }).catch(() => undefined);
    });
  }

  #isNavigationVetoed(url: string): boolean {
    return ['will-navigate', 'will-frame-navigate'].some((name) => {
      const event = preventableEvent({ url, isMainFrame: true });
      this.emit(name, event, url);
      return event.defaultPrevented;
    });
  }

  #onMessage(message: unknown, contextId: string): void {
    const channel = textField(message, 'channel');
    const event = { sender: this, senderFrame: this.mainFrame, frameId: 1, processId: 1, type: 'frame', reply: this.send.bind(this) };
    switch (textField(message, 'type')) {
      case 'send':
        ipcMain.emit(channel, event, ...listOf(codec.decode(field(message, 'values'))));
        break;
      case 'invoke':
        void this.#onInvoke(numberField(message, 'id'), channel, event, field(message, 'values'), contextId);
        break;
      case 'open':
        this.#onOpen(textField(message, 'url'), textField(message, 'name'));
        break;
      case 'file-path':
        void this.#page?.answerFilePath(numberField(message, 'id'), contextId);
        break;
      case 'preload-error':
        this.emit('preload-error', preventableEvent({}), this.#options.preloadFile, new Error(textField(message, 'message')));
        break;
    }
  }

  async #onInvoke(id: number, channel: string, event: object, values: unknown, contextId: string): Promise<void> {
    try {
      const handler = ipcMain.handlerOf(channel);
      if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
      const result = await handler(event, ...listOf(codec.decode(values)));
      this.#page?.post({ type: 'result', id, value: codec.encode(result) }, contextId);
    } catch (error) {
      process.stderr.write(`Error occurred in handler for '${channel}': ${String(error)}\n`);
      this.#page?.post({ type: 'result', id, error: String(error) }, contextId);
    }
  }

  #onOpen(browserUrl: string, frameName: string): void {
    const url = toAppUrl(browserUrl, servedSchemes);
    const answer = this.#openHandler({ url, frameName, features: '', disposition: 'foreground-tab', referrer: { url: '', policy: 'strict-origin-when-cross-origin' } });
    if (answer.action === 'allow') process.stderr.write(`The stand-in host opens no further windows: ${url}\n`);
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export const webContents = {
  getAllWebContents: () => [...openContents.values()],
  fromId: (id: number) => openContents.get(id),
  getFocusedWebContents: () => [...openContents.values()].at(-1) ?? null,
  fromDevToolsTargetId: (targetId: string) => [...openContents.values()].find((contents) => contents.targetId === targetId),
};
