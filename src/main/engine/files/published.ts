/**
 * What is published under names, for everybody. A name's row says which content is under it; the bytes are a blob here that is not sealed. Each of our relays is
 * told by a signed record and then asked to hold the content, which it pulls from here; both are repeated while this visor runs, because neither is kept for ever.
 *
 * One name at a time is done at each relay, so that a thousand of them are no burst. A name that is withdrawn stays as a row without content until all that
 * relays were told of it has ended: a relay that was not there hears of it later.
 */
import { Deadlines } from '../deadlines.ts';
import { nameKey } from '../directed/datum.ts';
import { createNamedRecord, decodeNamedRecord, verifyNamedRecord } from '../wire/named-record.ts';
import { decodeHoldResponse } from '../wire/responses.ts';
import { PublishedOffers } from './published-offers.ts';
import { RateMeter } from './rate-meter.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { PublishedStatus } from '../engine-types.ts';
import type { PublishedRow, VisorChange } from '../mail/visor-store.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { KeptFetches } from './kept-fetches.ts';

/** Relays take no more of one identity (mail/mailbox-names.ts). */
export const publishedMaximum = 1_024;
/** What relays hold of public contents, and how long a record is believed; both are renewed daily while the visor runs. */
const lifetimeSeconds = 7 * 86_400;
const renewAfterSeconds = 86_400;
/** A number from further ahead was made by a clock that was wrong; relays refuse it. */
const aheadMaximumSeconds = 2 * 86_400;
const requestDeadlineMs = 10_000;
/** Asked again while a relay is taking a content, and while it holds it. */
const takingMs = 1_000;
const heldMs = 600_000;
/** A relay without room passes on to us what others ask, as long as it has been told lately. */
const throughMs = 20_000;
const retryMinimumMs = 2_000;
const retryMaximumMs = 60_000;
const refusedMs = 600_000;

/** What one relay knows of one name. */
interface Told { sequence: number; heldBytes: number; complete: boolean; full: boolean; failures: number; readonly rate: RateMeter }
interface Place { readonly relay: string; readonly deadlines: Deadlines; readonly names: Map<string, Told>; busy: boolean }

export class Published {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #links: RelayLinks;
  readonly #isRegistered: (relay: string) => boolean;
  readonly #places = new Map<string, Place>();
  readonly #offers: PublishedOffers;
  #rests: Pick<KeptFetches, 'note' | 'forget'> | undefined;

  constructor(context: VisorContext, shelf: BlobShelf, links: RelayLinks, isRegistered: (relay: string) => boolean) {
    this.#context = context;
    this.#shelf = shelf;
    this.#links = links;
    this.#isRegistered = isRegistered;
    this.#offers = new PublishedOffers(context, shelf);
  }

