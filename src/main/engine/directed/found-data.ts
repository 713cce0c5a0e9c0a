/**
 * Data that a lookup brought, kept for seconds: a pull comes as several requests, and what one of them had read serves the others. By session, since it is
 * the lookup that decides who may have what; briefly, so that what is deleted is soon gone here too.
 */
import type { SessionId } from '../session/types.ts';
import type { Instant } from '../wire/types.ts';
import type { Datum } from './datum.ts';

const lifetimeMs = 5_000;
const bytesMaximum = 16 * 1_048_576;

interface Found { readonly sessionId: SessionId; readonly key: string; readonly datum: Datum; readonly sizeBytes: number; untilMs: number }

export class FoundData {
  /** Least recently used first. */
  readonly #found = new Map<string, Found>();
  #bytes = 0;

  get(sessionId: SessionId, key: string, now: Instant): Datum | undefined {
    const place = placeOf(sessionId, key);
    const found = this.#found.get(place);
    if (found === undefined) return undefined;
    if (found.untilMs <= now.monotonicMs) {
      this.#drop(place, found);
      return undefined;
    }
    return found.datum;
  }

  keep(sessionId: SessionId, key: string, datum: Datum, now: Instant): void {
    const place = placeOf(sessionId, key);
    const before = this.#found.get(place);
    if (before !== undefined) this.#drop(place, before);
    const found: Found = { sessionId, key, datum, sizeBytes: datum.memoryBytes, untilMs: now.monotonicMs + lifetimeMs };
    this.#found.set(place, found);
    this.#bytes += found.sizeBytes;
    for (const [oldPlace, old] of this.#found) {
      if (this.#bytes <= bytesMaximum || old === found) break;
      this.#drop(oldPlace, old);
    }
  }

  forget(key: string): void {
    for (const [place, found] of this.#found) if (found.key === key) this.#drop(place, found);
  }

  sessionLost(sessionId: SessionId): void {
    for (const [place, found] of this.#found) if (found.sessionId === sessionId) this.#drop(place, found);
  }

  #drop(place: string, found: Found): void {
    if (this.#found.delete(place)) this.#bytes -= found.sizeBytes;
  }
}

const placeOf = (sessionId: SessionId, key: string): string => `${String(sessionId)}/${key}`;
