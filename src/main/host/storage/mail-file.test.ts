/** The mail store over a file: epochs, restores, full disks, damage at run time. */
import Database from 'better-sqlite3';
import { copyFileSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generationIntervalMs } from './generation.ts';
import { letterOf, mailboxOf, tokenHashOf } from './mail/test-letters.ts';
import { MailFile } from './store-files.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { GroupCommit } from './group-commit.ts';
import type { MailOperation, MailRequest, MailResults } from '../../engine/mail/mail-store.ts';
import type { Outcome } from './group-commit.ts';

interface Clock { nowMs: number }

function openMail(path: string, clock: Clock = { nowMs: 0 }) {
  const quarantined: string[] = [];
  const file = new MailFile({ path, wallMs: () => clock.nowMs, quarantined: (to) => { quarantined.push(to); } });
  const group = new GroupCommit<MailRequest, MailResults[MailOperation]>(file);
  const run = (...requests: readonly MailRequest[]): readonly Outcome<MailResults[MailOperation]>[] => {
    const outcomes: Outcome<MailResults[MailOperation]>[] = [];
    for (const request of requests) group.submit(request, (outcome) => { outcomes.push(outcome); });
    group.flush();
    return outcomes;
  };
  return { file, run, quarantined };
}

const openWith = (value: number): MailRequest => ({ op: 'open', freshEpoch: new Uint8Array(8).fill(value), wallMs: 0 });
const epoch = (value: number) => [{ ok: true, result: { epoch: new Uint8Array(8).fill(value) } }];
const register: MailRequest = { op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 };
const tokens: MailRequest = { op: 'tokens', mailbox: mailboxOf(1), version: 1, reset: true, tokens: [{ granted: true, hash: tokenHashOf(1) }] };
const deposit = (value: number, sizeBytes = 1_040): MailRequest => ({ op: 'deposit', ...letterOf(value, { body: new Uint8Array(sizeBytes) }) });
const companions = ['', '-wal', '-shm', '.generation'];

describe('the epoch of a mail file', () => {
  it('stays when the file is closed and opened in order', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const one = openMail(path);
    expect(one.run(openWith(1))).toMatchObject(epoch(1));
    one.file.close();
    const two = openMail(path);
    expect(two.run(openWith(2))).toMatchObject(epoch(1));
    two.file.close();
  });

  it('stays after a crash', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'mail.db');
    const one = openMail(path);
    one.run(openWith(1));
    const copy = join(directory, 'copy.db');
    for (const suffix of companions) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    one.file.close();
    const two = openMail(copy);
    expect(two.run(openWith(2))).toMatchObject(epoch(1));
    two.file.close();
  });

  it('changes when a backup from before is put back', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'mail.db');
    const one = openMail(path);
    one.run(openWith(1));
    one.file.close();
    copyFileSync(path, join(directory, 'backup'));
    const two = openMail(path);
    two.run(openWith(2), register);
    two.file.close();
    copyFileSync(join(directory, 'backup'), path);
    const three = openMail(path);
    expect(three.run(openWith(3))).toMatchObject(epoch(3));
    three.file.close();
  });

  it('changes when a backup of the running store is put back after a kill some time later', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'mail.db');
    const clock = { nowMs: 0 };
    const one = openMail(path, clock);
    one.run(openWith(1));
    const backup = join(directory, 'backup.db');
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) copyFileSync(path + suffix, backup + suffix);
    clock.nowMs = generationIntervalMs;
    one.run(register);
    copyFileSync(`${path}.generation`, `${backup}.generation`);
    one.file.close();
    const two = openMail(backup);
    expect(two.run(openWith(3))).toMatchObject(epoch(3));
    two.file.close();
  });

  it('changes when the file beside it is missing, and when the database is new', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const one = openMail(path);
    one.run(openWith(1));
    one.file.close();
    rmSync(`${path}.generation`);
    const two = openMail(path);
    expect(two.run(openWith(2))).toMatchObject(epoch(2));
    two.file.close();
    rmSync(path);
    const three = openMail(path);
    expect(three.run(openWith(3))).toMatchObject(epoch(3));
    three.file.close();
  });

  it('changes when the database is damaged at run time; the old file is set aside', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const one = openMail(path);
    one.run(openWith(1), register, tokens);
    one.run(...Array.from({ length: 200 }, (_, index) => deposit(index)));
    one.file.close();
    const two = openMail(path);
    two.run(openWith(2));
    // A change by another connection makes the next read go to the file instead of the cache.
    const other = new Database(path);
    other.exec(`INSERT INTO meta VALUES ('other', '1')`);
    other.close();
    const file = openSync(path, 'r+');
    for (let page = 1; page < 60; page += 1) writeSync(file, Buffer.alloc(4_096, 0x77), 0, 4_096, page * 4_096);
    const outcomes = two.run({ op: 'list', mailbox: mailboxOf(1), afterSequence: 0, mostBytes: 1e9, elapsedMs: 0 }, register);
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.failure.code))).toEqual(['database-corrupt', 'database-corrupt']);
    expect(two.quarantined).toHaveLength(1);
    expect(existsSync(two.quarantined[0] ?? '')).toBe(true);
    expect(two.run(openWith(3))).toMatchObject(epoch(3));
    two.file.close();
  });
});

describe('a mail file that cannot be written', () => {
  it('fails the whole batch when the disk is full, keeps what was committed, and goes on when there is room', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const one = openMail(path);
    one.run(openWith(1), register, tokens, deposit(1));
    one.file.limitPages(60);
    const outcomes = one.run(...Array.from({ length: 20 }, (_, index) => deposit(index + 2, 60_000)));
    expect(outcomes).toHaveLength(20);
    expect(outcomes.every((outcome) => !outcome.ok && outcome.failure.code === 'disk-full')).toBe(true);
    const [listed, stored] = one.run({ op: 'list', mailbox: mailboxOf(1), afterSequence: 0, mostBytes: 1e9, elapsedMs: 0 }, deposit(2, 60_000));
    expect(listed).toMatchObject({ ok: true, result: { entries: [{ sequence: 1 }], remaining: 0 } });
    expect(stored).toMatchObject({ ok: true, result: { outcome: 'stored', sequence: 2 } });
    one.file.close();
  });

  it('says that the profile cannot be written when the file is read-only', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const one = openMail(path);
    one.run(openWith(1));
    one.file.queryOnly();
    expect(one.run(register)).toMatchObject([{ ok: false, failure: { code: 'profile-unwritable' } }]);
    expect(one.run(register)).toMatchObject([{ ok: true }]);
    one.file.close();
  });

  it('fails every batch with the reason while the database cannot be opened', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const newer = new Database(path);
    newer.pragma('user_version = 99');
    newer.close();
    const one = openMail(path);
    expect(one.run(register)).toMatchObject([{ ok: false, failure: { code: 'database-newer' } }]);
    expect(one.run(register)).toMatchObject([{ ok: false, failure: { code: 'database-newer' } }]);
    one.file.close();
  });

  it('keeps the write-ahead log short by checkpoints between batches', () => {
    const path = join(temporaryDirectory(), 'mail.db');
    const one = openMail(path);
    one.run(openWith(1), register, tokens);
    for (let batch = 0; batch < 12; batch += 1) {
      one.run(...Array.from({ length: 60 }, (_, index) => deposit(batch * 60 + index, 16_400)));
    }
    // 12 MiB were written; 8 MiB is when it is checkpointed, and it then begins anew.
    expect(one.file.logPages()).toBeLessThan(2_000);
    one.file.close();
  });
});
