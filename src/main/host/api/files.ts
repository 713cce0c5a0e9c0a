/**
 * The `files` group of the contract. Sending seals a copy of the person's file first and then says so to the engine, so that from the answer on the original is
 * not needed; saving and showing open what is here. How a file travels is the engine's business.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Handlers } from '../../../shared/contract.ts';
import { fileTextMaximumBytes, previewMaximumBytes } from '../../../shared/file-views.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { fileCopyGoneSentence, fileFailSentence } from '../../../shared/file-sentences.ts';
import { fileKeyBytes } from '../../engine/files/file-sealing.ts';
import { conversationIdOf } from '../../engine/mail/conversation-id.ts';
import type { FileRow } from '../../engine/mail/visor-store.ts';
import { utf8Encode } from '../../engine/wire/bytes.ts';
import { safeFileName } from '../../engine/wire/file-name.ts';
import type { ContentName } from '../../engine/wire/types.ts';
import { createRandomBytes } from '../crypto.ts';
import { mediaTypeHeadBytes, mediaTypeOf, pictureType } from '../media-type.ts';
import { sameBytes } from '../storage/row.ts';
import { findMessage, findStoredMessage, requireAddress, type ApiContext } from './api-context.ts';

/** Newest messages that are looked through for one that may have been stored although its answer was lost. */
const newestMessages = 20;

const contentOf = (row: FileRow): ContentName => ({ root: row.root, length: row.blobBytes });

export function createFileHandlers(context: ApiContext): Handlers['files'] {
  const random = createRandomBytes();
  return {
    async send({ to, file, text, ttlSeconds }) {
      if (file.by === 'grant') throw new WaypostError('refused', 'Files that were given to a window can only be sent by that window. Programs name a path.');
      const address = requireAddress(to);
      if (utf8Encode(text).length > fileTextMaximumBytes) throw new WaypostError('message-too-large', 'The text beside a file may have 32 KiB at most. Shorten it, or send it as a message of its own.');
      requireAbsolute(file.path);
      refuseRecipient(context, address.publicKey);
      const key = random(fileKeyBytes);
      const imported = await context.blobs.importFile(file.path, key, { signal: context.stopping });
      const name = safeFileName(path.basename(file.path));
      const mediaType = mediaTypeOf(name, await headOf(file.path));
      let messageId: string;
      try {
        const sealed = { name, mediaType, sizeBytes: imported.sizeBytes, key, root: imported.name.root, blobBytes: imported.name.length };
        ({ messageId } = await context.command({ name: 'send-file', to: address.publicKey, port: address.port, text, ttlSeconds, file: sealed }));
      } catch (error) {
        await deleteUnused(context, conversationIdOf(address.publicKey, address.port), imported.name);
        throw error;
      }
      await context.blobs.claim(imported.name);
      return findMessage(context, messageId);
    },

    async fetch({ messageId }) {
      await requireFile(context, messageId);
      await context.command({ name: 'fetch-file', messageId });
      return undefined;
    },

    async pause({ messageId }) {
      await requireFile(context, messageId);
      await context.command({ name: 'pause-file', messageId });
      return undefined;
    },

    async cancel({ messageId }) {
      await requireFile(context, messageId);
      await context.command({ name: 'cancel-file', messageId });
      return undefined;
    },

    async save({ messageId, path: target }) {
      if (target === undefined) throw new WaypostError('invalid-argument', 'Say where to save the file: programs name a path.');
      requireAbsolute(target);
      const row = await requireFile(context, messageId);
      await opening(context, row, () => context.blobs.exportFile(contentOf(row), row.key, row.sizeBytes, target));
      return { path: target };
    },

    async preview({ messageId }) {
      const row = await requireFile(context, messageId);
      const bytes = await opening(context, row, () => context.blobs.readPlain(contentOf(row), row.key, row.sizeBytes, previewMaximumBytes));
      const type = pictureType(bytes.subarray(0, mediaTypeHeadBytes));
      if (type === undefined) throw new WaypostError('invalid-argument', 'This file is not a picture that can be shown here. Save it and open it with another program.');
      return { dataUrl: `data:${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}` };
    },
  };
}

/** What the path means depends on where a program was started, and the visor was started somewhere else. */
export function requireAbsolute(file: string): void {
  if (!path.isAbsolute(file)) throw new WaypostError('invalid-argument', 'The path of a file has to be a full one, from the root of the disk on.');
}

/** The engine refuses them too, but after minutes in which a large file was sealed for nothing. */
function refuseRecipient(context: ApiContext, publicKey: string): void {
  const inspect = context.inspect();
  if (publicKey === inspect.publicKey) throw new WaypostError('own-address', 'This is your own address. Choose somebody else to write to.');
  if (inspect.contacts.get(publicKey)?.standing === 'blocked') throw new WaypostError('blocked', 'You have blocked this contact. Unblock them to write to them.');
}

/** Empty when it cannot be read any more: only the name tells its kind then. It was a file a moment ago; should it be a pipe now, opening it does not wait. */
export async function headOf(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK));
    try {
      const head = new Uint8Array(mediaTypeHeadBytes);
      const { bytesRead } = await handle.read(head, 0, head.length, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    return new Uint8Array(0);
  }
}

/** After a command that failed. The message may stand all the same where only the answer was lost, and then it needs its blob. */
async function deleteUnused(context: ApiContext, conversationId: string, name: ContentName): Promise<void> {
  const isNeeded = await context.query({ query: 'page', conversationId, beforeRow: undefined, limit: newestMessages })
    .then(({ messages }) => messages.some(({ file }) => file !== undefined && sameBytes(file.root, name.root)), () => true);
  if (isNeeded) return;
  await new Promise<void>((resolve) => { context.blobs.submit<'delete'>({ op: 'delete', name }, () => { resolve(); }); });
}

/** @throws WaypostError `not-found` */
async function requireFile(context: ApiContext, messageId: string): Promise<FileRow> {
  const { file } = await findStoredMessage(context, messageId);
  if (file === undefined) throw new WaypostError('not-found', 'This message carries no file.');
  return file;
}

/** Opens a file that is all here. @throws WaypostError `file-not-here` */
async function opening<Result>(context: ApiContext, row: FileRow, work: () => Promise<Result>): Promise<Result> {
  const { state } = context.inspect().fileStatus(row);
  if (row.direction === 'in' && state.state !== 'ready') {
    throw new WaypostError('file-not-here', state.state === 'failed' ? fileFailSentence(state.reason, 'in') : 'This file is not all here yet. Fetch it first.');
  }
  if (row.copy !== undefined) throw new WaypostError('file-not-here', fileCopyGoneSentence);
  try {
    return await work();
  } catch (error) {
    // Nothing can be fetched of one's own.
    if (row.direction === 'out' && error instanceof WaypostError && error.code === 'file-not-here') throw new WaypostError('file-not-here', fileFailSentence('gone', 'out'), { cause: error });
    throw error;
  }
}
