/**
 * The folder in which blobs lie: names of files, durable replacement, what a crash leaves and what a full disk means. Knows files, not their contents.
 *
 * A blob is `<root hex>-<length>` with an ending: `.part` (bytes so far) and `.snapshot` (which of them were made durable) while it is partial, `.blob`
 * and `.record` when it is complete, with `.unclaimed` beside it until whoever had it imported has said that it is needed. Which of them are there tells the
 * state; each change of it is one rename, so that a crash leaves the old or the new one. `.new` is a file that has not become anything yet.
 */
import { randomUUID } from 'node:crypto';
import * as promises from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { BlobFailure } from '../../engine/files/blob-store.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { hexOfBytes } from '../storage/row.ts';

/** Owner only: contents are sealed, but which ones are here is nobody else's business. */
const folderMode = 0o700;
const fileMode = 0o600;
/** Room that blobs leave to everything else on the disk, first of all to the databases, which cannot do without. */
const roomKeptBytes = 64 * 1_048_576;
const allocationUnitBytes = 512;

/** What a test replaces to make the disk fail. */
export interface BlobFileSystem {
  open(path: string, flags: string | number, mode?: number): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { readonly force: boolean }): Promise<void>;
  stat(path: string): Promise<{ readonly size: number; readonly blocks: number; isFile(): boolean }>;
  lstat(path: string): Promise<unknown>;
  link(from: string, to: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  mkdir(path: string, options: { readonly recursive: true; readonly mode: number }): Promise<unknown>;
  statfs(path: string): Promise<{ readonly bavail: number; readonly bsize: number }>;
}
export const diskFileSystem: BlobFileSystem = promises;

export const blobKinds = ['part', 'snapshot', 'blob', 'record', 'unclaimed'] as const;
export type BlobKind = (typeof blobKinds)[number];
const filePattern = /^([0-9a-f]{64}-(?:0|[1-9][0-9]{0,15}))\.(part|snapshot|blob|record|unclaimed)$/;
const leftoverPattern = /^(?:[0-9a-f]{64}-(?:0|[1-9][0-9]{0,15})\.(?:snapshot|record)|import-[0-9a-f-]{36})\.new$/;

/** A failure that is an answer. */
export class BlobError extends Error {
  readonly failure: BlobFailure;
  constructor(failure: BlobFailure) {
    super(failure);
    this.failure = failure;
  }
}

/** The `code` of a file system's error, or an empty text. */
export const systemCode = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '');
export const isDiskFull = (error: unknown): boolean => error instanceof BlobError ? error.failure === 'disk-full' : ['ENOSPC', 'EDQUOT'].includes(systemCode(error));

export function failureOf(error: unknown): BlobFailure {
  if (error instanceof BlobError) return error.failure;
  if (isDiskFull(error)) return 'disk-full';
  return systemCode(error) === 'ENOENT' ? 'gone' : 'io';
}

export const baseOf = (name: ContentName): string => `${hexOfBytes(name.root)}-${String(name.length)}`;

function nameOf(base: string): ContentName | undefined {
  const length = Number(base.slice(65));
  return Number.isSafeInteger(length) ? { root: Uint8Array.from(Buffer.from(base.slice(0, 64), 'hex')), length } : undefined;
}

export interface FoundBlob { readonly base: string; readonly name: ContentName; readonly kinds: ReadonlySet<BlobKind> }

export class BlobFolder {
  readonly path: string;
  readonly fileSystem: BlobFileSystem;

  constructor(folderPath: string, fileSystem: BlobFileSystem) {
    this.path = folderPath;
    this.fileSystem = fileSystem;
  }

  file(base: string, kind: BlobKind): string { return path.join(this.path, `${base}.${kind}`); }

  async create(file: string): Promise<FileHandle> { return this.fileSystem.open(file, 'wx', fileMode); }

  /** For bytes whose name is not known yet. */
  temporary(): string { return path.join(this.path, `import-${randomUUID()}.new`); }

