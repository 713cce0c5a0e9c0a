/**
 * The blobs of a profile (engine/files/blob-store.ts): large contents in files of their own, beside the databases. Runs in the thread of the engine, so
 * nothing here is synchronous, and hashing goes in slices.
 *
 * ORDER. Requests about one blob take effect as they were submitted; different blobs do not wait for each other.
 *
 * DURABILITY. A snapshot is stored after the bytes that it speaks of were synced, a blob is complete once it was read again, hashed to its name and synced with
 * its folder. A crash leaves the state before or after a request. A `.blob` whose record is missing or wrong gets a new one when it is asked for.
 *
 * FAILURES. After a write or a sync that failed, what is on disk is less than what was submitted, and nothing tells how much: the system drops what it could not
 * write, and the next sync succeeds. So `checkpoint` and `complete` fail in the same way until `begin` starts again from the snapshot stored last.
 *
 * FILES. This one: what is asked, in its order. blob-work.ts: what each request does on the disk. blob-folder.ts: names, durable replacement, tidying.
 * blob-queue.ts: order. handle-cache.ts: open files. file-slices.ts: slices and records. blob-counters.ts: what was done. import-file.ts, export-file.ts: between a person's files and blobs.
 */
import type { Blake3Tree } from '../../engine/blake3/blake3-tree.ts';
import type { Crypto } from '../../engine/crypto.ts';
import type { BlobInfo, BlobOperation, BlobRequest, BlobResult, BlobValues } from '../../engine/files/blob-store.ts';
import { encodeRecord } from '../../engine/lockstep/lockstep.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { fileError } from '../atomic-file.ts';
import { countFailure, newBlobCounters } from './blob-counters.ts';
import type { BlobCounters } from './blob-counters.ts';
import { BlobFolder, baseOf, diskFileSystem, failureOf } from './blob-folder.ts';
import type { BlobFileSystem } from './blob-folder.ts';
import { BlobQueue } from './blob-queue.ts';
import { BlobWork } from './blob-work.ts';
import { exportBlob, readPlainBlob } from './export-file.ts';
import { HandleCache } from './handle-cache.ts';
import { importIntoTemporary } from './import-file.ts';
import type { ImportOptions, ImportedFile } from './import-file.ts';

export interface BlobStoreOptions {
  /** Made when it is missing. */
  readonly folder: string;
  readonly tree: Blake3Tree;
  readonly crypto: Crypto;
  readonly fileSystem?: BlobFileSystem;
  readonly mostOpenFiles?: number;
}

const mostOpenFiles = 16;

export class BlobStore {
  readonly #folder: BlobFolder;
  readonly #tree: Blake3Tree;
  readonly #crypto: Crypto;
  readonly #handles: HandleCache;
  readonly #queue: BlobQueue;
  readonly #work: BlobWork;
  readonly #counters = newBlobCounters();

