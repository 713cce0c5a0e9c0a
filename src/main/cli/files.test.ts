/** The verbs about files as real processes, beside a visor that this test plays. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { serveCall } from '../../shared/transport.ts';
import type { FileView } from '../../shared/file-views.ts';
import type { MessageView, OutboxItemView } from '../../shared/views.ts';
import { serveControlSocket, type ControlSocket } from '../host/control-socket.ts';
import { profileAt } from '../host/profile.ts';

const entry = path.join(import.meta.dirname, 'index.ts');
const slow = 60_000;
const key = `02${'ab'.repeat(32)}`;
const id = '12'.repeat(16);

let directory: string;
let folder: string;
let server: ControlSocket;
let message: MessageView;
let calls: [string, unknown][];
/** States that the file takes one after the other, each when it was looked at. */
let script: FileView['state'][];
let outbox: OutboxItemView[];
let conversations: { publicKey: string; relayHoldsBytes?: number }[];

beforeEach(async () => {
  directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'waypost-cli-files-')));
  folder = path.join(directory, 'here');
  mkdirSync(folder);
  message = withFile('in', { state: 'ready' });
  calls = [];
  script = [];
  outbox = [];
  conversations = [];
  const handlers = {
    state: { snapshot: () => Promise.resolve({ sequence: 0, view: { outbox, conversations } }) },
    messages: {
      get({ messageId }: { messageId: string }) {
        if (messageId !== id) return Promise.reject(new WaypostError('not-found', 'There is no message with this id here.'));
        const shown = message;
        const next = script.shift();
        if (next !== undefined) setInFile(next);
        return Promise.resolve(shown);
      },
      inbox: ({ afterRow }: { afterRow: number }) => Promise.resolve({ messages: afterRow === 0 ? [message] : [], nextRow: 1 }),
    },
    files: {
      send({ file, text }: { file: { by: string; path: string }; text: string }) {
        message = { ...withFile('out', { state: 'waiting', reason: 'letter-first', doneBytes: 0 }, path.basename(file.path)), text, headline: { state: 'queued' } };
        return Promise.resolve(message);
      },
      fetch: () => { setInFile({ state: 'moving', doneBytes: 1, bytesPerSecond: 5, sources: [] }); return Promise.resolve(undefined); },
      save({ path: target = '' }: { path?: string }) {
        if (existsSync(target)) return Promise.reject(new WaypostError('file-exists', 'There is already something with that name.'));
        writeFileSync(target, 'the file');
        return Promise.resolve({ path: target });
      },
    },
  } as unknown as Partial<Handlers>;
  const profile = profileAt(path.join(directory, 'p'));
  mkdirSync(profile.directory);
  server = await serveControlSocket(profile.controlAddress, {
    invoke: (call, argument) => { calls.push([call, argument]); return serveCall(handlers, call, argument); },
    listen: () => () => undefined,
  });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const withFile = (direction: MessageView['direction'], state: FileView['state'], name = 'holiday.jpg'): MessageView => ({
  id, conversationId: `${key}:1`, row: 1, direction, text: '', sentAtMs: 1_000, receivedAtMs: 1_000, expiresAtMs: 2_000, headline: { state: 'received' }, missingBefore: 0,
  file: { name, mediaType: 'image/jpeg', sizeBytes: 1_000, state, holders: [] },
});
function setInFile(state: FileView['state']): void {
  const { file } = message;
  if (file !== undefined) message = { ...message, file: { ...file, state } };
}

interface Result { readonly code: number | null; readonly out: string; readonly error: string }

async function waypost(...commandLine: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [entry, ...commandLine, '--profile', path.join(directory, 'p')], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, error] = ['', ''];
  child.stdout.on('data', (data: Buffer) => { out += data.toString('utf8'); });
  child.stderr.on('data', (data: Buffer) => { error += data.toString('utf8'); });
  const [code] = await once(child, 'close') as [number | null];
  return { code, out, error };
}
const callsOf = (name: string): unknown[] => calls.filter(([call]) => call === name).map(([, argument]) => argument);
const linesOf = (out: string): unknown[] => out.trimEnd().split('\n').map((line): unknown => JSON.parse(line));

