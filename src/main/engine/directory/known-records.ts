/**
 * What peers said lately about identities whose mailbox is not here: proved records, and that there are none. Bounded in number and bytes; the longest unused are
 * forgotten first.
 */
import { newerRecords, type FoundRecords } from './found-records.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';

const recordsMaximum = 1_024;
const bytesMaximum = 1_048_576;
const absentMaximum = 4_096;
/** Whoever moves to other relays is found by those who ask after this. */
const recordLifetimeMs = 3_600_000;
/** All peers said that they have nothing. */
export const absentMs = 60_000;

interface Kept { readonly found: FoundRecords; readonly untilMs: number; readonly sizeBytes: number }

export class KnownRecords {
  /** Least recently used first, both. */
  readonly #records = new Map<PublicKeyHex, Kept>();
  readonly #absent = new Map<PublicKeyHex, number>();
  #sizeBytes = 0;

  get count(): number { return this.#records.size; }
  get sizeBytes(): number { return this.#sizeBytes; }
  get absentCount(): number { return this.#absent.size; }

  get(identity: PublicKeyHex, now: Instant): FoundRecords | undefined {
    const kept = this.#records.get(identity);
    if (kept === undefined) return undefined;
    this.#forget(identity, kept);
    if (kept.untilMs <= now.monotonicMs) return undefined;
    this.#put(identity, kept);
    return kept.found;
  }

  /** What was known and is newer stays. */
  keep(identity: PublicKeyHex, found: FoundRecords, now: Instant): void {
    const known = this.get(identity, now);
    const newer = newerRecords(known, found) ?? found;
    this.#absent.delete(identity);
    const before = this.#records.get(identity);
    if (before !== undefined) this.#forget(identity, before);
    const leftMs = newer.record.notAfterSeconds * 1_000 - now.wallMs;
    this.#put(identity, { found: newer, untilMs: now.monotonicMs + Math.min(recordLifetimeMs, leftMs), sizeBytes: newer.record.bytes.length + (newer.bundle?.bytes.length ?? 0) });
    for (const [oldest, kept] of this.#records) {
      if (this.#records.size <= recordsMaximum && this.#sizeBytes <= bytesMaximum) break;
      this.#forget(oldest, kept);
    }
  }

  /** For so many ms more nobody is asked about it; undefined when that is over. */
  absentMs(identity: PublicKeyHex, now: Instant): number | undefined {
    const untilMs = this.#absent.get(identity);
    if (untilMs === undefined) return undefined;
    if (untilMs > now.monotonicMs) return untilMs - now.monotonicMs;
    this.#absent.delete(identity);
    return undefined;
  }

  keepAbsent(identity: PublicKeyHex, forMs: number, now: Instant): void {
    this.#absent.delete(identity);
    this.#absent.set(identity, now.monotonicMs + forMs);
    const oldest = this.#absent.keys().next();
    if (this.#absent.size > absentMaximum && oldest.done !== true) this.#absent.delete(oldest.value);
  }

  #put(identity: PublicKeyHex, kept: Kept): void {
    this.#records.set(identity, kept);
    this.#sizeBytes += kept.sizeBytes;
  }

  #forget(identity: PublicKeyHex, kept: Kept): void {
    this.#records.delete(identity);
    this.#sizeBytes -= kept.sizeBytes;
  }
}