  /** @throws WaypostError `profile-unwritable` or `disk-full`. */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const folder = new BlobFolder(options.folder, options.fileSystem ?? diskFileSystem);
    try {
      await folder.prepare();
      const unclaimed = (await folder.list()).filter(({ kinds }) => kinds.has('unclaimed')).map(({ base }) => base);
      return new BlobStore(folder, options, new Set(unclaimed));
    } catch (error) {
      throw fileError(error, options.folder);
    }
  }

  private constructor(folder: BlobFolder, options: BlobStoreOptions, unclaimed: Set<string>) {
    this.#folder = folder;
    this.#tree = options.tree;
    this.#crypto = options.crypto;
    this.#handles = new HandleCache(folder.fileSystem, options.mostOpenFiles ?? mostOpenFiles);
    this.#work = new BlobWork(folder, options.tree, this.#handles, this.#counters, unclaimed);
    this.#queue = new BlobQueue((base, row) => this.#work.writeRow(base, row));
  }

  get counters(): Readonly<BlobCounters> & { readonly openFiles: number; readonly busyBlobs: number } {
    return { ...this.#counters, openFiles: this.#handles.openCount, busyBlobs: this.#queue.busyCount };
  }

  /** `done` is called once, in a later turn. A write beyond the length and a read outside it are `io`. */
  submit<Op extends BlobOperation>(request: Extract<BlobRequest, { op: Op }>, done: (result: BlobResult<Op>) => void): void;
  submit(request: BlobRequest, done: (result: BlobResult) => void): void {
    // In a microtask of its own: an error of the caller's must not stop the work on the blob.
    const answer = (result: BlobResult): void => {
      if (!result.ok) countFailure(this.#counters, result.failure);
      queueMicrotask(() => done(result));
    };
    const run = async (work: () => Promise<BlobValues[BlobOperation]>): Promise<void> => {
      try {
        answer({ ok: true, value: await work() });
      } catch (error) {
        answer({ ok: false, failure: failureOf(error) });
      }
    };
    if (request.op === 'load') {
      void run(() => this.#load());
    } else if (request.op === 'write') {
      this.#queue.add(baseOf(request.name), { kind: 'write', request, answer: (failure) => answer(failure === undefined ? { ok: true, value: undefined } : { ok: false, failure }) });
    } else {
      this.#queue.add(baseOf(request.name), { kind: 'run', run: () => run(() => this.#perform(request)) });
    }
  }

  /**
   * Seals a person's file into a complete blob. `key`: 32 bytes, made for this file and used for no other; undefined for what is public, which is not sealed. A blob of that name that is here already is
   * fine. The original is not needed afterwards. The caller says with `claim` that something needs the blob; after a crash before that it is told as unclaimed.
   * @throws WaypostError `file-unreadable`, `file-too-large`, `disk-full` or `profile-unwritable`; the signal's reason once that was aborted.
   */
  async importFile(path: string, key: Uint8Array | undefined, options: ImportOptions = {}): Promise<ImportedFile> {
    const { temporary, record, imported } = await importIntoTemporary({ folder: this.#folder, tree: this.#tree, crypto: this.#crypto }, path, key, options);
    try {
      const base = baseOf(imported.name);
      await this.#queue.exclusive(base, () => this.#work.adopt(base, imported.name, temporary, encodeRecord(record)));
    } catch (error) {
      await this.#folder.fileSystem.rm(temporary, { force: true }).catch(() => undefined);
      throw fileError(error, temporary);
    }
    this.#counters.imported += 1;
    return imported;
  }

  /** What needs an imported blob is durable. A failure costs nothing: whoever is told that it is unclaimed looks whether it is needed. */
  async claim(name: ContentName): Promise<void> {
    const base = baseOf(name);
    await this.#queue.exclusive(base, () => this.#work.claim(base));
  }

  /**
   * Writes the file of a blob, in the clear, to a path that does not exist yet; whole or not at all.
   * @throws WaypostError `file-not-here`, `file-damaged`, `file-exists`, `disk-full`, or `invalid-argument` for a place that cannot be written.
   */
  async exportFile(name: ContentName, key: Uint8Array | undefined, sizeBytes: number, path: string): Promise<void> {
    await exportBlob({ folder: this.#folder, crypto: this.#crypto, tree: this.#tree }, { name, key, sizeBytes }, path);
    this.#counters.exported += 1;
  }

  /** The file of a blob in memory. @throws WaypostError `file-too-large` above `maximumBytes`, `file-not-here`, `file-damaged`. */
  readPlain(name: ContentName, key: Uint8Array, sizeBytes: number, maximumBytes: number): Promise<Uint8Array> {
    return readPlainBlob({ folder: this.#folder, crypto: this.#crypto, tree: this.#tree }, { name, key, sizeBytes }, maximumBytes);
  }

  /** Finishes what was submitted and gives the files back. */
  async close(): Promise<void> {
    await this.#queue.settled();
    await this.#handles.closeAll();
  }

  async #load(): Promise<readonly BlobInfo[]> {
    await this.#queue.settled();
    return this.#work.load();
  }

  #perform(request: Exclude<BlobRequest, { op: 'load' | 'write' }>): Promise<BlobValues[BlobOperation]> {
    const base = baseOf(request.name);
    switch (request.op) {
      case 'begin': return this.#work.begin(base, request.name);
      case 'checkpoint': return this.#work.checkpoint(base, request.snapshot);
      case 'complete': return this.#work.complete(base, request.name);
      case 'read': return this.#work.read(base, request.name, request.offset, request.sizeBytes);
      case 'read-record': return this.#work.readRecord(base, request.name);
      case 'delete': return this.#work.delete(base);
    }
  }
}
