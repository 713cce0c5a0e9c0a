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
 * FILES. blob-folder.ts: names, durable replacement, tidying. blob-queue.ts: order. handle-cache.ts: open files. file-slices.ts: slices and records.
 * import-file.ts, export-file.ts: between a person's files and blobs.
 */
import type { Blake3Tree } from '../../engine/blake3/blake3-tree.ts';
import type { Crypto } from '../../engine/crypto.ts';
import type { BlobFailure, BlobInfo, BlobOperation, BlobRequest, BlobResult, BlobValues } from '../../engine/files/blob-store.ts';
import { decodeRecord, encodeRecord, storedRecordMaximumBytes } from '../../engine/lockstep/lockstep.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { fileError } from '../atomic-file.ts';
import { sameBytes } from '../storage/row.ts';
import { BlobError, BlobFolder, baseOf, diskFileSystem, failureOf } from './blob-folder.ts';
import type { BlobFileSystem } from './blob-folder.ts';
import { BlobQueue } from './blob-queue.ts';
import type { QueuedWrite } from './blob-queue.ts';
import { exportBlob, readPlainBlob } from './export-file.ts';
import { readFully, recordOfFile, writeFully } from './file-slices.ts';
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

/** Since the store was opened, for diagnostics. */
export interface BlobCounters {
  begun: number; writes: number; writtenBytes: number; writeCalls: number; checkpoints: number; completed: number; reads: number; readBytes: number;
  deleted: number; imported: number; exported: number; recordsRemade: number; diskFull: number; damaged: number; ioFailures: number;
}

const mostOpenFiles = 16;
/** The engine's snapshots have about 1 KiB. */
const snapshotMaximumBytes = 65_536;
const recordHeaderMaximumBytes = 64;

