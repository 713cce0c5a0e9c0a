/** Reading and writing files in slices, so that the thread that runs the engine is never held for long, and making a record on the way. */
import type { FileHandle } from 'node:fs/promises';
import type { Blake3Tree } from '../../engine/blake3/blake3-tree.ts';
import { startRecord, storedRecordMaximumBytes } from '../../engine/lockstep/lockstep.ts';
import type { LockstepBuilder, LockstepRecord } from '../../engine/lockstep/lockstep.ts';
import { BlobError } from './blob-folder.ts';

/** Hashing and sealing this much takes well under a millisecond each; between two slices everything else has its turn. */
export const sliceBytes = 262_144;

/** Fills the buffer, or as much of it as there is; returns how much. */
export async function readUpTo(handle: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** @throws BlobError `damaged` when the file ends before. */
export async function readFully(handle: FileHandle, buffer: Uint8Array, position: number): Promise<void> {
  if (await readUpTo(handle, buffer, position) !== buffer.length) throw new BlobError('damaged');
}

async function writeRest(handle: FileHandle, bytes: Uint8Array, from: number, position: number): Promise<void> {
  let done = from;
  while (done < bytes.length) done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

/** One after the other from `position` on, in one call to the system unless that takes less. */
export async function writeFully(handle: FileHandle, buffers: readonly Uint8Array[], position: number): Promise<void> {
  const [only] = buffers;
  if (buffers.length === 1 && only !== undefined) {
    await writeRest(handle, only, 0, position);
    return;
  }
  let written = (await handle.writev([...buffers], position)).bytesWritten;
  let start = position;
  for (const buffer of buffers) {
    await writeRest(handle, buffer, Math.min(written, buffer.length), start);
    written = Math.max(0, written - buffer.length);
    start += buffer.length;
  }
}

/** For the record that is stored of a content. @throws BlobError `io` for a length that no content has. */
export function recordBuilder(tree: Blake3Tree, lengthBytes: number): LockstepBuilder {
  const start = startRecord(tree, { lengthBytes, groupShift: 0, recordMaximumBytes: storedRecordMaximumBytes(lengthBytes) });
  if (start.kind === 'refused') throw new BlobError('io');
  return start.builder;
}

/** Reads a file of exactly `lengthBytes`. @throws BlobError `damaged` for another length. */
export async function recordOfFile(tree: Blake3Tree, handle: FileHandle, lengthBytes: number): Promise<LockstepRecord> {
  if ((await handle.stat()).size !== lengthBytes) throw new BlobError('damaged');
  const builder = recordBuilder(tree, lengthBytes);
  const buffer = new Uint8Array(Math.min(sliceBytes, lengthBytes));
  for (let offset = 0; offset < lengthBytes; offset += sliceBytes) {
    const slice = buffer.subarray(0, Math.min(sliceBytes, lengthBytes - offset));
    await readFully(handle, slice, offset);
    builder.update(slice);
  }
  const record = builder.finish();
  if (record === undefined) throw new BlobError('damaged');
  return record;
}
