/** The one Chromium behind the host, and who is interested in what happens to its targets. */
import { freshBrowserProfile } from './browser-profile.ts';
import { CdpConnection, type CdpListener } from './cdp.ts';
import { startChromium } from './chromium-process.ts';
import { hostContext } from './context.ts';
import { textField, type Json } from './json.ts';

type TargetListener = (targetId: string) => void;

class Browser {
  #connection: CdpConnection | undefined;
  #processId: number | undefined;
  #onTargetDestroyed: TargetListener = () => undefined;

  /** Whether switches for Chromium come too late. */
  isStarting = false;

  get processId(): number {
    return this.#processId ?? 0;
  }

  onTargetDestroyed(listener: TargetListener): void {
    this.#onTargetDestroyed = listener;
  }

  async start(userDataDirectory: string, extraSwitches: readonly string[], onEnded: () => void): Promise<void> {
    this.isStarting = true;
    const { debuggingPort, isHeaded } = hostContext();
    const chromium = await startChromium({
      profileDirectory: freshBrowserProfile(userDataDirectory),
      debuggingPort,
      isHeaded,
      isRoot: process.getuid?.() === 0,
      extraSwitches,
    });
    this.#processId = chromium.process.pid;
    chromium.process.once('exit', onEnded);
    this.#connection = new CdpConnection(chromium.input, chromium.output, (method, parameters) => {
      if (method === 'Target.targetDestroyed') this.#onTargetDestroyed(textField(parameters, 'targetId'));
    });
    await this.send('Target.setDiscoverTargets', { discover: true });
    // playwright's `_electron.launch` waits for this line of Electron's.
    process.stderr.write(`DevTools listening on ${chromium.endpoint}\n`);
  }

  send(method: string, parameters: Json = {}, sessionId?: string): Promise<Json> {
    return this.#connection?.send(method, parameters, sessionId) ?? Promise.reject(new Error(`${method}: the browser has not started`));
  }

  listen(sessionId: string, listener: CdpListener): void {
    this.#connection?.listen(sessionId, listener);
  }
}

export const browser = new Browser();
