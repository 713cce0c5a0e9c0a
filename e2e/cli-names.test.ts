/** Public data over the command line: a publisher, a relay and readers who do not know the publisher, as real processes. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../scripts/processes/waiting.ts';
import { killAll, runVerb, WaypostProcess } from '../scripts/processes/waypost-process.ts';
import { namedFetchSchema, publishedSchema } from '../src/shared/contract.ts';
import { fileSchema } from '../src/shared/views.ts';

const slow = 180_000;
const deadlineMs = 60_000;
const timeout = ['--timeout', '60'] as const;
const listen = ['--listen', '127.0.0.1:0', '--json'] as const;
const relayLine = z.object({ hint: z.string() });
const identityLine = z.object({ publicKey: z.string() });
const progressLine = z.object({ progress: z.object({ name: z.string(), file: fileSchema }) });
const fetchedLine = z.object({ path: z.string(), fetched: namedFetchSchema });
const errorLine = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const sizeBytes = 3 * 1_048_576 + 17;
const name = 'docs/guide.bin';

let directory: string;
beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'waypost-names-')); });
afterEach(async () => {
  await killAll();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Person { readonly directory: string; readonly publicKey: string; readonly process: WaypostProcess }

async function begin(who: string, hint?: string): Promise<Person> {
  const own = path.join(directory, who);
  const { publicKey } = identityLine.parse((await runVerb(own, 'init', '--name', who))[0]);
  const process = new WaypostProcess(own, ['run', ...listen]);
  await process.firstLine();
  if (hint !== undefined) await runVerb(own, 'relays', 'add', hint);
  return { directory: own, publicKey, process };
}

async function beginRelay(who: string): Promise<string> {
  const relay = new WaypostProcess(path.join(directory, who), ['relay', ...listen]);
  return relayLine.parse(JSON.parse(await relay.firstLine())).hint;
}

function fileOf(fileName: string, length = sizeBytes): { readonly path: string; readonly bytes: Buffer } {
  const bytes = randomBytes(length);
  const file = path.join(directory, fileName);
  writeFileSync(file, bytes);
  return { path: file, bytes };
}

/** Progress lines, and the last one. */
function resultOf(lines: readonly unknown[]): unknown {
  for (const line of lines.slice(0, -1)) expect(progressLine.parse(line).progress.name).toBe(name);
  return lines.at(-1);
}

async function refused(from: string, ...commandLine: readonly string[]): Promise<{ code: number | undefined; errorCode: string }> {
  const verb = new WaypostProcess(from, [...commandLine, '--json']);
  const { code } = await verb.ended;
  return { code, errorCode: errorLine.parse(JSON.parse(verb.errorText)).error.code };
}

