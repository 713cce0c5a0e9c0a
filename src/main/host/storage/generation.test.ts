/** Copies of a mail file that are put back, young and old, and crashes at every step in between: an older database never keeps its epoch. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { MailRequest, MailResults, MailOperation } from '../../engine/mail/mail-store.ts';
import type * as Files from './files.ts';
import { generationIntervalMs, generationPath } from './generation.ts';
import { GroupCommit, type Outcome } from './group-commit.ts';
import { letterOf, mailboxOf } from './mail/test-letters.ts';
import { MailFile } from './store-files.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Counts down at each side of each replacement of the file beside the database; at 0 the process is gone. */
const crash = vi.hoisted(() => ({ after: Number.POSITIVE_INFINITY }));
vi.mock(import('./files.ts'), async (original) => {
  const files: typeof Files = await original();
  const step = (): void => {
    crash.after -= 1;
    if (crash.after < 0) throw new Error('crashed');
  };
  return { ...files, replaceFile: (path, text) => { step(); files.replaceFile(path, text); step(); } };
});
beforeEach(() => { crash.after = Number.POSITIVE_INFINITY; });

/** Before, between and after the three steps of a renewal; the middle two are before and after the database's part. */
const crashPoints = [0, 1, 2, 3];
const databaseFiles = ['', '-wal', '-shm'];
const quota = { letters: 1e9, bytes: 1e12, lettersPerToken: 1e9, strangerLetters: 1e9, receipts: 1e9 };

class Relay {
  readonly path: string;
  readonly file: MailFile;
  readonly #group: GroupCommit<MailRequest, MailResults[MailOperation]>;

  constructor(path: string, nowMs: () => number = () => 0) {
    this.path = path;
    this.file = new MailFile({ path, wallMs: nowMs });
    this.#group = new GroupCommit(this.file);
  }

  run(...requests: readonly MailRequest[]): readonly Outcome<MailResults[MailOperation]>[] {
    const outcomes: Outcome<MailResults[MailOperation]>[] = [];
    for (const request of requests) this.#group.submit(request, (outcome) => { outcomes.push(outcome); });
    this.#group.flush();
    return outcomes;
  }

  /** The epoch after opening with `fresh` as the new one. */
  open(fresh: number): number {
    const [outcome] = this.run({ op: 'open', freshEpoch: new Uint8Array(8).fill(fresh), wallMs: 0 });
    if (outcome?.ok !== true || !('epoch' in outcome.result)) throw new Error('not opened');
    return outcome.result.epoch[0] ?? -1;
  }

  receive(number: number): void {
    const [outcome] = this.run({ op: 'deposit', ...letterOf(number, { tokenHash: undefined, quota, body: new Uint8Array(100) }) });
    expect(outcome).toMatchObject({ ok: true, result: { outcome: 'stored' } });
  }

  look(): void {
    expect(this.run({ op: 'list', mailbox: mailboxOf(1), afterSequence: 0, mostBytes: 1e9, elapsedMs: 0 })).toMatchObject([{ ok: true }]);
  }

  /** What an operator's copy has; the file beside the database belongs to the place, not to the backup. */
  copyTo(directory: string, files: readonly string[] = databaseFiles): void {
    mkdirSync(directory, { recursive: true });
    for (const suffix of files) {
      const to = join(directory, `mail.db${suffix}`);
      rmSync(to, { force: true });
      if (existsSync(this.path + suffix)) copyFileSync(this.path + suffix, to);
    }
  }

  /** A kill: what the disk has at this moment goes on in another place; this process is heard of no more. */
  killInto(directory: string): void {
    this.copyTo(directory, [...databaseFiles, '.generation']);
    crash.after = Number.POSITIVE_INFINITY;
    this.file.close();
  }
}

