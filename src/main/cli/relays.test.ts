import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { relaySchema, type RelayView } from '../../shared/relay-views.ts';
import { relayTrialSchema } from '../../shared/relay-trial.ts';
import { endedSteps, relaysInOrder, relayWords, trialStepWords } from './relay-words.ts';

const entry = path.join(import.meta.dirname, 'index.ts');
const slow = 120_000;
const key = `02${'ab'.repeat(32)}`;
const relay: RelayView = { publicKey: key, address: 'mill.example:4430', name: 'mill.example:4430', role: 'own', state: 'connected', problem: '', roundTripsMs: [] };

describe('the words of relays', () => {
  it('say what the person chose, which place it has, and what is known', () => {
    const mailbox = { letters: 3, lettersMaximum: 10_000, sizeBytes: 900, maximumBytes: 64_000_000, atMs: 0 };
    const words = relayWords({ ...relay, choice: 'pinned', place: 0, isTold: true, p50Ms: 24, p95Ms: 61, waitingLetters: 3, mailbox, capabilities: ['waypost/1', 'store'] }, 60_000);
    expect(words.split('\n')).toEqual([
      `${key}@mill.example:4430  1. pinned  Connected`, '  Round trip 24 ms, at most 61 ms in 19 of 20.', '  3 waiting to be fetched.',
      '  Your mailbox there had 3 of 10,000 letters, 900 bytes of 64 MB, as it said 1 minute ago.', '  Speaks Waypost 1. It keeps letters and files for you.',
    ]);
    expect(relayWords({ ...relay, place: 3, isTold: false }, 0)).toContain('4. not told to others  Connected');
    expect(relayWords({ ...relay, choice: 'banned', state: 'idle' }, 0)).toContain('banned  Banned. Nothing is sent there');
    expect(relaysInOrder([{ ...relay, name: 'b', choice: 'banned' }, { ...relay, name: 'l', leavingUntilMs: 1 }, { ...relay, name: '2', place: 1 }, { ...relay, name: '1', place: 0 }]).map(({ name }) => name)).toEqual(['1', '2', 'l', 'b']);
  });
  it('name each step once as it ends', () => {
    const trial = { startedAtMs: 0, isRunning: true, steps: [{ step: 'address', state: 'passed', tookMs: 0 }, { step: 'answer', state: 'failed', tookMs: 8_000 }, { step: 'handshake', state: 'waiting' }] } as const;
    expect(endedSteps({ ...trial, steps: [...trial.steps] }, 0).map(trialStepWords)).toEqual(['ok      Its address was found: passed', 'FAILED  Get a packet back: failed after 8.0 s']);
    expect(endedSteps({ ...trial, steps: [...trial.steps] }, 1)).toHaveLength(1);
    expect(endedSteps(undefined, 0)).toEqual([]);
  });
});

describe('the relays of a visor, by the command line', () => {
  let directory: string;
  const children: ChildProcess[] = [];
  beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'waypost-relays-')); });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  const start = (commandLine: readonly string[], profile: string): ChildProcess => spawn(process.execPath, [entry, ...commandLine], { env: { ...process.env, WAYPOST_PROFILE: path.join(directory, profile) } });
  const waypost = (...commandLine: readonly string[]): Promise<{ code: number | null; out: string; error: string }> => new Promise((resolve) => {
    const child = start(commandLine, 'p');
    let out = '';
    let error = '';
    child.stdout?.on('data', (data: Buffer) => { out += data.toString('utf8'); });
    child.stderr?.on('data', (data: Buffer) => { error += data.toString('utf8'); });
    child.on('close', (code) => { resolve({ code, out, error }); });
  });
  /** Its first line, which says that it is there. */
  const running = (commandLine: readonly string[], profile: string): Promise<string> => new Promise((resolve) => {
    const child = start(commandLine, profile);
    children.push(child);
    let out = '';
    child.stdout?.on('data', (data: Buffer) => {
      out += data.toString('utf8');
      if (out.includes('\n')) resolve(out.split('\n')[0] ?? '');
    });
  });

  it('are tested, pinned, put in order, banned and used again', async () => {
    const hints = await Promise.all(['r1', 'r2'].map((name) => running(['relay', '--listen', '127.0.0.1:0'], name)));
    await waypost('init', '--name', 'Ann');
    void running(['run'], 'p');
    for (const hint of hints) {
      let added = await waypost('relays', 'add', hint);
      for (let tries = 0; added.error.includes('profile-in-use') && tries < 20; tries += 1) added = await waypost('relays', 'add', hint);
      expect(added.code).toBe(0);
    }
    const [first = '', second = ''] = hints.map((hint) => hint.slice(0, 66));
    const tested = await waypost('relays', 'test', first.slice(0, 12));
    expect([tested.code, tested.out]).toEqual([0, 'Everything works: a letter left there came back.\n']);
    expect(tested.error.split('\n').filter((line) => line.startsWith('ok'))).toHaveLength(7);
    expect(relayTrialSchema.parse(JSON.parse((await waypost('relays', 'test', second, '--json')).out))).toMatchObject({ isRunning: false });
    await waypost('relays', 'order', second);
    expect((await waypost('relays', 'pin', first)).code).toBe(0);
    const listed = (await waypost('relays', '--json')).out.trim().split('\n').map((line) => relaySchema.parse(JSON.parse(line)));
    expect(listed.map(({ publicKey, choice, place, mailbox }) => [publicKey, choice, place, mailbox?.letters])).toEqual([[first, 'pinned', 0, 0], [second, undefined, 1, 0]]);
    expect((await waypost('relays', 'ban', second)).out).toContain('is banned');
    expect((await waypost('relays', 'test', second)).error).toContain('(refused)');
    expect((await waypost('relays')).out).toContain('Banned. Nothing is sent there');
    expect((await waypost('relays', 'unban', second)).out).toContain('is used again');
    expect((await waypost('relays', 'ban', 'nobody')).error).toContain('(not-found)');
  }, slow);
});
