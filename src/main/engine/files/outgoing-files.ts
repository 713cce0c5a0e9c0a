/**
 * Files that we sent and the recipient has not got yet. Each gets its turns (upload-turns.ts), in which one of the recipient's relays comes to hold it (upload-attempts.ts), until
 * the recipient has it; then those that may hold it are told to forget it.
 */
import { Deadlines, earliestOf, type Due } from '../deadlines.ts';
import { HolderDrops, isReleased, recipientOf } from './holder-drops.ts';
import { isSame } from './relay-drops.ts';
import { messageChange } from './message-change.ts';
import { UploadAttempts } from './upload-attempts.ts';
import { uploadStatus } from './upload-status.ts';
import { dealTurns } from './upload-turns.ts';
import { newUpload, type Upload } from './upload.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { HeldLimits } from './held-limits.ts';
import type { FileStatus } from '../inspection-types.ts';

/** While the recipient takes it from here, relays would only have half of our line. */
const takenAgainMs = 2_000;
/** Among the deadlines of messages, that of the turns: no message's id is empty. */
const turnsKey = '';

export interface OutgoingEvents {
  moved(row: FileRow): void;
  /** One failed, and that is durable. */
  ended(): void;
  /** Its recipient is taking it from here just now. */
  isTaken(row: FileRow, now: Instant): boolean;
  /** It is not to be sent any more. */
  over(id: string): void;
}

export class OutgoingFiles {
  readonly #context: VisorContext;
  readonly #recipients: Recipients;
  readonly #limits: HeldLimits;
  readonly #events: OutgoingEvents;
  readonly #uploads = new Map<string, Upload>();
  readonly #drops: HolderDrops;
  readonly #attempts: UploadAttempts;
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, shelf: BlobShelf, recipients: Recipients, links: RelayLinks, limits: HeldLimits, events: OutgoingEvents) {
    this.#context = context;
    this.#recipients = recipients;
    this.#limits = limits;
    this.#events = events;
    this.#drops = new HolderDrops(context, recipients, links);
    this.#attempts = new UploadAttempts(context, shelf, recipients, links, {
      isOpen: (upload) => this.#uploads.get(upload.id) === upload,
      again: (upload, afterMs, now) => { this.#deadlines.set(upload.id, now.monotonicMs + afterMs); },
      rest: (upload, pauseMs, now) => { this.#rest(upload, pauseMs, now); },
      moved: (row) => { events.moved(row); },
      end: (id, now) => { this.end(id, now); },
      fail: (row, failure, now) => { this.#fail(row, failure, now); },
      endedMeanwhile: (upload, relay, now) => {
        const row = context.memory.files.get(upload.id);
        if (row === undefined) return;
        if (!isReleased(row) || row.heldBy.includes(relay)) { this.#dropWhenSettled(row, now); return; }
        // It was asked while the end was being written down, and is none of those that were to be told then: the recipient's relays had just become known anew.
        const owed: FileRow = { ...row, heldBy: [...row.heldBy, relay] };
        context.commit([{ kind: 'put-file', row: owed }], { done: (_applied, at) => { this.#dropWhenSettled(owed, at); } });
      },
    });
  }

  begin(row: FileRow, now: Instant): void {
    if (this.#uploads.has(row.messageId)) return;
    this.#uploads.set(row.messageId, newUpload(row));
    this.#dealSoon(now);
  }

  /** Nobody is served any more. */
  end(id: string, now: Instant): void {
    this.#events.over(id);
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
    this.#dropWhenSettled(row, now);
  }

  /** A request to hold it that is under way, for whichever message, could be noted after they were told: first those end. */
  #dropWhenSettled(row: FileRow, now: Instant): void {
    const alike = [...this.#context.memory.files.values()].filter((other) => other.direction === 'out' && recipientOf(other) === recipientOf(row) && isSame(other, row));
    if (alike.some(({ messageId }) => this.#attempts.isAskedToHold(messageId))) return;
    for (const one of alike) this.#drops.begin(one, now);
  }

  status(row: FileRow, now: Instant): FileStatus {
    return uploadStatus(row, this.#uploads.get(row.messageId), () => this.#limits.mostOf(this.#recipients.relaysOf(recipientOf(row))), now);
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

  pollTimeout(): Due | undefined {
    const next = this.#deadlines.next();
    return earliestOf([next === undefined ? undefined : { atMs: next.atMs, reason: 'ask a relay to hold a file' }, this.#drops.pollTimeout()]);
  }

  #attempt(upload: Upload, now: Instant): void {
    const row = this.#context.memory.files.get(upload.id);
    if (row !== undefined && this.#events.isTaken(row, now)) this.#deadlines.set(upload.id, now.monotonicMs + takenAgainMs);
    else this.#attempts.attempt(upload, now);
  }

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

  #fail(row: FileRow, failure: NonNullable<FileRow['failure']>, now: Instant): void {
    this.end(row.messageId, now);
    this.#context.commit([{ kind: 'put-file', row: { ...row, stage: 'failed', failure } }], { announce: [messageChange(row)], done: () => { this.#events.ended(); } });
  }
}
