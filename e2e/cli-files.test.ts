/** Files over the command line: two people and a relay as real processes, and what was sent compared byte by byte with what was got. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until, untilTrue } from '../scripts/processes/waiting.ts';
import { runVerb, WaypostProcess } from '../scripts/processes/waypost-process.ts';
import { fileSchema } from '../src/shared/file-views.ts';
import { messageSchema, type MessageView } from '../src/shared/views.ts';
import { cliStage, runVisor, slowMs, timeout, type CliPerson } from './cli-stage.ts';

/** A file among it, and a machine that does other things too. */
const deadlineMs = 90_000;
const linkLine = z.object({ link: z.string() });
const progressLine = z.object({ progress: z.object({ messageId: z.string(), file: fileSchema }) });
const gotLine = z.object({ path: z.string(), message: messageSchema });
const sizeBytes = 3 * 1_048_576;

const stage = cliStage('files');

/** Two who know each other and have both heard of it. */
async function beginFriends(): Promise<readonly [ann: CliPerson, ben: CliPerson]> {
  const hint = await stage.beginRelay('relay');
  const [ann, ben] = await Promise.all([stage.begin('ann', hint), stage.begin('ben', hint)]);
  await runVerb(ann.directory, 'add', linkLine.parse((await runVerb(ben.directory, 'invite'))[0]).link);
  await runVerb(ann.directory, 'send', 'first', '--to', ben.publicKey, '--wait', 'delivered', ...timeout);
  return [ann, ben];
}

function fileOf(name: string, length = sizeBytes): { readonly path: string; readonly bytes: Buffer } {
  const bytes = randomBytes(length);
  const file = path.join(stage.directory, name);
  writeFileSync(file, bytes);
  return { path: file, bytes };
}

const inboxOf = async (person: CliPerson): Promise<readonly MessageView[]> => (await runVerb(person.directory, 'inbox')).map((line) => messageSchema.parse(line));

/** The message with the file of that name, once it has come. */
const arrival = (person: CliPerson, name: string): Promise<MessageView> =>
  until(`${name} in the inbox`, deadlineMs, async () => (await inboxOf(person)).find((message) => message.file?.name === name));

function lastOf(lines: readonly unknown[]): { readonly progress: readonly unknown[]; readonly result: unknown } {
  return { progress: lines.slice(0, -1), result: lines.at(-1) };
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
    const target = path.join(stage.directory, 'got');
    mkdirSync(target);
    for (const name of ['holiday photos.bin', 'holiday photos (2).bin']) {
      const { progress, result } = lastOf(await runVerb(ben.directory, 'get', received.id, '--output', target, ...timeout));
      for (const line of progress) expect(progressLine.parse(line).progress.messageId).toBe(received.id);
      expect(gotLine.parse(result)).toMatchObject({ path: path.join(target, name), message: { id: received.id, file: { state: { state: 'ready' } } } });
      expect(readFileSync(path.join(target, name)).equals(file.bytes)).toBe(true);
    }
    expect(readdirSync(target)).toHaveLength(2);
    // They have it, and it is no picture that the conversation shows: the sender's copy goes once the word of that has come.
    const own = path.join(stage.directory, 'again.bin');
    await untilTrue('no copy at the sender', deadlineMs, async () => !readdirSync(path.join(ann.directory, 'blobs')).some((name) => name.endsWith('.blob')));
    expect(await stage.refused(ann.directory, 'get', sent.id, '--output', own)).toEqual({ code: 1, errorCode: 'file-not-here' });
    expect(existsSync(own)).toBe(false);
    const listed = new WaypostProcess(ben.directory, ['inbox']);
    await listed.ended;
    expect(listed.lines.find((line) => line.includes(received.id))).toContain('holiday photos.bin, 3.1 MB: All of it is here.  from last summer');
  }, slowMs);

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

    await runVisor(ben.directory);
    const received = await arrival(ben, 'film.mp4');
    const target = path.join(stage.directory, 'film of ann.mp4');
    await runVerb(ben.directory, 'get', received.id, '--output', target, ...timeout);
    expect(readFileSync(target).equals(file.bytes)).toBe(true);
  }, slowMs);

  it('carries an empty file and one of a single byte', async () => {
    const [ann, ben] = await beginFriends();
    for (const [name, length] of [['empty.txt', 0], ['one.txt', 1]] as const) {
      const file = fileOf(name, length);
      await runVerb(ann.directory, 'send', '--to', ben.publicKey, '--file', file.path);
      const received = await arrival(ben, name);
      const target = path.join(stage.directory, `got ${name}`);
      await runVerb(ben.directory, 'get', received.id, '--output', target, ...timeout);
      expect(readFileSync(target).equals(file.bytes)).toBe(true);
    }
  }, slowMs);

  it('is refused with a stable code beside a visor that runs, which goes on', async () => {
    const [ann, ben] = await beginFriends();
    const received = await until('the first message', deadlineMs, async () => (await inboxOf(ben))[0]);
    const target = path.join(stage.directory, 'nothing.bin');
    expect(await stage.refused(ann.directory, 'send', '--to', ben.publicKey, '--file', path.join(stage.directory, 'missing'))).toEqual({ code: 1, errorCode: 'file-unreadable' });
    expect(await stage.refused(ann.directory, 'send', '--to', ben.publicKey, '--file', stage.directory)).toEqual({ code: 1, errorCode: 'file-unreadable' });
    expect(await stage.refused(ann.directory, 'send', '--to', ben.publicKey, '--file', fileOf('a.bin', 10).path, 'x'.repeat(32_769))).toEqual({ code: 1, errorCode: 'message-too-large' });
    expect(await stage.refused(ben.directory, 'get', '00112233445566778899aabbccddeeff', '--output', target)).toEqual({ code: 1, errorCode: 'not-found' });
    expect(await stage.refused(ben.directory, 'get', received.id, '--output', target)).toEqual({ code: 1, errorCode: 'not-found' });
    expect(await stage.refused(ben.directory, 'get', '../../x', '--output', target)).toEqual({ code: 2, errorCode: 'invalid-argument' });
    expect(existsSync(target)).toBe(false);
    expect([ann.process.isRunning, ben.process.isRunning]).toEqual([true, true]);
  }, slowMs);
});
