/**
 * What runs in the preload's isolated world before the preload: `require('electron')` with contextBridge and ipcRenderer, over a binding
 * that only this world can see. Injected as source text: nothing outside the function may be used but types.
 */
import type { makeBridge, BridgeMessage } from './bridge.ts';
import type { makeCodec } from './codec.ts';

export interface WorldConfiguration {
  readonly toMainWorld: string;
  readonly toIsolatedWorld: string;
  /** Name of the DevTools binding to the host. */
  readonly binding: string;
  /** Name of the function the host calls with messages. */
  readonly receiver: string;
  readonly preloadFile: string;
  readonly platform: string;
  readonly arch: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
}

/** Messages from the isolated world to the host. */
export type HostMessage =
  | { readonly type: 'send'; readonly channel: string; readonly values: unknown }
  | { readonly type: 'invoke'; readonly id: number; readonly channel: string; readonly values: unknown }
  | { readonly type: 'open'; readonly url: string; readonly name: string }
  /** Asks for the path of the file that {@link FileHolder} gives out under this number. */
  | { readonly type: 'file-path'; readonly id: number }
  | { readonly type: 'preload-error'; readonly message: string };

/** Messages from the host to the isolated world. */
export type PreloadMessage =
  | { readonly type: 'result'; readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly type: 'file-path'; readonly id: number; readonly path: string }
  | { readonly type: 'event'; readonly channel: string; readonly values: unknown };

/** On the receiver: DevTools knows the path of a file only by the object itself. */
export interface FileHolder {
  readonly fileOf: (id: number) => File | undefined;
}

export type PreloadFunction = (require: (name: string) => unknown, module: { exports: object }, exports: object, process: object) => void;

export function isolatedWorld(makeCodecHere: typeof makeCodec, makeBridgeHere: typeof makeBridge, configuration: WorldConfiguration, preload: PreloadFunction): void {
  if (window !== window.top) return;
  type Listener = (event: object, ...values: readonly unknown[]) => void;
  const codec = makeCodecHere();
  const world = globalThis as unknown as Record<string, unknown>;
  const toHost = world[configuration.binding] as (text: string) => void;
  // The preload itself has no business with the raw channel either.
  Reflect.deleteProperty(world, configuration.binding);
  const post = (message: HostMessage): void => {
    toHost(JSON.stringify(message));
  };

  // Empty for a file that is nowhere on the disk.
  const pathOfFile = new WeakMap<File, string>();
  const askedFiles = new Map<number, { readonly file: File; readonly done: () => void }>();
  let nextFile = 1;
  const findPath = async (file: File): Promise<void> => {
    const id = nextFile++;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    askedFiles.set(id, { file, done: () => { resolve(undefined); } });
    post({ type: 'file-path', id });
    await promise;
  };

  const exposed: Extract<BridgeMessage, { type: 'expose' }>[] = [];
  const bridge = makeBridgeHere(codec, configuration.toIsolatedWorld, configuration.toMainWorld, (message) => {
    if (message.type === 'hello') exposed.forEach(bridge.post);
    else if (message.type === 'open') post({ type: 'open', url: message.url, name: message.name });
  }, findPath);

  // Chromium would open a tab; Electron asks the window's open handler.
  window.addEventListener('click', (event) => {
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (link === undefined || link.href === '' || link.target === '' || link.target === '_self' || event.defaultPrevented) return;
    event.preventDefault();
    post({ type: 'open', url: link.href, name: link.target });
  });

  const listeners = new Map<string, { readonly listener: Listener; readonly original: Listener }[]>();
  const invocations = new Map<number, (message: Extract<PreloadMessage, { type: 'result' }>) => void>();
  let nextInvocation = 1;
  const of = (channel: string): { readonly listener: Listener; readonly original: Listener }[] => {
    const list = listeners.get(channel) ?? [];
    listeners.set(channel, list);
    return list;
  };
  const ipcRenderer = {
    on(channel: string, listener: Listener) {
      of(channel).push({ listener, original: listener });
      return ipcRenderer;
    },
    once(channel: string, original: Listener) {
      const listener: Listener = (event, ...values) => {
        ipcRenderer.off(channel, original);
        original(event, ...values);
      };
      of(channel).push({ listener, original });
      return ipcRenderer;
    },
    off(channel: string, original: Listener) {
      const list = of(channel);
      const index = list.findIndex((entry) => entry.original === original);
      if (index >= 0) list.splice(index, 1);
      return ipcRenderer;
    },
    addListener: (channel: string, listener: Listener) => ipcRenderer.on(channel, listener),
    removeListener: (channel: string, listener: Listener) => ipcRenderer.off(channel, listener),
    removeAllListeners(channel: string) {
      listeners.delete(channel);
      return ipcRenderer;
    },
    listenerCount: (channel: string) => of(channel).length,
    send(channel: string, ...values: readonly unknown[]) {
      post({ type: 'send', channel, values: codec.encode(values) });
    },
    async invoke(channel: string, ...values: readonly unknown[]) {
      const id = nextInvocation++;
      const { promise, resolve } = Promise.withResolvers<Extract<PreloadMessage, { type: 'result' }>>();
      invocations.set(id, resolve);
      post({ type: 'invoke', id, channel, values: codec.encode(values) });
      const result = await promise;
      if (result.error !== undefined) throw new Error(`Error invoking remote method '${channel}': ${result.error}`);
      return codec.decode(result.value);
    },
  };

  const receive = (message: PreloadMessage): void => {
    if (message.type === 'file-path') {
      const asked = askedFiles.get(message.id);
      askedFiles.delete(message.id);
      if (asked !== undefined) pathOfFile.set(asked.file, message.path);
      asked?.done();
      return;
    }
    if (message.type === 'result') {
      invocations.get(message.id)?.(message);
      invocations.delete(message.id);
      return;
    }
    const values = codec.decode(message.values) as readonly unknown[];
    for (const { listener } of [...of(message.channel)]) {
      try {
        listener({ sender: ipcRenderer, ports: [] }, ...values);
      } catch (error) {
        console.error(error);
      }
    }
  };

  world[configuration.receiver] = Object.assign(receive, { fileOf: (id: number) => askedFiles.get(id)?.file } satisfies FileHolder);

  const webUtils = {
    getPathForFile(file: unknown): string {
      if (!(file instanceof File)) throw new TypeError('Failed to read path: parameter 1 is not of type File.');
      return pathOfFile.get(file) ?? '';
    },
  };
  const contextBridge = {
    exposeInMainWorld(key: string, api: unknown) {
      if (exposed.some((entry) => entry.key === key)) throw new Error('Cannot bind an API on top of an existing property on the window object');
      const message = { type: 'expose', key, value: codec.encode(api, bridge.replace) } as const;
      exposed.push(message);
      bridge.post(message);
    },
  };
  const electron = { contextBridge, ipcRenderer, webFrame: {}, webUtils, crashReporter: {} };
  const require = (name: string): unknown => {
    if (name === 'electron' || name === 'electron/renderer') return electron;
    // The text of Electron's own sandboxed require.
    throw new Error(`module not found: ${name}`);
  };
  const { platform, arch, versions, argv } = configuration;
  const module = { exports: {} };
  try {
    preload(require, module, module.exports, { type: 'renderer', sandboxed: true, contextIsolated: true, platform, arch, versions, env: {}, argv });
  } catch (error) {
    console.error(`Unable to load preload script: ${configuration.preloadFile}`);
    console.error(error);
    post({ type: 'preload-error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
