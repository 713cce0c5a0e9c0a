/** The store's epoch and the relay's mail clock as last persisted. */
import type { MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import { damagedRow } from '../failure.ts';
import { bytesOfHex, hexOfBytes } from '../row.ts';
import type { Statements } from '../statements.ts';

const epochSizeBytes = 8;

type MetaName = 'epoch' | 'elapsed-ms' | 'tick-wall-ms';

export class MailClock {
  readonly #statements: Statements;
  /** Latest time that any request named: dates what carries no time of its own. */
  #latestMs: number | undefined;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** A database without an epoch is new, or its epoch was deleted because the file was restored (see generation.ts). */
  open({ freshEpoch }: Extract<MailRequest, { op: 'open' }>): MailResults['open'] {
    if (freshEpoch.length !== epochSizeBytes) throw new RangeError(`an epoch has ${String(epochSizeBytes)} bytes`);
    const stored = this.#read('epoch');
    if (stored === undefined) this.#write('epoch', hexOfBytes(freshEpoch));
    const epoch = stored === undefined ? freshEpoch : bytesOfHex(stored);
    if (epoch.length !== epochSizeBytes) throw damagedRow('meta', 'epoch');
    return { epoch: new Uint8Array(epoch), elapsedMs: this.#readTime('elapsed-ms') ?? 0, lastWallMs: this.#readTime('tick-wall-ms') };
  }

  tick({ elapsedMs, wallMs }: Extract<MailRequest, { op: 'tick' }>): MailResults['tick'] {
    // The mail clock never runs backwards, whatever the caller believes.
    this.#write('elapsed-ms', String(Math.max(elapsedMs, this.#readTime('elapsed-ms') ?? 0)));
    this.#write('tick-wall-ms', String(wallMs));
    return {};
  }

  noteTime(elapsedMs: number): void {
    this.#latestMs = Math.max(elapsedMs, this.latestMs());
  }

  latestMs(): number {
    this.#latestMs ??= this.#readTime('elapsed-ms') ?? 0;
    return this.#latestMs;
  }

  #read(name: MetaName): string | undefined {
    const value = this.#statements.pluck('SELECT value FROM meta WHERE name = ?').get(name);
    return typeof value === 'string' ? value : undefined;
  }

  #readTime(name: MetaName): number | undefined {
    const stored = this.#read(name);
    if (stored === undefined) return undefined;
    const value = Number(stored);
    if (stored === '' || !Number.isFinite(value)) throw damagedRow('meta', name);
    return value;
  }

  #write(name: MetaName, value: string): void {
    this.#statements.get('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(name, value);
  }
}
