/**
 * contextBridge between the page's world and the preload's: both run this same code over synchronous custom events with names only they
 * know. Functions and promises become proxies in both directions; everything else is copied. Files cross as such, beside the text: the browser
 * itself clones what an event carries for the other world, and a file of the disk stays one.
 *
 * Injected as source text: nothing outside `makeBridge` may be used but types.
 */
import type { Codec, Replacement } from './codec.ts';

interface BridgeError {
  readonly message: string;
}

export type BridgeMessage =
  | { readonly type: 'call'; readonly id: number; readonly values: unknown }
  | { readonly type: 'return'; readonly value?: unknown; readonly error?: BridgeError }
  | { readonly type: 'settle'; readonly id: number; readonly value?: unknown; readonly error?: BridgeError }
  | { readonly type: 'hello' }
  | { readonly type: 'expose'; readonly key: string; readonly value: unknown }
  | { readonly type: 'open'; readonly url: string; readonly name: string };

export interface Bridge {
  readonly post: (message: BridgeMessage) => void;
  /** Makes proxies of what the codec cannot copy. */
  readonly replace: (value: object) => Replacement | undefined;
  readonly restore: (replacement: Replacement) => unknown;
}

/**
 * `prepareFile` is awaited for each file before a function is called with it. Such a call answers with a promise then, where Electron would answer at
 * once: what DevTools knows of a file can only be asked for.
 */
export function makeBridge(codec: Codec, incomingEvent: string, outgoingEvent: string, onMessage: (message: BridgeMessage) => void, prepareFile?: (file: File) => Promise<void>): Bridge {
  type Callable = (...values: readonly unknown[]) => unknown;
  const functions = new Map<number, Callable>();
  const functionIds = new WeakMap<object, number>();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const arrivedFiles = new Map<number, File>();
  let nextId = 1;
  let lastReturn: Extract<BridgeMessage, { type: 'return' }> | undefined;

  // Taken before any page script runs, so that a page replacing these globals cannot listen in.
  const listen = EventTarget.prototype.addEventListener.bind(window);
  const dispatch = EventTarget.prototype.dispatchEvent.bind(window);
  const Custom = CustomEvent;
  const serialize = JSON.stringify.bind(JSON);
  const parse = JSON.parse.bind(JSON) as (text: string) => unknown;

  const post = (message: BridgeMessage): void => {
    dispatch(new Custom(outgoingEvent, { detail: serialize(message) }));
  };
  const describe = (error: unknown): BridgeError => ({ message: error instanceof Error ? error.message : String(error) });

  const replace = (value: object): Replacement | undefined => {
    if (typeof value === 'function') {
      const id = functionIds.get(value) ?? nextId++;
      functionIds.set(value, id);
      functions.set(id, value as Callable);
      return ['function', id];
    }
    if (Object.prototype.toString.call(value) === '[object File]') {
      const id = nextId++;
      dispatch(new Custom(`${outgoingEvent}file`, { detail: { id, file: value } }));
      return ['file', id];
    }
    if (Object.prototype.toString.call(value) !== '[object Promise]') return undefined;
    const id = nextId++;
    (value as Promise<unknown>).then(
      (result: unknown) => {
        post({ type: 'settle', id, value: codec.encode(result, replace) });
      },
      (error: unknown) => {
        post({ type: 'settle', id, error: describe(error) });
      },
    );
    return ['promise', id];
  };

  const call = (id: number, values: readonly unknown[]): unknown => {
    lastReturn = undefined;
    // Events are synchronous: the answer has arrived when `post` returns.
    post({ type: 'call', id, values: codec.encode(values, replace) });
    const answer = lastReturn as Extract<BridgeMessage, { type: 'return' }> | undefined;
    if (answer?.error !== undefined) throw new Error(answer.error.message);
    return answer === undefined ? undefined : codec.decode(answer.value, restore);
  };

  const restore = ([kind, id]: Replacement): unknown => {
    if (kind === 'file') {
      const file = arrivedFiles.get(id);
      arrivedFiles.delete(id);
      return file;
    }
    if (kind === 'function') return (...values: readonly unknown[]) => call(id, values);
    const deferred = Promise.withResolvers<unknown>();
    waiting.set(id, deferred);
    return deferred.promise;
  };

  const serve = (message: Extract<BridgeMessage, { type: 'call' }>): BridgeMessage => {
    try {
      const target = functions.get(message.id);
      if (target === undefined) throw new Error('This function is gone.');
      const values = codec.decode(message.values, restore) as readonly unknown[];
      const files = prepareFile === undefined ? [] : values.filter((value) => value instanceof File);
      if (prepareFile !== undefined && files.length > 0) return { type: 'return', value: codec.encode(Promise.all(files.map(prepareFile)).then(() => target(...values)), replace) };
      return { type: 'return', value: codec.encode(target(...values), replace) };
    } catch (error) {
      return { type: 'return', error: describe(error) };
    }
  };

  listen(
    `${incomingEvent}file`,
    (event) => {
      event.stopImmediatePropagation();
      const { id, file } = (event as CustomEvent<{ readonly id: number; readonly file: File }>).detail;
      arrivedFiles.set(id, file);
    },
    true,
  );
  listen(
    incomingEvent,
    (event) => {
      event.stopImmediatePropagation();
      const message = parse(String((event as CustomEvent<unknown>).detail)) as BridgeMessage;
      switch (message.type) {
        case 'call':
          post(serve(message));
          break;
        case 'return':
          lastReturn = message;
          break;
        case 'settle': {
          const deferred = waiting.get(message.id);
          waiting.delete(message.id);
          if (message.error === undefined) deferred?.resolve(codec.decode(message.value, restore));
          else deferred?.reject(new Error(message.error.message));
          break;
        }
        default:
          onMessage(message);
      }
    },
    true,
  );
  return { post, replace, restore };
}
