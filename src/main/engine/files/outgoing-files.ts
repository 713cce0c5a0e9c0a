/**
 * Files that we sent and the recipient has not got yet. When it is its turn (upload-turns.ts) a file is offered to whoever shows its name, and one of the recipient's
 * relays is asked to hold it: it pulls the sealed bytes from here while we are online. The relay is asked again from time to time, which tells how far it is,
 * and later that it still holds the file; one that has no room or has lost it is replaced by the next.
 */
import { Deadlines } from '../deadlines.ts';
import { decodeHoldResponse } from '../wire/responses.ts';
import { openBlobDatum } from './blob-datum.ts';
import { HolderDrops, isReleased, recipientOf } from './holder-drops.ts';
import { PieceCache } from './piece-cache.ts';
import { dealTurns } from './upload-turns.ts';
import { isHeld, newUpload, type Upload } from './upload.ts';
import type { FileWaitReason } from '../../../shared/views.ts';
import type { Recipient, Recipients } from '../overlay/recipients.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, RelayHint } from '../wire/types.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { HeldLimits } from './held-limits.ts';
import type { FileStatus } from '../engine-types.ts';

const linkDeadlineMs = 5_000;
const holdDeadlineMs = 10_000;
/** Asked again while a relay is taking the file: how far is it? */
const takingMs = 1_000;
/** ... and while it holds all of it: does it still? */
const heldMs = 600_000;
/** After a failure, doubling. */
const retryMinimumMs = 2_000;
const retryMaximumMs = 60_000;
/** A relay without room forwards to us what others ask, as long as the session is there and it has been told lately. */
const throughMs = 20_000;
/** A relay that refused is not asked before. */
const refusedMs = 300_000;
/** Among the deadlines of messages, that of the turns: no message's id is empty. */
const turnsKey = '';

export interface OutgoingEvents {
  moved(row: FileRow): void;
  /** One failed, and that is durable. */
  ended(): void;
}

