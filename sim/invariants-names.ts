/**
 * The checker for what is published under names: it knows what people published and took back, what of it is committed, and looks at every fetch
 * while it lasts. What a fetch brings must be a version that its publisher had under that name, whole; nobody who has seen a version is given an
 * older one while their visor runs; a fetch that ends without anything says why, and truly so; in good weather each one ends, and whoever asks
 * in the end gets the newest. Nothing stays on a disk that no name and no fetch needs.
 */
import { publishedMaximum } from '../src/main/engine/files/published.ts';
import { equalBytes, toHex } from '../src/main/engine/wire/bytes.ts';
import type { NamedFetchStatus, PublishedStatus } from '../src/main/engine/inspection-types.ts';
import type { PublishedRow } from '../src/main/engine/mail/visor-store.ts';
import type { ContentName } from '../src/main/engine/wire/types.ts';
import type { BlobBytes } from './invariants-files.ts';
import type { Violations } from './violations.ts';

/** A fetch in good weather: longer than any pause of a relay or a publisher after a refusal. */
const fetchMaximumMs = 20 * 60_000;
/** What is written down as fetched (kept-fetches.ts): that many, and as many again that are just being deleted. */
const keptMaximum = 64 + 64;

export interface FetchAsked {
  readonly reader: string;
  /** Which of the reader's engines is asked: what one has seen, the next need not know. */
  readonly run: number;
  readonly publisherKey: string;
  readonly path: string;
}

export interface KnownFetch extends FetchAsked {
  readonly askedAtMs: number;
  /** Sequence that this engine had seen when it was asked: nothing older is to come. */
  readonly atLeast: number;
  ended: boolean;
}

interface Version { readonly sequence: number; readonly content: ContentName | undefined; readonly mediaType: string }
interface Name { readonly publisher: string; readonly publisherKey: string; readonly path: string; readonly wanted: Set<string>; readonly versions: Version[] }

export class NameChecker {
  readonly #violations: Violations;
  readonly #names = new Map<string, Name>();
  readonly #keyOf = new Map<string, string>();
  readonly #contents = new Map<string, Uint8Array>();
  /** "machine content" that was copied for publishing and nothing answered: its program may have ended in between, and lost sight of it. */
  readonly #copied = new Set<string>();
  readonly #fetches = new Set<KnownFetch>();
  /** "reader run name" and the highest sequence shown to it. */
  readonly #seen = new Map<string, number>();
  /** What each machine has written down as being fetched. */
  readonly #kept = new Map<string, ReadonlySet<string>>();
  /** "relay content" that was ever complete there. */
  readonly #everHeld = new Set<string>();
  #calmSinceMs = Infinity;
  readonly counters = { published: 0, fetches: 0, fetched: 0 };

