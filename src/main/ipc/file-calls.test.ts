import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reply } from '../../shared/transport.ts';
import type { FileState } from '../../shared/file-views.ts';
import type { MessageView } from '../../shared/views.ts';
import { invokeFromWindow } from './file-calls.ts';
import { FileGrants } from './file-grants.ts';

const to = `02${'ab'.repeat(32)}:1`;
const messageId = 'cd'.repeat(16);
const windowId = 7;
let folder = '';
let grants: FileGrants;
let calls: { readonly call: string; readonly argument: unknown }[] = [];
let asked: string[] = [];
let answers: Readonly<Record<string, (argument: unknown) => Reply>> = {};
let where: string | undefined;

const messageWith = (name: string | undefined, state: FileState = { state: 'ready' }): MessageView => ({
  id: messageId, conversationId: to, row: 1, direction: 'in', text: '', sentAtMs: 0, expiresAtMs: 0, headline: { state: 'received' }, missingBefore: 0,
  ...(name === undefined ? {} : { file: { name, mediaType: 'text/plain', sizeBytes: 3, state, holders: [] } }),
});
const invoke = (call: string, argument: unknown): Promise<Reply> =>
  invokeFromWindow(
    {
      grants,
      pipe: { invoke: async (name, given) => { calls.push({ call: name, argument: given }); return answers[name]?.(given) ?? { ok: true, value: undefined }; } },
      askWhere: async (id, name) => { asked.push(`${String(id)} ${name}`); return where; },
    },
    windowId, call, argument,
  );
const namesOfCalls = (): string[] => calls.map(({ call }) => call);

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'waypost-calls-'));
  grants = new FileGrants({ pastedDirectory: path.join(folder, 'pasted'), nowMs: () => 0 });
  [calls, asked, answers, where] = [[], [], {}, undefined];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('sending a file from a window', () => {
  it('is refused when a path is named', async () => {
    expect(await invoke('files.send', { to, file: { by: 'path', path: '/etc/passwd' }, text: '' })).toMatchObject({ ok: false, error: { code: 'refused' } });
    expect(calls).toEqual([]);
  });
  it('is refused to publish or to save what is published, which goes by paths', async () => {
    for (const call of ['names.publish', 'names.save']) expect(await invoke(call, { name: 'a', publicKey: to.slice(0, 66), path: '/etc/passwd' })).toMatchObject({ ok: false, error: { code: 'refused' } });
    expect(calls).toEqual([]);
  });
  it.each([undefined, {}, { to, file: { by: 'grant', grant: '../x' }, text: '' }, { to, text: '' }, { to, file: { by: 'grant', grant: 'ab'.repeat(16) }, text: 3 }])('is refused when the call is malformed: %#', async (argument) => {
    expect(await invoke('files.send', argument)).toMatchObject({ ok: false, error: { code: 'invalid-argument' } });
    expect(calls).toEqual([]);
  });
  it('puts the path in the place of the grant, once', async () => {
    const file = path.join(folder, 'a.txt');
    writeFileSync(file, 'abc');
    const { grant } = await grants.givePath(windowId, file);
    const argument = { to, file: { by: 'grant', grant }, text: 'Look', ttlSeconds: 60 };
    expect(await invoke('files.send', argument)).toMatchObject({ ok: true });
    expect(calls).toEqual([{ call: 'files.send', argument: { to, file: { by: 'path', path: file }, text: 'Look', ttlSeconds: 60 } }]);
    expect(await invoke('files.send', argument)).toMatchObject({ ok: false, error: { code: 'file-unreadable' } });
  });
  it('can be tried again after it failed', async () => {
    const file = path.join(folder, 'a.txt');
    writeFileSync(file, 'abc');
    const { grant } = await grants.givePath(windowId, file);
    const argument = { to, file: { by: 'grant', grant }, text: '' };
    answers = { 'files.send': () => ({ ok: false, error: { code: 'disk-full', message: 'Full.' } }) };
    expect(await invoke('files.send', argument)).toMatchObject({ ok: false, error: { code: 'disk-full' } });
    answers = {};
    expect(await invoke('files.send', argument)).toMatchObject({ ok: true });
  });
});

describe('saving a file from a window', () => {
  beforeEach(() => { answers = { 'messages.get': () => ({ ok: true, value: messageWith('tide.txt') }), 'files.save': (argument) => ({ ok: true, value: { path: (argument as { path: string }).path } }) }; });

  it('is refused when a path is named', async () => {
    expect(await invoke('files.save', { messageId, path: path.join(folder, 'x') })).toMatchObject({ ok: false, error: { code: 'refused' } });
    expect([calls, asked]).toEqual([[], []]);
  });
  it('asks the person, with the name of the file', async () => {
    where = path.join(folder, 'chosen.txt');
    expect(await invoke('files.save', { messageId })).toEqual({ ok: true, value: { path: where } });
    expect(asked).toEqual(['7 tide.txt']);
    expect(calls.at(-1)).toEqual({ call: 'files.save', argument: { messageId, path: where } });
  });
  it('does nothing when the person would rather not', async () => {
    expect(await invoke('files.save', { messageId })).toEqual({ ok: true, value: {} });
    expect(namesOfCalls()).toEqual(['messages.get']);
  });
  it('does not ask for what is not here', async () => {
    answers = { 'messages.get': () => ({ ok: true, value: messageWith('tide.txt', { state: 'waiting', reason: 'paused', doneBytes: 1 }) }) };
    expect(await invoke('files.save', { messageId })).toMatchObject({ ok: false, error: { code: 'file-not-here' } });
    answers = { 'messages.get': () => ({ ok: true, value: messageWith(undefined) }) };
    expect(await invoke('files.save', { messageId })).toMatchObject({ ok: false, error: { code: 'not-found' } });
    expect(asked).toEqual([]);
  });
  it('replaces what is there by the whole file, and leaves it alone when saving fails', async () => {
    where = path.join(folder, 'present.txt');
    writeFileSync(where, 'old');
    const save = answers['files.save'];
    answers = { ...answers, 'files.save': () => ({ ok: false, error: { code: 'disk-full', message: 'Full.' } }) };
    expect(await invoke('files.save', { messageId })).toMatchObject({ ok: false, error: { code: 'disk-full' } });
    expect(readFileSync(where, 'utf8')).toBe('old');
    answers = { ...answers, 'files.save': (argument) => {
      const target = (argument as { path: string }).path;
      expect(existsSync(target)).toBe(false);
      writeFileSync(target, 'new');
      return save?.(argument) ?? { ok: true, value: {} };
    } };
    expect(await invoke('files.save', { messageId })).toEqual({ ok: true, value: { path: where } });
    expect([readFileSync(where, 'utf8'), readdirSync(folder)]).toEqual(['new', ['present.txt']]);
  });
});

describe('every other call', () => {
  it('goes on as it is', async () => {
    await invoke('files.fetch', { messageId });
    expect(calls).toEqual([{ call: 'files.fetch', argument: { messageId } }]);
  });
});
