import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handlers } from '../../../shared/contract.ts';
import { fileCopyGoneSentence } from '../../../shared/file-sentences.ts';
import { fileTextMaximumBytes } from '../../../shared/file-views.ts';
import { WaypostError } from '../../../shared/errors.ts';
import type { EngineCommand } from '../../engine/command-types.ts';
import type { FileRow, StoredMessage } from '../../engine/mail/visor-store.ts';
import { nobleCrypto } from '../../engine/noble-crypto.ts';
import { BlobStore } from '../blobs/blob-store.ts';
import { tree } from '../blobs/testing.ts';
import type { ApiContext } from './api-context.ts';
import { contactRow, FakeInspection, fileRow, keyOf, storedMessage } from './fake-inspection.ts';
import { createFileHandlers } from './files.ts';

const bob = keyOf(2);
const conversationId = `${bob}:1`;
const id = 'ab'.repeat(16);
const pngHead = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

let directory: string;
let blobs: BlobStore;
let engine: FakeInspection;
let messages: Map<string, StoredMessage>;
let commands: EngineCommand[];
/** What the engine does with a command instead of taking it. */
let refusal: ((command: EngineCommand) => Error) | undefined;
let stopping: AbortController;
let files: Handlers['files'];

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'waypost-files-'));
  blobs = await BlobStore.open({ folder: path.join(directory, 'blobs'), tree, crypto: nobleCrypto });
  engine = new FakeInspection();
  messages = new Map();
  commands = [];
  refusal = undefined;
  stopping = new AbortController();
  const context = {
    blobs,
    stopping: stopping.signal,
    inspect: () => engine,
    command(command: EngineCommand): Promise<unknown> {
      commands.push(command);
      if (refusal !== undefined) return Promise.reject(refusal(command));
      if (command.name === 'send-file') store(command);
      return Promise.resolve(command.name === 'send-file' ? { messageId: id } : undefined);
    },
    query(query: { query: string; messageId?: string }): Promise<unknown> {
      return Promise.resolve(query.query === 'message' ? { message: messages.get(query.messageId ?? '') } : { messages: [...messages.values()], more: false });
    },
  };
  files = createFileHandlers(context as unknown as ApiContext);
});
afterEach(async () => {
  await blobs.close();
  rmSync(directory, { recursive: true, force: true });
});

function store({ file, text }: Extract<EngineCommand, { name: 'send-file' }>): void {
  messages.set(id, { ...storedMessage(id, conversationId, 1, 'out', text), file: { ...fileRow(id, conversationId, 'out'), ...file } });
}

const fileAt = (name: string, content: string | Uint8Array = 'hello'): string => {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
};
const blobFiles = (): string[] => readdirSync(path.join(directory, 'blobs'));
const send = (file: string, text = '', to = bob): ReturnType<typeof files.send> => files.send({ to, text, file: { by: 'path', path: file } });

/** A message with a file of which all bytes are in the store. */
async function stored(direction: 'in' | 'out', name: string, content: Uint8Array): Promise<FileRow> {
  const key = new Uint8Array(32).fill(7);
  const imported = await blobs.importFile(fileAt(name, content), key);
  const row = { ...fileRow(id, conversationId, direction, name), key, sizeBytes: content.length, root: imported.name.root, blobBytes: imported.name.length };
  messages.set(id, { ...storedMessage(id, conversationId, 1, direction), file: row });
  if (direction === 'in') engine.files.set(id, { state: { state: 'ready' }, holders: [] });
  return row;
}