  constructor(violations: Violations) { this.#violations = violations; }

  // --- publishing ---------------------------------------------------------------------------------------------------------

  /** Into the blobs of a machine, which is to publish it next. */
  copied(machine: string, content: ContentName, bytes: Uint8Array): void {
    this.#contents.set(contentKey(content), bytes);
    this.#copied.add(`${machine} ${contentKey(content)}`);
  }

  /** @param content undefined: it is to be taken back. */
  asked(publisher: string, publisherKey: string, path: string, content: ContentName | undefined): void {
    this.#keyOf.set(publisher, publisherKey);
    const key = `${publisherKey}/${path}`;
    const name = this.#names.get(key) ?? { publisher, publisherKey, path, wanted: new Set<string>(), versions: [] };
    this.#names.set(key, name);
    name.wanted.add(contentKey(content));
    if (content !== undefined) this.counters.published += 1;
  }

  /** The answer to it is there: so must the row be. */
  answered(publisher: string, publisherKey: string, path: string, content: ContentName | undefined): void {
    this.#copied.delete(`${publisher} ${contentKey(content)}`);
    const committed = this.#names.get(`${publisherKey}/${path}`)?.versions.some((version) => contentKey(version.content) === contentKey(content)) === true;
    this.#violations.require(committed, 'published-means-durable', () => `${path} of ${publisherKey.slice(0, 8)} is called ${content === undefined ? 'taken back' : 'published'} and is not committed so`);
  }

  rowCommitted(machine: string, row: PublishedRow): void {
    const key = `${this.#keyOf.get(machine) ?? ''}/${row.path}`;
    const name = this.#names.get(key);
    if (name?.wanted.has(contentKey(row.content)) !== true) {
      this.#violations.report('fetched-was-published', `${machine} commits ${row.path}, which it was not asked to publish so`);
      return;
    }
    const before = name.versions.at(-1);
    this.#violations.require(before === undefined || row.sequence > before.sequence, 'name-never-goes-back', () => `${machine} gives ${row.path} the number ${String(row.sequence)} after ${String(before?.sequence)}`);
    this.#copied.delete(`${machine} ${contentKey(row.content)}`);
    name.versions.push({ sequence: row.sequence, content: row.content, mediaType: row.mediaType });
    this.#violations.require(this.publishedBy(machine).length <= publishedMaximum, 'names-are-bounded', () => `${machine} publishes more than ${String(publishedMaximum)} names`);
  }

  relayCompleted(relay: string, content: ContentName): void { this.#everHeld.add(`${relay} ${contentKey(content)}`); }

  /** What a publisher is told of its own. */
  publishedShown(machine: string, { row, content, file }: PublishedStatus): void {
    for (const { relay, complete } of file.holders) {
      this.#violations.require(!complete || this.#everHeld.has(`${relay} ${contentKey(content)}`), 'fetched-was-published', () => `${machine} calls ${row.path} held by ${relay.slice(0, 8)}, which never had all of it`);
    }
    this.#violations.require(file.state.state !== 'failed', 'name-arrives', () => `${machine} calls the content of ${row.path} lost`);
  }

  // --- fetching -----------------------------------------------------------------------------------------------------------

  fetchAsked(fetch: FetchAsked): KnownFetch {
    const known: KnownFetch = { ...fetch, askedAtMs: this.#violations.nowMs, atLeast: this.#seen.get(seenKey(fetch)) ?? 0, ended: false };
    this.counters.fetches += 1;
    this.#fetches.add(known);
    return known;
  }

  /** Nobody waits for it any more: it is over, was left, or its engine is gone. */
  fetchEnded(fetch: KnownFetch): void {
    fetch.ended = true;
    this.#fetches.delete(fetch);
  }

  /** What the reader is shown now. */
  shown(fetch: KnownFetch, { found, state, failure }: NamedFetchStatus, blobOf: BlobBytes): void {
    const name = this.#names.get(`${fetch.publisherKey}/${fetch.path}`);
    const what = (): string => `${fetch.reader}, fetching ${fetch.path} of ${fetch.publisherKey.slice(0, 8)},`;
    if (found !== undefined) {
      const isOwn = this.#keyOf.get(fetch.reader) === fetch.publisherKey;
      const version = name?.versions.find(({ sequence, content }) => sequence === found.sequence && contentKey(content) === contentKey(found.content));
      // One's own is shown as soon as it is in memory.
      const isPublished = version === undefined ? isOwn && name?.wanted.has(contentKey(found.content)) === true : version.mediaType === found.mediaType;
      this.#violations.require(isPublished, 'fetched-was-published', () => `${what()} is told of ${contentKey(found.content).slice(0, 8)} with the number ${String(found.sequence)}, which was never there`);
      this.#violations.require(found.sequence >= fetch.atLeast, 'name-never-goes-back', () => `${what()} is given ${String(found.sequence)} after ${String(fetch.atLeast)}`);
      this.#note(fetch, found.sequence);
    }
    if (failure !== undefined) {
      this.#violations.require(this.#isHonest(fetch, name, failure), 'fetch-fails-honestly', () => `${what()} is told ${failure}`);
      const withdrawn = name?.versions.find((version) => version.content === undefined && version.sequence >= fetch.atLeast);
      if (failure === 'withdrawn' && withdrawn !== undefined) this.#note(fetch, withdrawn.sequence);
    }
    if (state.state !== 'ready') return;
    const bytes = found === undefined ? undefined : blobOf(found.content);
    const published = found === undefined ? undefined : this.#contents.get(contentKey(found.content));
    this.#violations.require(bytes !== undefined && published !== undefined && equalBytes(bytes, published), 'fetched-is-whole', () => `${what()} is told that all is here, and ${bytes === undefined ? 'it is not' : 'it is something else'}`);
    this.counters.fetched += 1;
  }

  /** The engine knows nothing of it any more, though it was asked for all the time. */
  fetchLost(fetch: KnownFetch): void {
    this.#violations.report('fetch-ends', `${fetch.reader} has forgotten that it fetches ${fetch.path} of ${fetch.publisherKey.slice(0, 8)}`);
  }

  /** The newest that its publisher has committed. */
  newest(publisherKey: string, path: string): Version | undefined { return this.#names.get(`${publisherKey}/${path}`)?.versions.at(-1); }

  get names(): readonly { readonly publisher: string; readonly publisherKey: string; readonly path: string }[] { return [...this.#names.values()].filter(({ versions }) => versions.length > 0); }

  /** Names that a machine has committed with a content. */
  publishedBy(machine: string): readonly ContentName[] {
    return [...this.#names.values()].flatMap(({ publisher, versions }) => { const content = versions.at(-1)?.content; return publisher === machine && content !== undefined ? [content] : []; });
  }

  #note(fetch: KnownFetch, sequence: number): void { this.#seen.set(seenKey(fetch), Math.max(this.#seen.get(seenKey(fetch)) ?? 0, sequence)); }

  #isHonest(fetch: KnownFetch, name: Name | undefined, failure: NonNullable<NamedFetchStatus['failure']>): boolean {
    switch (failure) {
      // Relays may be away or have lost what they knew; who asks may know none.
      case 'unreachable': case 'no-relay': return true;
      // Not by somebody who has seen it, and not by its publisher.
      case 'unknown': return fetch.atLeast === 0;
      case 'withdrawn': return name?.versions.some(({ content, sequence }) => content === undefined && sequence >= fetch.atLeast) === true;
      case 'disk-full': return this.#violations.nowMs < this.#calmSinceMs || fetch.askedAtMs < this.#calmSinceMs;
      case 'too-large': case 'damaged': return false;
    }
  }

  // --- storage and the end ------------------------------------------------------------------------------------------------

  /** The value under which a visor writes down what it fetches. */
  keptCommitted(machine: string, value: string): void {
    const entries: unknown = JSON.parse(value);
    const kept = Array.isArray(entries) ? entries.map((entry: unknown) => (Array.isArray(entry) ? `${String(entry[0])}-${String(entry[1])}` : '')) : [];
    this.#kept.set(machine, new Set(kept));
    this.#violations.require(kept.length <= keptMaximum, 'names-are-bounded', () => `${machine} keeps ${String(kept.length)} fetched contents`);
  }

  /** What a relay holds for all of its mailboxes. */
  heldLook(relay: string, heldBytes: number, mostBytes: number): void {
    this.#violations.require(heldBytes <= mostBytes, 'names-are-bounded', () => `${relay} holds ${String(heldBytes)} bytes, allowed are ${String(mostBytes)}`);
  }

  /** True for a content that was ever published: it is no file of anybody's. */
  isPublic(content: ContentName): boolean { return this.#contents.has(contentKey(content)); }

  /** A blob of a visor in the end. */
  ownAtEnd(machine: string, content: ContentName, complete: boolean): void {
    const key = contentKey(content);
    if (complete && this.#copied.has(`${machine} ${key}`)) return;
    const isNeeded = this.publishedBy(machine).some((one) => contentKey(one) === key) || this.#kept.get(machine)?.has(key) === true;
    this.#violations.require(isNeeded, 'names-leave-no-rests', () => `${machine} keeps ${complete ? 'all' : 'a part'} of ${key.slice(0, 8)} (${String(content.length)} bytes), which it neither publishes nor fetches`);
  }

  /** From now on nothing fails. */
  calm(): void { this.#calmSinceMs = this.#violations.nowMs; }

  /** Fetches that have had all the time that they may need. */
  open(): readonly string[] {
    return [...this.#fetches].map((fetch) => `${fetch.reader} fetches ${fetch.path} of ${fetch.publisherKey.slice(0, 8)} since ${(fetch.askedAtMs / 1_000).toFixed(1)} s`);
  }

  finish(): void {
    for (const fetch of this.#fetches) {
      const sinceMs = Math.max(fetch.askedAtMs, this.#calmSinceMs);
      if (this.#violations.nowMs - sinceMs > fetchMaximumMs) this.#violations.report('fetch-ends', `${fetch.reader} still fetches ${fetch.path} of ${fetch.publisherKey.slice(0, 8)}, asked at ${(fetch.askedAtMs / 1_000).toFixed(1)} s`);
    }
  }
}

const contentKey = (content: ContentName | undefined): string => (content === undefined ? 'withdrawn' : `${toHex(content.root)}-${String(content.length)}`);
const seenKey = (fetch: FetchAsked): string => `${fetch.reader} ${String(fetch.run)} ${fetch.publisherKey}/${fetch.path}`;
