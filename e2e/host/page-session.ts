/**
 * One Chromium page under our control: made on about:blank, fitted with the two worlds' scripts, and only then navigated, so that nothing
 * of the application's page runs before the preload.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { browser } from './browser.ts';
import { isolatedWorldScript, mainWorldScript } from './injected-scripts.ts';
import type { PreloadMessage, WorldConfiguration } from './isolated-world.ts';
import { field, isRecord, numberField, textField, type Json } from './json.ts';

const isolatedWorldName = 'Electron Isolated Context';
const bindingName = '__waypostHostChannel';

export interface PageOptions {
  readonly width: number;
  readonly height: number;
  readonly preloadFile: string | undefined;
  readonly additionalArguments: readonly string[];
  readonly isDark: boolean;
}

export interface PageListener {
  /** A message of the preload; answers go to the same execution context. */
  message(message: unknown, contextId: string): void;
  event(method: string, parameters: Json): void;
}

function readPreload(file: string | undefined): string {
  if (file === undefined) return '';
  const source = readFileSync(file, 'utf8');
  if (/^\s*(?:import|export)\s/m.test(source)) process.stderr.write('A sandboxed preload must be CommonJS; this one has import or export statements.\n');
  return source;
}

export class PageSession {
  readonly targetId: string;
  readonly #sessionId: string;
  readonly #listener: PageListener;
  readonly #receiver = `__waypostReceive${randomUUID()}`;
  #frameId = '';
  #windowId = 0;
  /** The preload's world in the current document: DevTools names it by two ids. */
  #isolated: { readonly uniqueId: string; readonly id: number } | undefined;

  private constructor(targetId: string, sessionId: string, listener: PageListener) {
    this.targetId = targetId;
    this.#sessionId = sessionId;
    this.#listener = listener;
  }

  static async open(options: PageOptions, listener: PageListener): Promise<PageSession> {
    const { width, height } = options;
    const targetId = textField(await browser.send('Target.createTarget', { url: 'about:blank', newWindow: true, width, height }), 'targetId');
    const sessionId = textField(await browser.send('Target.attachToTarget', { targetId, flatten: true }), 'sessionId');
    const page = new PageSession(targetId, sessionId, listener);
    browser.listen(sessionId, (method, parameters) => {
      page.#onEvent(method, parameters);
    });
    await page.#prepare(options);
    return page;
  }

  get mainFrameId(): string {
    return this.#frameId;
  }

  send(method: string, parameters: Json = {}): Promise<Json> {
    return browser.send(method, parameters, this.#sessionId);
  }

  /** Sends to the preload's world; a message for a document that is gone is dropped, as in Electron. */
  post(message: PreloadMessage, contextId: string | undefined = this.#isolated?.uniqueId): void {
    if (contextId === undefined) return;
    const expression = `globalThis[${JSON.stringify(this.#receiver)}](${JSON.stringify(message)})`;
    this.send('Runtime.evaluate', { uniqueContextId: contextId, expression }).catch(() => undefined);
  }

  /** Tells the preload's world where on the disk a file lies that the page was given; empty when it is nowhere. */
  async answerFilePath(id: number, contextId: string): Promise<void> {
    let path = '';
    try {
      const file = await this.send('Runtime.evaluate', { uniqueContextId: contextId, expression: `globalThis[${JSON.stringify(this.#receiver)}].fileOf(${String(id)})` });
      const objectId = textField(file, 'result', 'objectId');
      path = textField(await this.send('DOM.getFileInfo', { objectId }), 'path');
      await this.send('Runtime.releaseObject', { objectId });
    } catch {
      // Made by the page: it has its bytes and no path.
    }
    this.post({ type: 'file-path', id, path }, contextId);
  }

  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    const problem = field(answer, 'exceptionDetails');
    if (problem !== undefined) throw new Error(textField(problem, 'exception', 'description') || textField(problem, 'text'));
    return field(answer, 'result', 'value');
  }

  async applyTheme(isDark: boolean): Promise<void> {
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }] });
  }

  /** Sets the size of the page. Headless Chromium draws a browser frame inside the window, so the window is made larger by that. */
  async resize(width: number, height: number): Promise<void> {
    const bounds = field(await browser.send('Browser.getWindowForTarget', { targetId: this.targetId }), 'bounds');
    const inner = Number(await this.evaluate('innerHeight'));
    const frameHeight = Math.max(0, numberField(bounds, 'height') - inner);
    await browser.send('Browser.setWindowBounds', { windowId: this.#windowId, bounds: { width, height: height + frameHeight } });
  }

  async #prepare(options: PageOptions): Promise<void> {
    const secret = randomUUID();
    const configuration: WorldConfiguration = {
      toMainWorld: `main${secret}`,
      toIsolatedWorld: `isolated${secret}`,
      binding: bindingName,
      receiver: this.#receiver,
      preloadFile: options.preloadFile ?? '',
      platform: process.platform,
      arch: process.arch,
      versions: { ...process.versions },
      argv: options.additionalArguments,
    };
    const [tree] = await Promise.all([
      this.send('Page.getFrameTree'),
      this.send('Page.enable'),
      this.send('Runtime.enable'),
      this.send('Inspector.enable'),
      this.send('Page.setLifecycleEventsEnabled', { enabled: true }),
      // Only the isolated world gets the channel to the host.
      this.send('Runtime.addBinding', { name: bindingName, executionContextName: isolatedWorldName }),
      this.send('Page.addScriptToEvaluateOnNewDocument', { source: isolatedWorldScript(configuration, readPreload(options.preloadFile)), worldName: isolatedWorldName }),
      this.send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorldScript(configuration) }),
      this.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] }),
      this.applyTheme(options.isDark),
    ]);
    this.#frameId = textField(tree, 'frameTree', 'frame', 'id');
    this.#windowId = numberField(await browser.send('Browser.getWindowForTarget', { targetId: this.targetId }), 'windowId');
    await this.resize(options.width, options.height);
  }

  #onEvent(method: string, parameters: Json): void {
    switch (method) {
      case 'Runtime.executionContextCreated': {
        const context = field(parameters, 'context');
        if (textField(context, 'name') === isolatedWorldName && textField(context, 'auxData', 'frameId') === this.#frameId) {
          this.#isolated = { uniqueId: textField(context, 'uniqueId'), id: numberField(context, 'id') };
        }
        break;
      }
      case 'Runtime.executionContextDestroyed':
        if (textField(parameters, 'executionContextUniqueId') === this.#isolated?.uniqueId) this.#isolated = undefined;
        break;
      case 'Runtime.bindingCalled': {
        const isOurs = textField(parameters, 'name') === bindingName && numberField(parameters, 'executionContextId') === this.#isolated?.id;
        const message: unknown = isOurs ? JSON.parse(textField(parameters, 'payload')) : undefined;
        if (isRecord(message) && this.#isolated !== undefined) this.#listener.message(message, this.#isolated.uniqueId);
        break;
      }
      default:
        this.#listener.event(method, parameters);
    }
  }
}