describe('public data over the command line', () => {
  it('is held by a relay, and fetched by strangers when its publisher has gone', async () => {
    const [hint, otherHint] = await Promise.all([beginRelay('relay'), beginRelay('other')]);
    const [ann, ben, cid] = await Promise.all([begin('ann', hint), begin('ben', hint), begin('cid', otherHint)]);
    const file = fileOf('guide.bin');
    const published = publishedSchema.parse(resultOf(await runVerb(ann.directory, 'publish', name, file.path, '--wait', 'held', ...timeout)));
    expect(published).toMatchObject({ name, hints: [hint], file: { sizeBytes, state: { state: 'ready' } } });
    // The original is not needed any more, and neither is she.
    rmSync(file.path);
    expect((await runVerb(ann.directory, 'published')).map((line) => publishedSchema.parse(line))).toMatchObject([{ name, file: { state: { state: 'ready' } } }]);
    await ann.process.stop();

    const target = path.join(directory, 'got');
    mkdirSync(target);
    for (const saved of ['guide.bin', 'guide (2).bin']) {
      const fetched = fetchedLine.parse(resultOf(await runVerb(ben.directory, 'fetch', ann.publicKey, name, '--output', target, ...timeout)));
      expect(fetched).toMatchObject({ path: path.join(target, saved), fetched: { publicKey: ann.publicKey, name, file: { sizeBytes, state: { state: 'ready' } } } });
      expect(readFileSync(fetched.path).equals(file.bytes)).toBe(true);
    }
    // Nothing of it stays with the reader.
    await until('an empty folder of blobs', deadlineMs, () => (readdirSync(path.join(ben.directory, 'blobs')).length === 0 ? true : undefined));
    // Who shares no relay needs to be told of one.
    expect(await refused(cid.directory, 'fetch', ann.publicKey, name, '--output', target)).toEqual({ code: 1, errorCode: 'not-found' });
    const own = path.join(directory, 'of cid.bin');
    await runVerb(cid.directory, 'fetch', `${ann.publicKey}:1`, name, '--relay', hint, '--output', own, ...timeout);
    expect(readFileSync(own).equals(file.bytes)).toBe(true);
    await cid.process.stop();
    // Also without a running visor, which is how a program does it.
    rmSync(own);
    await runVerb(cid.directory, 'fetch', ann.publicKey, name, '--relay', hint, '--output', own, ...timeout);
    expect(readFileSync(own).equals(file.bytes)).toBe(true);
  }, slow);

  it('changes and is taken back', async () => {
    const hint = await beginRelay('relay');
    const [ann, ben] = await Promise.all([begin('ann', hint), begin('ben', hint)]);
    const target = path.join(directory, 'copy.bin');
    for (const file of [fileOf('first', 50_000), fileOf('second', 20)]) {
      resultOf(await runVerb(ann.directory, 'publish', name, file.path, '--type', 'text/plain', '--wait', 'held', ...timeout));
      resultOf(await runVerb(ben.directory, 'fetch', ann.publicKey, name, '--output', target, ...timeout));
      expect(readFileSync(target).equals(file.bytes)).toBe(true);
      rmSync(target);
    }
    await runVerb(ann.directory, 'unpublish', name);
    await until('the name taken back', deadlineMs, async () => ((await refused(ben.directory, 'fetch', ann.publicKey, name, '--output', target)).errorCode === 'not-found' ? true : undefined));
    expect(await runVerb(ann.directory, 'published')).toEqual([]);
    expect(existsSync(target)).toBe(false);
  }, slow);

  it('is refused with a stable code, beside a visor that goes on', async () => {
    const ann = await begin('ann');
    const file = fileOf('a.bin', 10);
    expect(await refused(ann.directory, 'publish', '../x', file.path)).toEqual({ code: 1, errorCode: 'bad-name' });
    expect(await refused(ann.directory, 'publish', 'A', file.path)).toEqual({ code: 1, errorCode: 'bad-name' });
    expect(await refused(ann.directory, 'publish', 'a', directory)).toEqual({ code: 1, errorCode: 'file-unreadable' });
    expect(await refused(ann.directory, 'publish', 'a', path.join(directory, 'missing'))).toEqual({ code: 1, errorCode: 'file-unreadable' });
    expect(await refused(ann.directory, 'publish', 'a', fileOf('empty', 0).path)).toEqual({ code: 2, errorCode: 'invalid-argument' });
    expect(await refused(ann.directory, 'publish', 'a', file.path, '--type', 'no type')).toEqual({ code: 2, errorCode: 'invalid-argument' });
    expect(await refused(ann.directory, 'unpublish', 'a')).toEqual({ code: 1, errorCode: 'not-found' });
    expect(await refused(ann.directory, 'fetch', 'somebody', 'a')).toEqual({ code: 1, errorCode: 'bad-address' });
    expect(await refused(ann.directory, 'fetch', `02${'00'.repeat(32)}`, 'a')).toEqual({ code: 1, errorCode: 'bad-address' });
    expect(await refused(ann.directory, 'fetch', ann.publicKey, 'a/../b')).toEqual({ code: 1, errorCode: 'bad-name' });
    expect(await refused(ann.directory, 'fetch', ann.publicKey, 'a', '--relay', 'nowhere')).toEqual({ code: 1, errorCode: 'bad-relay' });
    expect(await refused(ann.directory, 'fetch', ann.publicKey, 'a')).toEqual({ code: 1, errorCode: 'not-found' });
    expect(readdirSync(path.join(ann.directory, 'blobs'))).toEqual([]);
    expect(ann.process.isRunning).toBe(true);
  }, slow);
});
