/**
 * Notices that a database file was restored from a copy: then the store's epoch is deleted, so that `open` takes a fresh one and every
 * visor lists again from 0. Two marks stand both in the database and in a file beside it (`NAME.generation`):
 *
 * - a count of the commits. In the database it is part of each commit; the file gets it right after, before anything that was committed is
 *   answered. A database that counts fewer than its neighbour is a copy from before, however young. One that counts more was killed between
 *   the two writes, and nobody had heard of that commit.
 * - a random nonce, new at every open, at every orderly close and every few minutes in between. It tells apart two databases that went
 *   different ways from one copy, whatever they count. It changes in three steps (file: old and new; database: new; file: new), so that a
 *   crash in between is not taken for a restore.
 *
 * The count in the file survives the end of the process at once and a loss of power after a second at most while the store works. A missing or
 * unreadable neighbour counts as a restore: a needless new epoch costs one listing, an old one kept would cost mail. Not noticed: database
 * and neighbour put back together.
 */
import type Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { causeCode } from './failure.ts';
import { replaceFile } from './files.ts';

const nonceSizeBytes = 16;
const nonceLength = nonceSizeBytes * 2;
/** Fixed, and first in the file, so that it is written in place: far below a sector, hence never half written. */
const countLength = 20;
/** How often the nonce changes while the store runs. Each change costs two small synced files and a commit. */
export const generationIntervalMs = 10 * 60_000;
/** How often the count is synced while commits come. Each costs one sync, after the answers. */
const syncIntervalMs = 1_000;

type MarkName = 'generation' | 'commits';

interface Marks {
  /** Undefined: the file is missing, damaged, or of a version that did not count. */
  readonly commits: number | undefined;
  readonly nonces: readonly string[];
}

export const generationPath = (path: string): string => `${path}.generation`;

function readMarks(path: string): Marks {
  try {
    const lines = readFileSync(generationPath(path), 'utf8').split('\n');
    return { commits: parseCount(lines[0]), nonces: lines.filter((line) => line.length === nonceLength) };
  } catch (error) {
    if (causeCode(error) === 'ENOENT') return { commits: undefined, nonces: [] };
    throw error;
  }
}

function parseCount(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^[0-9]{20}$/.test(text)) return undefined;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : undefined;
}

const formatCount = (count: number): string => String(count).padStart(countLength, '0');

/** Lives as long as the connection. */
export class Generation {
  readonly #database: Database.Database;
  readonly #path: string;
  readonly #nowMs: () => number;
  readonly #writeMark: Database.Statement<[MarkName, string]>;
  readonly #totalChanges: Database.Statement<[]>;
  /** In the database, as far as committed. */
  #commits: number;
  #changesBefore: unknown;
  #descriptor: number | undefined;
  #isUnsynced = false;
  #renewAtMs = 0;
  #syncAtMs = 0;

  /** Looks whether the file is the one that was used here last. Not inside a transaction. */
  constructor(database: Database.Database, path: string, nowMs: () => number) {
    this.#database = database;
    this.#path = path;
    this.#nowMs = nowMs;
    this.#writeMark = database.prepare(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`);
    this.#totalChanges = database.prepare<[]>('SELECT total_changes()').pluck();
    this.#commits = parseCount(this.#readMark('commits')) ?? 0;
    const isRestored = this.#isRestored();
    // Durable before new marks are: a crash in between must find the restore again or find it done.
    if (isRestored) database.prepare(`DELETE FROM meta WHERE name = 'epoch'`).run();
    this.#renew(isRestored);
  }

  /** At the begin of a transaction. */
  begin(): void {
    this.#changesBefore = this.#totalChanges.get();
  }

  /** In the transaction, after all its changes. A batch that changed nothing is not counted: it would need a sync for nothing. */
  committing(): boolean {
    if (this.#totalChanges.get() === this.#changesBefore) return false;
    this.#writeMark.run('commits', formatCount(this.#commits + 1));
    return true;
  }

  /** After the commit of a transaction that was counted, before anybody hears of it. */
  committed(): void {
    this.#commits += 1;
    this.#descriptor ??= openSync(generationPath(this.#path), 'r+');
    writeSync(this.#descriptor, formatCount(this.#commits), 0);
    this.#isUnsynced = true;
  }

  /** Between batches. */
  maintain(): void {
    const nowMs = this.#nowMs();
    if (nowMs >= this.#renewAtMs) this.#renew();
    // A clock that was set back must not keep it from the disk.
    else if (this.#isUnsynced && (nowMs >= this.#syncAtMs || nowMs < this.#syncAtMs - syncIntervalMs)) this.#sync(nowMs);
  }

  /** Before an orderly close of the database. */
  closing(): void {
    this.#renew();
  }

  /** Gives the file back, whatever happened to the database. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #isRestored(): boolean {
    const nonce = this.#readMark('generation');
    const counted = this.#readMark('commits') !== undefined;
    const beside = readMarks(this.#path);
    // New, or of a version before there were marks; with marks beside it, it is older than they are.
    if (nonce === undefined) return counted || beside.commits !== undefined || beside.nonces.length > 0;
    if (!beside.nonces.includes(nonce)) return true;
    // The file counts before the database does, so only a database that never counted may stand beside one that does not.
    return beside.commits === undefined ? counted : this.#commits < beside.commits;
  }

  /** @param isRestored the nonce in the database is a copy's, which may be put back once more: it must not be let in. */
  #renew(isRestored = false): void {
    const next = randomBytes(nonceSizeBytes).toString('hex');
    const current = this.#readMark('generation');
    this.#replace(current === undefined || isRestored ? [next] : [current, next]);
    this.#writeMark.run('generation', next);
    this.#replace([next]);
    this.#renewAtMs = this.#nowMs() + generationIntervalMs;
  }

  #replace(nonces: readonly string[]): void {
    // Whatever becomes of this, the next count goes to the file that has the name then.
    this.close();
    replaceFile(generationPath(this.#path), `${[formatCount(this.#commits), ...nonces].join('\n')}\n`);
    this.#isUnsynced = false;
  }

  #sync(nowMs: number): void {
    if (this.#descriptor !== undefined) fdatasyncSync(this.#descriptor);
    this.#isUnsynced = false;
    this.#syncAtMs = nowMs + syncIntervalMs;
  }

  #readMark(name: MarkName): string | undefined {
    const stored = this.#database.prepare('SELECT value FROM meta WHERE name = ?').pluck().get(name);
    return typeof stored === 'string' ? stored : undefined;
  }
}
