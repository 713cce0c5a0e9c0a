/**
 * What is done for a file in its turn: it is offered to whoever shows its name, and one of the recipient's relays is asked to hold it: it pulls the sealed bytes from here while we
 * are online. The relay is asked again from time to time, which tells how far it is, and later that it still holds the file; one that has no room or has lost it is
 * replaced by the next.
 */
import { decodeHoldResponse } from '../wire/responses.ts';
import { openBlobDatum } from './blob-datum.ts';
import { recipientOf } from './holder-drops.ts';
import { messageChange } from './message-change.ts';
import { PieceCache } from './piece-cache.ts';
import { isHeld, type Upload } from './upload.ts';
import type { FileWaitReason } from '../../../shared/file-views.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { Recipient, Recipients } from '../overlay/recipients.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';

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

export interface AttemptEvents {
  /** Whether it is still to be sent. */
  isOpen(upload: Upload): boolean;
  /** Its turn goes on, and it is attempted again after so long. */
  again(upload: Upload, afterMs: number, now: Instant): void;
  /** Its turn is over, and for a while it wants none. */
  rest(upload: Upload, pauseMs: number, now: Instant): void;
  moved(row: FileRow): void;
  end(id: string, now: Instant): void;
  fail(row: FileRow, failure: NonNullable<FileRow['failure']>, now: Instant): void;
  /** One that is not to be sent any more, and perhaps was held by then: a request to hold it has ended. */
  endedMeanwhile(upload: Upload, relay: PublicKeyHex, now: Instant): void;
}

export class UploadAttempts {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #recipients: Recipients;
  readonly #links: RelayLinks;
  readonly #events: AttemptEvents;
  readonly #pieces = new PieceCache();
  /** Messages with requests to hold their file that have not ended, and how many: one that was paused leaves its own behind. */
  readonly #holding = new Map<string, number>();

  constructor(context: VisorContext, shelf: BlobShelf, recipients: Recipients, links: RelayLinks, events: AttemptEvents) {
    this.#context = context;
    this.#shelf = shelf;
    this.#recipients = recipients;
    this.#links = links;
    this.#events = events;
  }

  isAskedToHold(id: string): boolean { return this.#holding.has(id); }

  /** It is its turn, and nothing is under way. */
  attempt(upload: Upload, now: Instant): void {
    const row = this.#context.memory.files.get(upload.id);
    if (row?.stage !== 'wanted') { this.#events.end(upload.id, now); return; }
    if (row.expiresAtMs <= this.#context.correctedWallMs(now)) { this.#events.fail(row, 'expired', now); return; }
    upload.asking = true;
    if (upload.datum === undefined && !isHeld(upload)) { this.#offer(upload, row, now); return; }
    const contact = this.#context.memory.contacts.get(recipientOf(row));
    if (contact === undefined || contact.standing === 'blocked' || contact.standing === 'request') { this.#later(upload, 'no-source', retryMaximumMs, now); return; }
    this.#recipients.lookup(recipientOf(row), now, (result, at) => {
      if (!this.#events.isOpen(upload)) return;
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
    if (!this.#shelf.isComplete(upload.name)) { this.#events.fail(row, 'gone', now); return; }
    openBlobDatum(this.#shelf.ask, this.#context.crypto.tree, this.#pieces, upload.name, (datum, at) => {
      if (!this.#events.isOpen(upload)) return;
      if (datum === 'gone' || datum === 'damaged') { this.#events.fail(row, datum, at); return; }
      if (datum === 'io' || datum === 'disk-full') { this.#later(upload, 'no-source', this.#pauseMs(upload), at); return; }
      this.#context.directed.publisher.offerDatum(upload.name, datum);
      upload.datum = datum;
      upload.asking = false;
      this.attempt(upload, at);
    });
  }

  #ask(upload: Upload, row: FileRow, recipient: Recipient, token: Uint8Array | undefined, now: Instant): void {
    const hint = this.#choose(upload, recipient, now);
    const link = hint === undefined ? undefined : this.#links.deposit(hint, now);
    if (hint === undefined || link === undefined) { this.#later(upload, hint === undefined && recipient.relays.length > 0 && upload.missedUntilMs.size === 0 ? 'relay-full' : 'no-source', throughMs, now); return; }
    this.#links.whenUp(link, linkDeadlineMs, now, (up, at) => {
      if (!this.#events.isOpen(upload)) return;
      if (!up || link.sessionId === undefined) { this.#notReached(upload, hint, at); return; }
      const ttlSeconds = Math.max(1, Math.ceil((row.expiresAtMs - this.#context.correctedWallMs(at)) / 1_000));
      const mailbox = { identity: recipientOf(row), deviceId: recipient.device.deviceId };
      this.#holding.set(upload.id, (this.#holding.get(upload.id) ?? 0) + 1);
      this.#context.directed.request(link.sessionId, { verb: 'hold', mailbox, token, ttlSeconds, name: upload.name }, {
        deadlineMs: holdDeadlineMs,
        done: (outcome, then) => {
          this.#holdEnded(upload.id);
          if (this.#events.isOpen(upload)) this.#answered(upload, hint, outcome, then);
          else this.#events.endedMeanwhile(upload, hint.publicKey, then);
        },
      }, at);
    });
  }

  #holdEnded(id: string): void {
    const open = (this.#holding.get(id) ?? 1) - 1;
    if (open > 0) this.#holding.set(id, open);
    else this.#holding.delete(id);
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
      this.#events.rest(upload, heldMs, now);
    } else {
      // It has lost what it held: it can only take it anew from what is offered.
      this.#events.again(upload, upload.datum === undefined ? 0 : takingMs, now);
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
    if (pauseMs === 0 || reason === 'relay-full') this.#events.again(upload, pauseMs, now);
    else {
      upload.turnsInVain += 1;
      this.#events.rest(upload, pauseMs, now);
    }
    const row = this.#context.memory.files.get(upload.id);
    if (before !== reason && row !== undefined) this.#events.moved(row);
  }

  #pauseMs(upload: Upload): number {
    const pauseMs = Math.min(retryMaximumMs, retryMinimumMs * 2 ** Math.min(upload.failures, 10));
    upload.failures += 1;
    return pauseMs;
  }
}

const recipientOfId = (context: VisorContext, id: string): string => { const row = context.memory.files.get(id); return row === undefined ? '' : recipientOf(row); };
