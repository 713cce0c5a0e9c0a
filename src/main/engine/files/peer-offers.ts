/**
 * Files for somebody who is here: offered to them for as long as there is a session with them, so that they need not wait for a relay to have it first. A recipient who takes
 * the file from us directly has all of our line: relays are asked to hold it when that comes to a stop.
 */
import { openBlobDatum, type BlobDatum } from './blob-datum.ts';
import { recipientOf } from './holder-drops.ts';
import { PieceCache } from './piece-cache.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant, PublicKeyHex } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';

/** Each has its tree in memory; the others go by relays. */
const offersMaximum = 64;
/** Without a request for so long, nobody is taking it. */
const takenWithinMs = 5_000;

interface Offer { readonly name: ContentName; readonly recipient: PublicKeyHex; datum: BlobDatum | undefined }

export class PeerOffers {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #peers: PeerSessions;
  readonly #offers = new Map<string, Offer>();
  readonly #pieces = new PieceCache();

  constructor(context: VisorContext, shelf: BlobShelf, peers: PeerSessions) {
    this.#context = context;
    this.#shelf = shelf;
    this.#peers = peers;
  }

  /** One that is to be sent, if its recipient is here. */
  begin(row: FileRow): void {
    const recipient = recipientOf(row);
    const name: ContentName = { root: row.root, length: row.blobBytes };
    const isWanted = row.direction === 'out' && row.stage === 'wanted' && this.#peers.session(recipient) !== undefined;
    if (!isWanted || this.#offers.has(row.messageId) || this.#offers.size >= offersMaximum || !this.#shelf.isComplete(name)) return;
    const offer: Offer = { name, recipient, datum: undefined };
    this.#offers.set(row.messageId, offer);
    openBlobDatum(this.#shelf.ask, this.#context.crypto.tree, this.#pieces, name, (datum) => {
      if (this.#offers.get(row.messageId) !== offer) return;
      // What is wrong with it is found out, and said, by the upload.
      if (typeof datum === 'string') { this.#offers.delete(row.messageId); return; }
      offer.datum = datum;
      this.#context.directed.publisher.offerDatum(name, datum);
    });
  }

  end(messageId: string): void {
    const offer = this.#offers.get(messageId);
    this.#offers.delete(messageId);
    if (offer?.datum !== undefined) this.#context.directed.publisher.withdraw(offer.name);
  }

  peerUp(publicKey: PublicKeyHex): void {
    for (const row of this.#context.memory.files.values()) if (recipientOf(row) === publicKey) this.begin(row);
  }

  peerDown(publicKey: PublicKeyHex): void {
    for (const [messageId, { recipient }] of [...this.#offers]) if (recipient === publicKey) this.end(messageId);
  }

  /** Its recipient is taking it from us. */
  isTaken(messageId: string, now: Instant): boolean {
    const { datum, recipient } = this.#offers.get(messageId) ?? {};
    return datum !== undefined && recipient !== undefined && this.#peers.session(recipient) !== undefined && datum.servedAtMs > 0 && now.monotonicMs - datum.servedAtMs < takenWithinMs;
  }
}
