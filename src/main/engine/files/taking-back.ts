/**
 * The word that a file is taken back. Its sender owes it to the recipient from the commit on in which the file is cancelled, as a sealed letter like the receipts; only
 * such a letter counts, for it is the sender's own. It may come before the message that it is about, when that was held by another relay: then it is noted.
 */
import { maskMessageId } from '../mail/message-mask.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { recipientOf } from './holder-drops.ts';
import { isOpen } from './relay-drops.ts';
import type { Receipts } from '../mail/receipts.ts';
import type { FileRow, OutboxRow, VisorChange } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, ReceiptItem } from '../wire/types.ts';

const notedKey = 'files-taken-back';
/** Messages that are noted at once: few ever are, and the oldest have long come or never will. */
const notedMaximum = 128;

export class TakingBack {
  readonly #context: VisorContext;
  readonly #receipts: () => Receipts;
  readonly #mayHaveLeft: (messageId: string) => boolean;

  /** @param mayHaveLeft whether a letter could be with its recipient; also of one that is done. */
  constructor(context: VisorContext, receipts: () => Receipts, mayHaveLeft: (messageId: string) => boolean) {
    this.#context = context;
    this.#receipts = receipts;
    this.#mayHaveLeft = mayHaveLeft;
  }

  /** To be committed with the end of an outgoing file; `owe` after that. Undefined when its recipient cannot have heard of it, or is to hear nothing from us. */
  promise(row: FileRow, now: Instant): { readonly row: OutboxRow; owe(): void } | undefined {
    const recipient = recipientOf(row);
    const messageId = fromHex(row.messageId);
    const standing = this.#context.memory.contacts.get(recipient)?.standing;
    if (messageId === undefined || (standing !== 'contact' && standing !== 'pending') || !this.#mayHaveLeft(row.messageId)) return undefined;
    const port = Number(row.conversationId.split(':')[1] ?? '1');
    const item: ReceiptItem = { messageId, atMs: now.wallMs };
    const promised = this.#receipts().promise('taken-back', recipient, port, item, now);
    return { row: promised, owe: () => { this.#receipts().owe('taken-back', recipient, port, item, () => undefined, { row: promised, isKept: true }); } };
  }

  /** Which incoming files are over, and what is to be noted of those that have not come. */
  heard(sender: string, items: readonly ReceiptItem[], mayNote: boolean): { readonly rows: readonly FileRow[]; readonly note: readonly VisorChange[] } {
    const rows: FileRow[] = [];
    const noted = [...this.#noted()];
    for (const item of items) {
      // The sender's own id, masked as that of his message was: nobody can name a message of somebody else.
      const id = toHex(maskMessageId(this.#context, sender, item.messageId));
      const row = this.#context.memory.files.get(id);
      if (row === undefined) {
        if (mayNote && !noted.includes(id)) noted.push(id);
      } else if (row.direction === 'in' && recipientOf(row) === sender && isOpen(row)) rows.push(row);
    }
    const isNews = noted.length > this.#noted().length;
    return { rows, note: isNews ? [{ kind: 'put-value', key: notedKey, value: JSON.stringify(noted.slice(-notedMaximum)) }] : [] };
  }

  /** Its sender had taken it back before its message came. */
  isNoted(row: FileRow): boolean { return this.#noted().includes(row.messageId); }

  /** What does not parse says nothing. */
  #noted(): readonly string[] {
    try {
      const value: unknown = JSON.parse(this.#context.memory.values.get(notedKey) ?? '[]');
      return Array.isArray(value) ? value.filter((id: unknown): id is string => typeof id === 'string').slice(-notedMaximum) : [];
    } catch {
      return [];
    }
  }
}
