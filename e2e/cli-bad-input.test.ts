/**
 * What goes wrong around the command line rather than in it: profiles, disks, ports, relays and clocks. Real processes and real files; each
 * ends in a sentence with its code, and nothing that was saved is lost.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { untilTrue } from '../scripts/processes/waiting.ts';
import { killAll, WaypostProcess } from '../scripts/processes/waypost-process.ts';
import { connectionSchema, messageSchema, outboxItemSchema } from '../src/shared/views.ts';
import { relaySchema } from '../src/shared/relay-views.ts';

const entry = path.join(import.meta.dirname, '../src/main/cli/index.ts');
const slow = 120_000;
const deadlineMs = 60_000;
const relayLine = z.object({ hint: z.string(), port: z.number().int() });
const identityLine = z.object({ publicKey: z.string() });
const statusLine = z.object({ connection: connectionSchema, notices: z.array(z.string()) });
/** A key that exists and belongs to nobody here: the generator of the curve. */
const someKey = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';

let directory: string;
beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'waypost-bad-')); });
afterEach(async () => {
  await killAll();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Result { readonly code: number | null; readonly out: string; readonly error: string }

async function waypost(profile: string, ...commandLine: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [entry, ...commandLine, '--profile', profile], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let error = '';
  child.stdout.on('data', (data: Buffer) => { out += data.toString('utf8'); });
  child.stderr.on('data', (data: Buffer) => { error += data.toString('utf8'); });
  const [code] = await once(child, 'close') as [number | null];
  return { code, out, error };
}

const inDirectory = (name: string): string => path.join(directory, name);

async function begin(name: string): Promise<string> {
  const made = await waypost(inDirectory(name), 'init', '--name', name, '--json');
  return identityLine.parse(JSON.parse(made.out)).publicKey;
}

/** One sentence with its code, and no trace of the program. */
function expectRefusal(result: Result, code: string, sentence: RegExp): void {
  expect(result.error).toContain(`(${code})`);
  expect(result.error).toMatch(sentence);
  expect(result.error).not.toMatch(/\n\s+at /);
  expect([result.code, result.out]).toEqual([1, '']);
}

/** Runs a process whose clock is off: everything in it, the threads included, sees the shifted time. */
function startWithClock(profile: string, shiftMs: number, ...commandLine: readonly string[]): WaypostProcess {
  const shift = inDirectory('shifted-clock.mjs');
  writeFileSync(shift, `const now = Date.now.bind(Date); Date.now = () => now() + ${String(shiftMs)};\n`);
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `--import=${shift}`;
  try {
    return new WaypostProcess(profile, commandLine);
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
}

describe('the profile', () => {
  it('belongs to one process, and a second one says which', async () => {
    await begin('ann');
    const first = new WaypostProcess(inDirectory('ann'), ['run', '--listen', '127.0.0.1:0', '--json']);
    await first.firstLine();
    expectRefusal(await waypost(inDirectory('ann'), 'run'), 'profile-in-use', new RegExp(`Another Waypost \\(process ${String(first.processId)}\\) is using this profile\\. Close it, or use another profile folder\\.`));
    expectRefusal(await waypost(inDirectory('ann'), 'relay', '--listen', '127.0.0.1:0'), 'profile-in-use', /Another Waypost/);
    expect(first.isRunning).toBe(true);
  }, slow);

  it('cannot lie where a file is in the way', async () => {
    writeFileSync(inDirectory('file'), 'in the way');
    expectRefusal(await waypost(inDirectory('file'), 'init'), 'profile-unwritable', /\.$|\. /m);
    expectRefusal(await waypost(path.join(inDirectory('file'), 'below'), 'init'), 'profile-unwritable', /\.$|\. /m);
    expect(readFileSync(inDirectory('file'), 'utf8')).toBe('in the way');
  }, slow);

  it('keeps a damaged identity as it is and says so', async () => {
    await begin('ann');
    const file = path.join(inDirectory('ann'), 'identity.json');
    writeFileSync(file, '{"half":');
    const result = await waypost(inDirectory('ann'), 'status', '--linger', '0');
    expect(result.code).toBe(1);
    expect(result.error).toMatch(/^waypost: .+\. .+\([a-z-]+\)\n$/);
    expect(readFileSync(file, 'utf8')).toBe('{"half":');
    expect((await waypost(inDirectory('ann'), 'init')).code).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('{"half":');
  }, slow);

  it('keeps a damaged database beside the new one, byte for byte, and tells its owner', async () => {
    await begin('ann');
    await waypost(inDirectory('ann'), 'send', 'hello', '--to', someKey, '--linger', '0');
    const database = path.join(inDirectory('ann'), 'visor.db');
    const garbage = Buffer.alloc(8_192, 'not a database ');
    writeFileSync(database, garbage);
    const status = await waypost(inDirectory('ann'), 'status', '--linger', '0', '--json');
    expect(status.code).toBe(0);
    const { notices } = statusLine.parse(JSON.parse(status.out));
    const kept = readdirSync(inDirectory('ann')).filter((name) => name.startsWith('visor.db.corrupt-'));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.some((name) => garbage.equals(readFileSync(path.join(inDirectory('ann'), name))))).toBe(true);
    expect(notices.join(' ')).toContain('corrupt');
    expect((await waypost(inDirectory('ann'), 'send', 'on we go', '--to', someKey, '--linger', '0')).code).toBe(0);
  }, slow);
});

describe('the disk', () => {
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const mounted = (): string | undefined => {
    if (!isRoot) return undefined;
    const place = mkdtempSync(path.join(tmpdir(), 'waypost-full-'));
    return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', place]).status === 0 ? place : undefined;
  };

  it('is full: nothing is half saved, the sentence says what to do, and with room again it goes on', async (context) => {
    const place = mounted();
    if (place === undefined) {
      process.stderr.write('SKIPPED: a full disk needs root and the right to mount a tmpfs.\n');
      context.skip();
      return;
    }
    try {
      const profile = path.join(place, 'ann');
      expect((await waypost(profile, 'init', '--name', 'ann')).code).toBe(0);
      expect((await waypost(profile, 'send', 'before', '--to', someKey, '--linger', '0')).code).toBe(0);
      const ballast = path.join(place, 'ballast');
      spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096']);
      expect(statSync(ballast).size).toBeGreaterThan(0);
      const refused = await waypost(profile, 'send', 'x'.repeat(60_000), '--to', someKey, '--linger', '0');
      expect([refused.code, refused.out]).toEqual([1, '']);
      expect(refused.error).toMatch(/^waypost: .*(space|disk|written).*\([a-z-]+\)\n$/s);
      expect(refused.error).not.toMatch(/\n\s+at /);
      rmSync(ballast);
      const outbox = await waypost(profile, 'outbox', '--json', '--linger', '0');
      expect(outbox.out.trim().split('\n').map((line) => outboxItemSchema.parse(JSON.parse(line)).summary)).toEqual(['before']);
      expect((await waypost(profile, 'send', 'after', '--to', someKey, '--linger', '0')).code).toBe(0);
    } finally {
      await killAll();
      spawnSync('umount', ['-l', place]);
      rmSync(place, { recursive: true, force: true });
    }
  }, slow);

  it('stays out of the way of a folder where a database should be', async () => {
    await begin('ann');
    mkdirSync(path.join(inDirectory('ann'), 'visor.db'));
    const result = await waypost(inDirectory('ann'), 'status', '--linger', '0');
    expect(result.code).toBe(1);
    expect(result.error).toMatch(/^waypost: .+\([a-z-]+\)\n$/s);
    expect(result.error).not.toMatch(/\n\s+at /);
    expect(statSync(path.join(inDirectory('ann'), 'visor.db')).isDirectory()).toBe(true);
  }, slow);
});

describe('the network', () => {
  it('has the port taken by another program', async () => {
    const other = createSocket('udp4');
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    try {
      expectRefusal(await waypost(inDirectory('relay'), 'relay', '--listen', `127.0.0.1:${String(port)}`), 'port-taken', new RegExp(String(port)));
    } finally {
      other.close();
    }
  }, slow);

  it('has a relay that does not answer: it is kept and tried, and what is written waits with the reason', async () => {
    const ben = await begin('ben');
    await begin('ann');
    const relay = new WaypostProcess(inDirectory('relay'), ['relay', '--listen', '127.0.0.1:0', '--json']);
    const { hint } = relayLine.parse(JSON.parse(await relay.firstLine()));
    await relay.killHard();
    const added = await waypost(inDirectory('ann'), 'relays', 'add', hint);
    expect(added.code).toBe(0);
    expect(added.out).toMatch(/^Added\. (Connecting|Does not answer)\./);
    const sent = await waypost(inDirectory('ann'), 'send', 'into the dark', '--to', ben);
    expect([sent.code, sent.error]).toEqual([0, expect.stringContaining('It waits in this profile')]);
    expect(sent.out).toMatch(/Saved here\. \S.+\./);
    const listed = await waypost(inDirectory('ann'), 'relays', '--json');
    expect(relaySchema.parse(JSON.parse(listed.out)).state).not.toBe('connected');
  }, slow);

  it('refuses relays and times to live that cannot be, before anything is saved', async () => {
    await begin('ann');
    expectRefusal(await waypost(inDirectory('ann'), 'relays', 'add', 'nonsense', '--linger', '0'), 'bad-relay', /key@host:port/);
    for (const ttl of ['59s', '31d', '0m']) expectRefusal(await waypost(inDirectory('ann'), 'send', 'x', '--to', someKey, '--ttl', ttl, '--linger', '0'), 'ttl-out-of-range', /between 1 minute and 30 days/);
    const outbox = await waypost(inDirectory('ann'), 'outbox', '--json', '--linger', '0');
    expect([outbox.code, outbox.out]).toEqual([0, '']);
  }, slow);
});

describe('files', () => {
  const blobsOf = (name: string): readonly string[] => readdirSync(path.join(inDirectory(name), 'blobs'));

  it('are refused with a sentence where they cannot be sent, and nothing of them is kept', async () => {
    const ann = await begin('ann');
    writeFileSync(inDirectory('a.txt'), 'hello');
    mkdirSync(inDirectory('folder'));
    const send = (...more: readonly string[]): Promise<Result> => waypost(inDirectory('ann'), 'send', '--linger', '0', ...more);
    expectRefusal(await send('--to', someKey, '--file', inDirectory('missing.txt')), 'file-unreadable', /There is no file "missing\.txt" at that path\./);
    expectRefusal(await send('--to', someKey, '--file', path.join(inDirectory('a.txt'), 'below')), 'file-unreadable', /There is no file "below"/);
    expectRefusal(await send('--to', someKey, '--file', inDirectory('folder')), 'file-unreadable', /"folder" is a folder\. Pack it/);
    expectRefusal(await send('--to', someKey, '--file', inDirectory('a.txt'), 'x'.repeat(32_769)), 'message-too-large', /32 KiB at most/);
    if (process.platform !== 'win32') expectRefusal(await send('--to', someKey, '--file', '/dev/null'), 'file-unreadable', /"null" is not a file/);
    expectRefusal(await send('--to', 'nobody', '--file', inDirectory('a.txt')), 'bad-address', /66 hexadecimal digits/);
    expectRefusal(await send('--to', ann, '--file', inDirectory('a.txt')), 'own-address', /your own address/);
    expectRefusal(await send('--to', someKey, '--file', inDirectory('a.txt'), '--ttl', '59s'), 'ttl-out-of-range', /between 1 minute and 30 days/);
    expect(blobsOf('ann')).toEqual([]);
    const outbox = await waypost(inDirectory('ann'), 'outbox', '--json', '--linger', '0');
    expect([outbox.code, outbox.out]).toEqual([0, '']);
  }, slow);

  it('are refused with a sentence where they cannot be got, and nothing is overwritten', async () => {
    await begin('ann');
    const sent = messageSchema.parse(JSON.parse((await waypost(inDirectory('ann'), 'send', 'hello', '--to', someKey, '--linger', '0', '--json')).out));
    writeFileSync(inDirectory('mine.txt'), 'mine');
    expectRefusal(await waypost(inDirectory('ann'), 'get', '00112233445566778899aabbccddeeff'), 'not-found', /There is no message with this id here\./);
    expectRefusal(await waypost(inDirectory('ann'), 'get', sent.id), 'not-found', /This message carries no file\./);
    expectRefusal(await waypost(inDirectory('ann'), 'get', sent.id, '--output', inDirectory('mine.txt')), 'file-exists', /left untouched/);
    for (const commandLine of [['get', 'no id'], ['get', sent.id, '--output', inDirectory('nowhere/a.txt')], ['send', '--to', someKey]] as const) {
      const refused = await waypost(inDirectory('ann'), ...commandLine);
      expect([refused.code, refused.out]).toEqual([2, '']);
      expect(refused.error).toMatch(/^waypost: .+ \(invalid-argument\)\n$/);
    }
    expect(readFileSync(inDirectory('mine.txt'), 'utf8')).toBe('mine');
  }, slow);
});

describe('a clock that is wrong by more than a day', () => {
  const dayMs = 86_400_000;

  it('at the relay suspends expiry with a note until it is confirmed, and no letter is lost', async () => {
    const [ann, ben] = [await begin('ann'), await begin('ben')];
    expect(ann).not.toBe(ben);
    const relayProfile = inDirectory('relay');
    const relay = new WaypostProcess(relayProfile, ['relay', '--listen', '127.0.0.1:0', '--json']);
    const { hint, port } = relayLine.parse(JSON.parse(await relay.firstLine()));
    for (const name of ['ann', 'ben']) await waypost(inDirectory(name), 'relays', 'add', hint);
    const sent = await waypost(inDirectory('ann'), 'send', 'kept over the jump', '--to', ben, '--ttl', '1d', '--wait', 'stored', '--timeout', '40', '--json');
    expect(messageSchema.parse(JSON.parse(sent.out)).headline.state).toBe('stored');
    await relay.stop();

    const listen = ['relay', '--listen', `127.0.0.1:${String(port)}`, '--json'] as const;
    const jumped = startWithClock(relayProfile, 3 * dayMs, ...listen);
    await jumped.firstLine();
    await untilTrue('the note about the clock', deadlineMs, () => jumped.errorText.includes('--confirm-clock'));
    expect(jumped.errorText).toContain('The clock of this machine has moved by more than a day since the relay last ran, so no message expires.');
    const inbox = await waypost(inDirectory('ben'), 'inbox', '--linger', '10', '--json');
    expect(inbox.out.trim().split('\n').map((line) => messageSchema.parse(JSON.parse(line)).text)).toEqual(['kept over the jump']);
    await jumped.stop();

    const confirmed = startWithClock(relayProfile, 3 * dayMs, ...listen, '--confirm-clock');
    await confirmed.firstLine();
    await confirmed.stop();
    expect(confirmed.errorText).not.toContain('--confirm-clock');
    const after = startWithClock(relayProfile, 3 * dayMs, ...listen);
    await after.firstLine();
    await after.stop();
    expect(after.errorText).not.toContain('--confirm-clock');
  }, slow);

  it('at a person keeps letters flowing in both directions, and is told to them', async () => {
    const ben = await begin('ben');
    const ann = await begin('ann');
    const relay = new WaypostProcess(inDirectory('relay'), ['relay', '--listen', '127.0.0.1:0', '--json']);
    const { hint } = relayLine.parse(JSON.parse(await relay.firstLine()));
    for (const name of ['ann', 'ben']) await waypost(inDirectory(name), 'relays', 'add', hint);
    const slowClock = startWithClock(inDirectory('ann'), -1.5 * dayMs, 'run', '--listen', '127.0.0.1:0', '--json');
    await slowClock.firstLine();
    const present = new WaypostProcess(inDirectory('ben'), ['run', '--listen', '127.0.0.1:0', '--json']);
    await present.firstLine();
    const { client, close } = await slowClock.connect();
    await untilTrue('the offset of the clock', deadlineMs, async () => Math.abs((await client.state.snapshot()).view.connection.clockOffsetMs ?? 0) > dayMs);
    close();
    for (const [from, to] of [['ann', ben], ['ben', ann]] as const) {
      const sent = await waypost(inDirectory(from), 'send', `from ${from}`, '--to', to, '--ttl', '1h', '--wait', 'stored', '--timeout', '40', '--json');
      expect(messageSchema.parse(JSON.parse(sent.out)).headline.state, from).toMatch(/^(stored|delivered)$/);
    }
    for (const [name, text] of [['ben', 'from ann'], ['ann', 'from ben']] as const) {
      await untilTrue(`the letter at ${name}`, deadlineMs, async () => (await waypost(inDirectory(name), 'inbox')).out.includes(text));
    }
  }, slow);
});
