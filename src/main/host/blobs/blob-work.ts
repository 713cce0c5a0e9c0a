/**
 * What the requests to a blob store do on the disk, one at a time for each blob: blob-store.ts says in which order. `base` is the blob's name without the ending of a file
 * (blob-folder.ts). What fails throws a BlobError or an error of the system.
 */
import type { Blake3Tree } from '../../engine/blake3/blake3-tree.ts';
import type { BlobFailure, BlobInfo } from '../../engine/files/blob-store.ts';
import { decodeRecord, encodeRecord, storedRecordMaximumBytes } from '../../engine/lockstep/lockstep.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { sameBytes } from '../storage/row.ts';
import type { BlobCounters } from './blob-counters.ts';
import { BlobError, failureOf } from './blob-folder.ts';
import type { BlobFolder } from './blob-folder.ts';
import type { QueuedWrite } from './blob-queue.ts';
import { readFully, recordOfFile, writeFully } from './file-slices.ts';
import type { HandleCache } from './handle-cache.ts';

/** The engine's snapshots have about 1 KiB. */
const snapshotMaximumBytes = 65_536;
const recordHeaderMaximumBytes = 64;

export class BlobWork {
  readonly #folder: BlobFolder;
  readonly #tree: Blake3Tree;
  readonly #handles: HandleCache;
  readonly #counters: BlobCounters;
  /** Partial blobs with less on disk than was submitted, and why. */
  readonly #broken = new Map<string, BlobFailure>();
  /** Imported before this store was opened, and nobody said that they were needed: the last run ended in between. */
  readonly #leftUnclaimed: Set<string>;

  constructor(folder: BlobFolder, tree: Blake3Tree, handles: HandleCache, counters: BlobCounters, unclaimed: Set<string>) {
    this.#folder = folder;
    this.#tree = tree;
    this.#handles = handles;
    this.#counters = counters;
    this.#leftUnclaimed = unclaimed;
  }

  /** All that is here. */
  async load(): Promise<readonly BlobInfo[]> {
    const infos: BlobInfo[] = [];
    for (const { base, name, kinds } of await this.#folder.list()) {
      if (kinds.has('blob')) infos.push({ name, complete: true, snapshot: undefined, ...(this.#leftUnclaimed.has(base) ? { unclaimed: true } : {}) });
      else if (kinds.has('part')) infos.push({ name, complete: false, snapshot: await this.#folder.read(base, 'snapshot', snapshotMaximumBytes) });
    }
    return infos;
  }

  /** Makes room for what is to come; what has come stays. */
  async begin(base: string, name: ContentName): Promise<void> {
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

  /** Neighbours in one go. Undefined when they are written. */
  async writeRow(base: string, row: readonly QueuedWrite[]): Promise<BlobFailure | undefined> {
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

  async checkpoint(base: string, snapshot: Uint8Array): Promise<void> {
    this.#refuseBroken(base);
    if (snapshot.length > snapshotMaximumBytes) throw new BlobError('io');
    await this.#syncPart(base, (sync) => sync());
    await this.#folder.replace(base, 'snapshot', snapshot);
    await this.#folder.sync();
    this.#counters.checkpoints += 1;
  }

  async complete(base: string, name: ContentName): Promise<void> {
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
      if (failureOf(error) === 'damaged') await this.delete(base);
      throw error;
    }
    await this.#become(base, this.#folder.file(base, 'part'));
    this.#counters.completed += 1;
  }

  async read(base: string, name: ContentName, offset: number, sizeBytes: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(sizeBytes) || offset < 0 || sizeBytes < 0 || offset + sizeBytes > name.length) throw new BlobError('io');
    const bytes = new Uint8Array(sizeBytes);
    await this.#handles.use(this.#folder.file(base, 'blob'), 'r', (handle) => readFully(handle, bytes, offset));
    this.#counters.reads += 1;
    this.#counters.readBytes += sizeBytes;
    return bytes;
  }

  async readRecord(base: string, name: ContentName): Promise<Uint8Array> {
    if (!await this.#isComplete(base, name)) throw new BlobError('gone');
    const stored = await this.#folder.read(base, 'record', storedRecordMaximumBytes(name.length) + recordHeaderMaximumBytes);
    const known = stored === undefined ? undefined : decodeRecord(this.#tree, stored);
    if (stored !== undefined && known?.geometry.lengthBytes === name.length && sameBytes(known.root, name.root)) return stored;
    this.#counters.recordsRemade += 1;
    const record = await this.#handles.use(this.#folder.file(base, 'blob'), 'r', (handle) => recordOfFile(this.#tree, handle, name.length));
    if (!sameBytes(record.root, name.root)) {
      await this.delete(base);
      throw new BlobError('damaged');
    }
    const made = encodeRecord(record);
    await this.#folder.replace(base, 'record', made);
    await this.#folder.sync();
    return made;
  }

  async delete(base: string): Promise<void> {
    await this.#handles.close(this.#folder.file(base, 'part'));
    await this.#handles.close(this.#folder.file(base, 'blob'));
    await this.#folder.remove(base);
    // Or a snapshot might come back beside the bytes of a later beginning.
    await this.#folder.sync();
    this.#broken.delete(base);
    this.#leftUnclaimed.delete(base);
    this.#counters.deleted += 1;
  }

  /** What needs it is durable. */
  async claim(base: string): Promise<void> {
    this.#leftUnclaimed.delete(base);
    await this.#folder.remove(base, ['unclaimed']).catch(() => undefined);
  }

  /** Makes an imported file the blob of its name. */
  async adopt(base: string, name: ContentName, temporary: string, record: Uint8Array): Promise<void> {
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
}
