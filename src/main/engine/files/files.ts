/**
 * Files beside letters: of any size, sent sealed, fetched packet by packet from whoever has them.
 *
 * WHAT TRAVELS. A file is sealed in segments under a key of its own (file-sealing.ts); what comes out is a *blob*, named by its BLAKE3 root and
 * length. The letter carries that name and the key, so only its recipient can read the file, and any holder of the blob can be asked for it: the relay that
 * keeps it, or the sender. The same bytes lie at all of them, and each packet proves itself against the name (engine/lockstep).
 *
 * SENDING. The host seals a copy into the blob store; the message, its letter and the file's row are one commit. From then on `outgoing-files.ts` has
 * one of the recipient's relays pull it from here (a write is a pull), and sees to it that one holds it until the recipient says `fetched`. A few files at a time:
 * `upload-turns.ts`. What is done in a turn: `upload-attempts.ts`.
 *
 * HOLDING. `relay-blobs.ts` is the relay's side: notes in the mail store within a quota, bytes in a blob store of its own.
 *
 * AND AFTER. The sealed copy here is deleted when nobody needs it any more, unless the conversation shows it: `own-copies.ts`.
 *
 * TAKING BACK. Who cancels a file says so to its recipient in a letter: `taking-back.ts`. What a relay says of it counts for nothing.
 *
 * WHO IS HERE gets it from us: with a recipient that is reached directly there is a session, and the relays wait while the file goes through that (`peer-offers.ts`).
 *
 * RECEIVING. `incoming-files.ts` fetches what is wanted: small files of contacts at once, others when the person asks for them; `file-ends.ts` does what is due when one
 * is here, or will not come. `blob-download.ts` joins a
 * download to the disk: `blob-writer.ts` gathers, bounds what waits for the disk and stores snapshots, so that after a crash, a pause or a change of network it
 * goes on from what was verified. Whole files are read once more before they count as here.
 *
 * FOR EVERYBODY. Public data is a blob that is not sealed, under a name of its publisher's: `published.ts` (with `published-relays.ts`) tells our relays of it and
 * has them hold it, `fetch-named.ts` (with `named-search.ts` and `named-lookup.ts`) finds what others published and brings it here.
 *
 * NOTHING IS LOST. A full disk is a reason to wait, with what came kept. A row says what is to happen (`FileRow.stage`), the blob store says what is there,
 * and after a restart the two decide what is left to do. What is shown is derived from both.
 *
 * HOSTILE PEERS. Lengths are those of a letter that was opened or of a mailbox's quota; names of files are made safe on the way in; a relay that serves
 * what does not prove is left out by the download; strangers' files are never fetched unasked and relays hold nothing for strangers.
 */
import { earliestOf, type Due } from '../deadlines.ts';
import { fileFetchedMaximumBytes } from '../../../shared/file-views.ts';
import { plainBytesOf } from './file-sealing.ts';
import { IncomingFiles } from './incoming-files.ts';
import { isReleased, recipientOf } from './holder-drops.ts';
import { messageChange } from './message-change.ts';
import { OutgoingFiles } from './outgoing-files.ts';
import { PeerOffers } from './peer-offers.ts';
import { OwnCopies } from './own-copies.ts';
import { TakingBack } from './taking-back.ts';
import { toHex } from '../wire/bytes.ts';
import type { EngineChange } from '../engine-types.ts';
import type { FileStatus } from '../inspection-types.ts';
import type { SealedFile } from '../command-types.ts';
import type { Receipts } from '../mail/receipts.ts';
import type { ContactRow, FileRow, MessageRow, VisorChange } from '../mail/visor-store.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Content, ContentName, Instant, PublicKeyHex, ReceiptItem } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { HeldLimits } from './held-limits.ts';

type FileContent = Extract<Content, { kind: 'file' }>;

/** After the start the clock is corrected by relays first. */
const tidyFirstMs = 300_000;
const tidyMs = 3_600_000;

export class Files {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #incoming: IncomingFiles;
  readonly #outgoing: OutgoingFiles;
  readonly #copies: OwnCopies;
  readonly #takingBack: TakingBack;
  readonly #peerOffers: PeerOffers;
  #tidyAtMs = Infinity;

