/**
 * Files that others sent us, from the letter that names them to a blob that is whole here. Those that are wanted are pulled from all of our relays that
 * have them, a few files at a time; a relay that has not got it yet is asked again. When all of it is durable, the sender is told and the relays
 * may forget it.
 */
import { Deadlines } from '../deadlines.ts';
import { maskMessageId } from '../mail/message-mask.ts';
import { fromHex } from '../wire/bytes.ts';
import { BlobDownload } from './blob-download.ts';
import { messageChange, recipientOf } from './outgoing-files.ts';
import { RateMeter } from './rate-meter.ts';
import type { FileSource, FileWaitReason } from '../../../shared/views.ts';
import type { SourceEnd } from '../directed/types.ts';
import type { FileStatus } from '../engine-types.ts';
import type { Receipts } from '../mail/receipts.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { BlobFailure } from './blob-store.ts';

/** Files being fetched at once: more would only make each slower. */
const fetchesMaximum = 4;
/** A relay that has not got a file (yet) is asked again, doubling. */
const askAgainMinimumMs = 1_000;
const askAgainMaximumMs = 60_000;
/** After a full or failing disk. */
const diskRetryMs = 60_000;
/** Times that a whole file turned out damaged on our disk before it is given up. */
const damagedMaximum = 3;
const dropDeadlineMs = 10_000;
/** What people see moving is told to them so often. */
const progressMs = 250;

interface Fetch {
  readonly id: string;
  readonly name: ContentName;
  readonly rate: RateMeter;
  download: BlobDownload | undefined;
  /** Relays that are not to be asked before. */
  readonly notBeforeMs: Map<string, { atMs: number; failures: number }>;
  reason: FileWaitReason;
  retryAtMs: number;
  damaged: number;
  shownBytes: number;
}

