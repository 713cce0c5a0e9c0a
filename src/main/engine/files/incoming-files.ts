/**
 * Files that others sent us, from the letter that names them to a blob that is whole here. Those that are wanted are pulled from all of our relays that
 * have them, a few files at a time; a relay that has not got it yet is asked again. When all of it is durable, the sender is told and the relays
 * may forget it.
 */
import { Deadlines } from '../deadlines.ts';
import { maskMessageId } from '../mail/message-mask.ts';
import { nameKey } from '../directed/datum.ts';
import { fromHex } from '../wire/bytes.ts';
import { BlobDownload } from './blob-download.ts';
import { recipientOf } from './holder-drops.ts';
import { messageChange } from './message-change.ts';
import { isMoving, newFetch } from './file-fetch.ts';
import { RelayDrops, isOpen, isSame } from './relay-drops.ts';
import type { FileSource } from '../../../shared/views.ts';
import type { SourceEnd } from '../directed/types.ts';
import type { FileStatus } from '../engine-types.ts';
import type { Receipts } from '../mail/receipts.ts';
import type { FileRow, OutboxRow } from '../mail/visor-store.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant, ReceiptItem } from '../wire/types.ts';
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

export class IncomingFiles {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #links: RelayLinks;
  readonly #receipts: () => Receipts;
  readonly #isRegistered: (relay: string) => boolean;
  readonly #fetches = new Map<string, FileFetch>();
  /** Of those that were stopped and are not durable yet: what had come. */
  readonly #stoppingBytes = new Map<string, number>();
  readonly #deadlines = new Deadlines();
  readonly #drops: RelayDrops;