  constructor(context: VisorContext, shelf: BlobShelf, recipients: Recipients, links: RelayLinks, peers: PeerSessions, receipts: () => Receipts, isRegistered: (relay: string) => boolean, limits: HeldLimits, mayHaveLeft: (messageId: string) => boolean, isFetchedByName: (name: ContentName) => boolean) {
    this.#context = context;
    this.#takingBack = new TakingBack(context, receipts, mayHaveLeft);
    this.#shelf = shelf;
    this.#incoming = new IncomingFiles(context, shelf, links, peers, receipts, isRegistered, isFetchedByName);
    this.#peerOffers = new PeerOffers(context, shelf, peers);
    this.#outgoing = new OutgoingFiles(context, shelf, recipients, links, limits, {
      moved: (row) => { context.announce(messageChange(row)); },
      ended: () => { this.#copies.tidy(); },
      isTaken: (row, now) => this.#peerOffers.isTaken(row.messageId, now),
      over: (id) => { this.#peerOffers.end(id); },
    });
    this.#copies = new OwnCopies(context, shelf);
  }

  /** Takes up what the last run left. */
  start(now: Instant): void {
    for (const row of [...this.#context.memory.files.values()]) this.#begin(row, now);
    this.#incoming.removeRests();
    this.#copies.removeUnclaimed();
    this.#copies.tidy();
    this.#tidyAtMs = now.monotonicMs + tidyFirstMs;
  }

  /** The row of a file that is sent with a message; its blob is complete. */
  outgoingRow(message: MessageRow, file: SealedFile): FileRow {
    this.#shelf.added({ root: file.root, length: file.blobBytes });
    return {
      messageId: message.id, conversationId: message.conversationId, direction: 'out', name: file.name, mediaType: file.mediaType, key: file.key, sizeBytes: file.sizeBytes,
      root: file.root, blobBytes: file.blobBytes, stage: 'wanted', failure: undefined, heldBy: [], expiresAtMs: message.expiresAtMs,
    };
  }

  /** The row of a file that came with a letter. Only files of contacts are fetched unasked, and only small ones. */
  incomingRow(message: MessageRow, content: FileContent, standing: ContactRow['standing']): FileRow {
    const sizeBytes = plainBytesOf(content.blob.length) ?? 0;
    const row: FileRow = {
      messageId: message.id, conversationId: message.conversationId, direction: 'in', name: content.name, mediaType: content.mediaType, key: content.key.slice(), sizeBytes,
      root: content.blob.root.slice(), blobBytes: content.blob.length, stage: standing === 'contact' && sizeBytes <= fileFetchedMaximumBytes ? 'wanted' : 'offered', failure: undefined, heldBy: [],
      expiresAtMs: message.expiresAtMs,
    };
    return this.#takingBack.isNoted(row) ? this.#incoming.failed(row, 'taken-back') : row;
  }

  /** After the commit of a new row. */
  adopt(row: FileRow, now: Instant): void { this.#begin(row, now); }

  /** The recipient has all of these. `after` is for when that is committed. */
  fetched(sender: string, items: readonly ReceiptItem[]): { readonly changes: readonly VisorChange[]; readonly announce: readonly EngineChange[]; after(now: Instant): void } {
    const ended: FileRow[] = [];
    for (const { messageId } of items) {
      const row = this.#context.memory.files.get(toHex(messageId));
      if (row?.direction !== 'out' || recipientOf(row) !== sender || row.stage === 'ready') continue;
      ended.push({ ...row, stage: 'ready', failure: undefined, heldBy: this.#outgoing.owedBy(row, ended) });
    }
    return {
      changes: ended.map((row) => ({ kind: 'put-file', row })),
      announce: ended.map(messageChange),
      after: (now) => { for (const row of ended) this.#outgoing.release(row, now); if (ended.length > 0) this.#copies.tidy(); },
    };
  }

  /** Their sender gives these to nobody any more. `after` is for when that is committed. @param mayNote whether what has not come yet is remembered. */
  takenBack(sender: string, items: readonly ReceiptItem[], mayNote: boolean): { readonly changes: readonly VisorChange[]; readonly announce: readonly EngineChange[]; after(now: Instant): void } {
    const { rows, note } = this.#takingBack.heard(sender, items, mayNote);
    const failed = rows.map((row) => this.#incoming.failed(row, 'taken-back'));
    return {
      changes: [...failed.map((row) => ({ kind: 'put-file', row }) as const), ...note],
      announce: failed.map(messageChange),
      after: (now) => { for (const row of failed) this.#incoming.drop(row, now); },
    };
  }

  /** False when there is nothing to fetch. */
  fetch(id: string, now: Instant, done: () => void): boolean {
    const row = this.#context.memory.files.get(id);
    // What is not here any more can neither be sent again.
    if (row === undefined || row.stage === 'ready' || row.copy !== undefined || row.failure === 'taken-back') return false;
    if (row.stage === 'wanted') { this.#incoming.linkUpAll(now); this.#outgoing.kick(now); done(); return true; }
    const wanted: FileRow = { ...row, stage: 'wanted', failure: undefined, heldBy: row.direction === 'in' || isReleased(row) ? [] : row.heldBy };
    this.#context.commit([{ kind: 'put-file', row: wanted }], { announce: [messageChange(row)], done: (_applied, at) => { done(); this.#begin(wanted, at); } });
    return true;
  }

  pause(id: string, now: Instant, done: () => void): boolean {
    const row = this.#context.memory.files.get(id);
    if (row?.stage !== 'wanted') return false;
    const paused: FileRow = { ...row, stage: 'paused' };
    let open = row.direction === 'out' ? 1 : 2;
    const one = (): void => { open -= 1; if (open === 0) done(); };
    this.#context.commit([{ kind: 'put-file', row: paused }], { announce: [messageChange(row)], done: one });
    if (row.direction === 'out') this.#outgoing.end(id, now);
    else this.#incoming.pause(id, now, () => { this.#context.announce(messageChange(row)); one(); });
    return true;
  }

  cancel(id: string, now: Instant, done: () => void): boolean {
    const row = this.#context.memory.files.get(id);
    if (row === undefined || row.stage === 'ready') return false;
    if (row.direction === 'in') { this.#incoming.fail(row, 'cancelled', now, done); return true; }
    this.#outgoing.end(id, now);
    const cancelled: FileRow = { ...row, stage: 'failed', failure: 'cancelled', heldBy: this.#outgoing.owedBy(row) };
    // Both in one commit: after a crash between the two the recipient would wait until its time is over.
    const word = this.#takingBack.promise(row, now);
    this.#context.commit([{ kind: 'put-file', row: cancelled }, ...(word === undefined ? [] : [{ kind: 'put-outbox', row: word.row } as const])], {
      announce: [messageChange(row)],
      done: (_applied, at) => {
        done();
        word?.owe();
        this.#outgoing.release(cancelled, at);
        this.#copies.tidy();
      },
    });
    return true;
  }

  /** Somebody's relays, or records, are another matter now. */
  kick(now: Instant, recipient?: string): void { this.#outgoing.kick(now, recipient); }

  linkUp(link: RelayLink, now: Instant): void {
    if (link.purpose === 'own') this.#incoming.linkUp(link, now);
    // One of our relays may be one of theirs.
    this.#outgoing.kick(now);
  }

  /** Somebody is here, or can be reached more directly than before. */
  peerUp(publicKey: PublicKeyHex, now: Instant): void {
    this.#peerOffers.peerUp(publicKey);
    this.#incoming.peerUp(publicKey, now);
  }

  peerDown(publicKey: PublicKeyHex): void { this.#peerOffers.peerDown(publicKey); }

  status(row: FileRow, now: Instant): FileStatus { return row.direction === 'out' ? this.#outgoing.status(row, now) : this.#incoming.status(row, now); }

  handleTimeout(now: Instant): void {
    this.#tidy(now);
    this.#incoming.handleTimeout(now);
    this.#outgoing.handleTimeout(now);
  }

  pollTimeout(): Due | undefined {
    return earliestOf([{ atMs: this.#tidyAtMs, reason: 'look for files whose time is over' }, this.#incoming.pollTimeout(), this.#outgoing.pollTimeout()]);
  }

  /** Files that nobody moves are over when their time is. */
  #tidy(now: Instant): void {
    if (now.monotonicMs < this.#tidyAtMs) return;
    this.#tidyAtMs = now.monotonicMs + tidyMs;
    for (const row of [...this.#context.memory.files.values()]) {
      if ((row.stage !== 'paused' && row.stage !== 'offered') || row.expiresAtMs > this.#context.correctedWallMs(now)) continue;
      if (row.direction === 'in') this.#incoming.fail(row, 'expired', now);
      else this.#context.commit([{ kind: 'put-file', row: { ...row, stage: 'failed', failure: 'expired' } }], { announce: [messageChange(row)] });
    }
    this.#copies.tidy();
  }

  #begin(row: FileRow, now: Instant): void {
    if (row.direction === 'in' && (row.stage === 'ready' || row.stage === 'failed')) this.#incoming.ended(row, now);
    if (isReleased(row)) this.#outgoing.release(row, now);
    if (row.stage !== 'wanted') return;
    if (row.direction === 'out') {
      this.#outgoing.begin(row, now);
      this.#peerOffers.begin(row);
    }
    else this.#incoming.begin(row, now);
  }
}
