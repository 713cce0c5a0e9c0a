/**
 * Fetching what somebody has published under a name. Their relays are asked for the record: those of a contact, one that was named, our own, and those that
 * their identity record at any of these tells of. Records are signed, so it does not matter who serves them, and the highest sequence counts; the content proves
 * itself packet by packet against it and comes from all relays at once. All of it goes over anonymous sessions: who reads is nobody's business.
 *
 * Whoever publishes something newer, or takes a name back, has the relays forget what was there. A download that gets no further may wait for what nobody keeps now,
 * so the relays are asked anew, and it goes on with what they say.
 *
 * A fetch belongs to whoever asks for it and lasts as long as they do. What came of one that was left is kept for a day, so that asking again goes on with it
 * (kept-fetches.ts).
 */
import { fileMaximumBytes } from '../../../shared/file-views.ts';
import { Deadlines } from '../deadlines.ts';
import { nameKey } from '../directed/datum.ts';
import { BlobDownload } from './blob-download.ts';
import { KeptFetches } from './kept-fetches.ts';
import { namedFetchStatus, newNamedFetch } from './named-fetch.ts';
import { NamedSearch } from './named-search.ts';
import type { NamedFetchStatus } from '../inspection-types.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { BlobFailure } from './blob-store.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { Found, NamedFetch } from './named-fetch.ts';
import type { Published } from './published.ts';

/** At once: each has a window of memory and sessions of its own. */
export const namedFetchesMaximum = 16;
/** A client that has gone without a word. */
const unwantedMs = 60_000;
const movingMs = 250;
const askAgainMinimumMs = 1_000;
const askAgainMaximumMs = 30_000;
const damagedMaximum = 3;
/** A download that has got nothing for so long asks the relays anew, with a longer pause each time: it may only be they who are away. */
const stalledMinimumMs = 15_000;
const stalledMaximumMs = 120_000;

export class NamedFetches {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #links: RelayLinks;
  readonly #search: NamedSearch;
  readonly #fetches = new Map<string, NamedFetch>();
  readonly #deadlines = new Deadlines();
  readonly #kept: KeptFetches;

