/**
 * What runs in the page's own world before any of its scripts: puts the exposed values on `window`, frozen and not replaceable, and turns
 * `window.open` into a question to the host. Injected as source text: nothing outside the function may be used but types.
 */
import type { makeBridge } from './bridge.ts';
import type { makeCodec } from './codec.ts';
import type { WorldConfiguration } from './isolated-world.ts';

export function mainWorld(makeCodecHere: typeof makeCodec, makeBridgeHere: typeof makeBridge, configuration: WorldConfiguration): void {
  if (window !== window.top) return;
  const codec = makeCodecHere();
  const freeze = (value: unknown): unknown => {
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
    // Views cannot be frozen.
    if (!isObject || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
    Object.freeze(value);
    Object.values(value).forEach(freeze);
    return value;
  };
  const bridge = makeBridgeHere(codec, configuration.toMainWorld, configuration.toIsolatedWorld, (message) => {
    if (message.type !== 'expose' || Object.hasOwn(window, message.key)) return;
    const value = freeze(codec.decode(message.value, bridge.restore));
    Object.defineProperty(window, message.key, { value, writable: false, configurable: false, enumerable: true });
  });
  window.open = function open(url?: string | URL, name?: string) {
    bridge.post({ type: 'open', url: new URL(url ?? 'about:blank', document.baseURI).href, name: name ?? '' });
    return null;
  };
  // Either half may run first; the isolated one answers with what it has exposed so far.
  bridge.post({ type: 'hello' });
}
