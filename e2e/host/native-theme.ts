/** `nativeTheme`: light unless the application asks for dark; pages follow through `prefers-color-scheme`. */
import { EventEmitter } from 'node:events';
import { openContents } from './registry.ts';

type ThemeSource = 'system' | 'light' | 'dark';

class NativeTheme extends EventEmitter {
  #source: ThemeSource = 'system';
  readonly shouldUseHighContrastColors = false;
  readonly shouldUseInvertedColorScheme = false;
  readonly prefersReducedTransparency = false;

  get themeSource(): ThemeSource {
    return this.#source;
  }

  set themeSource(source: ThemeSource) {
    const wasDark = this.shouldUseDarkColors;
    this.#source = source;
    for (const contents of openContents.values()) contents.applyTheme(this.shouldUseDarkColors);
    if (wasDark !== this.shouldUseDarkColors) this.emit('updated');
  }

  get shouldUseDarkColors(): boolean {
    return this.#source === 'dark';
  }
}

export const nativeTheme = new NativeTheme();
