/** `nativeImage`: holds PNG bytes and reads their size; nothing is decoded or scaled. */
import { existsSync, readFileSync } from 'node:fs';

/** In a PNG, width and height follow the signature and the first chunk's header. */
const pngWidthOffset = 16;
const pngHeightOffset = 20;
const pngHeaderBytes = 24;

class NativeImage {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  isEmpty(): boolean {
    return this.#bytes.length === 0;
  }
  toPNG(): Buffer {
    return this.#bytes;
  }
  toDataURL(): string {
    return `data:image/png;base64,${this.#bytes.toString('base64')}`;
  }
  getSize(): { readonly width: number; readonly height: number } {
    if (this.#bytes.length < pngHeaderBytes) return { width: 0, height: 0 };
    return { width: this.#bytes.readUInt32BE(pngWidthOffset), height: this.#bytes.readUInt32BE(pngHeightOffset) };
  }
  resize(): this {
    return this;
  }
  setTemplateImage(): void {
    // Template images exist on macOS only.
  }
  isTemplateImage(): boolean {
    return false;
  }
}

export type { NativeImage };

export const nativeImage = {
  createEmpty: () => new NativeImage(Buffer.alloc(0)),
  createFromPath: (file: string) => new NativeImage(existsSync(file) ? readFileSync(file) : Buffer.alloc(0)),
  createFromBuffer: (bytes: Uint8Array) => new NativeImage(Buffer.from(bytes)),
  createFromDataURL: (url: string) => new NativeImage(Buffer.from(url.split(',')[1] ?? '', 'base64')),
};
