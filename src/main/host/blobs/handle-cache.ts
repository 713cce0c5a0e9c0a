/**
 * Open files, a few of those used last: a leaf or a fragment must not cost an open and a close. A file is used by one piece of work at a time, which the
 * caller sees to; one that is in use stays open whatever the bound.
 */
import type { FileHandle } from 'node:fs/promises';
import type { BlobFileSystem } from './blob-folder.ts';

interface Entry { readonly handle: FileHandle; isUsed: boolean }

export class HandleCache {
  readonly #fileSystem: BlobFileSystem;
  readonly #mostOpen: number;
  /** Used last, last. */
  readonly #entries = new Map<string, Entry>();

  constructor(fileSystem: BlobFileSystem, mostOpen: number) {
    this.#fileSystem = fileSystem;
    this.#mostOpen = mostOpen;
  }

  get openCount(): number { return this.#entries.size; }

  /** An existing file. @throws what opening it or the work throws. */
  async use<Result>(file: string, flags: 'r' | 'r+', work: (handle: FileHandle) => Promise<Result>): Promise<Result> {
    const known = this.#entries.get(file);
    this.#entries.delete(file);
    const entry: Entry = known ?? { handle: await this.#fileSystem.open(file, flags), isUsed: true };
    entry.isUsed = true;
    this.#entries.set(file, entry);
    try {
      return await work(entry.handle);
    } finally {
      entry.isUsed = false;
      await this.#evict();
    }
  }

  /** Before a file is renamed or removed. */
  async close(file: string): Promise<void> {
    const entry = this.#entries.get(file);
    this.#entries.delete(file);
    await entry?.handle.close();
  }

  async closeAll(): Promise<void> {
    for (const file of [...this.#entries.keys()]) await this.close(file);
  }

  async #evict(): Promise<void> {
    for (const [file, entry] of this.#entries) {
      if (this.#entries.size <= this.#mostOpen) return;
      // What was written through it is in the hands of the system; a later sync through another handle covers it, and tells of what went wrong.
      if (!entry.isUsed) await this.close(file).catch(() => undefined);
    }
  }
}
