/**
 * Opens blobs for the person: into a new file of theirs, or into memory for a preview. Nothing is given out that did not authenticate, and no file of theirs
 * is ever overwritten: the bytes go to a temporary file beside the target, which gets the name when all of them are on disk and nothing has that name.
 */
import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Blake3Tree } from '../../engine/blake3/blake3-tree.ts';
import type { Crypto } from '../../engine/crypto.ts';
import { openSegment, sealedBytes, segmentCount, segmentPlainBytes, segmentSealedBytes } from '../../engine/files/file-sealing.ts';
import { equalBytes } from '../../engine/wire/bytes.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { baseOf, isDiskFull, syncFolder, systemCode } from './blob-folder.ts';
import type { BlobFileSystem, BlobFolder } from './blob-folder.ts';
import { readUpTo, recordBuilder, sliceBytes, writeFully } from './file-slices.ts';

interface ExportTools { readonly folder: BlobFolder; readonly crypto: Crypto; readonly tree: Blake3Tree }
interface SealedBlob {
  readonly name: ContentName;
  /** Undefined: it is not sealed. What is given out is hashed once more then. */
  readonly key: Uint8Array | undefined;
  /** Of the file. */
  readonly sizeBytes: number;
}

const segmentsPerSlice = sliceBytes / segmentSealedBytes;
/** What the person's own settings make of it, as for any program that saves a file. */
const exportedMode = 0o666;
/** File systems that have no links say so in several ways. */
const noLinkCodes = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EXDEV', 'EMLINK', 'EISDIR', 'UNKNOWN'];

export async function exportBlob(tools: ExportTools, blob: SealedBlob, target: string): Promise<void> {
  const { fileSystem } = tools.folder;
  if (await exists(fileSystem, target)) throw taken(target);
  const source = await openBlob(tools, blob);
  const temporary = path.join(path.dirname(target), `.${randomUUID()}.waypost-part`);
  try {
    const output = await fileSystem.open(temporary, 'wx', exportedMode);
    try {
      await openSlices(tools, blob, source, (segments, offset) => writeFully(output, segments, offset));
      await output.sync();
    } finally {
      await output.close();
    }
    await giveName(fileSystem, temporary, target);
    // Not every file system of a person can do this, and the file itself is synced.
    await syncFolder(fileSystem, path.dirname(target)).catch(() => undefined);
  } catch (error) {
    await fileSystem.rm(temporary, { force: true }).catch(() => undefined);
    throw exportError(error);
  } finally {
    await source.close().catch(() => undefined);
  }
}

export async function readPlainBlob(tools: ExportTools, blob: SealedBlob, maximumBytes: number): Promise<Uint8Array> {
  if (blob.sizeBytes > maximumBytes) throw new WaypostError('file-too-large', 'The file is too large to be shown here. Save it and open it with another program.');
  const source = await openBlob(tools, blob);
  try {
    const plain = new Uint8Array(blob.sizeBytes);
    await openSlices(tools, blob, source, (segments, offset) => {
      let start = offset;
      for (const segment of segments) {
        plain.set(segment, start);
        start += segment.length;
      }
      return Promise.resolve();
    });
    return plain;
  } finally {
    await source.close().catch(() => undefined);
  }
}

async function openBlob({ folder }: ExportTools, { name, key, sizeBytes }: SealedBlob): Promise<FileHandle> {
  if ((key === undefined ? sizeBytes : sealedBytes(sizeBytes)) !== name.length) throw damaged();
  try {
    return await folder.fileSystem.open(folder.file(baseOf(name), 'blob'), 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new WaypostError('file-not-here', 'The file is not here yet. Fetch it first.', { cause: error });
    throw damaged(error);
  }
}

type Take = (segments: readonly Uint8Array[], offset: number) => Promise<void>;

/** Of a blob that is not sealed. */
async function hashSlices({ tree }: ExportTools, { name }: SealedBlob, source: FileHandle, take: Take): Promise<void> {
  const builder = recordBuilder(tree, name.length);
  const buffer = new Uint8Array(Math.min(sliceBytes, name.length));
  for (let start = 0; start < name.length; start += sliceBytes) {
    const slice = buffer.subarray(0, Math.min(buffer.length, name.length - start));
    const readBytes = await readUpTo(source, slice, start).catch((error: unknown) => { throw damaged(error); });
    if (readBytes !== slice.length) throw damaged();
    builder.update(slice);
    await take([slice], start);
  }
  const root = builder.finish()?.root;
  if (root === undefined || !equalBytes(root, name.root)) throw damaged();
}

async function openSlices(tools: ExportTools, blob: SealedBlob, source: FileHandle, take: Take): Promise<void> {
  const { crypto } = tools;
  const { sizeBytes, key, name } = blob;
  if (key === undefined) { await hashSlices(tools, blob, source, take); return; }
  const count = segmentCount(sizeBytes);
  const buffer = new Uint8Array(Math.min(sliceBytes, name.length));
  for (let first = 0; first < count; first += segmentsPerSlice) {
    const start = first * segmentSealedBytes;
    const slice = buffer.subarray(0, Math.min(buffer.length, name.length - start));
    const readBytes = await readUpTo(source, slice, start).catch((error: unknown) => { throw damaged(error); });
    if (readBytes !== slice.length) throw damaged();
    const segments: Uint8Array[] = [];
    for (let index = first; index < Math.min(count, first + segmentsPerSlice); index += 1) {
      const offset = (index - first) * segmentSealedBytes;
      const plain = openSegment(crypto, key, sizeBytes, index, slice.subarray(offset, offset + segmentSealedBytes));
      if (plain === undefined) throw damaged();
      segments.push(plain);
    }
    await take(segments, first * segmentPlainBytes);
  }
}

/** A link fails where something has the name, which a rename would replace. */
async function giveName(fileSystem: BlobFileSystem, temporary: string, target: string): Promise<void> {
  try {
    await fileSystem.link(temporary, target);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw taken(target, error);
    if (!noLinkCodes.includes(systemCode(error))) throw error;
    await reserveName(fileSystem, target);
    await fileSystem.rename(temporary, target);
    return;
  }
  await fileSystem.rm(temporary, { force: true });
}

/** An empty file of ours, which may be replaced. */
async function reserveName(fileSystem: BlobFileSystem, target: string): Promise<void> {
  try {
    await (await fileSystem.open(target, 'wx', exportedMode)).close();
  } catch (error) {
    throw systemCode(error) === 'EEXIST' ? taken(target, error) : error;
  }
}

/** Also a link that leads nowhere: its name is taken. */
const exists = (fileSystem: BlobFileSystem, target: string): Promise<boolean> => fileSystem.lstat(target).then(() => true, () => false);

function exportError(error: unknown): WaypostError {
  if (error instanceof WaypostError) return error;
  if (isDiskFull(error)) return new WaypostError('disk-full', 'The disk is full, so the file was not saved. Free some space or choose another place.', { cause: error });
  return new WaypostError('invalid-argument', 'The file cannot be written to that place. Choose a folder that exists and in which you may write.', { cause: error });
}

const taken = (target: string, cause?: unknown): WaypostError =>
  new WaypostError('file-exists', `There is already something named "${path.basename(target)}" in that place, and it was left untouched. Choose another name.`, { cause });
const damaged = (cause?: unknown): WaypostError =>
  new WaypostError('file-damaged', 'What is stored of this file is damaged. Ask its sender to send it again.', { cause });
