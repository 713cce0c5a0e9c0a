/** Builds the two scripts a page gets before its own. The functions are sent as their source text, types already stripped by Node. */
import { makeBridge } from './bridge.ts';
import { makeCodec } from './codec.ts';
import { isolatedWorld, type WorldConfiguration } from './isolated-world.ts';
import { mainWorld } from './main-world.ts';

const shared = `${makeCodec.toString()}, ${makeBridge.toString()}`;

export function isolatedWorldScript(configuration: WorldConfiguration, preloadSource: string): string {
  const preload = `function (require, module, exports, process) {\n${preloadSource}\n}`;
  return `(${isolatedWorld.toString()})(${shared}, ${JSON.stringify(configuration)}, ${preload});\n//# sourceURL=electron/preload`;
}

export function mainWorldScript(configuration: WorldConfiguration): string {
  return `(${mainWorld.toString()})(${shared}, ${JSON.stringify(configuration)});`;
}
