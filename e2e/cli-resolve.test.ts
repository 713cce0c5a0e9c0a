/** Writing to a bare key over the command line: relays that ask each other, and a directory relay, as real processes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../scripts/processes/waiting.ts';
import { killAll, runVerb, WaypostProcess } from '../scripts/processes/waypost-process.ts';

const slow = 180_000;
const deadlineMs = 60_000;
const timeout = ['--timeout', '60'] as const;
const listen = ['--listen', '127.0.0.1:0', '--json'] as const;
const relayLine = z.object({ hint: z.string() });
const identityLine = z.object({ publicKey: z.string() });
const hintLine = z.object({ hint: z.string() });
const errorLine = z.object({ error: z.object({ code: z.string() }) });

let directory: string;
beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'waypost-resolve-')); });
afterEach(async () => {
  await killAll();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Person { readonly directory: string; readonly publicKey: string }

async function begin(who: string, hint: string): Promise<Person> {
  const own = path.join(directory, who);
  const { publicKey } = identityLine.parse((await runVerb(own, 'init', '--name', who))[0]);
  await new WaypostProcess(own, ['run', ...listen]).firstLine();
  await runVerb(own, 'relays', 'add', hint);
  return { directory: own, publicKey };
}

async function beginRelay(who: string, ...options: readonly string[]): Promise<string> {
  return relayLine.parse(JSON.parse(await new WaypostProcess(path.join(directory, who), ['relay', ...listen, ...options]).firstLine())).hint;
}

const arrived = (at: Person, text: string): Promise<true> => until(`"${text}" at ${at.directory}`, deadlineMs, async () => (JSON.stringify(await runVerb(at.directory, 'inbox')).includes(text) ? true : undefined));

async function refused(from: string, ...commandLine: readonly string[]): Promise<string> {
  const verb = new WaypostProcess(from, [...commandLine, '--json']);
  await verb.ended;
  return errorLine.parse(JSON.parse(verb.errorText)).error.code;
}

describe('a bare key over the command line', () => {
  it('is found by the peers of a relay, and by a directory relay', async () => {
    const bensRelay = await beginRelay('relay of ben');
    const [annsRelay, cidsRelay, index] = await Promise.all([beginRelay('relay of ann', '--peer', bensRelay.replace('127.0.0.1', 'localhost')), beginRelay('relay of cid'), beginRelay('index', '--peer', bensRelay)]);
    const [ann, ben, cid] = await Promise.all([begin('ann', annsRelay), begin('ben', bensRelay), begin('cid', cidsRelay)]);

    await runVerb(ann.directory, 'send', '--to', ben.publicKey, 'by peers', '--wait', 'stored', ...timeout);
    await arrived(ben, 'by peers');

    await runVerb(cid.directory, 'add', `${ben.publicKey}:1`);
    await runVerb(cid.directory, 'send', '--to', ben.publicKey, 'by directory');
    await until('the reason', deadlineMs, async () => (JSON.stringify(await runVerb(cid.directory, 'outbox')).includes('no-relay-known') ? true : undefined));
    await runVerb(cid.directory, 'directory', 'add', index);
    await arrived(ben, 'by directory');
    expect((await runVerb(cid.directory, 'directory')).map((line) => hintLine.parse(line).hint)).toEqual([index]);
    await runVerb(cid.directory, 'directory', 'remove', index.slice(0, 66));
    expect(await runVerb(cid.directory, 'directory')).toEqual([]);
    expect(await refused(cid.directory, 'directory', 'remove', index.slice(0, 66))).toBe('not-found');
    expect(await refused(cid.directory, 'directory', 'add', 'nowhere')).toBe('bad-relay');
    expect(await refused(path.join(directory, 'relay of dan'), 'relay', '--listen', '127.0.0.1:0', '--peer', 'nowhere')).toBe('bad-relay');
  }, slow);
});
