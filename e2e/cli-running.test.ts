/** Commands beside a visor that runs: they reach it through its control socket, and what comes to it is shown as it comes. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { untilTrue } from '../scripts/processes/waiting.ts';
import { runVerb, WaypostProcess } from '../scripts/processes/waypost-process.ts';
import { messageSchema, outboxItemSchema } from '../src/shared/views.ts';
import { cliStage, deadlineMs, slowMs, type CliPerson } from './cli-stage.ts';

const linkLine = z.object({ link: z.string() });
const errorLine = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
/** A key that exists and belongs to nobody here: the generator of the curve. */
const someKey = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const unknownId = '00112233445566778899aabbccddeeff';

const stage = cliStage('running');

/** A verb to its end, whatever that is. */
async function refused(from: CliPerson, ...commandLine: readonly string[]): Promise<{ code: number | undefined; out: string; error: string }> {
  const verb = new WaypostProcess(from.directory, commandLine);
  const { code } = await verb.ended;
  return { code, out: verb.lines.join('\n'), error: verb.errorText };
}

/** What it sends by itself and cannot yet. */
const introductionsOf = async (person: CliPerson): Promise<string[]> =>
  (await runVerb(person.directory, 'outbox', '--all')).map((line) => outboxItemSchema.parse(line)).filter((item) => item.kind === 'introduction').map((item) => item.messageId);

describe('retry beside a visor that runs', () => {
  it('refuses an id that it does not know with a stable code, for people and for programs', async () => {
    const ann = await stage.begin('ann');
    for (const verb of ['retry', 'cancel']) {
      const told = await refused(ann, verb, unknownId);
      expect([told.code, told.out]).toEqual([1, '']);
      expect(told.error).toMatch(/^waypost: There is no message with this id here\. .+ \(not-found\)\n$/);
      const program = await refused(ann, verb, unknownId, '--json');
      expect([program.code, program.out]).toEqual([1, '']);
      expect(errorLine.parse(JSON.parse(program.error)).error.code).toBe('not-found');
    }
    for (const id of ['no id at all', 'f'.repeat(100_000)]) {
      const told = await refused(ann, 'retry', id);
      expect([told.code, told.out]).toEqual([2, '']);
      expect(told.error).toMatch(/^waypost: .+ \(invalid-argument\)\n$/);
    }
    expect(ann.process.isRunning).toBe(true);
  }, slowMs);

  it('tries what waits, one message or all, and says how it stands', async () => {
    const [ann, ben] = await Promise.all([stage.begin('ann'), stage.begin('ben')]);
    await runVerb(ann.directory, 'add', linkLine.parse((await runVerb(ben.directory, 'invite'))[0]).link);
    const sent = messageSchema.parse((await runVerb(ann.directory, 'send', 'hello', '--to', someKey))[0]);
    expect(messageSchema.parse((await runVerb(ann.directory, 'retry', sent.id))[0])).toMatchObject({ id: sent.id, text: 'hello', headline: { state: sent.headline.state } });
    expect(await runVerb(ann.directory, 'retry', 'all')).toEqual([{}]);
    const [introduction] = await introductionsOf(ann);
    expect(await runVerb(ann.directory, 'retry', introduction ?? '')).toEqual([{}]);
    await runVerb(ann.directory, 'cancel', sent.id);
    const ended = await refused(ann, 'retry', sent.id, '--json');
    expect([ended.code, errorLine.parse(JSON.parse(ended.error)).error.code]).toEqual([1, 'not-retryable']);
  }, slowMs);
});

describe('inbox --follow beside a visor that runs', () => {
  it('prints each message as it comes, as text and as JSON, and ends well when it is asked to', async () => {
    const hint = await stage.beginRelay('relay');
    const [ann, ben] = await Promise.all([stage.begin('ann', hint), stage.begin('ben', hint)]);
    const send = (text: string): Promise<unknown> => runVerb(ann.directory, 'send', text, '--to', ben.publicKey, '--wait', 'stored', '--timeout', '60');
    await send('before');

    const asText = new WaypostProcess(ben.directory, ['inbox', '--follow']);
    const asJson = new WaypostProcess(ben.directory, ['inbox', '--follow', '--json']);
    await untilTrue('what was there before', deadlineMs, () => asText.lines.length === 1 && asJson.lines.length === 1);
    const first = messageSchema.parse(JSON.parse(asJson.lines[0] ?? ''));
    const fromThere = new WaypostProcess(ben.directory, ['inbox', '--follow', '--json', '--after', String(first.row)]);

    await send('as it comes \u001b[31m');
    await send('and another');
    await untilTrue('two more everywhere', deadlineMs, () => asText.lines.length === 3 && asJson.lines.length === 3 && fromThere.lines.length === 2);
    const texts = ['before', 'as it comes \u001b[31m', 'and another'];
    expect(asJson.lines.map((line) => messageSchema.parse(JSON.parse(line)))).toMatchObject(texts.map((text) => ({ text, direction: 'in', conversationId: `${ann.publicKey}:1` })));
    expect(fromThere.lines.map((line) => messageSchema.parse(JSON.parse(line)).text)).toEqual(texts.slice(1));
    asText.lines.forEach((line, index) => {
      const [time = '', sender, text] = line.split('  ');
      // A stranger's text cannot steer the terminal.
      expect([new Date(time).toISOString(), sender, text]).toEqual([time, ann.publicKey, texts[index]?.replace('\u001b', '\ufffd')]);
    });

    for (const follower of [asText, asJson, fromThere]) {
      expect(await follower.stop()).toEqual({ code: 0, signal: undefined });
      expect(follower.errorText).toBe('');
    }
    expect(ben.process.isRunning).toBe(true);
  }, slowMs);

  it('says so with a stable code when the visor ends', async () => {
    const hint = await stage.beginRelay('relay');
    const [ann, ben] = await Promise.all([stage.begin('ann', hint), stage.begin('ben', hint)]);
    await runVerb(ann.directory, 'send', 'hello', '--to', ben.publicKey, '--wait', 'stored', '--timeout', '60');
    const [asText, asJson] = [new WaypostProcess(ben.directory, ['inbox', '--follow']), new WaypostProcess(ben.directory, ['inbox', '--follow', '--json'])];
    await Promise.all([asText.firstLine(), asJson.firstLine()]);
    await ben.process.killHard();
    expect(await asText.ended).toEqual({ code: 1, signal: undefined });
    expect(await asJson.ended).toEqual({ code: 1, signal: undefined });
    expect(asText.errorText).toMatch(/^waypost: .+ \(not-running\)\n$/);
    expect(errorLine.parse(JSON.parse(asJson.errorText)).error.code).toBe('not-running');
  }, slowMs);
});
