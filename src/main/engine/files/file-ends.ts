/**
 * How files that others sent us end: all of one is here, or it will not come. Then the relays may forget it, and the sender is told; what came of one that will not come is
 * removed, unless the same content is here, or on its way, with another message.
 */
import { nameKey } from '../directed/datum.ts';
import { maskMessageId } from '../mail/message-mask.ts';
import { fromHex } from '../wire/bytes.ts';
import { recipientOf } from './holder-drops.ts';
import { messageChange } from './message-change.ts';
import { RelayDrops, isOpen, isSame } from './relay-drops.ts';
import type { Receipts } from '../mail/receipts.ts';
import type { FileRow, OutboxRow } from '../mail/visor-store.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant, ReceiptItem } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';

export class FileEnds {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #receipts: () => Receipts;
  /** Stops fetching it. `done` runs when what came is durable. */
  readonly #stop: (id: string, now: Instant, done: (now: Instant) => void) => void;
  readonly #drops: RelayDrops;
  readonly #isFetchedByName: (name: ContentName) => boolean;

  constructor(context: VisorContext, shelf: BlobShelf, links: RelayLinks, receipts: () => Receipts, isFetchedByName: (name: ContentName) => boolean, stop: (id: string, now: Instant, done: (now: Instant) => void) => void) {
    this.#isFetchedByName = isFetchedByName;
    this.#context = context;
    this.#shelf = shelf;
    this.#receipts = receipts;
    this.#stop = stop;
    this.#drops = new RelayDrops(context, links);
  }

  /** All of it is here, durably. */
  completed(row: FileRow, now: Instant): void {
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
  }

  /** It will not come. What came of it is removed, unless the same content is here, or on its way, with another message. */
  fail(row: FileRow, failure: NonNullable<FileRow['failure']>, now: Instant, done: () => void = () => undefined): void {
    const failed = this.failed(row, failure);
    this.#context.commit([{ kind: 'put-file', row: failed }], { announce: [messageChange(row)], done: (_applied, at) => { done(); this.#drops.begin(failed, at); } });
    // Not before: one that is wanted keeps its parts.
    this.#removeParts(failed, now);
  }

  /** The row of one that will not come. Whoever commits it calls `drop` after that. */
  failed(row: FileRow, failure: NonNullable<FileRow['failure']>): FileRow { return { ...row, stage: 'failed', failure, heldBy: this.#drops.owedBy(row) }; }

  drop(failed: FileRow, now: Instant): void {
    // All of it may have come meanwhile.
    if (this.#context.memory.files.get(failed.messageId) !== failed) return;
    this.#removeParts(failed, now);
    this.#drops.begin(failed, now);
  }

  /** Left over from the last run: our relays may not know yet. */
  ended(row: FileRow, now: Instant): void { this.#drops.begin(row, now); }

  /** Parts of files that nobody waits for: power failed between the end of one and their removal. */
  removeRests(): void {
    const needed = new Set<string>();
    for (const row of this.#context.memory.files.values()) if (row.direction === 'in' && isOpen(row)) needed.add(nameKey({ root: row.root, length: row.blobBytes }));
    for (const { name, complete } of [...this.#shelf.all]) {
      if (!complete && !needed.has(nameKey(name)) && !this.#isFetchedByName(name)) this.#shelf.ask<'delete'>({ op: 'delete', name }, () => undefined);
    }
  }

  /** One of our relays is there: it may not know yet. */
  linkUp(link: RelayLink, now: Instant): void { this.#drops.linkUp(link, now); }

  #removeParts(row: FileRow, now: Instant): void {
    const name = { root: row.root, length: row.blobBytes };
    const mayRemove = !this.#shelf.isComplete(name);
    this.#stop(row.messageId, now, () => {
      // A sender may name anything in a letter: nothing goes that we fetch for ourselves.
      if (mayRemove && !this.#isNeeded(row) && !this.#isFetchedByName(name)) this.#shelf.ask<'delete'>({ op: 'delete', name }, () => undefined);
    });
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

  /** The same content is to come, or came, with another message. */
  #isNeeded(row: FileRow): boolean {
    for (const other of this.#context.memory.files.values()) {
      if (other.messageId !== row.messageId && isSame(other, row) && other.stage !== 'failed') return true;
    }
    return this.#context.memory.files.get(row.messageId)?.stage === 'wanted';
  }
}