const putBack = (backup: string, directory: string): void => {
  for (const suffix of databaseFiles) {
    const to = join(directory, `mail.db${suffix}`);
    rmSync(to, { force: true });
    if (existsSync(join(backup, `mail.db${suffix}`))) copyFileSync(join(backup, `mail.db${suffix}`), to);
  }
};
const mailIn = (directory: string): string => join(directory, 'mail.db');
const commitsBeside = (path: string): number => Number(readFileSync(generationPath(path), 'utf8').split('\n')[0]);

/** A relay that runs, with one letter. */
function begin(directory: string, epoch = 1): Relay {
  const relay = new Relay(mailIn(directory));
  expect(relay.open(epoch)).toBe(epoch);
  relay.run({ op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 });
  relay.receive(1);
  return relay;
}

describe('a copy of a mail file that is put back', () => {
  it('is noticed after a kill though it is but one letter old', () => {
    const [place, backup, after] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
    const relay = begin(place);
    relay.copyTo(backup);
    relay.receive(2);
    relay.killInto(after);
    putBack(backup, after);
    const restored = new Relay(mailIn(after));
    expect(restored.open(2)).toBe(2);
    restored.file.close();
    const later = new Relay(mailIn(after));
    expect(later.open(3)).toBe(2);
    later.file.close();
  });

  it('is noticed after an orderly stop though nothing was received since', () => {
    const [place, backup] = [temporaryDirectory(), temporaryDirectory()];
    const relay = begin(place);
    relay.copyTo(backup);
    relay.file.close();
    putBack(backup, place);
    const restored = new Relay(mailIn(place));
    expect(restored.open(2)).toBe(2);
    restored.file.close();
  });

  it('is noticed a second time', () => {
    const [place, backup] = [temporaryDirectory(), temporaryDirectory()];
    const relay = begin(place);
    relay.copyTo(backup);
    relay.receive(2);
    relay.file.close();
    for (const epoch of [2, 3]) {
      putBack(backup, place);
      const restored = new Relay(mailIn(place));
      expect(restored.open(epoch)).toBe(epoch);
      // It counts further than the first time did, and is another one all the same.
      for (let number = 10; number < 20; number += 1) restored.receive(number);
      restored.file.close();
    }
  });

  it('is not suspected when it is the present state', () => {
    const [place, backup, after] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
    const relay = begin(place);
    relay.look();
    relay.copyTo(backup);
    relay.look();
    relay.killInto(after);
    putBack(backup, after);
    const same = new Relay(mailIn(after));
    expect(same.open(2)).toBe(1);
    same.file.close();
  });
});

describe('a crash', () => {
  it('between a commit and its mark beside the database keeps the epoch', () => {
    const [place, after] = [temporaryDirectory(), temporaryDirectory()];
    const relay = begin(place);
    const before = readFileSync(generationPath(relay.path));
    relay.receive(2);
    relay.killInto(after);
    writeFileSync(generationPath(mailIn(after)), before);
    const next = new Relay(mailIn(after));
    expect(next.open(2)).toBe(1);
    expect(commitsBeside(next.path)).toBeGreaterThanOrEqual(Number(before.toString('utf8', 0, 20)) + 1);
    next.file.close();
  });

  const renewals: readonly { readonly when: string; readonly renew: (relay: Relay, clock: { nowMs: number }) => void }[] = [
    { when: 'at an orderly close', renew: (relay) => { relay.file.close(); } },
    { when: 'in between', renew: (relay, clock) => { clock.nowMs += generationIntervalMs; relay.look(); } },
  ];
  for (const { when, renew } of renewals) {
    it.each(crashPoints)(`in the renewal ${when}, at step %i, keeps the epoch of the present state and of no older one`, (point) => {
      const [place, backup] = [temporaryDirectory(), temporaryDirectory()];
      const clock = { nowMs: 0 };
      const relay = new Relay(mailIn(place), () => clock.nowMs);
      relay.open(1);
      relay.run({ op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 });
      relay.copyTo(backup);
      relay.receive(1);
      crash.after = point;
      try { renew(relay, clock); } catch { /* the crash */ }
      for (const isOlder of [false, true]) {
        const after = temporaryDirectory();
        relay.copyTo(after, [...databaseFiles, '.generation']);
        if (isOlder) putBack(backup, after);
        crash.after = Number.POSITIVE_INFINITY;
        const next = new Relay(mailIn(after));
        expect(next.open(2)).toBe(isOlder ? 2 : 1);
        next.file.close();
      }
      relay.file.close();
    });
  }

  it.each(crashPoints)('while a restore is being noticed, at step %i, does not hide it, also when the copy is put back once more', (point) => {
    const [place, backup] = [temporaryDirectory(), temporaryDirectory()];
    const relay = begin(place);
    relay.copyTo(backup);
    relay.receive(2);
    relay.file.close();
    for (const again of [false, true]) {
      const after = temporaryDirectory();
      relay.copyTo(after, [...databaseFiles, '.generation']);
      putBack(backup, after);
      crash.after = point;
      expect(() => { new Relay(mailIn(after)).file.open(); }).toThrow();
      crash.after = Number.POSITIVE_INFINITY;
      if (again) putBack(backup, after);
      const next = new Relay(mailIn(after));
      expect(next.open(2)).toBe(2);
      next.file.close();
    }
  });
});