describe('sending a file', () => {
  it('seals it, tells the engine what it is, and answers with its message', async () => {
    const content = Uint8Array.from([...pngHead, ...new Uint8Array(100_000).fill(3)]);
    const message = await send(fileAt('a photo.jpg', content), 'look');
    expect(message).toMatchObject({ id, text: 'look', file: { name: 'a photo.jpg', mediaType: 'image/png', sizeBytes: content.length } });
    expect(blobFiles().filter((file) => file.endsWith('.unclaimed')), 'a message needs it').toEqual([]);
    const [command] = commands;
    if (command?.name !== 'send-file') expect.fail('the engine was not told');
    expect(command).toMatchObject({ to: bob, port: 1, text: 'look', ttlSeconds: undefined });
    expect(await blobs.readPlain({ root: command.file.root, length: command.file.blobBytes }, command.file.key, command.file.sizeBytes, content.length)).toEqual(content);
    expect(commands).toHaveLength(1);
  });

  it('seals the same file under another key each time', async () => {
    const file = fileAt('twice.txt');
    await send(file);
    await send(file);
    const keys = commands.map((command) => (command.name === 'send-file' ? command.file.key.join() : ''));
    expect(new Set(keys).size).toBe(2);
  });

  it.each([
    ['a grant, which is for windows', () => files.send({ to: bob, text: '', file: { by: 'grant', grant: '00'.repeat(16) } }), 'refused'],
    ['an address that is none', () => send(fileAt('a'), '', 'nobody'), 'bad-address'],
    ['the own address', () => send(fileAt('a'), '', keyOf(1)), 'own-address'],
    ['a text that is too long in bytes', () => send(fileAt('a'), '\u00e4'.repeat(fileTextMaximumBytes / 2 + 1)), 'message-too-large'],
    ['a path that is not a full one', () => send('package.json'), 'invalid-argument'],
    ['a file that is not there', () => send(path.join(directory, 'missing')), 'file-unreadable'],
    ['a folder', () => send(directory), 'file-unreadable'],
    ['a path with a zero in it', () => send(`${directory}/a\u0000b`), 'file-unreadable'],
  ] as const)('refuses %s and keeps nothing', async (_what, attempt, code) => {
    await expect(attempt()).rejects.toMatchObject({ code });
    expect(commands).toEqual([]);
    expect(blobFiles()).toEqual([]);
  });

  it('refuses somebody who is blocked before it reads the file', async () => {
    engine.contacts.set(bob, contactRow(bob, 'Bob', 'blocked'));
    await expect(send(path.join(directory, 'missing'))).rejects.toMatchObject({ code: 'blocked' });
  });

  it('deletes the sealed copy again when the engine refuses', async () => {
    refusal = () => new WaypostError('ttl-out-of-range', 'Too long.');
    await expect(send(fileAt('a.txt'))).rejects.toMatchObject({ code: 'ttl-out-of-range' });
    expect(blobFiles()).toEqual([]);
  });

  it('keeps the sealed copy when only the answer was lost and the message stands', async () => {
    refusal = (command) => {
      if (command.name === 'send-file') store(command);
      return new WaypostError('not-running', 'Stopped.');
    };
    await expect(send(fileAt('a.txt'))).rejects.toMatchObject({ code: 'not-running' });
    expect(blobFiles().some((name) => name.endsWith('.blob'))).toBe(true);
  });

  it('ends with the visor', async () => {
    stopping.abort(new WaypostError('not-running', 'Stopped.'));
    await expect(send(fileAt('a.txt'))).rejects.toMatchObject({ code: 'not-running' });
    expect(blobFiles()).toEqual([]);
  });
});

describe('moving a file', () => {
  it('is the engine\'s business, for messages that carry one', async () => {
    messages.set(id, { ...storedMessage(id, conversationId, 1), file: fileRow(id, conversationId) });
    await files.fetch({ messageId: id });
    await files.pause({ messageId: id });
    await files.cancel({ messageId: id });
    expect(commands).toEqual(['fetch-file', 'pause-file', 'cancel-file'].map((name) => ({ name, messageId: id })));
  });

  it.each(['fetch', 'pause', 'cancel', 'preview'] as const)('refuses to %s what is no message or carries no file', async (call) => {
    await expect(files[call]({ messageId: id })).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('no message') as string });
    messages.set(id, storedMessage(id, conversationId, 1));
    await expect(files[call]({ messageId: id })).rejects.toMatchObject({ code: 'not-found', message: 'This message carries no file.' });
    expect(commands).toEqual([]);
  });
});

