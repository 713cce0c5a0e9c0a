/** `session.defaultSession`: the permission handlers and the request filter an application installs. */
import { EventEmitter } from 'node:events';
import { protocol } from './protocol.ts';

type PermissionRequestHandler = (contents: object, permission: string, callback: (isGranted: boolean) => void, details: object) => void;
type PermissionCheckHandler = (contents: object | null, permission: string, origin: string, details: object) => boolean;
interface RequestDetails {
  readonly url: string;
  readonly method: string;
  readonly resourceType: string;
}
type RequestFilter = (details: RequestDetails, callback: (answer: { readonly cancel?: boolean }) => void) => void;

class Session extends EventEmitter {
  readonly protocol = protocol;
  #permissionRequest: PermissionRequestHandler | undefined;
  #permissionCheck: PermissionCheckHandler | undefined;
  #requestFilter: RequestFilter | undefined;

  readonly webRequest = {
    onBeforeRequest: (first: unknown, second?: unknown): void => {
      // The first argument may be a filter by address, which we do not need; the listener is the last one.
      const listener = second ?? first;
      this.#requestFilter = typeof listener === 'function' ? (listener as RequestFilter) : undefined;
    },
    onBeforeSendHeaders: (): void => undefined,
    onHeadersReceived: (): void => undefined,
  };

  setPermissionRequestHandler(handler: PermissionRequestHandler | null): void {
    this.#permissionRequest = handler ?? undefined;
  }
  setPermissionCheckHandler(handler: PermissionCheckHandler | null): void {
    this.#permissionCheck = handler ?? undefined;
  }
  setDevicePermissionHandler(): void {
    // Headless Chromium offers no devices.
  }
  setDisplayMediaRequestHandler(): void {
    // Nor a screen to share.
  }
  setSpellCheckerEnabled(): void {
    // There is no spell checker.
  }
  clearStorageData(): Promise<void> {
    return Promise.resolve();
  }
  clearCache(): Promise<void> {
    return Promise.resolve();
  }

  /** Asks both handlers as Electron would: the check first, then the request. Without handlers everything is granted. */
  async isPermitted(contents: object, permission: string, url: string): Promise<boolean> {
    const details = { requestingUrl: url, isMainFrame: true };
    if (this.#permissionCheck?.(contents, permission, url, details) === false) return false;
    const request = this.#permissionRequest;
    if (request === undefined) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    request(contents, permission, resolve, details);
    return promise;
  }

  async isCancelled(details: RequestDetails): Promise<boolean> {
    const filter = this.#requestFilter;
    if (filter === undefined) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    filter(details, (answer) => {
      resolve(answer.cancel === true);
    });
    return promise;
  }
}

export const defaultSession = new Session();
export const session = { defaultSession, fromPartition: () => defaultSession };
