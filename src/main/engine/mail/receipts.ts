/**
 * Delivery and read receipts that we owe. They travel as sealed letters of their own kind, in a lane that ordinary letters cannot fill, and
 * cause no receipts themselves. While one receipt letter to a person is under way, further ones gather in the next: a thousand
 * letters fetched at once are answered by a handful of receipts.
 *
 * Of a letter that came in a session with its sender the answer there is the receipt. One is written with the letter all the same, because the
 * answer may be lost: its sender may have stopped waiting, and taken the letter back. It is kept back for a minute, and goes with all that came in that minute.
 */
import { Deadlines } from '../deadlines.ts';
import { decodeContent, encodeContent } from '../wire/content.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { randomFraction } from '../random.ts';
import { ttlDefaultSeconds } from '../../../shared/views.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, ReceiptItem } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxRow, VisorChange } from './visor-store.ts';

const itemsMaximum = 60;
/** Read receipts are delayed at random so that they say less about when somebody sits at the screen (notes: peers, section 5). */
const readDelayMinimumMs = 1_000;
const readDelayMaximumMs = 20_000;
/**
 * How long a receipt is kept back whose letter was answered in a session. Nearly all senders have heard the answer, and those who have not lay the letter at our relays
 * within seconds, where a copy is receipted whatever came before: so this is for few, and one receipt letter a minute is enough for a conversation.
 */
export const keptBackMs = 60_000;
/** How long a receipt stays open for more while another one is under way. */
const openForMs = 1_000;

export type ReceiptKind = 'delivered' | 'read' | 'fetched' | 'taken-back';

/** A receipt row that was written together with the letter it is for. `isKept` is false when the letter had been seen before, and nothing was written. */
interface Promised { readonly row: OutboxRow; readonly isKept: boolean }

/** A receipt that is not sent at once, because the sender most likely knows. */
interface KeptBack { readonly row: OutboxRow; readonly item: ReceiptItem; readonly sessionId: SessionId }

interface Gathering {
  readonly kind: ReceiptKind;
  readonly recipient: string;
  readonly port: number;
  readonly items: ReceiptItem[];
  readonly settled: (() => void)[];
  readonly promised: Promised[];
}

export class Receipts {
  readonly #context: VisorContext;
  readonly #outbox: () => Outbox;
  readonly #gathering = new Map<string, Gathering>();
  /** Rows of letters whose commit is under way: nobody else may add to them. */
  readonly #promised = new Set<string>();
  /** By row. */
  readonly #keptBack = new Map<string, KeptBack>();
  readonly #deadlines = new Deadlines();
  readonly #peers: PeerSessions;

  constructor(context: VisorContext, outbox: () => Outbox, peers: PeerSessions) {
    this.#context = context;
    this.#outbox = outbox;
    this.#peers = peers;
  }

  /**
   * The receipt for one letter or file, to be committed in its own transaction: a crash right after must not leave a letter that was shown and
   * whose sender never hears of it, for the relay may have been told to give it back by then. `owe` or `keepBack` takes it up.
   * @param isWanted false when it is not likely to be sent: then it is not sealed yet.
   */
  promise(kind: ReceiptKind, recipient: string, port: number, item: ReceiptItem, now: Instant, isWanted = true): OutboxRow {
    const unsealed = this.#unsealedRow(kind, recipient, port, [item], now);
    const row = isWanted && this.#mayGoNow(recipient) ? this.#outbox().sealedNow(unsealed, now) : unsealed;
    this.#promised.add(row.id);
    return row;
  }

