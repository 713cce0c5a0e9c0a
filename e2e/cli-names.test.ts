/** Public data over the command line: a publisher, a relay and readers who do not know the publisher, as real processes. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../scripts/processes/waiting.ts';
import { runVerb } from '../scripts/processes/waypost-process.ts';
import { namedFetchSchema, publishedSchema } from '../src/shared/contract.ts';
import { fileSchema } from '../src/shared/file-views.ts';
import { cliStage, deadlineMs, slowMs, timeout } from './cli-stage.ts';

const progressLine = z.object({ progress: z.object({ name: z.string(), file: fileSchema }) });
const fetchedLine = z.object({ path: z.string(), fetched: namedFetchSchema });
const sizeBytes = 3 * 1_048_576 + 17;
const name = 'docs/guide.bin';

const stage = cliStage('names');
const { begin, beginRelay, refused } = stage;

function fileOf(fileName: string, length = sizeBytes): { readonly path: string; readonly bytes: Buffer } {
  const bytes = randomBytes(length);
  const file = path.join(stage.directory, fileName);
  writeFileSync(file, bytes);
  return { path: file, bytes };
}

/** Progress lines, and the last one. */
function resultOf(lines: readonly unknown[]): unknown {
  for (const line of lines.slice(0, -1)) expect(progressLine.parse(line).progress.name).toBe(name);
  return lines.at(-1);
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

    const target = path.join(stage.directory, 'got');
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
    const own = path.join(stage.directory, 'of cid.bin');
    await runVerb(cid.directory, 'fetch', `${ann.publicKey}:1`, name, '--relay', hint, '--output', own, ...timeout);
    expect(readFileSync(own).equals(file.bytes)).toBe(true);
    await cid.process.stop();
    // Also without a running visor, which is how a program does it.
    rmSync(own);
    await runVerb(cid.directory, 'fetch', ann.publicKey, name, '--relay', hint, '--output', own, ...timeout);
    expect(readFileSync(own).equals(file.bytes)).toBe(true);
  }, slowMs);

  it('changes and is taken back', async () => {
    const hint = await beginRelay('relay');
    const [ann, ben] = await Promise.all([begin('ann', hint), begin('ben', hint)]);
    const target = path.join(stage.directory, 'copy.bin');
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
  }, slowMs);

  it('is refused with a stable code, beside a visor that goes on', async () => {
    const ann = await begin('ann');
    const file = fileOf('a.bin', 10);
    expect(await refused(ann.directory, 'publish', '../x', file.path)).toEqual({ code: 1, errorCode: 'bad-name' });
    expect(await refused(ann.directory, 'publish', 'A', file.path)).toEqual({ code: 1, errorCode: 'bad-name' });
    expect(await refused(ann.directory, 'publish', 'a', stage.directory)).toEqual({ code: 1, errorCode: 'file-unreadable' });
    expect(await refused(ann.directory, 'publish', 'a', path.join(stage.directory, 'missing'))).toEqual({ code: 1, errorCode: 'file-unreadable' });
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
  }, slowMs);
});