export class IncomingFiles {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #links: RelayLinks;
  readonly #receipts: () => Receipts;
  readonly #isRegistered: (relay: string) => boolean;
  readonly #fetches = new Map<string, Fetch>();
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, shelf: BlobShelf, links: RelayLinks, receipts: () => Receipts, isRegistered: (relay: string) => boolean) {
    this.#context = context;
    this.#shelf = shelf;
    this.#links = links;
    this.#receipts = receipts;
    this.#isRegistered = isRegistered;
  }

  begin(row: FileRow, now: Instant): void {
    if (this.#fetches.has(row.messageId)) return;
    this.#fetches.set(row.messageId, {
      id: row.messageId, name: { root: row.root, length: row.blobBytes }, rate: new RateMeter(), download: undefined, notBeforeMs: new Map(), reason: 'no-source', retryAtMs: 0, damaged: 0, shownBytes: -1,
    });
    this.#deadlines.set(row.messageId, now.monotonicMs);
  }

  /** Stops it; what came stays. `done` runs when that is durable. */
  pause(id: string, now: Instant, done: (now: Instant) => void): void {
    const fetch = this.#fetches.get(id);
    this.#fetches.delete(id);
    this.#deadlines.clear(id);
    if (fetch?.download === undefined) done(now);
    else fetch.download.stop(now, done);
    this.#startMore(now);
  }

  forget(row: FileRow, now: Instant): void {
    this.pause(row.messageId, now, (at) => {
      this.#shelf.ask<'delete'>({ op: 'delete', name: { root: row.root, length: row.blobBytes } }, () => undefined);
      this.#drop(row, at);
    });
  }

  /** One of our relays is there: it may have what is missing. */
  linkUp(link: RelayLink, now: Instant): void {
    for (const fetch of this.#fetches.values()) {
      fetch.notBeforeMs.delete(link.hint.publicKey);
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
    const holders: FileStatus['holders'] = [];
    const kept = (): number => this.#fetches.get(row.messageId)?.download?.verifiedBytes ?? this.#shelf.storedBytes({ root: row.root, length: row.blobBytes });
    switch (row.stage) {
      case 'ready': return { state: { state: 'ready' }, holders };
      case 'failed': return { state: { state: 'failed', reason: row.failure ?? 'gone' }, holders };
      case 'offered': return { state: { state: 'waiting', reason: 'not-asked', doneBytes: 0 }, holders };
      case 'paused': return { state: { state: 'waiting', reason: 'paused', doneBytes: kept() }, holders };
      case 'wanted': break;
    }
    const fetch = this.#fetches.get(row.messageId);
    const download = fetch?.download;
    const sources = download?.sources ?? [];
    if (fetch === undefined || download === undefined || sources.length === 0) return { state: { state: 'waiting', reason: fetch?.reason ?? 'no-source', doneBytes: kept() }, holders };
    const doneBytes = download.verifiedBytes;
    const bytesPerSecond = fetch.rate.bytesPerSecond(doneBytes, now.monotonicMs);
    const remaining = bytesPerSecond > 0 ? { remainingMs: (row.blobBytes - doneBytes) * 1_000 / bytesPerSecond } : {};
    return { state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources: sources.map(({ sessionId }) => this.#sourceView(sessionId)) }, holders };
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

  #goOn(fetch: Fetch, now: Instant): void {
    const row = this.#context.memory.files.get(fetch.id);
    if (row?.stage !== 'wanted') { this.#fetches.delete(fetch.id); fetch.download?.stop(now); return; }
    if (this.#shelf.isComplete(fetch.name)) { this.#completed(fetch, row, now); return; }
    if (fetch.download === undefined && !this.#start(fetch, now)) return;
    const nextAskMs = this.#addSources(fetch, now);
    const { download } = fetch;
    if (download === undefined) return;
    const moving = download.sources.length > 0;
    if (!moving) this.#expireWhenOver(row, now);
    if (download.verifiedBytes !== fetch.shownBytes) {
      fetch.shownBytes = download.verifiedBytes;
      fetch.rate.note(fetch.shownBytes, now.monotonicMs);
      this.#context.announce(messageChange(row));
    }
    if ((download.checkpointAtMs ?? Infinity) <= now.monotonicMs) download.checkpoint();
    this.#deadlines.set(fetch.id, moving ? Math.min(now.monotonicMs + progressMs, nextAskMs) : Math.max(nextAskMs, now.monotonicMs + 1));
  }

  /** False: not now. */
  #start(fetch: Fetch, now: Instant): boolean {
    if (fetch.retryAtMs > now.monotonicMs) { this.#deadlines.set(fetch.id, fetch.retryAtMs); return false; }
    let running = 0;
    for (const other of this.#fetches.values()) if (other.download !== undefined) running += 1;
    if (running >= fetchesMaximum) return false;
    fetch.reason = 'no-source';
    fetch.rate.reset();
    fetch.download = new BlobDownload(this.#context.directed, this.#shelf.ask, fetch.name, this.#shelf.info(fetch.name)?.snapshot, {
      completed: (at) => {
        const row = this.#context.memory.files.get(fetch.id);
        if (row !== undefined && this.#fetches.get(fetch.id) === fetch) this.#completed(fetch, row, at);
      },
      failed: (failure, at) => { this.#failed(fetch, failure, at); },
      sourceEnded: (sessionId, reason, at) => { this.#sourceEnded(fetch, sessionId, reason, at); },
    });
    return true;
  }

  /** When the next relay is to be asked that is not asked now. */
  #addSources(fetch: Fetch, now: Instant): number {
    let nextAskMs = now.monotonicMs + askAgainMaximumMs;
    for (const link of this.#links.all) {
      const relay = link.hint.publicKey;
      if (link.purpose !== 'own' || link.state !== 'connected' || link.sessionId === undefined || !this.#isRegistered(relay)) continue;
      const atMs = fetch.notBeforeMs.get(relay)?.atMs ?? 0;
      if (atMs <= now.monotonicMs) fetch.download?.addSource(link.sessionId, now);
      else nextAskMs = Math.min(nextAskMs, atMs);
    }
    return nextAskMs;
  }

  #sourceEnded(fetch: Fetch, sessionId: SessionId, reason: SourceEnd, now: Instant): void {
    const relay = this.#links.bySession(sessionId)?.hint.publicKey;
    this.#context.count(`file-source.${reason}`);
    if (relay !== undefined) {
      const failures = (fetch.notBeforeMs.get(relay)?.failures ?? 0) + 1;
      fetch.notBeforeMs.set(relay, { atMs: now.monotonicMs + Math.min(askAgainMaximumMs, askAgainMinimumMs * 2 ** Math.min(failures - 1, 10)), failures });
    }
    const row = this.#context.memory.files.get(fetch.id);
    if (row !== undefined) this.#context.announce(messageChange(row));
    this.#deadlines.set(fetch.id, now.monotonicMs + askAgainMinimumMs);
  }

  #failed(fetch: Fetch, failure: BlobFailure, now: Instant): void {
    fetch.download = undefined;
    const row = this.#context.memory.files.get(fetch.id);
    if (row === undefined) return;
    this.#context.count(`file-failed.${failure}`);
    if (failure === 'damaged') {
      fetch.damaged += 1;
      if (fetch.damaged >= damagedMaximum) {
        this.#fetches.delete(fetch.id);
        this.#context.commit([{ kind: 'put-file', row: { ...row, stage: 'failed', failure: 'damaged' } }], { announce: [messageChange(row)] });
        return;
      }
    }
    fetch.reason = failure === 'disk-full' || failure === 'io' ? 'disk-full' : 'no-source';
    fetch.retryAtMs = now.monotonicMs + (failure === 'disk-full' || failure === 'io' ? diskRetryMs : askAgainMinimumMs);
    this.#deadlines.set(fetch.id, fetch.retryAtMs);
    this.#context.announce(messageChange(row));
    this.#startMore(now);
  }

  #completed(fetch: Fetch, row: FileRow, now: Instant): void {
    this.#fetches.delete(fetch.id);
    this.#deadlines.clear(fetch.id);
    this.#context.commit([{ kind: 'put-file', row: { ...row, stage: 'ready', failure: undefined } }], {
      announce: [messageChange(row)],
      done: (_applied, at) => { this.#tell(row, at); },
    });
    this.#startMore(now);
  }

  /** The sender needs to keep it for us no longer, and neither do the relays. */
  #tell(row: FileRow, now: Instant): void {
    const sender = recipientOf(row);
    const port = Number(row.conversationId.split(':')[1] ?? '1');
    const local = fromHex(row.messageId);
    const standing = this.#context.memory.contacts.get(sender)?.standing;
    if (local !== undefined && (standing === 'contact' || standing === 'pending')) {
      this.#receipts().owe('fetched', sender, port, { messageId: maskMessageId(this.#context, sender, local), atMs: now.wallMs }, () => undefined);
    }
    this.#drop(row, now);
  }

  #drop(row: FileRow, now: Instant): void {
    const mailbox = { identity: this.#context.publicKey, deviceId: this.#context.device.deviceId };
    for (const link of this.#links.all) {
      if (link.purpose !== 'own' || link.state !== 'connected' || link.sessionId === undefined) continue;
      this.#context.directed.request(link.sessionId, { verb: 'drop', mailbox, name: { root: row.root, length: row.blobBytes } }, { deadlineMs: dropDeadlineMs, done: () => undefined }, now);
    }
  }

  #expireWhenOver(row: FileRow, now: Instant): void {
    if (row.expiresAtMs > this.#context.correctedWallMs(now)) return;
    this.pause(row.messageId, now, () => undefined);
    this.#context.commit([{ kind: 'put-file', row: { ...row, stage: 'failed', failure: 'expired' } }], { announce: [messageChange(row)] });
  }

  #startMore(now: Instant): void {
    for (const fetch of this.#fetches.values()) if (fetch.download === undefined && fetch.retryAtMs <= now.monotonicMs) this.#deadlines.set(fetch.id, now.monotonicMs);
  }

  #sourceView(sessionId: SessionId): FileSource {
    const relay = this.#links.bySession(sessionId)?.hint.publicKey;
    return relay === undefined ? { kind: 'sender' } : { kind: 'relay', relay };
  }
}
