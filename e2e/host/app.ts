/** `app`: the life of the application from its first line to its exit. */
import { EventEmitter } from 'node:events';
import { standardPath } from './app-paths.ts';
import { switchValue } from './argv.ts';
import { browser } from './browser.ts';
import { applicationName, hostContext } from './context.ts';
import { textField } from './json.ts';
import { preventableEvent } from './preventable-event.ts';
import { closeSchemeRegistration } from './protocol.ts';
import { openWindows } from './registry.ts';
import { claimProfile, releaseProfile } from './single-instance.ts';

/** Time for the last message to Chromium, which ends with the pipe in any case. */
const exitGraceMs = 50;

class CommandLine {
  readonly appended: string[] = [];

  appendSwitch(name: string, value?: string): void {
    // After its start Chromium cannot take switches any more; Electron ignores them too.
    if (!browser.isStarting) this.appended.push(value === undefined || value === '' ? `--${name}` : `--${name}=${value}`);
  }
  appendArgument(value: string): void {
    if (!browser.isStarting) this.appended.push(value);
  }
  hasSwitch(name: string): boolean {
    return switchValue(process.argv, name) !== undefined;
  }
  getSwitchValue(name: string): string {
    return switchValue(process.argv, name) ?? '';
  }
  removeSwitch(name: string): void {
    const index = this.appended.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
    if (index >= 0) this.appended.splice(index, 1);
  }
}

class App extends EventEmitter {
  readonly commandLine = new CommandLine();
  readonly isPackaged = false;
  /** Exists on macOS only. */
  readonly dock = undefined;
  name = applicationName(hostContext().manifest);
  accessibilitySupportEnabled = false;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #paths = new Map<string, string>();
  readonly #protocolClients = new Set<string>();
  #loginItem: object = { openAtLogin: false };
  #isReady = false;
  #isQuitting = false;
  #badgeCount = 0;

  whenReady(): Promise<undefined> {
    return this.#ready.promise;
  }
  isReady(): boolean {
    return this.#isReady;
  }
  getVersion(): string {
    return textField(hostContext().manifest, 'version') || '0.0.0';
  }
  getName(): string {
    return this.name;
  }
  setName(name: string): void {
    this.name = name;
  }
  getAppPath(): string {
    return hostContext().root;
  }
  getLocale(): string {
    return 'en-US';
  }
  getSystemLocale(): string {
    return 'en-US';
  }
  getPreferredSystemLanguages(): readonly string[] {
    return ['en-US'];
  }
  getPath(name: string): string {
    return this.#paths.get(name) ?? standardPath(name);
  }
  setPath(name: string, value: string): void {
    this.#paths.set(name, value);
  }
  setAppUserModelId(): void {
    // Windows only.
  }
  setAsDefaultProtocolClient(scheme: string): boolean {
    this.#protocolClients.add(scheme);
    return true;
  }
  removeAsDefaultProtocolClient(scheme: string): boolean {
    return this.#protocolClients.delete(scheme);
  }
  isDefaultProtocolClient(scheme: string): boolean {
    return this.#protocolClients.has(scheme);
  }
  getLoginItemSettings(): object {
    return this.#loginItem;
  }
  setLoginItemSettings(settings: object): void {
    this.#loginItem = { ...settings };
  }
  setBadgeCount(count: number): boolean {
    this.#badgeCount = count;
    return true;
  }
  getBadgeCount(): number {
    return this.#badgeCount;
  }
  enableSandbox(): void {
    // Chromium's renderers are sandboxed wherever its sandbox works.
  }
  disableHardwareAcceleration(): void {
    // Headless Chromium draws without.
  }
  focus(): void {
    this.emit('activate', preventableEvent({}), openWindows.size > 0);
  }
  hide(): void {
    // macOS only.
  }
  show(): void {
    // macOS only.
  }
  relaunch(): void {
    // A test starts the next instance itself.
  }

  requestSingleInstanceLock(additionalData?: unknown): boolean {
    const start = { argv: process.argv, workingDirectory: process.cwd(), additionalData };
    return claimProfile(this.getPath('userData'), start, (later) => {
      this.emit('second-instance', preventableEvent({}), later.argv, later.workingDirectory, later.additionalData);
    });
  }
  releaseSingleInstanceLock(): void {
    releaseProfile(this.getPath('userData'));
  }

  /** Asks the application and every window first; each may refuse. */
  quit(): void {
    if (this.#isQuitting) return;
    this.#isQuitting = true;
    if (this.#isVetoed('before-quit') || ![...openWindows].every((window) => window.agreesToClose())) this.#isQuitting = false;
    else void this.#leaveWindows();
  }

  async #leaveWindows(): Promise<void> {
    await Promise.all([...openWindows].map((window) => window.leave()));
    if (this.#isVetoed('will-quit')) this.#isQuitting = false;
    else this.exit(0);
  }

  exit(code = 0): void {
    this.#isQuitting = true;
    this.emit('quit', preventableEvent({}), code);
    browser.send('Browser.close').catch(() => undefined);
    setTimeout(() => process.exit(code), exitGraceMs);
  }

  /** Called when a window has gone. */
  onWindowClosed(): void {
    if (openWindows.size > 0 || this.#isQuitting) return;
    if (this.listenerCount('window-all-closed') > 0) this.emit('window-all-closed');
    else this.quit();
  }

  /** Starts Chromium; runs while the application's main file is being loaded. */
  async startBrowser(): Promise<void> {
    await browser.start(this.getPath('userData'), this.commandLine.appended, () => {
      if (!this.#isQuitting) this.exit(1);
    });
  }

  becomeReady(): void {
    closeSchemeRegistration();
    this.#isReady = true;
    this.#ready.resolve(undefined);
    this.emit('ready', preventableEvent({}), {});
  }

  #isVetoed(eventName: string): boolean {
    const event = preventableEvent({});
    this.emit(eventName, event);
    return event.defaultPrevented;
  }
}

export const app = new App();

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    app.quit();
  });
}