describe('the marks beside a mail file', () => {
  it('count what changed something, and nothing else', () => {
    const relay = begin(temporaryDirectory());
    // The first time, the letter is marked as listed.
    relay.look();
    const before = commitsBeside(relay.path);
    relay.look();
    relay.look();
    expect(commitsBeside(relay.path)).toBe(before);
    relay.receive(2);
    expect(commitsBeside(relay.path)).toBe(before + 1);
    // One batch is one commit.
    relay.run(...[3, 4, 5].map((number): MailRequest => ({ op: 'deposit', ...letterOf(number, { tokenHash: undefined, quota }) })));
    expect(commitsBeside(relay.path)).toBe(before + 2);
    relay.file.close();
  });

  it('go on after a renewal in the new file', () => {
    const clock = { nowMs: 0 };
    const relay = new Relay(mailIn(temporaryDirectory()), () => clock.nowMs);
    relay.open(1);
    relay.run({ op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 });
    relay.receive(1);
    const before = commitsBeside(relay.path);
    clock.nowMs += generationIntervalMs;
    relay.receive(2);
    relay.receive(3);
    expect(commitsBeside(relay.path)).toBe(before + 2);
    relay.file.close();
  });

  it.each([
    ['missing', undefined], ['empty', ''], ['garbage', 'x'.repeat(54)], ['without a count, as older versions wrote it', 'nonce only'],
  ])('lead to a new epoch when they are %s', (_what, content) => {
    const place = temporaryDirectory();
    const relay = begin(place);
    relay.file.close();
    const file = generationPath(relay.path);
    const nonce = readFileSync(file, 'utf8').split('\n')[1] ?? '';
    if (content === undefined) rmSync(file);
    else writeFileSync(file, content === 'nonce only' ? `${nonce}\n` : content);
    const next = new Relay(relay.path);
    expect(next.open(2)).toBe(2);
    next.file.close();
  });

  it('may lack the count when the database lacks it too: both are of an older version', () => {
    const relay = begin(temporaryDirectory());
    relay.file.close();
    const file = generationPath(relay.path);
    writeFileSync(file, `${readFileSync(file, 'utf8').split('\n')[1] ?? ''}\n`);
    const database = new Database(relay.path);
    database.exec(`DELETE FROM meta WHERE name = 'commits'`);
    database.close();
    const next = new Relay(relay.path);
    expect(next.open(2)).toBe(1);
    next.file.close();
  });

  it('lead to a new epoch when the database is from before there were any', () => {
    const relay = begin(temporaryDirectory());
    relay.file.close();
    const database = new Database(relay.path);
    database.exec(`DELETE FROM meta WHERE name IN ('commits', 'generation')`);
    database.close();
    const next = new Relay(relay.path);
    expect(next.open(2)).toBe(2);
    next.file.close();
  });

  it('fail the batch that they cannot follow, and nothing is lost by that', () => {
    const relay = begin(temporaryDirectory());
    relay.file.close();
    const next = new Relay(relay.path);
    next.file.open();
    rmSync(generationPath(relay.path));
    expect(next.run({ op: 'open', freshEpoch: new Uint8Array(8).fill(2), wallMs: 0 })).toMatchObject([{ ok: true }]);
    expect(next.run({ op: 'deposit', ...letterOf(2, { tokenHash: undefined, quota }) })).toMatchObject([{ ok: false }]);
    // Opened anew meanwhile, as after any failure.
    expect(next.open(3)).toBe(3);
    next.receive(3);
    next.file.close();
  });
});