  /** The receipt of a letter whose sender is told in that session. Nothing is kept of one that had been seen before: whoever asks again hears the answer again. */
  keepBack(sessionId: SessionId, item: ReceiptItem, { row, isKept }: Promised, now: Instant): void {
    this.#promised.delete(row.id);
    if (!isKept) { this.#context.commit([{ kind: 'delete-outbox', id: row.id }]); return; }
    const kept: KeptBack = { row, item: { messageId: item.messageId.slice(), atMs: item.atMs }, sessionId };
    this.#keptBack.set(row.id, kept);
    if (this.#peers.session(row.recipient) === sessionId) this.#deadlines.set(row.id, now.monotonicMs + keptBackMs);
    else this.#release(kept);
  }

  /** Answers that were on their way in it may be lost: the receipts go. */
  sessionGone(sessionId: SessionId): void {
    for (const kept of [...this.#keptBack.values()]) if (kept.sessionId === sessionId) this.#release(kept);
  }

  handleTimeout(now: Instant): void {
    for (let id = this.#deadlines.takeDue(now.monotonicMs); id !== undefined; id = this.#deadlines.takeDue(now.monotonicMs)) {
      const recipient = this.#keptBack.get(id)?.row.recipient;
      // All that they are owed goes together.
      for (const kept of [...this.#keptBack.values()]) if (kept.row.recipient === recipient) this.#release(kept);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'receipt kept back' };
  }

  #release({ row, item }: KeptBack): void {
    this.#keptBack.delete(row.id);
    this.#deadlines.clear(row.id);
    this.#promised.add(row.id);
    this.owe('delivered', row.recipient, row.destinationPort, item, () => undefined, { row, isKept: true });
  }

  /** `settled` runs when the receipt is committed, so that a letter is acknowledged only after. Gathered until `flush`. */
  owe(kind: ReceiptKind, recipient: string, port: number, item: ReceiptItem, settled: () => void, promised?: Promised): void {
    const key = `${kind} ${recipient} ${String(port)}`;
    const gathering = this.#gathering.get(key) ?? { kind, recipient, port, items: [], settled: [], promised: [] };
    gathering.settled.push(settled);
    if (promised !== undefined) gathering.promised.push(promised);
    // Copies from two relays, or of two sealings, are one message and one receipt.
    if (!gathering.items.some((known) => equalBytes(known.messageId, item.messageId))) gathering.items.push({ messageId: item.messageId.slice(), atMs: item.atMs });
    this.#gathering.set(key, gathering);
  }

  /** Called once after each round of commits. */
  flush(now: Instant): void {
    for (const [key, gathering] of [...this.#gathering]) {
      this.#gathering.delete(key);
      const done = (): void => { for (const settled of gathering.settled) settled(); };
      const [single] = gathering.promised;
      const open = this.#openRow(gathering);
      for (const { row } of gathering.promised) this.#promised.delete(row.id);
      if (open === undefined && single?.isKept === true && gathering.promised.length === 1 && gathering.items.length === 1) {
        // The common case of a conversation: the row that came with the letter is the receipt.
        done();
        this.#outbox().adopt(single.row, now);
        continue;
      }
      // Many letters at once: their rows become a few full ones, in one transaction.
      const replaced: VisorChange[] = gathering.promised.map(({ row }) => ({ kind: 'delete-outbox', id: row.id }));
      let rest: readonly ReceiptItem[] = gathering.items;
      if (open !== undefined) {
        const known = this.#items(open);
        const room = itemsMaximum - known.length;
        const items = [...known, ...rest.slice(0, room)];
        rest = rest.slice(room);
        const row: OutboxRow = { ...open, sealed: undefined, content: encodeContent({ kind: gathering.kind, items }) };
        replaced.push({ kind: 'put-outbox', row });
      }
      const rows: OutboxRow[] = [];
      for (let start = 0; start < rest.length; start += itemsMaximum) rows.push(this.#newRow(gathering, rest.slice(start, start + itemsMaximum), now));
      const busy = this.#isBusy(gathering.recipient);
      this.#context.commit([...replaced, ...rows.map((row): VisorChange => ({ kind: 'put-outbox', row }))], {
        done: (_applied, at) => {
          done();
          for (const row of rows) this.#adopt(row, gathering.kind, busy, at);
        },
      });
    }
  }

  /** A receipt row that has room and has not left: not sealed yet, or sealed and waiting for a relay that cannot be reached. */
  #openRow(gathering: Gathering): OutboxRow | undefined {
    for (const row of this.#context.memory.outbox.values()) {
      if (row.kind === 'receipt' && !this.#isSpokenFor(row.id) && row.recipient === gathering.recipient && row.destinationPort === gathering.port && (row.sealed === undefined || this.#outbox().neverLeft(row.id))
        && row.stage === 'deposit' && decodeContent(row.content)?.kind === gathering.kind && this.#items(row).length < itemsMaximum) return row;
    }
    return undefined;
  }

  #items(row: OutboxRow): readonly ReceiptItem[] {
    const content = decodeContent(row.content);
    return content?.kind === 'delivered' || content?.kind === 'read' || content?.kind === 'fetched' || content?.kind === 'taken-back' ? content.items : [];
  }

  #unsealedRow(kind: ReceiptKind, recipient: string, port: number, items: readonly ReceiptItem[], now: Instant): OutboxRow {
    return {
      id: toHex(this.#context.random(16)), recipient, destinationPort: port, sourcePort: port, kind: 'receipt', content: encodeContent({ kind, items }), sequence: 0,
      queuedAtMs: now.wallMs, ttlSeconds: ttlDefaultSeconds, expiresAtMs: this.#context.correctedWallMs(now) + ttlDefaultSeconds * 1000, attempts: 0,
      lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
    };
  }

  #newRow(gathering: Gathering, items: readonly ReceiptItem[], now: Instant): OutboxRow {
    const unsealed = this.#unsealedRow(gathering.kind, gathering.recipient, gathering.port, items, now);
    return gathering.kind === 'delivered' && this.#mayGoNow(gathering.recipient) ? this.#outbox().sealedNow(unsealed, now) : unsealed;
  }

  #adopt(row: OutboxRow, kind: ReceiptKind, busy: boolean, now: Instant): void {
    const readDelayMs = readDelayMinimumMs + Math.floor(randomFraction(this.#context.random) * (readDelayMaximumMs - readDelayMinimumMs));
    // While another receipt to the same person is under way this one stays open for more; `receiptFinished` sends it.
    this.#outbox().adopt(row, now, kind === 'read' ? readDelayMs : busy ? openForMs : 0);
  }

  /** A receipt to that person is under way, or waits for a relay. */
  #isBusy(recipient: string): boolean {
    for (const row of this.#context.memory.outbox.values()) if (row.kind === 'receipt' && row.recipient === recipient && !this.#isSpokenFor(row.id)) return true;
    return false;
  }

  #isSpokenFor(id: string): boolean { return this.#promised.has(id) || this.#keptBack.has(id); }

  #mayGoNow(recipient: string): boolean {
    const standing = this.#context.memory.contacts.get(recipient)?.standing;
    return (standing === 'contact' || standing === 'pending') && this.#promised.size === 0 && !this.#isBusy(recipient);
  }

  /** One receipt letter is held by its relays: the next may go. */
  receiptFinished(finished: OutboxRow, now: Instant): void {
    if (finished.kind !== 'receipt') return;
    this.#outbox().kick(now, (row) => row.kind === 'receipt' && row.recipient === finished.recipient && decodeContent(row.content)?.kind === 'delivered');
  }
}