export class BlobStore {
  readonly #folder: BlobFolder;
  readonly #tree: Blake3Tree;
  readonly #crypto: Crypto;
  readonly #handles: HandleCache;
  readonly #queue: BlobQueue;
  /** Partial blobs with less on disk than was submitted, and why. */
  readonly #broken = new Map<string, BlobFailure>();
  /** Imported before this store was opened, and nobody said that they were needed: the last run ended in between. */
  readonly #leftUnclaimed: Set<string>;
  readonly #counters: BlobCounters = {
    begun: 0, writes: 0, writtenBytes: 0, writeCalls: 0, checkpoints: 0, completed: 0, reads: 0, readBytes: 0, deleted: 0, imported: 0, exported: 0,
    recordsRemade: 0, diskFull: 0, damaged: 0, ioFailures: 0,
  };

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
    this.#leftUnclaimed = unclaimed;
    this.#tree = options.tree;
    this.#crypto = options.crypto;
    this.#handles = new HandleCache(folder.fileSystem, options.mostOpenFiles ?? mostOpenFiles);
    this.#queue = new BlobQueue((base, row) => this.#writeRow(base, row));
  }

  get counters(): Readonly<BlobCounters> & { readonly openFiles: number; readonly busyBlobs: number } {
    return { ...this.#counters, openFiles: this.#handles.openCount, busyBlobs: this.#queue.busyCount };
  }

  /** `done` is called once, in a later turn. A write beyond the length and a read outside it are `io`. */
  submit<Op extends BlobOperation>(request: Extract<BlobRequest, { op: Op }>, done: (result: BlobResult<Op>) => void): void;
  submit(request: BlobRequest, done: (result: BlobResult) => void): void {
    // In a microtask of its own: an error of the caller's must not stop the work on the blob.
    const answer = (result: BlobResult): void => {
      if (!result.ok) this.#count(result.failure);
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
      await this.#queue.exclusive(base, () => this.#adopt(base, imported.name, temporary, encodeRecord(record)));
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
    await this.#queue.exclusive(base, async () => {
      this.#leftUnclaimed.delete(base);
      await this.#folder.remove(base, ['unclaimed']).catch(() => undefined);
    });
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
    const infos: BlobInfo[] = [];
    for (const { base, name, kinds } of await this.#folder.list()) {
      if (kinds.has('blob')) infos.push({ name, complete: true, snapshot: undefined, ...(this.#leftUnclaimed.has(base) ? { unclaimed: true } : {}) });
      else if (kinds.has('part')) infos.push({ name, complete: false, snapshot: await this.#folder.read(base, 'snapshot', snapshotMaximumBytes) });
    }
    return infos;
  }

  #perform(request: Exclude<BlobRequest, { op: 'load' | 'write' }>): Promise<BlobValues[BlobOperation]> {
    const base = baseOf(request.name);
    switch (request.op) {
      case 'begin': return this.#begin(base, request.name);
      case 'checkpoint': return this.#checkpoint(base, request.snapshot);
      case 'complete': return this.#complete(base, request.name);
      case 'read': return this.#read(base, request.name, request.offset, request.sizeBytes);
      case 'read-record': return this.#readRecord(base, request.name);
      case 'delete': return this.#delete(base);
    }
  }

  async #begin(base: string, name: ContentName): Promise<void> {
    if (await this.#isComplete(base, name)) return;
    const takenBytes = await this.#folder.takenBytes(base, 'part');
    await this.#folder.requireRoom(Math.max(0, name.length - (takenBytes ?? 0)));
    if (takenBytes === undefined) {
      await this.#handles.close(this.#folder.file(base, 'part'));
      // One without its bytes would claim what is not there.
      await this.#folder.remove(base, ['snapshot']);
      await (await this.#folder.create(this.#folder.file(base, 'part'))).close();
      this.#counters.begun += 1;
    }
    this.#broken.delete(base);
  }

  async #writeRow(base: string, row: readonly QueuedWrite[]): Promise<BlobFailure | undefined> {
    const [first] = row;
    if (first === undefined) return undefined;
    const { name, offset } = first.request;
    const buffers = row.map(({ request }) => request.bytes);
    const sizeBytes = buffers.reduce((sum, bytes) => sum + bytes.length, 0);
    try {
      if (!Number.isSafeInteger(offset) || offset < 0 || offset + sizeBytes > name.length) throw new BlobError('io');
      await this.#handles.use(this.#folder.file(base, 'part'), 'r+', (handle) => writeFully(handle, buffers, offset));
      this.#counters.writes += row.length;
      this.#counters.writeCalls += 1;
      this.#counters.writtenBytes += sizeBytes;
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      if (failure !== 'gone') this.#broken.set(base, failure);
      return failure;
    }
  }

  async #checkpoint(base: string, snapshot: Uint8Array): Promise<void> {
    this.#refuseBroken(base);
    if (snapshot.length > snapshotMaximumBytes) throw new BlobError('io');
    await this.#syncPart(base, (sync) => sync());
    await this.#folder.replace(base, 'snapshot', snapshot);
    await this.#folder.sync();
    this.#counters.checkpoints += 1;
  }

  async #complete(base: string, name: ContentName): Promise<void> {
    if (await this.#isComplete(base, name)) {
      // It may have been renamed by one that failed after that.
      await this.#folder.sync();
      return;
    }
    this.#refuseBroken(base);
    try {
      const record = await this.#syncPart(base, async (sync, handle) => {
        const made = await recordOfFile(this.#tree, handle, name.length);
        if (!sameBytes(made.root, name.root)) throw new BlobError('damaged');
        await sync();
        return made;
      });
      await this.#folder.replace(base, 'record', encodeRecord(record));
    } catch (error) {
      if (failureOf(error) === 'damaged') await this.#delete(base);
      throw error;
    }
    await this.#become(base, this.#folder.file(base, 'part'));
    this.#counters.completed += 1;
  }

  async #read(base: string, name: ContentName, offset: number, sizeBytes: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(sizeBytes) || offset < 0 || sizeBytes < 0 || offset + sizeBytes > name.length) throw new BlobError('io');
    const bytes = new Uint8Array(sizeBytes);
    await this.#handles.use(this.#folder.file(base, 'blob'), 'r', (handle) => readFully(handle, bytes, offset));
    this.#counters.reads += 1;
    this.#counters.readBytes += sizeBytes;
    return bytes;
  }

  async #readRecord(base: string, name: ContentName): Promise<Uint8Array> {
    if (!await this.#isComplete(base, name)) throw new BlobError('gone');
    const stored = await this.#folder.read(base, 'record', storedRecordMaximumBytes(name.length) + recordHeaderMaximumBytes);
    const known = stored === undefined ? undefined : decodeRecord(this.#tree, stored);
    if (stored !== undefined && known?.geometry.lengthBytes === name.length && sameBytes(known.root, name.root)) return stored;
    this.#counters.recordsRemade += 1;
    const record = await this.#handles.use(this.#folder.file(base, 'blob'), 'r', (handle) => recordOfFile(this.#tree, handle, name.length));
    if (!sameBytes(record.root, name.root)) {
      await this.#delete(base);
      throw new BlobError('damaged');
    }
    const made = encodeRecord(record);
    await this.#folder.replace(base, 'record', made);
    await this.#folder.sync();
    return made;
  }

  async #delete(base: string): Promise<void> {
    await this.#handles.close(this.#folder.file(base, 'part'));
    await this.#handles.close(this.#folder.file(base, 'blob'));
    await this.#folder.remove(base);
    // Or a snapshot might come back beside the bytes of a later beginning.
    await this.#folder.sync();
    this.#broken.delete(base);
    this.#leftUnclaimed.delete(base);
    this.#counters.deleted += 1;
  }

  /** Makes an imported file the blob of its name. */
  async #adopt(base: string, name: ContentName, temporary: string, record: Uint8Array): Promise<void> {
    // Somebody asked for it in this run, and says what becomes of it.
    this.#leftUnclaimed.delete(base);
    if (await this.#isComplete(base, name)) {
      await this.#folder.fileSystem.rm(temporary, { force: true });
      return;
    }
    await this.#folder.replace(base, 'record', record);
    await this.#folder.mark(base, 'unclaimed');
    await this.#become(base, temporary);
  }

  /** A synced file becomes the blob, in one step. */
  async #become(base: string, file: string): Promise<void> {
    await this.#handles.close(this.#folder.file(base, 'part'));
    await this.#handles.close(this.#folder.file(base, 'blob'));
    await this.#folder.fileSystem.rename(file, this.#folder.file(base, 'blob'));
    await this.#folder.sync();
    await this.#folder.remove(base, ['part', 'snapshot']);
    this.#broken.delete(base);
  }

  /** What fails to be synced is lost, though the next sync succeeds. */
  #syncPart<Result>(base: string, work: (sync: () => Promise<void>, handle: Parameters<Parameters<HandleCache['use']>[2]>[0]) => Promise<Result>): Promise<Result> {
    return this.#handles.use(this.#folder.file(base, 'part'), 'r+', (handle) => work(async () => {
      try {
        // The length of the file is part of what this syncs.
        await handle.datasync();
      } catch (error) {
        this.#broken.set(base, failureOf(error));
        throw error;
      }
    }, handle));
  }

  #refuseBroken(base: string): void {
    const failure = this.#broken.get(base);
    if (failure !== undefined) throw new BlobError(failure);
  }

  async #isComplete(base: string, name: ContentName): Promise<boolean> { return await this.#folder.sizeOf(base, 'blob') === name.length; }

  #count(failure: BlobFailure): void {
    switch (failure) {
      case 'disk-full': this.#counters.diskFull += 1; return;
      case 'damaged': this.#counters.damaged += 1; return;
      case 'io': this.#counters.ioFailures += 1; return;
      case 'gone': return;
    }
  }
}
