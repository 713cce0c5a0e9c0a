/**
 * Delivery and read receipts that we owe. They travel as sealed letters of their own kind, in a lane that ordinary letters cannot fill, and
 * cause no receipts themselves. While one receipt letter to a person is under way, further ones gather in the next: a thousand
 * letters fetched at once are answered by a handful of receipts.
 */
import { decodeContent, encodeContent } from '../wire/content.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { randomFraction } from '../random.ts';
import { ttlDefaultSeconds } from '../../../shared/views.ts';
import type { Instant, ReceiptItem } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxRow } from './visor-store.ts';

const itemsMaximum = 60;
/** Read receipts are delayed at random so that they say less about when somebody sits at the screen (notes: peers, section 5). */
const readDelayMinimumMs = 1_000;
const readDelayMaximumMs = 20_000;

export type ReceiptKind = 'delivered' | 'read';

interface Gathering { readonly kind: ReceiptKind; readonly recipient: string; readonly port: number; readonly items: ReceiptItem[]; readonly settled: (() => void)[] }

export class Receipts {
  readonly #context: VisorContext;
  readonly #outbox: () => Outbox;
  readonly #gathering = new Map<string, Gathering>();

  constructor(context: VisorContext, outbox: () => Outbox) {
    this.#context = context;
    this.#outbox = outbox;
  }

  /** `settled` runs when the receipt is committed, so that a letter is acknowledged only after. Gathered until `flush`. */
  owe(kind: ReceiptKind, recipient: string, port: number, item: ReceiptItem, settled: () => void): void {
    const key = `${kind} ${recipient} ${String(port)}`;
    const gathering = this.#gathering.get(key) ?? { kind, recipient, port, items: [], settled: [] };
    gathering.settled.push(settled);
    // Copies from two relays, or of two sealings, are one message and one receipt.
    if (!gathering.items.some((known) => equalBytes(known.messageId, item.messageId))) gathering.items.push({ messageId: item.messageId.slice(), atMs: item.atMs });
    this.#gathering.set(key, gathering);
  }

  /** Called once after each round of commits. */
  flush(now: Instant): void {
    for (const [key, gathering] of [...this.#gathering]) {
      this.#gathering.delete(key);
      let rest: readonly ReceiptItem[] = gathering.items;
      const open = this.#openRow(gathering);
      const done = (): void => { for (const settled of gathering.settled) settled(); };
      if (open !== undefined) {
        const known = this.#items(open);
        const room = itemsMaximum - known.length;
        const items = [...known, ...rest.slice(0, room)];
        rest = rest.slice(room);
        const row: OutboxRow = { ...open, sealed: undefined, content: encodeContent({ kind: gathering.kind, items }) };
        this.#context.commit([{ kind: 'put-outbox', row }], rest.length === 0 ? { done } : {});
      }
      for (let start = 0; start < rest.length; start += itemsMaximum) {
        const last = start + itemsMaximum >= rest.length;
        this.#newRow(gathering, rest.slice(start, start + itemsMaximum), now, last ? done : undefined);
      }
    }
  }

  /** A receipt row that has room and has not left: not sealed yet, or sealed and waiting for a relay that cannot be reached. */
  #openRow(gathering: Gathering): OutboxRow | undefined {
    for (const row of this.#context.memory.outbox.values()) {
      if (row.kind === 'receipt' && row.recipient === gathering.recipient && row.destinationPort === gathering.port && (row.sealed === undefined || this.#outbox().neverLeft(row.id))
        && row.stage === 'deposit' && decodeContent(row.content)?.kind === gathering.kind && this.#items(row).length < itemsMaximum) return row;
    }
    return undefined;
  }

  #items(row: OutboxRow): readonly ReceiptItem[] {
    const content = decodeContent(row.content);
    return content?.kind === 'delivered' || content?.kind === 'read' ? content.items : [];
  }

  #newRow(gathering: Gathering, items: readonly ReceiptItem[], now: Instant, done: (() => void) | undefined): void {
    const ttlSeconds = ttlDefaultSeconds;
    const unsealed: OutboxRow = {
      id: toHex(this.#context.random(16)), recipient: gathering.recipient, destinationPort: gathering.port, sourcePort: gathering.port, kind: 'receipt',
      content: encodeContent({ kind: gathering.kind, items }), sequence: 0, queuedAtMs: now.wallMs, ttlSeconds,
      expiresAtMs: this.#context.correctedWallMs(now) + ttlSeconds * 1000, attempts: 0, lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
    };
    const standing = this.#context.memory.contacts.get(gathering.recipient)?.standing;
    const busy = [...this.#context.memory.outbox.values()].some((row) => row.kind === 'receipt' && row.recipient === gathering.recipient);
    const delayMs = gathering.kind === 'read' ? readDelayMinimumMs + Math.floor(randomFraction(this.#context.random) * (readDelayMaximumMs - readDelayMinimumMs)) : 0;
    const sealNow = !busy && delayMs === 0 && (standing === 'contact' || standing === 'pending');
    const row = sealNow ? this.#outbox().sealedNow(unsealed, now) : unsealed;
    this.#context.commit([{ kind: 'put-outbox', row }], {
      done: (_applied, at) => {
        done?.();
        // While another receipt to the same person is under way this one stays open for more; `receiptFinished` sends it.
        if (!busy || delayMs > 0) this.#outbox().adopt(row, at, delayMs);
        else this.#outbox().adopt(row, at, 1_000);
      },
    });
  }

  /** One receipt letter is held by its relays: the next may go. */
  receiptFinished(finished: OutboxRow, now: Instant): void {
    if (finished.kind !== 'receipt') return;
    this.#outbox().kick(now, (row) => row.kind === 'receipt' && row.recipient === finished.recipient && decodeContent(row.content)?.kind === 'delivered');
  }
}