describe('saving a file', () => {
  const content = new Uint8Array(70_000).fill(9);

  it.each(['in', 'out'] as const)('writes one that went %s, and nothing over another', async (direction) => {
    await stored(direction, 'a.bin', content);
    const target = path.join(directory, 'saved.bin');
    expect(await files.save({ messageId: id, path: target })).toEqual({ path: target });
    expect(Uint8Array.from(readFileSync(target))).toEqual(content);
    writeFileSync(target, 'mine');
    await expect(files.save({ messageId: id, path: target })).rejects.toMatchObject({ code: 'file-exists' });
    expect(readFileSync(target, 'utf8')).toBe('mine');
  });

  it('needs a full path', async () => {
    await stored('in', 'a.bin', content);
    await expect(files.save({ messageId: id })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(files.save({ messageId: id, path: 'saved.bin' })).rejects.toMatchObject({ code: 'invalid-argument' });
    mkdirSync(path.join(directory, 'empty'));
    await expect(files.save({ messageId: id, path: path.join(directory, 'nowhere', 'saved.bin') })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('says that no copy is kept of one that was sent', async () => {
    const row = await stored('out', 'sent.txt', Uint8Array.of(1));
    messages.set(id, { ...storedMessage(id, conversationId, 1, 'out'), file: { ...row, copy: 'freeing' } });
    await expect(files.save({ messageId: id, path: path.join(directory, 'copy') })).rejects.toMatchObject({ code: 'file-not-here', message: fileCopyGoneSentence });
  });

  it('says what is the matter with a file that is not here', async () => {
    const row = await stored('in', 'a.bin', content);
    const target = path.join(directory, 'saved.bin');
    engine.files.set(id, { state: { state: 'moving', doneBytes: 5, bytesPerSecond: 1, sources: [] }, holders: [] });
    await expect(files.save({ messageId: id, path: target })).rejects.toMatchObject({ code: 'file-not-here', message: 'This file is not all here yet. Fetch it first.' });
    engine.files.set(id, { state: { state: 'failed', reason: 'gone' }, holders: [] });
    await expect(files.save({ messageId: id, path: target })).rejects.toMatchObject({ code: 'file-not-here', message: expect.stringContaining('Nobody has it any more') as string });
    messages.set(id, { ...storedMessage(id, conversationId, 1, 'out'), file: { ...row, direction: 'out', root: new Uint8Array(32) } });
    await expect(files.save({ messageId: id, path: target })).rejects.toMatchObject({ code: 'file-not-here', message: expect.stringContaining('copy on this computer is gone') as string });
  });
});

describe('showing a picture', () => {
  it('gives what its first bytes say it is, whatever its sender says', async () => {
    const content = Uint8Array.from([...pngHead, 1, 2, 3]);
    await stored('in', 'photo.svg', content);
    const { dataUrl } = await files.preview({ messageId: id });
    expect(dataUrl).toBe(`data:image/png;base64,${Buffer.from(content).toString('base64')}`);
  });

  it.each(['<svg xmlns="http://www.w3.org/2000/svg"/>', '', 'plain text'])('refuses "%s", though it is called a picture', async (text) => {
    await stored('in', 'photo.png', new TextEncoder().encode(text));
    await expect(files.preview({ messageId: id })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('refuses one that is too large before it reads it, and one that is not here', async () => {
    const row = await stored('in', 'photo.png', Uint8Array.from(pngHead));
    messages.set(id, { ...storedMessage(id, conversationId, 1), file: { ...row, sizeBytes: 16 * 1_048_576 + 1 } });
    await expect(files.preview({ messageId: id })).rejects.toMatchObject({ code: 'file-too-large' });
    engine.files.delete(id);
    await expect(files.preview({ messageId: id })).rejects.toMatchObject({ code: 'file-not-here' });
  });
});
