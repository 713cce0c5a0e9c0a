/** For the tests of this folder: contents, questions, and a disk that fails when it is told to. */
import { blake3Module } from '../../engine/blake3/blake3-module.ts';
import { createWasmBlake3 } from '../../engine/blake3/blake3-wasm.ts';
import type { BlobOperation, BlobRequest, BlobResult } from '../../engine/files/blob-store.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { diskFileSystem } from './blob-folder.ts';
import type { BlobFileSystem } from './blob-folder.ts';
import type { BlobStore } from './blob-store.ts';

export const tree = createWasmBlake3(blake3Module());

/** Without a period, and the same for a seed in every process. */
export function contentOf(seed: number, sizeBytes: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  let state = Math.imul(seed + 1, 0x9e3779b9) | 1;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

export const nameOf = (content: Uint8Array): ContentName => ({ root: tree.hash(content), length: content.length });

export const ask = <Op extends BlobOperation>(store: BlobStore, request: Extract<BlobRequest, { op: Op }>): Promise<BlobResult<Op>> =>
  new Promise((resolve) => store.submit<Op>(request, resolve));

/** The disk itself, until a switch is set. */
export class FailingDisk {
  /** Error codes for calls to come. */
  onWrite: string | undefined;
  onSync: string | undefined;
  freeBytes: number | undefined;
  /** Called before each read of a file. */
  beforeRead: (() => Promise<void>) | undefined;
  linksAreMissing = false;

  readonly fileSystem: BlobFileSystem = {
    ...diskFileSystem,
    open: async (path, flags, mode) => new Proxy(await diskFileSystem.open(path, flags, mode), {
      get: (handle, property) => {
        const value: unknown = Reflect.get(handle, property);
        if (typeof value !== 'function') return value;
        return async (...values: readonly unknown[]): Promise<unknown> => {
          await this.#before(property);
          const result: unknown = Reflect.apply(value, handle, values);
          return result;
        };
      },
    }),
    statfs: async (path) => this.freeBytes === undefined ? diskFileSystem.statfs(path) : { bavail: this.freeBytes, bsize: 1 },
    link: async (from, to) => {
      if (this.linksAreMissing) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      await diskFileSystem.link(from, to);
    },
  };

  async #before(call: string | symbol): Promise<void> {
    const code = call === 'write' || call === 'writev' ? this.onWrite : call === 'sync' || call === 'datasync' ? this.onSync : undefined;
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    if (call === 'read') await this.beforeRead?.();
  }
}
