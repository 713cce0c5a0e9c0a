/** What was acknowledged is there after a kill, and in a copy of the files taken at any moment. */
import Database from 'better-sqlite3';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFieldCipher } from './field-cipher.ts';
import { letterIdOf } from './mail/test-letters.ts';
import { MailFile, VisorFile } from './store-files.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const rounds = 10;
/** Rounds differ in how far the child gets: from its first batch to past a checkpoint. */
const linesBeforeKill = (round: number): number => [3, 41, 120, 333, 700, 1_500, 81, 2_600, 250, 5_000][round % 10] ?? 100;

interface Acknowledged { readonly mail: Set<number>; readonly visor: Set<number> }

/** Resolves when the child has acknowledged `lines` more; what it goes on acknowledging is noted too. */
function run(directory: string, first: number, acknowledged: Acknowledged, lines: number, reached: (child: ChildProcess) => void): Promise<void> {
  const running = spawn(process.execPath, [child, directory, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let count = 0;
  const reader = createInterface({ input: running.stdout });
  reader.on('line', (line) => {
    const match = /^(mail|visor) ([0-9]+)$/.exec(line);
    if (match === null) return; // cut off by the kill
    acknowledged[match[1] === 'mail' ? 'mail' : 'visor'].add(Number(match[2]));
    count += 1;
    if (count === lines) reached(running);
  });
  return new Promise((resolve, reject) => {
    running.on('error', reject);
    reader.on('close', () => {
      if (count >= lines) resolve();
      else reject(new Error(`the child ended after ${String(count)} lines`));
    });
  });
}

function expectEverything(directory: string, acknowledged: Acknowledged): void {
  const quarantined: string[] = [];
  const options = { wallMs: () => 0, quarantined: (path: string) => { quarantined.push(path); } };
  const mail = new MailFile({ path: join(directory, 'mail.db'), ...options });
  const visor = new VisorFile({ path: join(directory, 'visor.db'), cipher: createFieldCipher(new Uint8Array(32).fill(3)), ...options });
  mail.open();
  visor.open();
  mail.close();
  const database = new Database(join(directory, 'mail.db'), { readonly: true });
  const letter = database.prepare('SELECT length(body) FROM seen JOIN letter USING (mailbox, sequence) WHERE seen.mailbox = 1 AND seen.letter_id = ?').pluck();
  const missingMail = [...acknowledged.mail].filter((number) => letter.get(letterIdOf(number)) !== 1_040);
  // No kill is taken for a restore: the first epoch is still there, which all zeros are here.
  const epoch: unknown = database.prepare(`SELECT value FROM meta WHERE name = 'epoch'`).pluck().get();
  database.close();
  const missingVisor = [...acknowledged.visor].filter((number) => visor.query<'message'>({ query: 'message', messageId: `m${String(number)}` }).message?.text !== `text ${String(number)}`);
  visor.close();
  expect({ quarantined, missingMail, missingVisor, epoch }).toEqual({ quarantined: [], missingMail: [], missingVisor: [], epoch: '0'.repeat(16) });
}

describe('after a crash', () => {
  it('every acknowledged row is there, ten kills in a row over the same files', async () => {
    const directory = temporaryDirectory();
    const acknowledged: Acknowledged = { mail: new Set(), visor: new Set() };
    for (let round = 0; round < rounds; round += 1) {
      await run(directory, round * 1_000_000, acknowledged, linesBeforeKill(round), (running) => { running.kill('SIGKILL'); });
      expectEverything(directory, acknowledged);
    }
    expect(acknowledged.mail.size).toBeGreaterThan(1_000);
    expect(acknowledged.visor.size).toBeGreaterThan(1_000);
  }, 120_000);

  it.skipIf(process.platform === 'win32')('every row acknowledged before a copy of the files is in the copy', async () => {
    const directory = temporaryDirectory();
    const acknowledged: Acknowledged = { mail: new Set(), visor: new Set() };
    const copies: { readonly path: string; readonly acknowledged: Acknowledged }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await run(directory, round * 1_000_000, acknowledged, linesBeforeKill(round), (running) => {
        // Stopped, the process writes nothing while the files are copied one after the other, as with a snapshot of the disk.
        running.kill('SIGSTOP');
        const path = join(directory, `copy-${String(round)}`);
        mkdirSync(path);
        for (const name of ['mail.db', 'mail.db-wal', 'mail.db.generation', 'visor.db', 'visor.db-wal']) {
          if (existsSync(join(directory, name))) copyFileSync(join(directory, name), join(path, name));
        }
        copies.push({ path, acknowledged: { mail: new Set(acknowledged.mail), visor: new Set(acknowledged.visor) } });
        running.kill('SIGKILL');
      });
    }
    expect(copies).toHaveLength(rounds);
    for (const copy of copies) expectEverything(copy.path, copy.acknowledged);
  }, 120_000);
});
