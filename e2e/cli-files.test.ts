/** Files over the command line: two people and a relay as real processes, and what was sent compared byte by byte with what was got. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until, untilTrue } from '../scripts/processes/waiting.ts';
import { killAll, runVerb, WaypostProcess } from '../scripts/processes/waypost-process.ts';
import { fileSchema } from '../src/shared/file-views.ts';
import { messageSchema, type MessageView } from '../src/shared/views.ts';

const slow = 180_000;
const deadlineMs = 90_000;
const timeout = ['--timeout', '60'] as const;
const listen = ['--listen', '127.0.0.1:0', '--json'] as const;
const relayLine = z.object({ hint: z.string() });
const identityLine = z.object({ publicKey: z.string() });
const linkLine = z.object({ link: z.string() });
const progressLine = z.object({ progress: z.object({ messageId: z.string(), file: fileSchema }) });
const gotLine = z.object({ path: z.string(), message: messageSchema });
const errorLine = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const sizeBytes = 3 * 1_048_576;

let directory: string;
beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'waypost-files-')); });
afterEach(async () => {
  await killAll();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Person { readonly directory: string; readonly publicKey: string; readonly process: WaypostProcess }

const run = async (own: string): Promise<WaypostProcess> => {
  const process = new WaypostProcess(own, ['run', ...listen]);
  await process.firstLine();
  return process;
};

async function begin(name: string, hint: string): Promise<Person> {
  const own = path.join(directory, name);
  const { publicKey } = identityLine.parse((await runVerb(own, 'init', '--name', name))[0]);
  const process = await run(own);
  await runVerb(own, 'relays', 'add', hint);
  return { directory: own, publicKey, process };
}

async function beginRelay(): Promise<string> {
  const relay = new WaypostProcess(path.join(directory, 'relay'), ['relay', ...listen]);
  return relayLine.parse(JSON.parse(await relay.firstLine())).hint;
}

/** Two who know each other and have both heard of it. */
async function beginFriends(): Promise<readonly [ann: Person, ben: Person]> {
  const hint = await beginRelay();
  const [ann, ben] = await Promise.all([begin('ann', hint), begin('ben', hint)]);
  await runVerb(ann.directory, 'add', linkLine.parse((await runVerb(ben.directory, 'invite'))[0]).link);
  await runVerb(ann.directory, 'send', 'first', '--to', ben.publicKey, '--wait', 'delivered', ...timeout);
  return [ann, ben];
}

function fileOf(name: string, length = sizeBytes): { readonly path: string; readonly bytes: Buffer } {
  const bytes = randomBytes(length);
  const file = path.join(directory, name);
  writeFileSync(file, bytes);
  return { path: file, bytes };
}

const inboxOf = async (person: Person): Promise<readonly MessageView[]> => (await runVerb(person.directory, 'inbox')).map((line) => messageSchema.parse(line));

/** The message with the file of that name, once it has come. */
const arrival = (person: Person, name: string): Promise<MessageView> =>
  until(`${name} in the inbox`, deadlineMs, async () => (await inboxOf(person)).find((message) => message.file?.name === name));

function lastOf(lines: readonly unknown[]): { readonly progress: readonly unknown[]; readonly result: unknown } {
  return { progress: lines.slice(0, -1), result: lines.at(-1) };
}

async function refused(from: Person, ...commandLine: readonly string[]): Promise<{ code: number | undefined; errorCode: string }> {
  const verb = new WaypostProcess(from.directory, [...commandLine, '--json']);
  const { code } = await verb.ended;
  expect(verb.lines).toEqual([]);
  return { code, errorCode: errorLine.parse(JSON.parse(verb.errorText)).error.code };
}