  /** Where contents are written down that no name stands for any more, until they are deleted. */
  forgetBy(rests: Pick<KeptFetches, 'note' | 'forget'>): void { this.#rests = rests; }

  /** The blob is complete here. False: too many names. */
  publish(path: string, content: ContentName, mediaType: string, now: Instant, done: () => void): boolean {
    const before = this.#context.memory.published.get(path);
    if (before === undefined && this.#context.memory.published.size >= publishedMaximum) return false;
    this.#shelf.added(content);
    this.#offers.found(content);
    this.#put({ path, content, mediaType, publishedAtMs: now.wallMs, ...this.#next(before, now) }, before, now, done);
    return true;
  }

  /** False when nothing is published under it. */
  unpublish(path: string, now: Instant, done: () => void): boolean {
    const before = this.#context.memory.published.get(path);
    if (before?.content === undefined) return false;
    this.#put({ ...before, content: undefined, mediaType: '', ...this.#next(before, now) }, before, now, done);
    return true;
  }

  /** Renews what gets old, forgets what was withdrawn long ago. */
  renew(now: Instant): void {
    const nowSeconds = Math.floor(this.#context.correctedWallMs(now) / 1_000);
    const changes: VisorChange[] = [];
    for (const row of this.#context.memory.published.values()) {
      const leftSeconds = row.notAfterSeconds - nowSeconds;
      if (row.content === undefined) {
        if (leftSeconds <= 0) changes.push({ kind: 'delete-published', path: row.path });
      } else if (leftSeconds < lifetimeSeconds - renewAfterSeconds || leftSeconds > lifetimeSeconds + renewAfterSeconds) {
        changes.push({ kind: 'put-published', row: { ...row, ...this.#next(row, now) } });
      }
    }
    if (changes.length === 0) return;
    this.#context.commit(changes, { done: (_applied, at) => { for (const change of changes) if (change.kind === 'put-published') this.#schedule(change.row.path, at); } });
  }

  /** This relay has a mailbox of ours and serves it: what it knows is to be found out anew. */
  registered(relay: string, now: Instant): void {
    const place: Place = { relay, deadlines: new Deadlines(), names: new Map(), busy: false };
    this.#places.set(relay, place);
    for (const path of this.#context.memory.published.keys()) place.deadlines.set(path, now.monotonicMs);
  }

  /** Those that are published now. */
  status(now: Instant): readonly PublishedStatus[] {
    const all: PublishedStatus[] = [];
    for (const row of this.#context.memory.published.values()) if (row.content !== undefined) all.push(this.#statusOf(row, row.content, now));
    return all;
  }

  /** Whether a name stands for these bytes, which are not to be deleted then. */
  needs(content: ContentName): boolean {
    const key = nameKey(content);
    for (const row of this.#context.memory.published.values()) if (row.content !== undefined && nameKey(row.content) === key) return true;
    return false;
  }

  handleTimeout(now: Instant): void {
    for (const place of this.#places.values()) this.#goOn(place, now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    let atMs = Infinity;
    for (const place of this.#places.values()) if (!place.busy && this.#isRegistered(place.relay)) atMs = Math.min(atMs, place.deadlines.next()?.atMs ?? Infinity);
    return atMs === Infinity ? undefined : { atMs, reason: 'publish' };
  }

  #next(before: PublishedRow | undefined, now: Instant): Pick<PublishedRow, 'sequence' | 'notAfterSeconds'> {
    const nowSeconds = Math.floor(this.#context.correctedWallMs(now) / 1_000);
    const lowest = before === undefined || before.sequence > nowSeconds + aheadMaximumSeconds ? 0 : before.sequence + 1;
    return { sequence: Math.max(lowest, nowSeconds), notAfterSeconds: nowSeconds + lifetimeSeconds };
  }

  #put(row: PublishedRow, before: PublishedRow | undefined, now: Instant, done: () => void): void {
    const isSame = before?.content !== undefined && row.content !== undefined && nameKey(before.content) === nameKey(row.content);
    const released = isSame || before?.content === undefined ? undefined : this.#rests?.note(before.content, now);
    this.#context.commit([{ kind: 'put-published', row }, ...(released === undefined ? [] : [released])], {
      done: (_applied, at) => {
        done();
        if (before?.content !== undefined && !this.needs(before.content)) this.#release(before.content, at);
        else if (before?.content !== undefined && !isSame) this.#rests?.forget(before.content);
        if (!isSame) for (const place of this.#places.values()) place.names.delete(row.path);
        this.#schedule(row.path, at);
      },
    });
  }

  #schedule(path: string, now: Instant): void {
    for (const place of this.#places.values()) {
      place.deadlines.set(path, now.monotonicMs);
      this.#goOn(place, now);
    }
  }

  /** No name stands for it any more. */
  #release(content: ContentName, now: Instant): void {
    this.#offers.withdraw(content);
    this.#rests?.forget(content);
    const key = nameKey(content);
    for (const row of this.#context.memory.files.values()) if (nameKey({ root: row.root, length: row.blobBytes }) === key) return;
    for (const { relay } of this.#places.values()) {
      const sessionId = this.#sessionOf(relay);
      if (sessionId !== undefined) this.#context.directed.request(sessionId, { verb: 'drop', mailbox: this.#mailbox, name: content }, { deadlineMs: requestDeadlineMs, done: () => undefined }, now);
    }
  }

  get #mailbox(): { readonly identity: string; readonly deviceId: string } { return { identity: this.#context.publicKey, deviceId: this.#context.device.deviceId }; }

  /** Undefined where nothing is published (now). */
  #sessionOf(relay: string): SessionId | undefined {
    const row = this.#context.memory.relays.get(relay);
    const link = this.#links.own(relay);
    if (row === undefined || row.leavingSinceMs !== undefined || link?.state !== 'connected' || !this.#isRegistered(relay)) return undefined;
    return link.sessionId;
  }

  #goOn(place: Place, now: Instant): void {
    if (place.busy || this.#places.get(place.relay) !== place) return;
    const sessionId = this.#sessionOf(place.relay);
    if (sessionId === undefined) {
      if (!this.#context.memory.relays.has(place.relay) || this.#isRegistered(place.relay)) this.#places.delete(place.relay);
      return;
    }
    for (let path = place.deadlines.takeDue(now.monotonicMs); path !== undefined; path = place.deadlines.takeDue(now.monotonicMs)) {
      const row = this.#context.memory.published.get(path);
      if (row === undefined) { place.names.delete(path); continue; }
      const told = place.names.get(path) ?? { sequence: 0, heldBytes: 0, complete: false, full: false, failures: 0, rate: new RateMeter() };
      place.names.set(path, told);
      if (told.sequence !== row.sequence) { this.#tell(place, sessionId, row, told, now); return; }
      if (row.content !== undefined) { this.#hold(place, sessionId, row.path, row.content, told, now); return; }
    }
  }

  #tell(place: Place, sessionId: SessionId, row: PublishedRow, told: Told, now: Instant): void {
    const { path, content, mediaType, sequence, notAfterSeconds } = row;
    const record = createNamedRecord({ identitySecret: this.#context.identitySecret, path, sequence, notAfterSeconds, content, mediaType });
    place.busy = true;
    this.#context.directed.request(sessionId, { verb: 'publish', kind: 'named', object: record.bytes }, {
      deadlineMs: requestDeadlineMs,
      done: (outcome, at) => {
        if (outcome.kind === 'answered') told.sequence = sequence;
        if (outcome.kind === 'negative' && outcome.negative.code === 'stale') { this.#settleStale(place, sessionId, path, told, at); return; }
        this.#ended(place, path, told, outcome, 0, at);
      },
    }, now);
  }

  /** It has a record of ours that is newer than our own, which was lost: this profile was restored from a copy. */
  #settleStale(place: Place, sessionId: SessionId, path: string, told: Told, now: Instant): void {
    this.#context.directed.request(sessionId, { verb: 'record', kind: 'named', identity: this.#context.publicKey, path }, {
      deadlineMs: requestDeadlineMs,
      done: (outcome, at) => {
        const record = outcome.kind === 'answered' && outcome.payloads[0] !== undefined ? decodeNamedRecord(outcome.payloads[0]) : undefined;
        const row = this.#context.memory.published.get(path);
        const isOurs = record !== undefined && record.identity === this.#context.publicKey && record.path === path && verifyNamedRecord(record);
        const next = row === undefined ? undefined : this.#next(row, at);
        const isNews = isOurs && row !== undefined && record.sequence >= row.sequence && record.sequence < Math.floor(at.wallMs / 1_000) + aheadMaximumSeconds;
        if (row !== undefined && next !== undefined && isNews) {
          this.#context.commit([{ kind: 'put-published', row: { ...row, ...next, sequence: Math.max(next.sequence, record.sequence + 1) } }], { done: (_applied, then) => { this.#schedule(path, then); } });
        }
        told.failures += 1;
        place.busy = false;
        place.deadlines.set(path, at.monotonicMs + pauseMs(told.failures));
        this.#goOn(place, at);
      },
    }, now);
  }

  #hold(place: Place, sessionId: SessionId, path: string, content: ContentName, told: Told, now: Instant): void {
    place.busy = true;
    const ask = (at: Instant): void => {
      this.#context.directed.request(sessionId, { verb: 'hold', mailbox: this.#mailbox, token: undefined, ttlSeconds: lifetimeSeconds, name: content }, {
        deadlineMs: requestDeadlineMs,
        done: (outcome, then) => { this.#held(place, path, content, told, outcome, then); },
      }, at);
    };
    // One that holds it all needs nothing of us; should it have lost it, its answer says so, and it is asked again with the content offered.
    if (told.complete) { ask(now); return; }
    this.#offers.offer(content, now, (offered, at) => {
      if (offered && this.needs(content)) { ask(at); return; }
      place.busy = false;
      place.deadlines.set(path, at.monotonicMs + refusedMs);
      this.#goOn(place, at);
    });
  }

  #held(place: Place, path: string, content: ContentName, told: Told, outcome: RequestOutcome, now: Instant): void {
    const answer = outcome.kind === 'answered' && outcome.payloads[0] !== undefined ? decodeHoldResponse(outcome.payloads[0]) : undefined;
    if (answer === undefined) { this.#ended(place, path, told, outcome, 0, now); return; }
    const wasComplete = told.complete;
    told.complete = answer.state === 'held';
    told.heldBytes = told.complete ? content.length : Math.min(answer.heldBytes, content.length);
    told.full = false;
    told.rate.note(told.heldBytes, now.monotonicMs);
    if (told.complete && !this.#isTaken(content)) this.#offers.withdraw(content);
    this.#ended(place, path, told, outcome, told.complete ? heldMs : wasComplete ? 0 : takingMs, now);
  }

  /** @param againMs when the relay is to be asked again after a good answer. */
  #ended(place: Place, path: string, told: Told, outcome: RequestOutcome, againMs: number, now: Instant): void {
    place.busy = false;
    let waitMs = againMs;
    if (outcome.kind === 'answered') told.failures = 0;
    else if (outcome.kind === 'negative') {
      const { code, retryAfterSeconds } = outcome.negative;
      told.full = code === 'quota';
      told.complete = false;
      told.failures += 1;
      this.#context.count(`publish.${code}`);
      waitMs = code === 'quota' ? throughMs : code === 'busy' ? Math.max(retryMinimumMs, retryAfterSeconds * 1_000) : code === 'no-mailbox' ? retryMaximumMs : refusedMs;
    } else {
      told.failures += 1;
      waitMs = pauseMs(told.failures);
    }
    if (this.#context.memory.published.get(path)?.sequence !== told.sequence && outcome.kind === 'answered') waitMs = 0;
    place.deadlines.set(path, now.monotonicMs + waitMs);
    this.#goOn(place, now);
  }

  /** Some relay still has to get it from here. */
  #isTaken(content: ContentName): boolean {
    const key = nameKey(content);
    for (const [path, row] of this.#context.memory.published) {
      if (row.content === undefined || nameKey(row.content) !== key) continue;
      for (const place of this.#places.values()) if (place.names.get(path)?.complete !== true) return true;
    }
    return false;
  }

  #statusOf(row: PublishedRow, content: ContentName, now: Instant): PublishedStatus {
    const relays = [...this.#places.values()].map(({ relay, names }) => ({ relay, told: names.get(row.path) }));
    const holders = relays.flatMap(({ relay, told }) => (told === undefined || told.sequence === 0 ? [] : [{ relay, heldBytes: told.heldBytes, complete: told.complete }]));
    const doneBytes = Math.max(0, ...holders.map(({ heldBytes }) => heldBytes));
    const taking = relays.find(({ told }) => told !== undefined && told.heldBytes > 0 && told.heldBytes === doneBytes);
    const file = ((): PublishedStatus['file'] => {
      if (this.#offers.isLost(content)) return { state: { state: 'failed', reason: 'gone' }, holders };
      if (holders.some(({ complete }) => complete)) return { state: { state: 'ready' }, holders };
      if (taking?.told === undefined) return { state: { state: 'waiting', reason: relays.some(({ told }) => told?.full === true) ? 'relay-full' : 'no-source', doneBytes }, holders };
      const bytesPerSecond = taking.told.rate.bytesPerSecond(doneBytes, now.monotonicMs);
      const remaining = bytesPerSecond > 0 ? { remainingMs: (content.length - doneBytes) * 1_000 / bytesPerSecond } : {};
      return { state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources: [] }, holders };
    })();
    return { row, content, file };
  }
}

const pauseMs = (failures: number): number => Math.min(retryMaximumMs, retryMinimumMs * 2 ** Math.min(failures, 10));