export class OutgoingFiles {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #recipients: Recipients;
  readonly #links: RelayLinks;
  readonly #limits: HeldLimits;
  readonly #events: OutgoingEvents;
  readonly #pieces = new PieceCache();
  readonly #uploads = new Map<string, Upload>();
  /** Messages with requests to hold their file that have not ended, and how many: one that was paused leaves its own behind. */
  readonly #holding = new Map<string, number>();
  readonly #drops: HolderDrops;
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, shelf: BlobShelf, recipients: Recipients, links: RelayLinks, limits: HeldLimits, events: OutgoingEvents) {
    this.#context = context;
    this.#shelf = shelf;
    this.#recipients = recipients;
    this.#links = links;
    this.#limits = limits;
    this.#events = events;
    this.#drops = new HolderDrops(context, recipients, links);
  }

  begin(row: FileRow, now: Instant): void {
    if (this.#uploads.has(row.messageId)) return;
    this.#uploads.set(row.messageId, newUpload(row));
    this.#dealSoon(now);
  }

  /** Nobody is served any more. */
  end(id: string, now: Instant): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return;
    this.#uploads.delete(id);
    this.#deadlines.clear(id);
    this.#withdraw(upload);
    this.#dealSoon(now);
  }

  /** Things changed for the better. */
  kick(now: Instant, recipient?: string): void {
    this.#drops.kick(now);
    for (const upload of this.#uploads.values()) {
      const row = this.#context.memory.files.get(upload.id);
      if (row === undefined || (recipient !== undefined && recipientOf(row) !== recipient)) continue;
      upload.failures = 0;
      upload.missedUntilMs.clear();
      upload.turnsInVain = 0;
      if (upload.turn === 'active' && !upload.asking) this.#deadlines.set(upload.id, now.monotonicMs);
      else if (upload.turn === 'resting') this.#wait(upload, now);
    }
  }

  /** Who is to be told when this one is over. */
  owedBy(row: FileRow, endedToo?: readonly FileRow[]): readonly string[] { return this.#drops.owedBy(row, endedToo); }

  /** After the commit of a row that ended: those that may hold it may forget it. */
  release(row: FileRow, now: Instant): void {
    this.end(row.messageId, now);
    // A request to hold it that is under way could be noted after they were told: first that one ends.
    if (!this.#holding.has(row.messageId)) this.#drops.begin(row, now);
  }

  status(row: FileRow, now: Instant): FileStatus {
    const upload = this.#uploads.get(row.messageId);
    const known = isReleased(row) ? [] : row.heldBy;
    const holders = upload === undefined ? known.map((relay) => ({ relay, heldBytes: row.blobBytes, complete: true })) : [...upload.holders].map(([relay, holder]) => ({ relay, ...holder }));
    if (row.stage === 'failed') return { state: { state: 'failed', reason: row.failure ?? 'gone' }, holders };
    if (row.stage === 'ready' || holders.some(({ complete }) => complete)) return { state: { state: 'ready' }, holders };
    if (row.stage === 'paused') return { state: { state: 'waiting', reason: 'paused', doneBytes: most(holders) }, holders };
    const doneBytes = most(holders);
    if (upload !== undefined && upload.othersFirst > 0 && (upload.reason === undefined || upload.reason === 'letter-first')) {
      return { state: { state: 'waiting', reason: 'others-first', othersFirst: upload.othersFirst, doneBytes }, holders };
    }
    if (upload === undefined || upload.reason !== undefined) return { state: { state: 'waiting', reason: upload?.reason ?? 'no-source', doneBytes, ...this.#limitOf(row) }, holders };
    const bytesPerSecond = upload.rate.bytesPerSecond(doneBytes, now.monotonicMs);
    const remaining = bytesPerSecond > 0 ? { remainingMs: (row.blobBytes - doneBytes) * 1_000 / bytesPerSecond } : {};
    return { state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources: [] }, holders };
  }

  #limitOf(row: FileRow): { readonly relayHoldsBytes?: number } {
    const relayHoldsBytes = this.#limits.mostOf(this.#recipients.relaysOf(recipientOf(row)));
    return relayHoldsBytes === undefined ? {} : { relayHoldsBytes };
  }

  handleTimeout(now: Instant): void {
    for (let id = this.#deadlines.takeDue(now.monotonicMs); id !== undefined; id = this.#deadlines.takeDue(now.monotonicMs)) {
      if (id === turnsKey) { this.#deal(now); continue; }
      const upload = this.#uploads.get(id);
      if (upload?.turn === 'resting') this.#wait(upload, now);
      else if (upload?.turn === 'active' && !upload.asking) this.#attempt(upload, now);
    }
    this.#drops.handleTimeout(now);
  }

  *timeouts(): Iterable<{ readonly atMs: number; readonly reason: string } | undefined> {
    const next = this.#deadlines.next();
    yield next === undefined ? undefined : { atMs: next.atMs, reason: 'ask a relay to hold a file' };
    yield this.#drops.pollTimeout();
  }

  // --- turns ---------------------------------------------------------------------------------------------------------------

  #dealSoon(now: Instant): void { this.#deadlines.set(turnsKey, now.monotonicMs); }

  #deal(now: Instant): void {
    const uploads: Upload[] = [];
    // In the order of their messages, which a file that was paused keeps.
    for (const id of this.#context.memory.files.keys()) {
      const upload = this.#uploads.get(id);
      if (upload !== undefined) uploads.push(upload);
    }
    const againAtMs = dealTurns(uploads, now, {
      activated: (upload) => { this.#deadlines.set(upload.id, now.monotonicMs); this.#moved(upload); },
      yielded: (upload) => { this.#deadlines.clear(upload.id); this.#withdraw(upload); },
      moved: (upload) => { this.#moved(upload); },
    });
    if (againAtMs !== undefined) this.#deadlines.set(turnsKey, againAtMs);
  }

  /** It wants a turn. */
  #wait(upload: Upload, now: Instant): void {
    upload.turn = 'waiting';
    this.#deadlines.clear(upload.id);
    this.#dealSoon(now);
  }

  /** Its turn is over, and for a while it wants none. */
  #rest(upload: Upload, pauseMs: number, now: Instant): void {
    upload.turn = 'resting';
    this.#withdraw(upload);
    this.#deadlines.set(upload.id, now.monotonicMs + pauseMs);
    this.#dealSoon(now);
  }

  #withdraw(upload: Upload): void {
    if (upload.datum === undefined) return;
    upload.datum = undefined;
    this.#context.directed.publisher.withdraw(upload.name);
  }

  #moved(upload: Upload): void {
    const row = this.#context.memory.files.get(upload.id);
    if (row !== undefined) this.#events.moved(row);
  }

  // --- what is done in a turn ------------------------------------------------------------------------------------------------

  #attempt(upload: Upload, now: Instant): void {
    const row = this.#context.memory.files.get(upload.id);
    if (row?.stage !== 'wanted') { this.end(upload.id, now); return; }
    if (row.expiresAtMs <= this.#context.correctedWallMs(now)) { this.#fail(row, 'expired', now); return; }
    upload.asking = true;
    if (upload.datum === undefined && !isHeld(upload)) { this.#offer(upload, row, now); return; }
    const contact = this.#context.memory.contacts.get(recipientOf(row));
    if (contact === undefined || contact.standing === 'blocked' || contact.standing === 'request') { this.#later(upload, 'no-source', retryMaximumMs, now); return; }
    this.#recipients.lookup(recipientOf(row), now, (result, at) => {
      if (this.#uploads.get(upload.id) !== upload) return;
      if (result.ok) {
        this.#leave(upload, result.recipient);
        this.#ask(upload, row, result.recipient, contact.depositToken, at);
      }
      else this.#later(upload, 'no-source', this.#pauseMs(upload), at);
    });
  }

  /** Relays that the recipient has left are no good any more, whatever they hold. */
  #leave(upload: Upload, recipient: Recipient): void {
    for (const relay of [...upload.holders.keys()]) if (!recipient.relays.some(({ publicKey }) => publicKey === relay)) this.#lost(upload, relay);
  }

  #offer(upload: Upload, row: FileRow, now: Instant): void {
    if (!this.#shelf.isComplete(upload.name)) { this.#fail(row, 'gone', now); return; }
    openBlobDatum(this.#shelf.ask, this.#context.crypto.tree, this.#pieces, upload.name, (datum, at) => {
      if (this.#uploads.get(upload.id) !== upload) return;
      if (datum === 'gone' || datum === 'damaged') { this.#fail(row, datum, at); return; }
      if (datum === 'io' || datum === 'disk-full') { this.#later(upload, 'no-source', this.#pauseMs(upload), at); return; }
      this.#context.directed.publisher.offerDatum(upload.name, datum);
      upload.datum = datum;
      upload.asking = false;
      this.#attempt(upload, at);
    });
  }

  #ask(upload: Upload, row: FileRow, recipient: Recipient, token: Uint8Array | undefined, now: Instant): void {
    const hint = this.#choose(upload, recipient, now);
    const link = hint === undefined ? undefined : this.#links.deposit(hint, now);
    if (hint === undefined || link === undefined) { this.#later(upload, hint === undefined && recipient.relays.length > 0 && upload.missedUntilMs.size === 0 ? 'relay-full' : 'no-source', throughMs, now); return; }
    this.#links.whenUp(link, linkDeadlineMs, now, (up, at) => {
      if (this.#uploads.get(upload.id) !== upload) return;
      if (!up || link.sessionId === undefined) { this.#notReached(upload, hint, at); return; }
      const ttlSeconds = Math.max(1, Math.ceil((row.expiresAtMs - this.#context.correctedWallMs(at)) / 1_000));
      const mailbox = { identity: recipientOf(row), deviceId: recipient.device.deviceId };
      this.#holding.set(upload.id, (this.#holding.get(upload.id) ?? 0) + 1);
      this.#context.directed.request(link.sessionId, { verb: 'hold', mailbox, token, ttlSeconds, name: upload.name }, {
        deadlineMs: holdDeadlineMs,
        done: (outcome, then) => {
          this.#holdEnded(upload.id);
          if (this.#uploads.get(upload.id) === upload) this.#answered(upload, hint, outcome, then);
          else this.#endedMeanwhile(upload, then);
        },
      }, at);
    });
  }

  #holdEnded(id: string): void {
    const open = (this.#holding.get(id) ?? 1) - 1;
    if (open > 0) this.#holding.set(id, open);
    else this.#holding.delete(id);
  }

  #endedMeanwhile(upload: Upload, now: Instant): void {
    const row = this.#context.memory.files.get(upload.id);
    if (row !== undefined && !this.#holding.has(row.messageId)) this.#drops.begin(row, now);
  }

  /** The one that has most of it; else the first in the recipient's order that has not refused. */
  #choose(upload: Upload, recipient: Recipient, now: Instant): RelayHint | undefined {
    const open = recipient.relays.filter(({ publicKey }) => Math.max(upload.refusedUntilMs.get(publicKey) ?? 0, upload.missedUntilMs.get(publicKey) ?? 0) <= now.monotonicMs);
    const bytesAt = (hint: RelayHint): number => upload.holders.get(hint.publicKey)?.heldBytes ?? -1;
    return open.reduce<RelayHint | undefined>((best, hint) => best === undefined || bytesAt(hint) > bytesAt(best) ? hint : best, undefined);
  }

  #answered(upload: Upload, hint: RelayHint, outcome: RequestOutcome, now: Instant): void {
    const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
    const held = payload === undefined ? undefined : decodeHoldResponse(payload);
    if (held !== undefined) { this.#heard(upload, hint, held.state === 'held', Math.min(held.heldBytes, upload.name.length), now); return; }
    if (outcome.kind !== 'negative') { this.#notReached(upload, hint, now); return; }
    const { code, retryAfterSeconds } = outcome.negative;
    this.#lost(upload, hint.publicKey);
    if (code === 'no-mailbox') this.#recipients.invalidate(recipientOfId(this.#context, upload.id));
    const pauseMs = code === 'busy' ? retryAfterSeconds * 1_000 : code === 'quota' ? throughMs : refusedMs;
    upload.refusedUntilMs.set(hint.publicKey, now.monotonicMs + pauseMs);
    this.#later(upload, code === 'quota' ? 'relay-full' : 'no-source', code === 'busy' ? pauseMs : 0, now);
  }

  #heard(upload: Upload, hint: RelayHint, complete: boolean, heldBytes: number, now: Instant): void {
    const row = this.#context.memory.files.get(upload.id);
    upload.asking = false;
    if (complete) {
      upload.turnsInVain = 0;
      this.#rest(upload, heldMs, now);
    } else {
      // It has lost what it held: it can only take it anew from what is offered.
      this.#deadlines.set(upload.id, now.monotonicMs + (upload.datum === undefined ? 0 : takingMs));
      if (heldBytes > (upload.holders.get(hint.publicKey)?.heldBytes ?? 0)) upload.progressAtMs = now.monotonicMs;
    }
    // Its end is being committed: who holds it means something else in its row then.
    if (row?.stage !== 'wanted') return;
    upload.failures = 0;
    upload.reason = undefined;
    upload.holders.set(hint.publicKey, { heldBytes: complete ? upload.name.length : heldBytes, complete });
    upload.rate.note(heldBytes, now.monotonicMs);
    const known = row.heldBy.includes(hint.publicKey);
    if (complete !== known) {
      const heldBy = complete ? [...row.heldBy, hint.publicKey] : row.heldBy.filter((relay) => relay !== hint.publicKey);
      this.#context.commit([{ kind: 'put-file', row: { ...row, heldBy } }], { announce: [messageChange(row)] });
    } else if (heldBytes !== upload.shownBytes) {
      upload.shownBytes = heldBytes;
      this.#events.moved(row);
    }
  }

  #lost(upload: Upload, relay: string): void {
    upload.holders.delete(relay);
    const row = this.#context.memory.files.get(upload.id);
    if (row?.stage === 'wanted' && row.heldBy.includes(relay)) this.#context.commit([{ kind: 'put-file', row: { ...row, heldBy: row.heldBy.filter((one) => one !== relay) } }], { announce: [messageChange(row)] });
  }

  /** Not a word about what it holds; another one is tried meanwhile. */
  #notReached(upload: Upload, hint: RelayHint, now: Instant): void {
    const pauseMs = this.#pauseMs(upload);
    if (upload.holders.get(hint.publicKey)?.complete !== true) upload.missedUntilMs.set(hint.publicKey, now.monotonicMs + pauseMs);
    this.#later(upload, 'no-source', pauseMs, now);
  }

  #later(upload: Upload, reason: FileWaitReason, pauseMs: number, now: Instant): void {
    upload.asking = false;
    upload.rate.reset();
    const before = upload.reason;
    upload.reason = reason;
    // Without room at a relay it goes through to who asks for it, as long as it is offered here.
    if (pauseMs === 0 || reason === 'relay-full') this.#deadlines.set(upload.id, now.monotonicMs + pauseMs);
    else {
      upload.turnsInVain += 1;
      this.#rest(upload, pauseMs, now);
    }
    if (before !== reason) this.#moved(upload);
  }

  #pauseMs(upload: Upload): number {
    const pauseMs = Math.min(retryMaximumMs, retryMinimumMs * 2 ** Math.min(upload.failures, 10));
    upload.failures += 1;
    return pauseMs;
  }

  #fail(row: FileRow, failure: NonNullable<FileRow['failure']>, now: Instant): void {
    this.end(row.messageId, now);
    this.#context.commit([{ kind: 'put-file', row: { ...row, stage: 'failed', failure } }], { announce: [messageChange(row)], done: () => { this.#events.ended(); } });
  }
}

const recipientOfId = (context: VisorContext, id: string): string => { const row = context.memory.files.get(id); return row === undefined ? '' : recipientOf(row); };
export const messageChange = (row: FileRow): { readonly kind: 'message'; readonly messageId: string; readonly conversationId: string } => ({ kind: 'message', messageId: row.messageId, conversationId: row.conversationId });
const most = (holders: readonly { readonly heldBytes: number }[]): number => holders.reduce((bytes, holder) => Math.max(bytes, holder.heldBytes), 0);