  constructor(context: VisorContext, shelf: BlobShelf, links: RelayLinks, recipients: Recipients, published: Published) {
    this.#context = context;
    this.#shelf = shelf;
    this.#links = links;
    this.#search = new NamedSearch(context, links, recipients);
    this.#kept = new KeptFetches(context, shelf, published, (content) => this.#isFetched(content));
    published.forgetBy(this.#kept);
  }

  /** False: too many at once. */
  begin(publicKey: PublicKeyHex, path: string, relay: RelayHint | undefined, now: Instant): boolean {
    const key = keyOf(publicKey, path);
    const known = this.#fetches.get(key);
    if (known === undefined && this.#fetches.size >= namedFetchesMaximum) return false;
    const isUnderWay = known !== undefined && known.failure === undefined && !known.ready;
    const fetch = known ?? newNamedFetch(key, publicKey, path, relay, now);
    fetch.users += 1;
    fetch.wantedAtMs = now.monotonicMs;
    this.#fetches.set(key, fetch);
    fetch.relay = relay ?? fetch.relay;
    if (!isUnderWay) this.#lookUp(fetch, now);
    return true;
  }

  /** False: there is no such fetch. */
  wanted(publicKey: PublicKeyHex, path: string, now: Instant): boolean {
    const fetch = this.#fetches.get(keyOf(publicKey, path));
    if (fetch !== undefined) fetch.wantedAtMs = now.monotonicMs;
    return fetch !== undefined;
  }

  end(publicKey: PublicKeyHex, path: string, now: Instant, done: () => void): void {
    const fetch = this.#fetches.get(keyOf(publicKey, path));
    if (fetch === undefined) { done(); return; }
    fetch.users -= 1;
    if (fetch.users > 0) { done(); return; }
    this.#stop(fetch, now, done);
  }

  status(publicKey: PublicKeyHex, path: string, now: Instant): NamedFetchStatus | undefined {
    const fetch = this.#fetches.get(keyOf(publicKey, path));
    return fetch === undefined ? undefined : namedFetchStatus(fetch, (sessionId) => this.#links.bySession(sessionId)?.hint.publicKey, now);
  }

  /** What was begun and left long ago goes. */
  forgetOld(now: Instant): void { this.#kept.forgetOld(now); }

  /** It is being fetched, or its parts are kept for whoever asks for it again. */
  keeps(content: ContentName): boolean { return this.#kept.has(content) || this.#isFetched(content); }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const fetch = this.#fetches.get(key);
      if (fetch !== undefined) this.#goOn(fetch, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'fetch what is published' };
  }

  #lookUp(fetch: NamedFetch, now: Instant): void {
    const { publicKey, path } = fetch;
    fetch.failure = undefined;
    fetch.ready = false;
    fetch.found = undefined;
    this.#deadlines.set(fetch.key, now.monotonicMs);
    const own = publicKey === this.#context.publicKey ? this.#context.memory.published.get(path) : undefined;
    if (own?.content !== undefined) { this.#take(fetch, { content: own.content, mediaType: own.mediaType, sequence: own.sequence }, [], now); return; }
    const isAsked = this.#search.begin(fetch, now, (record, { answered, relays }, at) => {
      if (record === undefined) fetch.failure = answered ? 'unknown' : 'unreachable';
      else if (record.content === undefined) fetch.failure = 'withdrawn';
      else this.#take(fetch, { content: record.content, mediaType: record.mediaType, sequence: record.sequence }, relays, at);
    });
    if (!isAsked) fetch.failure = 'no-relay';
  }

  /** What nobody keeps now would be waited for in vain. */
  #lookAgain(fetch: NamedFetch, now: Instant): void {
    const { found, download } = fetch;
    this.#search.begin(fetch, now, (record, { relays }, at) => {
      if (found === undefined || record === undefined || fetch.found !== found || fetch.download !== download || download?.isCompleting === true) return;
      fetch.sources = relays;
      const { content, mediaType, sequence } = record;
      if (sequence <= found.sequence) return;
      if (content !== undefined && nameKey(content) === nameKey(found.content)) { fetch.found = { content, mediaType, sequence }; return; }
      fetch.download = undefined;
      fetch.found = undefined;
      download?.stop(at, () => { this.#kept.forget(found.content); });
      if (content === undefined) fetch.failure = 'withdrawn';
      else this.#take(fetch, { content, mediaType, sequence }, relays, at);
    });
  }

  #take(fetch: NamedFetch, found: Found, sources: readonly RelayHint[], now: Instant): void {
    const { content } = found;
    fetch.found = found;
    fetch.sources = sources;
    if (content.length > fileMaximumBytes) { fetch.failure = 'too-large'; return; }
    const info = this.#shelf.info(content);
    if (info?.complete === true) { fetch.ready = true; return; }
    if (this.#isDownloaded(content) || fetch.isNoting) return;
    if (info !== undefined) { this.#download(fetch, content, now); return; }
    fetch.isNoting = true;
    // Not before that is on the disk: what came then would lie there, known to nobody, when power fails.
    this.#kept.add(content, now, (at) => {
      fetch.isNoting = false;
      if (this.#fetches.get(fetch.key) === fetch && fetch.found === found && fetch.download === undefined && !this.#isDownloaded(content)) this.#download(fetch, content, at);
    });
  }

  /** Several names may stand for one content, which comes once. */
  #isDownloaded(content: ContentName): boolean {
    const key = nameKey(content);
    for (const { download } of this.#fetches.values()) if (download !== undefined && nameKey(download.name) === key) return true;
    return false;
  }

  #download(fetch: NamedFetch, content: ContentName, now: Instant): void {
    fetch.rate.reset();
    fetch.stalled.pauseMs = 0;
    const download = new BlobDownload(this.#context.directed, this.#shelf.ask, content, this.#shelf.info(content)?.snapshot, {
      completed: () => {
        if (fetch.download !== download) return;
        fetch.download = undefined;
        fetch.ready = true;
      },
      failed: (failure, at) => { if (fetch.download === download) this.#failed(fetch, content, failure, at); },
      sourceEnded: (sessionId, reason, at) => {
        const relay = this.#links.bySession(sessionId)?.hint.publicKey;
        this.#context.count(`named-source.${reason}`);
        if (relay === undefined) return;
        const failures = (fetch.notBeforeMs.get(relay)?.failures ?? 0) + 1;
        fetch.notBeforeMs.set(relay, { atMs: at.monotonicMs + Math.min(askAgainMaximumMs, askAgainMinimumMs * 2 ** Math.min(failures - 1, 10)), failures });
      },
    });
    fetch.download = download;
    this.#deadlines.set(fetch.key, now.monotonicMs);
  }