/** `which` copy is put back: 0 is the last. */
type Step = { readonly kind: 'receive' | 'look' | 'wait' | 'stop' | 'kill' | 'copy' } | { readonly kind: 'put-back'; readonly how: 'stop' | 'kill'; readonly which: number };
const steps = fc.array(fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Step>({ kind: 'receive' }, { kind: 'look' }, { kind: 'copy' }) },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ kind: 'wait' }, { kind: 'stop' }, { kind: 'kill' }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('put-back' as const), how: fc.constantFrom('stop' as const, 'kill' as const), which: fc.nat(2) }) },
), { maxLength: 25 });

describe('whatever happens to a mail file', () => {
  it('a restore of anything older than the present is noticed, and nothing else is taken for one', () => {
    fc.assert(fc.property(steps, (all) => {
      crash.after = Number.POSITIVE_INFINITY;
      const root = temporaryDirectory();
      let places = 0;
      const clock = { nowMs: 0 };
      const newPlace = (): string => { places += 1; const place = join(root, String(places)); mkdirSync(place); return place; };
      let place = newPlace();
      let fresh = 1;
      let letters = 0;
      /** Which state of the mail this is; every change makes a new one. */
      let state = 0;
      let states = 0;
      const copies: { readonly directory: string; readonly state: number }[] = [];
      let relay = new Relay(mailIn(place), () => clock.nowMs);
      let epoch = relay.open(fresh);
      relay.run({ op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 });
      const change = (): void => { states += 1; state = states; };
      const end = (how: 'stop' | 'kill'): void => {
        if (how === 'stop') {
          relay.file.close();
          return;
        }
        place = newPlace();
        relay.killInto(place);
      };
      const start = (expected: 'same' | 'new' | 'either'): void => {
        relay = new Relay(mailIn(place), () => clock.nowMs);
        fresh += 1;
        const found = relay.open(fresh);
        if (expected === 'either') expect([epoch, fresh]).toContain(found);
        else expect(found).toBe(expected === 'same' ? epoch : fresh);
        if (found === fresh) change();
        epoch = found;
      };
      try {
        for (const step of all) {
          switch (step.kind) {
            case 'receive': letters += 1; relay.receive(letters); change(); break;
            case 'look': relay.look(); break;
            case 'wait': clock.nowMs += generationIntervalMs / 2; relay.look(); break;
            case 'copy': { const directory = newPlace(); relay.copyTo(directory); copies.push({ directory, state }); break; }
            case 'stop': case 'kill': end(step.kind); start('same'); break;
            case 'put-back': {
              const copy = copies.at(-1 - step.which);
              if (copy === undefined) break;
              end(step.how);
              putBack(copy.directory, place);
              const isPresent = copy.state === state;
              state = copy.state;
              start(isPresent ? 'either' : 'new');
              break;
            }
          }
        }
      } finally {
        relay.file.close();
      }
    }), { numRuns: 150 });
  }, 120_000);
});
