/**
 * Reads a person's file in slices and seals it into the folder of blobs, under a temporary name: which content it is shows only at its end. Its record is made
 * on the way. What is published for everybody comes in the same way and is not sealed.
 *
 * The path is a stranger's word: it may lead to a folder, a device or a pipe, on which an open or a read would never end. The file may be written to
 * by others meanwhile; one whose size changes is refused, since its end would be cut off or missing.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Blake3Tree } from '../../engine/blake3/blake3-tree.ts';
import type { Crypto } from '../../engine/crypto.ts';
import { sealedBytes, sealSegment, segmentCount, segmentPlainBytes, segmentSealedBytes } from '../../engine/files/file-sealing.ts';
import type { LockstepBuilder, LockstepRecord } from '../../engine/lockstep/lockstep.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { fileMaximumBytes } from '../../../shared/file-views.ts';
import { fileError } from '../atomic-file.ts';
import { isDiskFull, systemCode } from './blob-folder.ts';
import type { BlobFolder } from './blob-folder.ts';
import { readUpTo, recordBuilder, sliceBytes, writeFully } from './file-slices.ts';

export interface ImportOptions {
  /** Ends the import, which then rejects with the signal's reason and leaves nothing. */
  readonly signal?: AbortSignal;
  /** Bytes of the file that are sealed, after each slice. */
  readonly progress?: (doneBytes: number, sizeBytes: number) => void;
}

export interface ImportedFile {
  /** Of the sealed bytes; of the file itself where it is not sealed. */
  readonly name: ContentName;
  /** Of the file. */
  readonly sizeBytes: number;
}

interface ImportTools { readonly folder: BlobFolder; readonly tree: Blake3Tree; readonly crypto: Crypto }
interface SealedFile { readonly temporary: string; readonly record: LockstepRecord; readonly imported: ImportedFile }

const segmentsPerSlice = sliceBytes / segmentSealedBytes;
const bytesPerGibibyte = 1_073_741_824;

/** The temporary file is written and synced; without it when this rejects. @param key undefined: copied in the clear. */
export async function importIntoTemporary(tools: ImportTools, sourcePath: string, key: Uint8Array | undefined, options: ImportOptions): Promise<SealedFile> {
  options.signal?.throwIfAborted();
  const source = await openSource(tools, sourcePath);
  try {
    const sizeBytes = (await reading(sourcePath, () => source.stat())).size;
    if (sizeBytes > fileMaximumBytes) {
      throw new WaypostError('file-too-large', `"${path.basename(sourcePath)}" is larger than ${fileMaximumBytes / bytesPerGibibyte} GiB, which is the most that Waypost sends. Split it into parts.`);
    }
    if (sizeBytes === 0 && key === undefined) throw new WaypostError('invalid-argument', `"${path.basename(sourcePath)}" is empty, so there is nothing to publish.`);
    return await sealSource(tools, { handle: source, path: sourcePath, sizeBytes }, key, options);
  } finally {
    await source.close().catch(() => undefined);
  }
}

interface Source { readonly handle: FileHandle; readonly path: string; readonly sizeBytes: number }

async function openSource({ folder: { fileSystem } }: ImportTools, sourcePath: string): Promise<FileHandle> {
  const refuse = (): never => {
    throw new WaypostError('file-unreadable', `"${path.basename(sourcePath)}" is not a file that can be sent. Folders and devices cannot; pack a folder into one file first.`);
  };
  // Looked at before it is opened, since opening a device may do something; and again then, since the name may mean another thing by now.
  if (!(await reading(sourcePath, () => fileSystem.stat(sourcePath))).isFile()) refuse();
  const handle = await reading(sourcePath, () => fileSystem.open(sourcePath, constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK)));
  const isFile = await handle.stat().then((found) => found.isFile(), () => false);
  if (isFile) return handle;
  await handle.close();
  return refuse();
}