  /** All blobs of which any file is here; what else lies in the folder is left alone. */
  async list(): Promise<readonly FoundBlob[]> {
    const found = new Map<string, Set<BlobKind>>();
    for (const file of await this.fileSystem.readdir(this.path)) {
      const [, base = '', ending] = filePattern.exec(file) ?? [];
      const kind = blobKinds.find((known) => known === ending);
      if (kind === undefined) continue;
      const kinds = found.get(base);
      if (kinds === undefined) found.set(base, new Set([kind]));
      else kinds.add(kind);
    }
    return [...found].flatMap(([base, kinds]) => {
      const name = nameOf(base);
      return name === undefined ? [] : [{ base, name, kinds }];
    });
  }

  /** Makes the folder, and takes away what a crash left half done. */
  async prepare(): Promise<void> {
    await this.fileSystem.mkdir(this.path, { recursive: true, mode: folderMode });
    for (const file of await this.fileSystem.readdir(this.path)) if (leftoverPattern.test(file)) await this.#remove(path.join(this.path, file));
    for (const { base, name, kinds } of await this.list()) {
      const whole = kinds.has('blob') && (await this.sizeOf(base, 'blob')) === name.length;
      // Of two states the later one counts; what belongs to neither goes.
      const kept = new Set<BlobKind>(whole ? ['blob', 'record', 'unclaimed'] : kinds.has('part') ? ['part', 'snapshot'] : []);
      await this.remove(base, [...kinds].filter((kind) => !kept.has(kind)));
    }
    await this.sync();
  }

  /** Undefined when there is none. */
  async sizeOf(base: string, kind: BlobKind): Promise<number | undefined> {
    return (await this.#stat(this.file(base, kind)))?.size;
  }

  /** Bytes of the disk that a file takes already: one with holes takes less than its size. Undefined when there is none. */
  async takenBytes(base: string, kind: BlobKind): Promise<number | undefined> {
    const found = await this.#stat(this.file(base, kind));
    return found === undefined ? undefined : Math.min(found.size, found.blocks * allocationUnitBytes);
  }

  /** @throws BlobError `disk-full` when the disk would have less than 64 MiB left. */
  async requireRoom(moreBytes: number): Promise<void> {
    if (moreBytes === 0) return;
    // A file system that cannot say how full it is will say so when it is.
    const freeBytes = await this.fileSystem.statfs(this.path).then(({ bavail, bsize }) => bavail * bsize, () => Infinity);
    if (freeBytes - moreBytes < roomKeptBytes) throw new BlobError('disk-full');
  }

  /** Readers see the old or the new bytes, also after a power loss: only once the folder is synced, which is the caller's to do. */
  async replace(base: string, kind: 'snapshot' | 'record', bytes: Uint8Array): Promise<void> {
    const file = this.file(base, kind);
    const temporary = `${file}.new`;
    try {
      const handle = await this.fileSystem.open(temporary, 'w', fileMode);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await this.fileSystem.rename(temporary, file);
    } catch (error) {
      await this.#remove(temporary).catch(() => undefined);
      throw error;
    }
  }

  /** An empty file that says something by being there. */
  async mark(base: string, kind: 'unclaimed'): Promise<void> { await (await this.fileSystem.open(this.file(base, kind), 'w', fileMode)).close(); }

  /** Undefined when there is none, or one of more than `maximumBytes`. */
  async read(base: string, kind: BlobKind, maximumBytes: number): Promise<Uint8Array | undefined> {
    let handle: FileHandle;
    try {
      handle = await this.fileSystem.open(this.file(base, kind), 'r');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const { size } = await handle.stat();
      return size > maximumBytes ? undefined : Uint8Array.from(await handle.readFile());
    } finally {
      await handle.close();
    }
  }

  async remove(base: string, kinds: readonly BlobKind[] = blobKinds): Promise<void> {
    for (const kind of kinds) await this.#remove(this.file(base, kind));
  }

  /** Makes renames, new files and removals durable. */
  async sync(): Promise<void> { await syncFolder(this.fileSystem, this.path); }

  async #remove(file: string): Promise<void> { await this.fileSystem.rm(file, { force: true }); }

  async #stat(file: string): Promise<{ readonly size: number; readonly blocks: number } | undefined> {
    try {
      return await this.fileSystem.stat(file);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Windows cannot open folders and does not need it. */
export async function syncFolder(fileSystem: BlobFileSystem, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fileSystem.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