  constructor(context: VisorContext, shelf: BlobShelf, links: RelayLinks, receipts: () => Receipts, isRegistered: (relay: string) => boolean) {
    this.#context = context;
    this.#shelf = shelf;
    this.#links = links;
    this.#drops = new RelayDrops(context, links);
    this.#receipts = receipts;
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

  /** It will not come. What came of it is removed, unless the same content is here, or on its way, with another message. */
  fail(row: FileRow, failure: NonNullable<FileRow['failure']>, now: Instant, done: () => void = () => undefined): void {
    this.#removeParts(row, now);
    const failed = this.failed(row, failure);
    this.#context.commit([{ kind: 'put-file', row: failed }], { announce: [messageChange(row)], done: (_applied, at) => { done(); this.#drops.begin(failed, at); } });
  }

  /** The row of one that will not come. Whoever commits it calls `drop` after that. */
  failed(row: FileRow, failure: NonNullable<FileRow['failure']>): FileRow { return { ...row, stage: 'failed', failure, heldBy: this.#drops.owedBy(row) }; }

  drop(failed: FileRow, now: Instant): void {
    // All of it may have come meanwhile.
    if (this.#context.memory.files.get(failed.messageId) !== failed) return;
    this.#removeParts(failed, now);
    this.#drops.begin(failed, now);
  }

  #removeParts(row: FileRow, now: Instant): void {
    const name = { root: row.root, length: row.blobBytes };
    const mayRemove = !this.#shelf.isComplete(name);
    this.pause(row.messageId, now, () => {
      if (mayRemove && !this.#isNeeded(row)) this.#shelf.ask<'delete'>({ op: 'delete', name }, () => undefined);
    });
  }

  /** Left over from the last run: our relays may not know yet. */
  ended(row: FileRow, now: Instant): void { this.#drops.begin(row, now); }

  /** Parts of files that nobody waits for: power failed between the end of one and their removal. */
  removeRests(isKept: (name: ContentName) => boolean): void {
    const needed = new Set<string>();
    for (const row of this.#context.memory.files.values()) if (row.direction === 'in' && isOpen(row)) needed.add(nameKey({ root: row.root, length: row.blobBytes }));
    for (const { name, complete } of [...this.#shelf.all]) {
      if (!complete && !needed.has(nameKey(name)) && !isKept(name)) this.#shelf.ask<'delete'>({ op: 'delete', name }, () => undefined);
    }
  }

  /** One of our relays is there: it may have what is missing. */
  linkUp(link: RelayLink, now: Instant): void {
    this.#drops.linkUp(link, now);
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
    switch (row.stage) {
      case 'ready': return { state: { state: 'ready' }, holders };
      case 'failed': return { state: { state: 'failed', reason: row.failure ?? 'gone' }, holders };
      case 'offered': return { state: { state: 'waiting', reason: 'not-asked', doneBytes: 0 }, holders };
      case 'paused': return { state: { state: 'waiting', reason: 'paused', doneBytes: this.#keptBytes(row) }, holders };
      case 'wanted': break;
    }
    const fetch = this.#fetches.get(row.messageId);
    const download = fetch?.download;
    const sources = download?.sources ?? [];
    // All bytes are here and are being read once more.
    if (download?.verifiedBytes === row.blobBytes) return { state: { state: 'moving', doneBytes: row.blobBytes, bytesPerSecond: 0, remainingMs: 0, sources: [] }, holders };
    if (fetch === undefined || download === undefined || sources.length === 0) return { state: { state: 'waiting', reason: fetch?.reason ?? 'no-source', doneBytes: this.#keptBytes(row) }, holders };
    const doneBytes = download.verifiedBytes;
    const bytesPerSecond = fetch.rate.bytesPerSecond(doneBytes, now.monotonicMs);
    const remaining = bytesPerSecond > 0 ? { remainingMs: (row.blobBytes - doneBytes) * 1_000 / bytesPerSecond } : {};
    return { state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources: sources.map(({ sessionId }) => this.#sourceView(sessionId)) }, holders };
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
    return { sessions, nextAskMs };
  }

  #sourceEnded(fetch: FileFetch, sessionId: SessionId, reason: SourceEnd, now: Instant): void {
    const relay = this.#links.bySession(sessionId)?.hint.publicKey;
    this.#context.count(`file-source.${reason}`);
    if (relay !== undefined) {
      const failures = (fetch.notBeforeMs.get(relay)?.failures ?? 0) + 1;
      fetch.notBeforeMs.set(relay, { atMs: now.monotonicMs + Math.min(askAgainMaximumMs, askAgainMinimumMs * 2 ** Math.min(failures - 1, 10)), failures });
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
    // Both in one commit: after a crash between the two the sender would wait for ever.
    const ready: FileRow = { ...row, stage: 'ready', failure: undefined, heldBy: this.#drops.owedBy(row) };
    const receipt = this.#promise(row, now);
    this.#context.commit([{ kind: 'put-file', row: ready }, ...(receipt === undefined ? [] : [{ kind: 'put-outbox', row: receipt.row } as const])], {
      announce: [messageChange(row)],
      done: (_applied, at) => {
        if (receipt !== undefined) this.#receipts().owe('fetched', recipientOf(row), receipt.port, receipt.item, () => undefined, { row: receipt.row, isKept: true });
        this.#drops.begin(ready, at);
      },
    });
    this.#startMore(now);
  }

  /** The sender needs to keep it for us no longer. */
  #promise(row: FileRow, now: Instant): { readonly port: number; readonly item: ReceiptItem; readonly row: OutboxRow } | undefined {
    const sender = recipientOf(row);
    const local = fromHex(row.messageId);
    const standing = this.#context.memory.contacts.get(sender)?.standing;
    if (local === undefined || (standing !== 'contact' && standing !== 'pending')) return undefined;
    const port = Number(row.conversationId.split(':')[1] ?? '1');
    const item = { messageId: maskMessageId(this.#context, sender, local), atMs: now.wallMs };
    return { port, item, row: this.#receipts().promise('fetched', sender, port, item, now) };
  }

  #isOver(row: FileRow, now: Instant): boolean { return row.expiresAtMs <= this.#context.correctedWallMs(now); }

  /** The same content is to come, or came, with another message. */
  #isNeeded(row: FileRow): boolean {
    for (const other of this.#context.memory.files.values()) {
      if (other.messageId !== row.messageId && isSame(other, row) && other.stage !== 'failed') return true;
    }
    return this.#context.memory.files.get(row.messageId)?.stage === 'wanted';
  }

  #startMore(now: Instant): void {
    for (const fetch of this.#fetches.values()) if (!isMoving(fetch) && fetch.retryAtMs <= now.monotonicMs) this.#deadlines.set(fetch.id, now.monotonicMs);
  }

  #sourceView(sessionId: SessionId): FileSource {
    const relay = this.#links.bySession(sessionId)?.hint.publicKey;
    return relay === undefined ? { kind: 'sender' } : { kind: 'relay', relay };
  }
}