describe('send --file', () => {
  it('names the file by its full path and says where message and file are', async () => {
    writeFileSync(path.join(folder, 'a.txt'), 'hello');
    const sent = await waypost('send', '--to', key, '--file', 'a.txt', 'with words');
    expect([sent.code, sent.error]).toEqual([0, '']);
    expect(sent.out).toBe(`${id}  Saved here. It goes as soon as there is a way.\na.txt, 1.0 kB: The message goes first; the file follows by itself.\n`);
    expect(callsOf('files.send')).toEqual([{ to: key, text: 'with words', file: { by: 'path', path: path.join(folder, 'a.txt') } }]);
  }, slow);

  it('says beforehand that a file is too large for their relays', async () => {
    writeFileSync(path.join(folder, 'a.txt'), 'x'.repeat(3_000));
    conversations = [{ publicKey: key, relayHoldsBytes: 2_000 }];
    const sent = await waypost('send', '--to', `${key}:1`, '--file', 'a.txt');
    expect([sent.code, sent.error]).toEqual([0, 'Larger than 2.0 kB, the most that their relays hold: it arrives only while you are both online.\n']);
  });

  it('waits until a relay holds all of it, in plain lines for what is no terminal', async () => {
    writeFileSync(path.join(folder, 'a.txt'), 'hello');
    script = [{ state: 'moving', doneBytes: 500, bytesPerSecond: 100, sources: [] }, { state: 'ready' }];
    const sent = await waypost('send', '--to', key, '--file', 'a.txt', '--wait', 'held');
    expect(sent.code).toBe(0);
    expect(sent.error.split('\n').map((line) => line.split('  ')[1] ?? '')).toEqual(['The message goes first; the file follows by itself.', '50 %', 'They have it.', '']);
    expect(sent.out).toContain('a.txt, 1.0 kB: They have it.');
  }, slow);

  it('gives programs each step and the message at the end', async () => {
    writeFileSync(path.join(folder, 'a.txt'), 'hello');
    script = [{ state: 'failed', reason: 'unreadable' }];
    const sent = await waypost('send', '--to', key, '--file', 'a.txt', '--wait', 'held', '--json');
    expect([sent.code, sent.error]).toEqual([1, '']);
    expect(linesOf(sent.out)).toMatchObject([
      { progress: { messageId: id, file: { state: { state: 'waiting' } } } }, { progress: { messageId: id, file: { state: { state: 'failed' } } } }, { id, file: { state: { state: 'failed' } } },
    ]);
  }, slow);

  it.each([
    ['nothing to send', [], 2, 'invalid-argument', /Say what to send/],
    ['a file that is not there', ['--file', 'missing.txt'], 1, 'file-unreadable', /There is no file "missing\.txt"/],
    ['a folder', ['--file', '.'], 1, 'file-unreadable', /"here" is a folder/],
    ['two files', ['--file', 'a.txt', '--file', 'b.txt'], 2, 'invalid-argument', /One message carries one file/],
    ['no path', ['--file', ''], 2, 'invalid-argument', /--file takes the path/],
    ['a text too long in bytes', ['--file', 'a.txt', 'ä'.repeat(16_385)], 1, 'message-too-large', /32 KiB/],
    ['waiting for a file without one', ['--wait', 'held', 'hello'], 2, 'invalid-argument', /--wait held is for files/],
  ])('refuses %s before it asks anybody', async (_what, more, code, name, sentence) => {
    writeFileSync(path.join(folder, 'a.txt'), 'hello');
    const refused = await waypost('send', '--to', key, ...more);
    expect([refused.code, refused.out]).toEqual([code, '']);
    expect(refused.error).toMatch(sentence);
    expect(refused.error).toContain(`(${name})`);
    expect(calls).toEqual([]);
  }, slow);
});

