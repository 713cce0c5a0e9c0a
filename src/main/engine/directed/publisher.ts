/**
 * What others may pull from here. It keeps nothing about who pulls what: each request names the fragments it wants and is answered from
 * the bytes alone, so a thousand requesters cost no more memory than one. Repetition is the requester's business.
 */
import { toHex } from '../wire/bytes.ts';
import { encodeNegative, encodeResponse, fragmentBytes } from '../wire/frame.ts';
import { bitmapHas } from '../wire/verbs.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Instant, NegativeCode, RequestBody } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { FrameSender, Publisher } from './types.ts';

/** Longest content: a letter body of the largest bucket. */
export const contentMaximumBytes = 66_560;
/** Lookups (disk reads at a relay) under way: of all sessions, and of one. */
const lookupsMaximum = 512;
const lookupsPerSessionMaximum = 64;
/** A pull comes as several requests; what one of them had read serves the others. Seconds, so that a deleted body is soon gone here too. */
const foundLifetimeMs = 5_000;
const foundBytesMaximum = 4 * 1_048_576;

type PullBody = Extract<RequestBody, { verb: 'pull' }>;
type Fallback = Parameters<Publisher['setFallback']>[0];

interface Lookup { readonly sessionId: SessionId; readonly requestId: Uint8Array; readonly wanted: Set<number> }
interface Found { readonly sessionId: SessionId; readonly bytes: Uint8Array; readonly untilMs: number }

export class ContentPublisher implements Publisher {
  readonly #sender: FrameSender;
  readonly #counters: Counters;
  readonly #offered = new Map<string, { readonly bytes: Uint8Array; offers: number }>();
  readonly #lookups = new Map<string, Lookup>();
  /** Oldest first. By session, since it is the fallback that decides who may have what. */
  readonly #found = new Map<string, Found>();
  #foundBytes = 0;
  #fallback: Fallback | undefined;

  constructor(sender: FrameSender, counters: Counters) {
    this.#sender = sender;
    this.#counters = counters;
  }

  offer(name: ContentName, bytes: Uint8Array): void {
    if (bytes.length !== name.length) throw new RangeError(`the name says ${String(name.length)} bytes, offered are ${String(bytes.length)}`);
    const key = nameKey(name);
    const known = this.#offered.get(key);
    if (known === undefined) this.#offered.set(key, { bytes, offers: 1 });
    else known.offers += 1;
  }

  withdraw(name: ContentName): void {
    const key = nameKey(name);
    const known = this.#offered.get(key);
    if (known === undefined) return;
    known.offers -= 1;
    if (known.offers === 0) this.#offered.delete(key);
  }

  setFallback(lookup: Fallback): void { this.#fallback = lookup; }

  handlePull(sessionId: SessionId, requestId: Uint8Array, body: PullBody, now: Instant): void {
    const { name } = body;
    if (name.length > contentMaximumBytes) { this.#refuse(sessionId, requestId, 'too-large', now); return; }
    const wanted = wantedFragments(body);
    if (wanted.length === 0) { this.#counters.count('pull-of-nothing'); return; }
    const bytes = this.#offered.get(nameKey(name))?.bytes ?? this.#foundBefore(sessionId, name, now);
    if (bytes !== undefined) this.#sendFragments(sessionId, requestId, bytes, wanted, now);
    else this.#lookUp(sessionId, requestId, name, wanted, now);
  }

  sessionLost(sessionId: SessionId): void {
    for (const [key, lookup] of this.#lookups) if (lookup.sessionId === sessionId) this.#lookups.delete(key);
    for (const [key, found] of this.#found) if (found.sessionId === sessionId) this.#dropFound(key, found);
  }

  #lookUp(sessionId: SessionId, requestId: Uint8Array, name: ContentName, wanted: readonly number[], now: Instant): void {
    if (this.#fallback === undefined) { this.#refuse(sessionId, requestId, 'not-found', now); return; }
    const key = sessionKey(sessionId, name);
    const underWay = this.#lookups.get(key);
    if (underWay !== undefined) {
      for (const number of wanted) underWay.wanted.add(number);
      return;
    }
    let own = 0;
    for (const lookup of this.#lookups.values()) if (lookup.sessionId === sessionId) own += 1;
    if (this.#lookups.size >= lookupsMaximum || own >= lookupsPerSessionMaximum) {
      this.#counters.count('lookups-full');
      this.#refuse(sessionId, requestId, 'busy', now);
      return;
    }
    const lookup: Lookup = { sessionId, requestId: requestId.slice(), wanted: new Set(wanted) };
    this.#lookups.set(key, lookup);
    const kept: ContentName = { root: name.root.slice(), length: name.length };
    this.#fallback(sessionId, kept, (bytes, at) => {
      if (this.#lookups.get(key) !== lookup) return;
      this.#lookups.delete(key);
      if (bytes?.length !== kept.length) { this.#refuse(sessionId, lookup.requestId, 'not-found', at); return; }
      this.#keepFound(key, { sessionId, bytes, untilMs: at.monotonicMs + foundLifetimeMs });
      this.#sendFragments(sessionId, lookup.requestId, bytes, [...lookup.wanted], at);
    }, now);
  }

  #foundBefore(sessionId: SessionId, name: ContentName, now: Instant): Uint8Array | undefined {
    const key = sessionKey(sessionId, name);
    const found = this.#found.get(key);
    if (found === undefined) return undefined;
    if (found.untilMs > now.monotonicMs) return found.bytes;
    this.#dropFound(key, found);
    return undefined;
  }

  #keepFound(key: string, found: Found): void {
    this.#found.set(key, found);
    this.#foundBytes += found.bytes.length;
    for (const [oldKey, old] of this.#found) {
      if (this.#foundBytes <= foundBytesMaximum) break;
      this.#dropFound(oldKey, old);
    }
  }

  #dropFound(key: string, found: Found): void {
    if (this.#found.delete(key)) this.#foundBytes -= found.bytes.length;
  }

  #sendFragments(sessionId: SessionId, requestId: Uint8Array, bytes: Uint8Array, wanted: readonly number[], now: Instant): void {
    const last = Math.max(0, Math.ceil(bytes.length / fragmentBytes) - 1);
    for (const number of wanted) {
      const fragment = bytes.subarray(number * fragmentBytes, (number + 1) * fragmentBytes);
      this.#sender.send(sessionId, encodeResponse(requestId, number, number === last, fragment), now);
    }
  }

  #refuse(sessionId: SessionId, requestId: Uint8Array, code: NegativeCode, now: Instant): void {
    this.#sender.send(sessionId, encodeNegative(requestId, { code, retryAfterSeconds: code === 'busy' ? 1 : 0, detail: 0 }), now);
  }
}

/** Those of the named fragments that the content has, by its own length. */
function wantedFragments(body: PullBody): readonly number[] {
  const count = Math.ceil(body.name.length / fragmentBytes);
  const wanted: number[] = [];
  for (let index = 0; index < body.count && body.first + index < count; index += 1) if (bitmapHas(body.bitmap, index)) wanted.push(body.first + index);
  return wanted;
}

export const nameKey = (name: ContentName): string => `${toHex(name.root)}/${String(name.length)}`;
const sessionKey = (sessionId: SessionId, name: ContentName): string => `${String(sessionId)}/${nameKey(name)}`;