async function sealSource(tools: ImportTools, source: Source, key: Uint8Array | undefined, options: ImportOptions): Promise<SealedFile> {
  const { folder } = tools;
  const length = key === undefined ? source.sizeBytes : sealedBytes(source.sizeBytes);
  const temporary = folder.temporary();
  try {
    await folder.requireRoom(length);
    const target = await folder.create(temporary);
    let record: LockstepRecord;
    try {
      record = key === undefined ? await copySlices(tools, source, target, options) : await sealSlices(tools, source, target, key, options);
      await target.sync();
    } finally {
      await target.close();
    }
    return { temporary, record, imported: { name: { root: record.root, length }, sizeBytes: source.sizeBytes } };
  } catch (error) {
    await folder.fileSystem.rm(temporary, { force: true }).catch(() => undefined);
    if (error instanceof WaypostError || options.signal?.aborted === true) throw error;
    if (isDiskFull(error)) throw new WaypostError('disk-full', 'There is not enough room on the disk for a copy of the file. Free some space, then try again.', { cause: error });
    throw fileError(error, temporary);
  }
}

async function sealSlices({ tree, crypto }: ImportTools, source: Source, target: FileHandle, key: Uint8Array, options: ImportOptions): Promise<LockstepRecord> {
  const { sizeBytes } = source;
  const builder = recordBuilder(tree, sealedBytes(sizeBytes));
  const plain = new Uint8Array(Math.min(sizeBytes, segmentsPerSlice * segmentPlainBytes));
  const count = segmentCount(sizeBytes);
  for (let first = 0; first < count; first += segmentsPerSlice) {
    options.signal?.throwIfAborted();
    const start = first * segmentPlainBytes;
    const slice = plain.subarray(0, Math.min(plain.length, sizeBytes - start));
    if (await reading(source.path, () => readUpTo(source.handle, slice, start)) !== slice.length) throw changed(source.path);
    const sealed: Uint8Array[] = [];
    for (let index = first; index < Math.min(count, first + segmentsPerSlice); index += 1) {
      const offset = (index - first) * segmentPlainBytes;
      const segment = sealSegment(crypto, key, sizeBytes, index, slice.subarray(offset, offset + segmentPlainBytes));
      builder.update(segment);
      sealed.push(segment);
    }
    await writeFully(target, sealed, first * segmentSealedBytes);
    options.progress?.(start + slice.length, sizeBytes);
  }
  return finished(source, builder, options);
}

async function copySlices({ tree }: ImportTools, source: Source, target: FileHandle, options: ImportOptions): Promise<LockstepRecord> {
  const { sizeBytes } = source;
  const builder = recordBuilder(tree, sizeBytes);
  const buffer = new Uint8Array(Math.min(sizeBytes, sliceBytes));
  for (let start = 0; start < sizeBytes; start += sliceBytes) {
    options.signal?.throwIfAborted();
    const slice = buffer.subarray(0, Math.min(buffer.length, sizeBytes - start));
    if (await reading(source.path, () => readUpTo(source.handle, slice, start)) !== slice.length) throw changed(source.path);
    builder.update(slice);
    await writeFully(target, [slice], start);
    options.progress?.(start + slice.length, sizeBytes);
  }
  return finished(source, builder, options);
}

async function finished(source: Source, builder: LockstepBuilder, options: ImportOptions): Promise<LockstepRecord> {
  // Grown, or cut off behind our back.
  if ((await reading(source.path, () => source.handle.stat())).size !== source.sizeBytes) throw changed(source.path);
  options.signal?.throwIfAborted();
  const record = builder.finish();
  if (record === undefined) throw changed(source.path);
  return record;
}

const changed = (sourcePath: string): WaypostError =>
  new WaypostError('file-unreadable', `"${path.basename(sourcePath)}" was changed while it was read. Wait until the program that writes it is done, then send it again.`);

async function reading<Result>(sourcePath: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const what = systemCode(error) === 'ENOENT' ? 'is not there any more. Choose it again.' : 'cannot be read. Check that you may read it and that its disk is connected.';
    throw new WaypostError('file-unreadable', `"${path.basename(sourcePath)}" ${what}`, { cause: error });
  }
}