describe('get', () => {
  it('saves under the safe name in the current folder and never over anything', async () => {
    message = withFile('in', { state: 'ready' }, '../up\u001b[2J.txt');
    const names: string[] = [];
    for (let round = 0; round < 3; round += 1) names.push((await waypost('get', id)).out.trimEnd());
    expect(names).toEqual(['_up[2J.txt', '_up[2J (2).txt', '_up[2J (3).txt'].map((name) => path.join(folder, name)));
    for (const name of names) expect(readFileSync(name, 'utf8')).toBe('the file');
    expect(callsOf('files.fetch')).toEqual([]);
  }, slow);

  it('fetches what was not asked for yet and shows how it comes', async () => {
    message = withFile('in', { state: 'waiting', reason: 'not-asked', doneBytes: 0 });
    script = [{ state: 'waiting', reason: 'not-asked', doneBytes: 0 }, { state: 'ready' }];
    const got = await waypost('get', id, '--json', '--output', 'mine.jpg');
    expect([got.code, got.error]).toEqual([0, '']);
    expect(callsOf('files.fetch')).toEqual([{ messageId: id }]);
    const target = path.join(folder, 'mine.jpg');
    expect(linesOf(got.out)).toMatchObject([{ progress: { file: { state: { state: 'moving' } } } }, { progress: { file: { state: { state: 'ready' } } } }, { path: target, message: { id } }]);
    expect(readFileSync(target, 'utf8')).toBe('the file');
  }, slow);

  it('saves into a folder, and one of our own without fetching it', async () => {
    mkdirSync(path.join(folder, 'files'));
    message = withFile('out', { state: 'waiting', reason: 'no-source', doneBytes: 0 });
    expect((await waypost('get', id, '--output', 'files')).out).toBe(`${path.join(folder, 'files', 'holiday.jpg')}\n`);
    expect(callsOf('files.fetch')).toEqual([]);
  }, slow);

  it('says why it did not come, and gives up in time', async () => {
    message = withFile('in', { state: 'moving', doneBytes: 1, bytesPerSecond: 1, sources: [] });
    const late = await waypost('get', id, '--timeout', '0');
    expect([late.code, late.out]).toEqual([1, '']);
    expect(late.error).toContain('(timeout)');
    script = [{ state: 'failed', reason: 'gone' }];
    const failed = await waypost('get', id);
    expect([failed.code, failed.out]).toEqual([1, '']);
    expect(failed.error).toContain('waypost: Nobody has it any more. Ask them to send it again. (file-not-here)');
  }, slow);

  it.each([
    ['an unknown id', ['ff'.repeat(16)], 1, 'not-found'],
    ['what is no id', ['../x'], 2, 'invalid-argument'],
    ['a name that is taken', [id, '--output', 'taken.txt'], 1, 'file-exists'],
    ['a folder that is not there', [id, '--output', 'nowhere/a.txt'], 2, 'invalid-argument'],
    ['a name that says folder and is none', [id, '--output', 'nowhere/'], 2, 'invalid-argument'],
    ['a time that is none', [id, '--timeout', 'soon'], 2, 'invalid-argument'],
  ])('refuses %s and touches nothing', async (_what, more, code, name) => {
    writeFileSync(path.join(folder, 'taken.txt'), 'mine');
    const refused = await waypost('get', ...more);
    expect([refused.code, refused.out]).toEqual([code, '']);
    expect(refused.error).toContain(`(${name})`);
    expect(readFileSync(path.join(folder, 'taken.txt'), 'utf8')).toBe('mine');
    expect(callsOf('files.save')).toEqual([]);
  }, slow);

  it('refuses a message without a file', async () => {
    message = { ...message, file: undefined, text: 'words' };
    expect((await waypost('get', id)).error).toBe('waypost: This message carries no file. (not-found)\n');
  }, slow);
});

describe('lists', () => {
  it('show files with name, size, state and id', async () => {
    message = { ...withFile('in', { state: 'waiting', reason: 'not-asked', doneBytes: 0 }), text: 'look' };
    expect((await waypost('inbox')).out).toBe(`1970-01-01T00:00:01.000Z  ${key}  [file ${id}] holiday.jpg, 1.0 kB: It comes when you ask for it.  look\n`);
    message = { ...withFile('out', { state: 'waiting', reason: 'no-source', doneBytes: 0 }), headline: { state: 'queued' } };
    outbox = [{ messageId: id, conversationId: message.conversationId, toName: 'Ben', kind: 'message', summary: '', sizeBytes: 10, attempts: 0, headline: { state: 'queued' }, queuedAtMs: 1, expiresAtMs: 2 }];
    expect((await waypost('outbox')).out).toBe(`${id}  Saved here  to Ben  holiday.jpg, 1.0 kB: No relay takes it now. It goes while you are both online.\n`);
  }, slow);
});
