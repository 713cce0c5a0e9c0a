/**
 * The copies here of files that we sent. Each is sealed when somebody attaches a file, and served from until nobody needs it: the recipient has all of it, or it
 * was cancelled, or its time is over. After that only pictures stay, because the conversation shows them, and of those the newest up to a bound.
 *
 * A copy goes in three steps: its row says that it is being freed, the blob is deleted, the row says that it is gone. Whatever moment a crash comes at, the next
 * start finds a row that says what is left to do. No blob is deleted that a row which says that it is here needs: another message may carry the same
 * content, and so may one of somebody who sent back what he had from us. A blob that was sealed just before a crash, and has no row, goes at the start.
 */
import { isShownPicture } from '../../../shared/file-views.ts';
import { nameKey } from '../directed/datum.ts';
import { messageChange } from './message-change.ts';
import { isOpen } from './relay-drops.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';

/** Of pictures that arrived and are shown: years of them for most people, and less than what one film takes. */
export const ownCopiesKeptBytes = 512 * 1_048_576;
/** Each has a row in memory. */
export const ownCopiesMaximum = 4_096;
/** Freed at once: the first start with this rule finds all that was ever sent. */
const freeingMaximum = 64;

export interface OwnCopiesBounds { readonly keptBytes: number; readonly keptMaximum: number }

export class OwnCopies {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #bounds: OwnCopiesBounds;
  /** Messages whose copies are being deleted now. */
  readonly #freeing = new Set<string>();

  constructor(context: VisorContext, shelf: BlobShelf, bounds: OwnCopiesBounds = { keptBytes: ownCopiesKeptBytes, keptMaximum: ownCopiesMaximum }) {
    this.#context = context;
    this.#shelf = shelf;
    this.#bounds = bounds;
  }

  /** Frees what is not needed any more; what could not be freed last time is tried again. */
  tidy(): void {
    const rows = [...this.#context.memory.files.values()];
    const needed = this.#needed(rows);
    const room = freeingMaximum - this.#freeing.size;
    const freed = [...this.#unneeded(rows, needed), ...rows.filter(({ copy }) => copy === 'freeing')].filter(({ messageId }) => !this.#freeing.has(messageId)).slice(0, Math.max(0, room));
    if (freed.length === 0) return;
    for (const { messageId } of freed) this.#freeing.add(messageId);
    this.#context.commit(freed.map((row) => ({ kind: 'put-file', row: { ...row, copy: 'freeing' } })), {
      announce: freed.map(messageChange),
      done: () => { for (const row of freed) this.#delete(row); },
    });
  }

  /** Blobs that were made for a message or a name which the last run did not live to commit. */
  removeUnclaimed(): void {
    for (const { name, unclaimed } of [...this.#shelf.all]) {
      if (unclaimed !== true || this.#isNamed(name)) continue;
      this.#context.received(name, ({ received }) => { if (!received && !this.#isNamed(name)) this.#shelf.ask<'delete'>({ op: 'delete', name }, () => undefined); });
    }
  }

  #isNamed(name: ContentName): boolean {
    const key = nameKey(name);
    for (const row of this.#context.memory.files.values()) if (keyOf(row) === key) return true;
    for (const { content } of this.#context.memory.published.values()) if (content !== undefined && nameKey(content) === key) return true;
    return false;
  }

  /** Copies that only take room, oldest first. */
  #unneeded(rows: readonly FileRow[], needed: ReadonlySet<string>): readonly FileRow[] {
    let keptBytes = 0;
    let kept = 0;
    const unneeded: FileRow[] = [];
    // The rows are in the order of their messages: what is shown counts from the newest on.
    for (const row of rows.toReversed()) {
      if (row.direction !== 'out' || row.copy !== undefined || needed.has(keyOf(row))) continue;
      if (isShown(row) && kept < this.#bounds.keptMaximum && keptBytes + row.blobBytes <= this.#bounds.keptBytes) {
        kept += 1;
        keptBytes += row.blobBytes;
      } else {
        // Older ones go before newer ones, though a smaller one might still fit.
        if (isShown(row)) kept = this.#bounds.keptMaximum;
        unneeded.push(row);
      }
    }
    return unneeded.reverse();
  }

  /** Blobs that something is still to be done with, whatever else is said about them. */
  #needed(rows: Iterable<FileRow>): ReadonlySet<string> {
    const needed = new Set<string>();
    for (const row of rows) if (isOpen(row) || (row.direction === 'in' && row.stage === 'ready')) needed.add(keyOf(row));
    for (const { content } of this.#context.memory.published.values()) if (content !== undefined) needed.add(nameKey(content));
    return needed;
  }

  #delete(row: FileRow): void {
    const name = nameOf(row);
    // Rows of files that came long ago are on the disk alone.
    this.#context.received(name, ({ received }) => {
      if (received || this.#isKept(row)) { this.#gone(row.messageId); return; }
      this.#shelf.ask<'delete'>({ op: 'delete', name }, (result) => {
        if (result.ok || result.failure === 'gone') this.#gone(row.messageId);
        else this.#freeing.delete(row.messageId);
      });
    });
  }

  /** By another message: it was sent again meanwhile, or is shown there. */
  #isKept(freed: FileRow): boolean {
    const key = keyOf(freed);
    const rows = [...this.#context.memory.files.values()].filter((row) => keyOf(row) === key);
    return this.#needed(rows).has(key) || rows.some((row) => row.direction === 'out' && row.copy === undefined && isShown(row));
  }

  #gone(messageId: string): void {
    const row = this.#context.memory.files.get(messageId);
    const done = (): void => {
      this.#freeing.delete(messageId);
      if (this.#freeing.size === 0) this.tidy();
    };
    if (row?.copy !== 'freeing') { done(); return; }
    this.#context.commit([{ kind: 'put-file', row: { ...row, copy: 'gone' } }], { done });
  }
}

const nameOf = (row: FileRow): ContentName => ({ root: row.root, length: row.blobBytes });
const keyOf = (row: FileRow): string => nameKey(nameOf(row));

/** The conversation shows the picture itself, from the copy. Of what failed it shows that it did. */
const isShown = (row: FileRow): boolean => row.stage === 'ready' && isShownPicture(row.mediaType, row.sizeBytes);
