import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageSchema } from '../../shared/views.ts';

const entry = path.join(import.meta.dirname, 'index.ts');
const slow = 60_000;

let directory: string;
beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'waypost-cli-')); });
afterEach(() => { rmSync(directory, { recursive: true, force: true, maxRetries: 5 }); });

interface Result { readonly code: number | null; readonly out: string; readonly error: string }

function waypost(commandLine: readonly string[], input = '', environment: Readonly<Record<string, string>> = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [entry, ...commandLine], { env: { ...process.env, WAYPOST_PROFILE: path.join(directory, 'p'), ...environment } });
    let out = '';
    let error = '';
    child.stdout.on('data', (data: Buffer) => { out += data.toString('utf8'); });
    child.stderr.on('data', (data: Buffer) => { error += data.toString('utf8'); });
    child.on('close', (code) => { resolve({ code, out, error }); });
    child.stdin.end(input);
  });
}

describe('the command line', () => {
  it('makes an identity, warns that it is unprotected, and brings it back from its words', async () => {
    const made = await waypost(['init', '--name', 'Ann', '--words', '--json']);
    expect(made.code).toBe(0);
    expect(made.error).toContain('Warning');
    const { publicKey, words } = JSON.parse(made.out) as { publicKey: string; words: string[] };
    expect(words).toHaveLength(24);
    expect((await waypost(['address'])).out).toBe(`${publicKey}\n`);
    const restored = await waypost(['restore', '--profile', path.join(directory, 'q')], words.join('\n'));
    expect([restored.code, restored.out]).toEqual([0, `${publicKey}\n`]);
    const again = await waypost(['init']);
    expect([again.code, again.error]).toEqual([1, expect.stringContaining('(identity-exists)')]);
  }, slow);

  it('keeps the identity under a passphrase from a file or the environment', async () => {
    const file = path.join(directory, 'passphrase');
    writeFileSync(file, 'correct horse\n');
    const made = await waypost(['init', '--passphrase-file', file]);
    expect([made.code, made.error]).toEqual([0, '']);
    expect(readFileSync(path.join(directory, 'p', 'identity.json'), 'utf8')).toContain('"passphrase"');
    expect((await waypost(['status'])).error).toContain('(identity-locked)');
    expect((await waypost(['status'], '', { WAYPOST_PASSPHRASE: 'wrong' })).error).toContain('(wrong-passphrase)');
    const right = await waypost(['status', '--json', '--linger', '0'], '', { WAYPOST_PASSPHRASE: 'correct horse' });
    expect(JSON.parse(right.out)).toMatchObject({ isRunning: false, connection: { kind: 'no-relay' } });
  }, slow);

  it.each([
    ['an unknown verb', ['sned'], 2, 'unknown command'],
    ['a missing option', ['send', 'hello'], 2, '--to'],
    ['a time that is none', ['send', '--to', '02', '--ttl', '7', 'hello'], 2, '(invalid-argument)'],
    ['a time out of range', ['send', '--to', '02', '--ttl', '1s', 'hello'], 1, '(ttl-out-of-range)'],
    ['an unknown state to wait for', ['send', '--to', '02', '--wait', 'seen', 'hello'], 2, '(invalid-argument)'],
    ['no identity', ['send', '--to', '02', 'hello'], 1, '(no-identity)'],
    ['nobody to stop', ['stop'], 1, '(not-running)'],
    ['an address to listen on that is none', ['relay', '--listen', 'example.org:1'], 2, '(invalid-argument)'],
    ['room for files that is no size', ['relay', '--listen', '127.0.0.1:0', '--hold-per-recipient', '2'], 2, '(invalid-argument)'],
    ['wrong words', ['restore'], 1, '(wrong-words)'],
  ])('says what is wrong with %s', async (_what, commandLine, code, text) => {
    const result = await waypost(commandLine, 'apple apple');
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.error).toContain(text);
    expect(result.error).not.toContain('    at ');
  }, slow);

  it('helps without calling that a failure', async () => {
    const help = await waypost(['--help']);
    expect(help.code).toBe(0);
    for (const verb of ['init', 'restore', 'address', 'invite', 'add', 'run', 'relay', 'send', 'inbox', 'get', 'outbox', 'retry', 'cancel', 'status', 'relays', 'peers', 'reach', 'doctor']) expect(help.out).toContain(`  ${verb}`);
  }, slow);

  it('saves a message without any network, says so, and shows it in the outbox until it is cancelled', async () => {
    await waypost(['init']);
    await waypost(['init', '--profile', path.join(directory, 'q')]);
    const { out } = await waypost(['address', '--profile', path.join(directory, 'q')]);
    const sent = await waypost(['send', '--to', out.trim(), '--ttl', '1h', '--linger', '0', '--json', '-'], 'hello from a pipe');
    const message = messageSchema.parse(JSON.parse(sent.out));
    expect([sent.code, message.text, message.headline.state]).toEqual([0, 'hello from a pipe', 'queued']);
    expect(message.expiresAtMs - message.sentAtMs).toBe(3_600_000);
    expect(sent.error).toContain('It waits in this profile');
    expect((await waypost(['outbox'])).out).toContain(message.id);
    const waited = await waypost(['send', '--to', out.trim(), '--wait', 'stored', '--timeout', '0.1', 'too soon']);
    expect(waited.code).toBe(1);
    expect((await waypost(['cancel', message.id, '--linger', '0'])).out).toContain('Cancelled');
    expect((await waypost(['outbox'])).out).not.toContain(message.id);
  }, slow);

  it('sets and tells whether the line is metered, and takes nothing else for an answer', async () => {
    await waypost(['init']);
    expect((await waypost(['metered', '--json'])).out).toBe('{"metered":false}\n');
    expect((await waypost(['metered', 'on'])).out).toContain('Metered is on');
    expect((await waypost(['metered', '--json'])).out).toBe('{"metered":true}\n');
    expect((await waypost(['metered', 'off'])).out).toContain('Metered is off');
    const wrong = await waypost(['metered', 'maybe']);
    expect([wrong.code === 0, wrong.error]).toEqual([false, expect.stringContaining('metered on')]);
  }, slow);
});
