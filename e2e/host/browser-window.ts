/** `BrowserWindow`: the window around web contents. Showing, minimizing and the like are remembered, since headless windows have no looks. */
import { EventEmitter } from 'node:events';
import { app } from './app.ts';
import { browser } from './browser.ts';
import { preventableEvent } from './preventable-event.ts';
import { openWindows } from './registry.ts';
import { WebContents } from './web-contents.ts';

interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface BrowserWindowOptions extends Partial<Bounds> {
  readonly show?: boolean;
  readonly title?: string;
  readonly webPreferences?: { readonly preload?: string; readonly additionalArguments?: readonly string[] };
}

export class BrowserWindow extends EventEmitter {
  readonly id: number;
  readonly webContents: WebContents;
  readonly #bounds: Bounds;
  #title: string;
  #isShown: boolean;
  #isMinimized = false;
  #isMaximized = false;
  #isFullScreen = false;

  constructor(options: BrowserWindowOptions = {}) {
    super();
    const { x = 0, y = 0, width = 800, height = 600, webPreferences = {} } = options;
    this.#bounds = { x, y, width, height };
    this.#title = options.title ?? app.name;
    this.#isShown = options.show !== false;
    openWindows.add(this);
    this.webContents = new WebContents(this, { width, height, preloadFile: webPreferences.preload, additionalArguments: webPreferences.additionalArguments ?? [] });
    this.id = this.webContents.id;
    app.emit('web-contents-created', preventableEvent({}), this.webContents);
    app.emit('browser-window-created', preventableEvent({}), this);
  }

  static getAllWindows(): readonly BrowserWindow[] {
    return [...openWindows];
  }
  static getFocusedWindow(): BrowserWindow | null {
    return [...openWindows].findLast((window) => window.isVisible()) ?? null;
  }
  static fromWebContents(contents: WebContents | undefined): BrowserWindow | null {
    return contents?.hostWindow ?? null;
  }
  static fromId(id: number): BrowserWindow | null {
    return [...openWindows].find((window) => window.id === id) ?? null;
  }

  loadURL(url: string): Promise<void> {
    return this.webContents.loadURL(url);
  }
  loadFile(file: string, options?: { readonly hash?: string; readonly query?: Readonly<Record<string, string>> }): Promise<void> {
    return this.webContents.loadFile(file, options);
  }
  reload(): void {
    this.webContents.reload();
  }

  show(): void {
    const wasShown = this.isVisible();
    this.#isShown = true;
    this.#isMinimized = false;
    if (!wasShown) this.emit('show');
    this.focus();
  }
  showInactive(): void {
    this.#isShown = true;
    this.emit('show');
  }
  hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.emit('hide');
    this.emit('blur');
  }
  focus(): void {
    this.emit('focus');
    app.emit('browser-window-focus', preventableEvent({}), this);
  }
  blur(): void {
    this.emit('blur');
    app.emit('browser-window-blur', preventableEvent({}), this);
  }
  minimize(): void {
    this.#isMinimized = true;
    this.emit('minimize');
  }
  restore(): void {
    this.#isMinimized = false;
    this.emit('restore');
  }
  maximize(): void {
    this.#isMaximized = true;
    this.emit('maximize');
  }
  unmaximize(): void {
    this.#isMaximized = false;
    this.emit('unmaximize');
  }
  setFullScreen(isFullScreen: boolean): void {
    this.#isFullScreen = isFullScreen;
    this.emit(isFullScreen ? 'enter-full-screen' : 'leave-full-screen');
  }
  isVisible(): boolean {
    return this.#isShown && !this.#isMinimized;
  }
  isFocused(): boolean {
    return this.isVisible() && BrowserWindow.getFocusedWindow() === this;
  }
  isMinimized(): boolean {
    return this.#isMinimized;
  }
  isMaximized(): boolean {
    return this.#isMaximized;
  }
  isFullScreen(): boolean {
    return this.#isFullScreen;
  }
  isDestroyed(): boolean {
    return this.webContents.isDestroyed();
  }

  getBounds(): Bounds {
    return { ...this.#bounds };
  }
  getNormalBounds(): Bounds {
    return this.getBounds();
  }
  getContentBounds(): Bounds {
    return this.getBounds();
  }
  setBounds(bounds: Partial<Bounds>): void {
    Object.assign(this.#bounds, bounds);
    this.webContents.resize(this.#bounds.width, this.#bounds.height);
    this.emit('resize');
    this.emit('move');
  }
  getSize(): readonly [width: number, height: number] {
    return [this.#bounds.width, this.#bounds.height];
  }
  setSize(width: number, height: number): void {
    this.setBounds({ width, height });
  }
  setContentSize(width: number, height: number): void {
    this.setBounds({ width, height });
  }
  getTitle(): string {
    return this.#title;
  }
  setTitle(title: string): void {
    this.#title = title;
  }

  close(): void {
    if (this.agreesToClose()) void this.leave();
  }
  /** Asks those who listen; each may object. */
  agreesToClose(): boolean {
    if (this.isDestroyed()) return true;
    const event = preventableEvent({});
    this.emit('close', event);
    return !event.defaultPrevented;
  }
  /** As in Electron the page hears that it is left, and whatever it has said until then arrives before the window is gone. */
  async leave(): Promise<void> {
    await this.webContents.leavePage();
    this.destroy();
  }
  destroy(): void {
    if (this.isDestroyed()) return;
    const { targetId } = this.webContents;
    this.onTargetGone();
    if (targetId !== undefined) browser.send('Target.closeTarget', { targetId }).catch(() => undefined);
  }
  /** The page has ended, by our hand or its own. */
  onTargetGone(): void {
    if (this.isDestroyed()) return;
    openWindows.delete(this);
    this.webContents.markDestroyed();
    this.emit('closed');
    app.onWindowClosed();
  }

  // What follows changes looks that headless windows do not have.
  setMenu(): void { /* no menu bar */ }
  removeMenu(): void { /* no menu bar */ }
  setMenuBarVisibility(): void { /* no menu bar */ }
  setAutoHideMenuBar(): void { /* no menu bar */ }
  setIcon(): void { /* no icon */ }
  setProgressBar(): void { /* no task bar */ }
  setOverlayIcon(): void { /* no task bar */ }
  flashFrame(): void { /* no task bar */ }
  setSkipTaskbar(): void { /* no task bar */ }
  setAlwaysOnTop(): void { /* no other windows */ }
  setBackgroundColor(): void { /* the page paints */ }
  setTitleBarOverlay(): void { /* no title bar */ }
  setMinimumSize(): void { /* nobody drags the edges */ }
  setContentProtection(): void { /* nobody else takes screenshots */ }
  center(): void { /* no place */ }
  moveTop(): void { /* no other windows */ }
}

browser.onTargetDestroyed((targetId) => {
  for (const window of openWindows) if (window.webContents.targetId === targetId) window.onTargetGone();
});
