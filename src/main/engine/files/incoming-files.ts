/**
 * Files that others sent us, from the letter that names them to a blob that is whole here. Those that are wanted are pulled from all of our relays that
 * have them, and from their sender where that is reached directly, a few files at a time; a relay that has not got it yet is asked again. How each ends: file-ends.ts.
 */
import { Deadlines } from '../deadlines.ts';
import { nameKey } from '../directed/datum.ts';
import { BlobDownload } from './blob-download.ts';
import { messageChange } from './message-change.ts';
import { FileEnds } from './file-ends.ts';
import { fetchStatus } from './fetch-status.ts';
import { isMoving, newFetch } from './file-fetch.ts';
import { recipientOf } from './holder-drops.ts';
import { isStraight } from '../../../shared/peer-views.ts';
import type { FileSource } from '../../../shared/file-views.ts';
import type { SourceEnd } from '../directed/types.ts';
import type { FileStatus } from '../inspection-types.ts';
import type { Receipts } from '../mail/receipts.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant, PublicKeyHex } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { BlobFailure } from './blob-store.ts';
import type { FileFetch } from './file-fetch.ts';

/** Files being fetched at once: more would only make each slower. */
const fetchesMaximum = 4;
/** A relay that has not got a file (yet) is asked again, doubling. */
const askAgainMinimumMs = 1_000;
const askAgainMaximumMs = 60_000;
/** After a full or failing disk. */
const diskRetryMs = 60_000;
/** Times that a whole file turned out damaged on our disk before it is given up. */
const damagedMaximum = 3;
/** What people see moving is told to them so often. */
const progressMs = 250;

/** Beside the keys of relays: somebody may be both. */
const peerKey = (publicKey: PublicKeyHex): string => `peer/${publicKey}`;

export class IncomingFiles {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #links: RelayLinks;
  readonly #peers: PeerSessions;
  readonly #isRegistered: (relay: string) => boolean;
  readonly #fetches = new Map<string, FileFetch>();
  /** Of those that were stopped and are not durable yet: what had come. */
  readonly #stoppingBytes = new Map<string, number>();
  readonly #deadlines = new Deadlines();
  readonly #ends: FileEnds;

  constructor(context: VisorContext, shelf: BlobShelf, links: RelayLinks, peers: PeerSessions, receipts: () => Receipts, isRegistered: (relay: string) => boolean, isFetchedByName: (name: ContentName) => boolean) {
    this.#context = context;
    this.#shelf = shelf;
    this.#links = links;
    this.#peers = peers;
    this.#ends = new FileEnds(context, shelf, links, receipts, isFetchedByName, (id, now, done) => { this.pause(id, now, done); });
    this.#isRegistered = isRegistered;
  }