describe('a file over the command line', () => {
  it('arrives byte by byte, is saved under its name and beside one that has that name', async () => {
    const [ann, ben] = await beginFriends();
    const file = fileOf('holiday photos.bin');
    const sent = messageSchema.parse((await runVerb(ann.directory, 'send', 'from last summer', '--to', ben.publicKey, '--file', file.path))[0]);
    expect(sent).toMatchObject({ text: 'from last summer', direction: 'out', file: { name: 'holiday photos.bin', sizeBytes, mediaType: 'application/octet-stream' } });
    // The original is not needed any more.
    rmSync(file.path);

    const received = await arrival(ben, 'holiday photos.bin');
    expect(received).toMatchObject({ text: 'from last summer', direction: 'in', file: { sizeBytes } });
    const target = path.join(directory, 'got');
    mkdirSync(target);
    for (const name of ['holiday photos.bin', 'holiday photos (2).bin']) {
      const { progress, result } = lastOf(await runVerb(ben.directory, 'get', received.id, '--output', target, ...timeout));
      for (const line of progress) expect(progressLine.parse(line).progress.messageId).toBe(received.id);
      expect(gotLine.parse(result)).toMatchObject({ path: path.join(target, name), message: { id: received.id, file: { state: { state: 'ready' } } } });
      expect(readFileSync(path.join(target, name)).equals(file.bytes)).toBe(true);
    }
    expect(readdirSync(target)).toHaveLength(2);
    // They have it, and it is no picture that the conversation shows: the sender's copy goes once the word of that has come.
    const own = path.join(directory, 'again.bin');
    await untilTrue('no copy at the sender', deadlineMs, async () => !readdirSync(path.join(ann.directory, 'blobs')).some((name) => name.endsWith('.blob')));
    expect(await refused(ann, 'get', sent.id, '--output', own)).toEqual({ code: 1, errorCode: 'file-not-here' });
    expect(existsSync(own)).toBe(false);
    const listed = new WaypostProcess(ben.directory, ['inbox']);
    await listed.ended;
    expect(listed.lines.find((line) => line.includes(received.id))).toContain('holiday photos.bin, 3.1 MB: All of it is here.  from last summer');
  }, slow);

  it('waits at the relay for one who is away, while its sender goes too, and comes when they are back', async () => {
    const [ann, ben] = await beginFriends();
    await ben.process.stop();
    const file = fileOf('film.mp4');
    const { progress, result } = lastOf(await runVerb(ann.directory, 'send', '--to', ben.publicKey, '--file', file.path, '--wait', 'held', ...timeout));
    const held = messageSchema.parse(result);
    expect(held.file?.holders.some((holder) => holder.complete)).toBe(true);
    for (const line of progress) expect(progressLine.parse(line).progress.messageId).toBe(held.id);
    await untilTrue('the letter at the relay', deadlineMs, async () => (await runVerb(ann.directory, 'outbox')).every((line) => z.object({ headline: z.object({ state: z.string() }) }).parse(line).headline.state === 'stored'));
    await ann.process.stop();

    await run(ben.directory);
    const received = await arrival(ben, 'film.mp4');
    const target = path.join(directory, 'film of ann.mp4');
    await runVerb(ben.directory, 'get', received.id, '--output', target, ...timeout);
    expect(readFileSync(target).equals(file.bytes)).toBe(true);
  }, slow);

  it('carries an empty file and one of a single byte', async () => {
    const [ann, ben] = await beginFriends();
    for (const [name, length] of [['empty.txt', 0], ['one.txt', 1]] as const) {
      const file = fileOf(name, length);
      await runVerb(ann.directory, 'send', '--to', ben.publicKey, '--file', file.path);
      const received = await arrival(ben, name);
      const target = path.join(directory, `got ${name}`);
      await runVerb(ben.directory, 'get', received.id, '--output', target, ...timeout);
      expect(readFileSync(target).equals(file.bytes)).toBe(true);
    }
  }, slow);

  it('is refused with a stable code beside a visor that runs, which goes on', async () => {
    const [ann, ben] = await beginFriends();
    const received = await until('the first message', deadlineMs, async () => (await inboxOf(ben))[0]);
    const target = path.join(directory, 'nothing.bin');
    expect(await refused(ann, 'send', '--to', ben.publicKey, '--file', path.join(directory, 'missing'))).toEqual({ code: 1, errorCode: 'file-unreadable' });
    expect(await refused(ann, 'send', '--to', ben.publicKey, '--file', directory)).toEqual({ code: 1, errorCode: 'file-unreadable' });
    expect(await refused(ann, 'send', '--to', ben.publicKey, '--file', fileOf('a.bin', 10).path, 'x'.repeat(32_769))).toEqual({ code: 1, errorCode: 'message-too-large' });
    expect(await refused(ben, 'get', '00112233445566778899aabbccddeeff', '--output', target)).toEqual({ code: 1, errorCode: 'not-found' });
    expect(await refused(ben, 'get', received.id, '--output', target)).toEqual({ code: 1, errorCode: 'not-found' });
    expect(await refused(ben, 'get', '../../x', '--output', target)).toEqual({ code: 2, errorCode: 'invalid-argument' });
    expect(existsSync(target)).toBe(false);
    expect([ann.process.isRunning, ben.process.isRunning]).toEqual([true, true]);
  }, slow);
});