  #failed(fetch: NamedFetch, content: ContentName, failure: BlobFailure, now: Instant): void {
    fetch.download = undefined;
    fetch.damaged += 1;
    if (failure === 'disk-full' || failure === 'io') fetch.failure = 'disk-full';
    else if (fetch.damaged >= damagedMaximum) fetch.failure = 'damaged';
    else this.#download(fetch, content, now);
  }

  #goOn(fetch: NamedFetch, now: Instant): void {
    if (now.monotonicMs - fetch.wantedAtMs >= unwantedMs) { this.#stop(fetch, now, () => undefined); return; }
    const { download } = fetch;
    if (download !== undefined) {
      for (const hint of fetch.sources) {
        const link = this.#links.deposit(hint, now);
        if (link?.state !== 'connected' || link.sessionId === undefined || (fetch.notBeforeMs.get(link.hint.publicKey)?.atMs ?? 0) > now.monotonicMs) continue;
        download.addSource(link.sessionId, now);
      }
      fetch.rate.note(download.verifiedBytes, now.monotonicMs);
      if ((download.checkpointAtMs ?? Infinity) <= now.monotonicMs) download.checkpoint();
      if (this.#isStalled(fetch, download, now)) this.#lookAgain(fetch, now);
    }
    else if (fetch.found !== undefined && !fetch.ready && fetch.failure === undefined) this.#take(fetch, fetch.found, fetch.sources, now);
    fetch.lookup?.handleTimeout(now);
    this.#deadlines.set(fetch.key, now.monotonicMs + movingMs);
  }

  #isStalled({ stalled, lookup }: NamedFetch, { verifiedBytes }: BlobDownload, now: Instant): boolean {
    const isMoving = stalled.pauseMs === 0 || stalled.bytes !== verifiedBytes;
    if (!isMoving && (lookup !== undefined || now.monotonicMs < stalled.atMs)) return false;
    stalled.pauseMs = isMoving ? stalledMinimumMs : Math.min(stalledMaximumMs, 2 * stalled.pauseMs);
    stalled.atMs = now.monotonicMs + stalled.pauseMs;
    stalled.bytes = verifiedBytes;
    return !isMoving;
  }

  #stop(fetch: NamedFetch, now: Instant, done: () => void): void {
    this.#fetches.delete(fetch.key);
    this.#deadlines.clear(fetch.key);
    fetch.lookup = undefined;
    const { found, ready } = fetch;
    const stopped = (): void => {
      if (ready && found !== undefined) this.#kept.forget(found.content);
      done();
    };
    if (fetch.download === undefined) stopped();
    else fetch.download.stop(now, stopped);
  }

  /** Another fetch has to do with the same bytes. */
  #isFetched(content: ContentName): boolean {
    const key = nameKey(content);
    for (const { found } of this.#fetches.values()) if (found !== undefined && nameKey(found.content) === key) return true;
    return false;
  }
}

const keyOf = (publicKey: PublicKeyHex, path: string): string => `${publicKey}/${path}`;
