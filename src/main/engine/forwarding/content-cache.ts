/**
 * A small cache of verified responses, so that what several want soon after each other is fetched once. Only what the caller has verified is put
 * in: a lie in here would be told to everybody, in our name.
 *
 * It keeps payloads by name, part and item, and nothing about who asked. That something is in it says that somebody wanted it a short while
 * ago; so it is served to those alone who have shown the full name, and forgets by age, however often it is asked. Memory is taken by
 * what came in, in copies, since a payload is a view of its datagram.
 */
import { Counters } from '../directed/counters.ts';
import { Chain, Link } from './chain.ts';
import { ShownName } from './shown-name.ts';
import type { DueTime, ItemKind, ResponsePart } from './types.ts';

export const cachedBytesMaximum = 16 * 1_048_576;
/** Since it was put in. */
export const cachedLifetimeMs = 60_000;
/** Links, map entries and headers of one payload, roughly: counted, so that empty payloads have a bound too. */
export const cachedOverheadBytes = 384;
/** What is too old is never served; its memory is freed this often at most. */
const sweepMs = 1_000;

export interface CacheLimits { readonly sizeBytes: number; readonly lifetimeMs: number }

const partCodes: Readonly<Record<ResponsePart, number>> = { fragment: 0, whole: 1, path: 2, ahead: 3 };
const partKey = (part: ResponsePart, item: number): number => item * 4 + partCodes[part];

class Cached {
  readonly nameId: string;
  readonly key: number;
  readonly payload: Uint8Array;
  expiresAtMs = 0;
  readonly byUse = new Link<Cached>(this);
  readonly byAge = new Link<Cached>(this);

  constructor(nameId: string, key: number, payload: Uint8Array) {
    this.nameId = nameId;
    this.key = key;
    this.payload = payload;
  }

  get sizeBytes(): number { return this.payload.length + cachedOverheadBytes; }
}

export class ContentCache {
  readonly #limits: CacheLimits;
  readonly #counters = new Counters();
  readonly #names = new Map<string, Map<number, Cached>>();
  readonly #byUse = new Chain<Cached>();
  readonly #byAge = new Chain<Cached>();
  #sizeBytes = 0;
  #nowMs = -Infinity;

  constructor(limits: CacheLimits = { sizeBytes: cachedBytesMaximum, lifetimeMs: cachedLifetimeMs }) { this.#limits = limits; }

  get sizeBytes(): number { return this.#sizeBytes; }
  get count(): number { return this.#byUse.size; }
  get counters(): Readonly<Record<string, number>> { return this.#counters.all; }

  /** A response that the caller has verified against the name. The payload is copied. */
  putVerified(nameId: string, part: ResponsePart, item: number, payload: Uint8Array, nowMs: number): void {
    const now = this.#clock(nowMs);
    const known = this.#names.get(nameId)?.get(partKey(part, item));
    if (known !== undefined) this.#remove(known);
    if (payload.length + cachedOverheadBytes > this.#limits.sizeBytes) {
      this.#counters.count('cache-too-large');
      return;
    }
    while (this.#byUse.first !== undefined && this.#sizeBytes + payload.length + cachedOverheadBytes > this.#limits.sizeBytes) {
      this.#counters.count('cache-evicted');
      this.#remove(this.#byUse.first.value);
    }
    const cached = new Cached(nameId, partKey(part, item), payload.slice());
    cached.expiresAtMs = now + this.#limits.lifetimeMs;
    const parts = this.#names.get(nameId) ?? new Map<number, Cached>();
    this.#names.set(nameId, parts.set(cached.key, cached));
    this.#byUse.append(cached.byUse);
    this.#byAge.append(cached.byAge);
    this.#sizeBytes += cached.sizeBytes;
  }

  /** The payload, not to be changed. Without the full name there is nothing. */
  get(shown: ShownName | undefined, part: ResponsePart, item: number, nowMs: number): Uint8Array | undefined {
    const now = this.#clock(nowMs);
    const nameId = ShownName.idOf(shown);
    if (nameId === undefined) {
      this.#counters.count('cache-name-not-shown');
      return undefined;
    }
    const cached = this.#names.get(nameId)?.get(partKey(part, item));
    if (cached === undefined || cached.expiresAtMs <= now) return undefined;
    this.#byUse.append(cached.byUse);
    return cached.payload;
  }

  /** Everything that answers a request for one item: the fragment, or the proof in one part or both. */
  answerOf(shown: ShownName | undefined, kind: ItemKind, item: number, nowMs: number): readonly CachedPart[] | undefined {
    if (kind === 'fragment') return this.#all(shown, ['fragment'], item, nowMs);
    return this.#all(shown, ['whole'], item, nowMs) ?? this.#all(shown, ['path', 'ahead'], item, nowMs);
  }

  purge(nameId: string): void {
    for (const cached of [...this.#names.get(nameId)?.values() ?? []]) this.#remove(cached);
  }

  handleTimeout(nowMs: number): void {
    const now = this.#clock(nowMs);
    for (let oldest = this.#byAge.first; oldest !== undefined && oldest.value.expiresAtMs <= now; oldest = this.#byAge.first) this.#remove(oldest.value);
  }

  pollTimeout(): DueTime | undefined {
    const oldest = this.#byAge.first;
    return oldest === undefined ? undefined : { atMs: Math.ceil(oldest.value.expiresAtMs / sweepMs) * sweepMs, reason: 'forget cached content' };
  }

  #clock(nowMs: number): number {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
    return this.#nowMs;
  }

  #all(shown: ShownName | undefined, parts: readonly ResponsePart[], item: number, nowMs: number): readonly CachedPart[] | undefined {
    const found: CachedPart[] = [];
    for (const part of parts) {
      const payload = this.get(shown, part, item, nowMs);
      if (payload === undefined) return undefined;
      found.push({ part, item, payload });
    }
    return found;
  }

  #remove(cached: Cached): void {
    const parts = this.#names.get(cached.nameId);
    parts?.delete(cached.key);
    if (parts?.size === 0) this.#names.delete(cached.nameId);
    this.#byUse.remove(cached.byUse);
    this.#byAge.remove(cached.byAge);
    this.#sizeBytes -= cached.sizeBytes;
  }
}

export interface CachedPart { readonly part: ResponsePart; readonly item: number; readonly payload: Uint8Array }
