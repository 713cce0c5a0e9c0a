/** Writing to a bare key over the command line: relays that ask each other, and a directory relay, as real processes. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../scripts/processes/waiting.ts';
import { runVerb } from '../scripts/processes/waypost-process.ts';
import { cliStage, deadlineMs, slowMs, timeout, type CliPerson } from './cli-stage.ts';

const hintLine = z.object({ hint: z.string() });
const stage = cliStage('resolve');
const { begin, beginRelay, refused } = stage;

const arrived = (at: CliPerson, text: string): Promise<true> => until(`"${text}" at ${at.directory}`, deadlineMs, async () => (JSON.stringify(await runVerb(at.directory, 'inbox')).includes(text) ? true : undefined));

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
    expect(await refused(cid.directory, 'directory', 'remove', index.slice(0, 66))).toEqual({ code: 1, errorCode: 'not-found' });
    expect(await refused(cid.directory, 'directory', 'add', 'nowhere')).toEqual({ code: 1, errorCode: 'bad-relay' });
    expect(await refused(path.join(stage.directory, 'relay of dan'), 'relay', '--listen', '127.0.0.1:0', '--peer', 'nowhere')).toEqual({ code: 1, errorCode: 'bad-relay' });
  }, slowMs);
});
