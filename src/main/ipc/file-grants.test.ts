import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileGrants } from './file-grants.ts';

const [one, other] = [1, 2];
let folder = '';
let pastedDirectory = '';
let nowMs = 0;
let grants: FileGrants;
const file = (name: string, text = 'contents'): string => {
  const made = path.join(folder, name);
  writeFileSync(made, text);
  return made;
};

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'waypost-grants-'));
  pastedDirectory = path.join(folder, 'profile', 'pasted');
  nowMs = 1_000;
  grants = new FileGrants({ pastedDirectory, nowMs: () => nowMs });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('grants of files', () => {
  it('tells a window the name and the size, and never the path', async () => {
    const given = await grants.offer(one, { kind: 'path', path: file('tide.pdf') });
    expect(given).toEqual({ grant: expect.stringMatching(/^[0-9a-f]{32}$/) as string, name: 'tide.pdf', sizeBytes: 8 });
    expect(grants.take(one, given.grant)?.path).toBe(path.join(folder, 'tide.pdf'));
  });
  it('are good for the window they were given to, and for one send at a time', async () => {
    const { grant } = await grants.givePath(one, file('a.txt'));
    expect(grants.take(other, grant)).toBeUndefined();
    expect(grants.take(one, 'f'.repeat(32))).toBeUndefined();
    const taken = grants.take(one, grant);
    expect(taken).toBeDefined();
    expect(grants.take(one, grant)).toBeUndefined();
  });
  it('are used up by a send that succeeded, and by no other', async () => {
    const { grant } = await grants.givePath(one, file('a.txt'));
    grants.take(one, grant)?.settle(false);
    grants.take(one, grant)?.settle(true);
    expect(grants.take(one, grant)).toBeUndefined();
  });
  it('run out after an hour', async () => {
    const { grant } = await grants.givePath(one, file('a.txt'));
    nowMs += 3_599_999;
    grants.take(one, grant)?.settle(false);
    nowMs += 1;
    expect(grants.take(one, grant)).toBeUndefined();
  });
  it('end when they are let go and when the window closes', async () => {
    const first = await grants.givePath(one, file('a.txt'));
    const second = await grants.givePath(one, file('b.txt'));
    grants.release(other, first.grant);
    grants.take(one, first.grant)?.settle(false);
    grants.release(one, first.grant);
    expect(grants.take(one, first.grant)).toBeUndefined();
    grants.closeWindow(one);
    expect(grants.take(one, second.grant)).toBeUndefined();
  });
  it('are bounded for each window', async () => {
    const made = file('a.txt');
    for (let count = 0; count < 256; count += 1) await grants.givePath(one, made);
    await expect(grants.givePath(one, made)).rejects.toMatchObject({ code: 'refused' });
    await expect(grants.givePath(other, made)).resolves.toMatchObject({ name: 'a.txt' });
  });
  it('are refused for what is no file, with a sentence', async () => {
    mkdirSync(path.join(folder, 'photos'));
    await expect(grants.givePath(one, path.join(folder, 'photos'))).rejects.toMatchObject({ code: 'file-unreadable', message: expect.stringContaining('is a folder') as string });
    await expect(grants.givePath(one, path.join(folder, 'gone.txt'))).rejects.toMatchObject({ code: 'file-unreadable' });
    await expect(grants.givePath(one, 'relative.txt')).rejects.toMatchObject({ code: 'invalid-argument' });
  });
  it.each([undefined, null, 'path', {}, { kind: 'path', path: '' }, { kind: 'path', path: 3 }, { kind: 'bytes', name: 'x', bytes: [1] }, { kind: 'bytes', name: 'x'.repeat(2_000), bytes: new Uint8Array(1) }, { kind: 'bytes', name: 'x', bytes: new Uint8Array(32 * 1_048_576 + 1) }])('are refused for anything malformed: %#', async (offered) => {
    await expect(grants.offer(one, offered)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('what is pasted', () => {
  const paste = (name = 'image.png') => grants.offer(one, { kind: 'bytes', name, bytes: new Uint8Array([1, 2, 3]) });

  it('becomes a file of its name that only the owner may read, and goes after it was sent', async () => {
    const { grant, name, sizeBytes } = await paste('../image.png');
    expect([name, sizeBytes]).toEqual(['_image.png', 3]);
    const taken = grants.take(one, grant);
    const made = taken?.path ?? '';
    expect([path.basename(made), [...readFileSync(made)]]).toEqual(['_image.png', [1, 2, 3]]);
    if (process.platform !== 'win32') expect([statSync(made).mode & 0o777, statSync(path.dirname(made)).mode & 0o777]).toEqual([0o600, 0o700]);
    taken?.settle(true);
    await vi.waitFor(() => expect(existsSync(made)).toBe(false));
  });
  it('is deleted when it is let go, when its window closes during a send, at quit and at the next start', async () => {
    const released = await paste();
    grants.release(one, released.grant);
    await vi.waitFor(() => expect(readdirSync(pastedDirectory)).toEqual([]));
    const closing = await paste();
    const taken = grants.take(one, closing.grant);
    grants.closeWindow(one);
    expect(existsSync(taken?.path ?? '')).toBe(true);
    taken?.settle(false);
    await vi.waitFor(() => expect(readdirSync(pastedDirectory)).toEqual([]));
    await paste();
    grants.clear();
    expect(existsSync(pastedDirectory)).toBe(false);
    await paste();
    expect(new FileGrants({ pastedDirectory, nowMs: () => 0 })).toBeDefined();
    expect(existsSync(pastedDirectory)).toBe(false);
  });
  it('is bounded in all', async () => {
    const large = new Uint8Array(32 * 1_048_576);
    for (let count = 0; count < 8; count += 1) await grants.offer(one, { kind: 'bytes', name: 'x', bytes: large });
    await expect(paste()).rejects.toMatchObject({ code: 'refused' });
  });
});
