/** `Tray`: remembers what an application shows in it. Tests find the trays in `Tray.shown`. */
import { EventEmitter } from 'node:events';
import type { Menu } from './menu.ts';

export class Tray extends EventEmitter {
  static readonly shown: Tray[] = [];
  image: unknown;
  toolTip = '';
  title = '';
  contextMenu: Menu | null = null;
  #isDestroyed = false;

  constructor(image: unknown) {
    super();
    this.image = image;
    Tray.shown.push(this);
  }
  setImage(image: unknown): void {
    this.image = image;
  }
  setToolTip(text: string): void {
    this.toolTip = text;
  }
  setTitle(text: string): void {
    this.title = text;
  }
  setContextMenu(menu: Menu | null): void {
    this.contextMenu = menu;
  }
  popUpContextMenu(): void {
    this.contextMenu?.popup();
  }
  getBounds(): object {
    return { x: 0, y: 0, width: 16, height: 16 };
  }
  isDestroyed(): boolean {
    return this.#isDestroyed;
  }
  destroy(): void {
    this.#isDestroyed = true;
    const index = Tray.shown.indexOf(this);
    if (index >= 0) Tray.shown.splice(index, 1);
  }
}