  begin(row: FileRow, now: Instant): void {
    if (this.#fetches.has(row.messageId)) return;
    this.#fetches.set(row.messageId, newFetch(row));
    this.#deadlines.set(row.messageId, now.monotonicMs);
  }

  /** Stops it; what came stays. `done` runs when that is durable. */
  pause(id: string, now: Instant, done: (now: Instant) => void): void {
    const fetch = this.#fetches.get(id);
    this.#fetches.delete(id);
    this.#deadlines.clear(id);
    if (fetch?.download === undefined) done(now);
    else {
      this.#stoppingBytes.set(id, fetch.download.verifiedBytes);
      fetch.download.stop(now, (at) => {
        this.#stoppingBytes.delete(id);
        done(at);
      });
    }
    this.#startMore(now);
  }

  /** It will not come. */
  fail(row: FileRow, failure: NonNullable<FileRow['failure']>, now: Instant, done?: () => void): void { this.#ends.fail(row, failure, now, done); }

  /** The row of one that will not come. Whoever commits it calls `drop` after that. */
  failed(row: FileRow, failure: NonNullable<FileRow['failure']>): FileRow { return this.#ends.failed(row, failure); }

  drop(failed: FileRow, now: Instant): void { this.#ends.drop(failed, now); }

  /** Left over from the last run: our relays may not know yet. */
  ended(row: FileRow, now: Instant): void { this.#ends.ended(row, now); }

  /** Parts of files that nobody waits for: power failed between the end of one and their removal. */
  removeRests(): void { this.#ends.removeRests(); }

  /** One of our relays is there: it may have what is missing. */
  linkUp(link: RelayLink, now: Instant): void {
    this.#ends.linkUp(link, now);
    for (const fetch of this.#fetches.values()) {
      fetch.notBeforeMs.delete(link.hint.publicKey);
      this.#deadlines.set(fetch.id, now.monotonicMs);
    }
  }

  /** The sender of some is here, or can be reached directly by now. */
  peerUp(publicKey: PublicKeyHex, now: Instant): void {
    for (const fetch of this.#fetches.values()) {
      const row = this.#context.memory.files.get(fetch.id);
      if (row === undefined || recipientOf(row) !== publicKey) continue;
      fetch.notBeforeMs.delete(peerKey(publicKey));
      this.#deadlines.set(fetch.id, now.monotonicMs);
    }
  }

  /** Asks all that could have it at once. */
  linkUpAll(now: Instant): void {
    for (const fetch of this.#fetches.values()) {
      fetch.notBeforeMs.clear();
      fetch.retryAtMs = 0;
      this.#deadlines.set(fetch.id, now.monotonicMs);
    }
  }

  status(row: FileRow, now: Instant): FileStatus {
    return fetchStatus(row, this.#fetches.get(row.messageId), () => this.#keptBytes(row), (sessionId) => this.#sourceView(sessionId), now);
  }

  /** What is here of it, whether it is on its way just now or lies on the disk alone. */
  #keptBytes(row: FileRow): number {
    return Math.max(this.#fetches.get(row.messageId)?.download?.verifiedBytes ?? this.#stoppingBytes.get(row.messageId) ?? 0, this.#shelf.storedBytes({ root: row.root, length: row.blobBytes }));
  }

  handleTimeout(now: Instant): void {
    for (let id = this.#deadlines.takeDue(now.monotonicMs); id !== undefined; id = this.#deadlines.takeDue(now.monotonicMs)) {
      const fetch = this.#fetches.get(id);
      if (fetch !== undefined) this.#goOn(fetch, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'fetch a file' };
  }

  #goOn(fetch: FileFetch, now: Instant): void {
    const row = this.#context.memory.files.get(fetch.id);
    if (row?.stage !== 'wanted') { this.#fetches.delete(fetch.id); fetch.download?.stop(now); return; }
    if (this.#shelf.isComplete(fetch.name)) { this.#completed(fetch, row, now); return; }
    if (!isMoving(fetch)) {
      if (fetch.retryAtMs > now.monotonicMs) { this.#deadlines.set(fetch.id, fetch.retryAtMs); return; }
      const { sessions, nextAskMs } = this.#sources(fetch, now);
      if (sessions.length === 0) {
        if (this.#isOver(row, now)) { this.fail(row, 'expired', now); return; }
        if (fetch.reason === 'others-first') this.#because(fetch, row, 'no-source');
        this.#deadlines.set(fetch.id, nextAskMs);
        return;
      }
      // It is looked at again when one of those that move has ended.
      if (this.#mustWait(fetch)) { this.#because(fetch, row, 'others-first'); return; }
    }
    const download = fetch.download ?? this.#start(fetch);
    const { sessions, nextAskMs } = this.#sources(fetch, now);
    for (const sessionId of sessions) download.addSource(sessionId, now);
    if (download.verifiedBytes !== fetch.shownBytes) {
      fetch.shownBytes = download.verifiedBytes;
      fetch.rate.note(fetch.shownBytes, now.monotonicMs);
      this.#context.announce(messageChange(row));
    }
    if ((download.checkpointAtMs ?? Infinity) <= now.monotonicMs) download.checkpoint();
    this.#deadlines.set(fetch.id, Math.min(now.monotonicMs + progressMs, nextAskMs));
  }

  #because(fetch: FileFetch, row: FileRow, reason: FileFetch['reason']): void {
    if (fetch.reason === reason) return;
    fetch.reason = reason;
    this.#context.announce(messageChange(row));
  }

  /** Those that have no source hold no place: whom they wait for may never come. */
  #mustWait(fetch: FileFetch): boolean {
    let moving = 0;
    for (const other of this.#fetches.values()) {
      if (other === fetch || !isMoving(other)) continue;
      moving += 1;
      // One download of a content serves all messages that carry it.
      if (nameKey(other.name) === nameKey(fetch.name)) return true;
    }
    return moving >= fetchesMaximum;
  }

  #start(fetch: FileFetch): BlobDownload {
    fetch.reason = 'no-source';
    fetch.rate.reset();
    const download = new BlobDownload(this.#context.directed, this.#shelf.ask, fetch.name, this.#shelf.info(fetch.name)?.snapshot, {
      completed: (at) => {
        const row = this.#context.memory.files.get(fetch.id);
        if (row !== undefined && this.#fetches.get(fetch.id) === fetch) this.#completed(fetch, row, at);
      },
      failed: (failure, at) => { this.#failed(fetch, failure, at); },
      sourceEnded: (sessionId, reason, at) => { this.#sourceEnded(fetch, sessionId, reason, at); },
    });
    fetch.download = download;
    return download;
  }

  /** Who may be asked now, and when the next of those that may not. */
  #sources(fetch: FileFetch, now: Instant): { readonly sessions: readonly SessionId[]; readonly nextAskMs: number } {
    let nextAskMs = now.monotonicMs + askAgainMaximumMs;
    const sessions: SessionId[] = [];
    for (const link of this.#links.all) {
      const relay = link.hint.publicKey;
      if (link.purpose !== 'own' || link.state !== 'connected' || link.sessionId === undefined || !this.#isRegistered(relay)) continue;
      const atMs = fetch.notBeforeMs.get(relay)?.atMs ?? 0;
      if (atMs <= now.monotonicMs) sessions.push(link.sessionId);
      else nextAskMs = Math.min(nextAskMs, atMs);
    }
    const sender = this.#senderOf(fetch);
    // A circuit would carry it more slowly than the relay itself, which has it or forwards it.
    const path = sender === undefined ? undefined : this.#peers.pathOf(sender);
    if (sender !== undefined && path !== undefined && isStraight(path.kind)) {
      const sessionId = this.#peers.session(sender);
      const atMs = fetch.notBeforeMs.get(peerKey(sender))?.atMs ?? 0;
      if (sessionId !== undefined && atMs <= now.monotonicMs) sessions.push(sessionId);
      else if (sessionId !== undefined) nextAskMs = Math.min(nextAskMs, atMs);
    }
    return { sessions, nextAskMs };
  }

  #sourceEnded(fetch: FileFetch, sessionId: SessionId, reason: SourceEnd, now: Instant): void {
    const sender = this.#senderOf(fetch);
    const source = this.#links.bySession(sessionId)?.hint.publicKey ?? (sender === undefined ? undefined : peerKey(sender));
    this.#context.count(`file-source.${reason}`);
    if (source !== undefined) {
      const failures = (fetch.notBeforeMs.get(source)?.failures ?? 0) + 1;
      fetch.notBeforeMs.set(source, { atMs: now.monotonicMs + Math.min(askAgainMaximumMs, askAgainMinimumMs * 2 ** Math.min(failures - 1, 10)), failures });
    }
    const row = this.#context.memory.files.get(fetch.id);
    if (row !== undefined) this.#context.announce(messageChange(row));
    this.#deadlines.set(fetch.id, now.monotonicMs + askAgainMinimumMs);
    if (isMoving(fetch)) return;
    if (fetch.download?.checkpointAtMs !== undefined) fetch.download.checkpoint();
    this.#startMore(now);
  }

  #failed(fetch: FileFetch, failure: BlobFailure, now: Instant): void {
    fetch.download = undefined;
    const row = this.#context.memory.files.get(fetch.id);
    if (row === undefined) return;
    this.#context.count(`file-failed.${failure}`);
    if (this.#isOver(row, now)) { this.fail(row, 'expired', now); return; }
    if (failure === 'damaged') {
      fetch.damaged += 1;
      if (fetch.damaged >= damagedMaximum) {
        this.fail(row, 'damaged', now);
        return;
      }
    }
    fetch.reason = failure === 'disk-full' || failure === 'io' ? 'disk-full' : 'no-source';
    fetch.retryAtMs = now.monotonicMs + (failure === 'disk-full' || failure === 'io' ? diskRetryMs : askAgainMinimumMs);
    this.#deadlines.set(fetch.id, fetch.retryAtMs);
    this.#context.announce(messageChange(row));
    this.#startMore(now);
  }

  #completed(fetch: FileFetch, row: FileRow, now: Instant): void {
    this.#fetches.delete(fetch.id);
    this.#deadlines.clear(fetch.id);
    this.#ends.completed(row, now);
    this.#startMore(now);
  }

  #senderOf(fetch: FileFetch): PublicKeyHex | undefined {
    const row = this.#context.memory.files.get(fetch.id);
    return row === undefined ? undefined : recipientOf(row);
  }

  #isOver(row: FileRow, now: Instant): boolean { return row.expiresAtMs <= this.#context.correctedWallMs(now); }

  #startMore(now: Instant): void {
    for (const fetch of this.#fetches.values()) if (!isMoving(fetch) && fetch.retryAtMs <= now.monotonicMs) this.#deadlines.set(fetch.id, now.monotonicMs);
  }

  #sourceView(sessionId: SessionId): FileSource {
    const relay = this.#links.bySession(sessionId)?.hint.publicKey;
    return relay === undefined ? { kind: 'sender' } : { kind: 'relay', relay };
  }
}
