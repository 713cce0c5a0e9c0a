/**
 * Says to our relays that they need not hold a file for us any more. Which of them are still to be told stands in the file's row (`heldBy`),
 * committed together with its end, so that a crash or a relay that is away costs time and not the room in our mailbox.
 */
import { equalBytes } from '../wire/bytes.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant } from '../wire/types.ts';

const deadlineMs = 10_000;
/** Relays forget by themselves when a file's time is over; until then clocks may differ. */
const forgottenAfterMs = 86_400_000;

export class RelayDrops {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  /** Messages whose files some relays may still hold, each with those that are being told. */
  readonly #open = new Map<string, Set<string>>();

  constructor(context: VisorContext, links: RelayLinks) {
    this.#context = context;
    this.#links = links;
  }

  /** Who is to be told when this one ends: nobody while the same content is waited for with another message. */
  owedBy(row: FileRow): readonly string[] {
    for (const other of this.#context.memory.files.values()) {
      if (other.messageId !== row.messageId && other.direction === 'in' && isSame(other, row) && isOpen(other)) return [];
    }
    return [...this.#context.memory.relays.keys()];
  }

  /** After the commit of a row that ended. */
  begin(row: FileRow, now: Instant): void {
    if (row.heldBy.length === 0) { this.#forget(row); return; }
    const isOver = row.expiresAtMs + forgottenAfterMs <= this.#context.correctedWallMs(now);
    const known = isOver ? [] : row.heldBy.filter((relay) => this.#context.memory.relays.has(relay));
    if (known.length < row.heldBy.length) this.#note({ ...row, heldBy: known });
    if (known.length === 0) return;
    this.#open.set(row.messageId, new Set());
    for (const link of this.#links.all) if (known.includes(link.hint.publicKey)) this.#tell(row.messageId, link, now);
  }

  linkUp(link: RelayLink, now: Instant): void {
    for (const id of this.#open.keys()) this.#tell(id, link, now);
  }

  #tell(id: string, link: RelayLink, now: Instant): void {
    const relay = link.hint.publicKey;
    const row = this.#context.memory.files.get(id);
    const telling = this.#open.get(id);
    if (row === undefined || isOpen(row)) { this.#open.delete(id); return; }
    if (telling === undefined || telling.has(relay) || !row.heldBy.includes(relay) || link.purpose !== 'own' || link.state !== 'connected' || link.sessionId === undefined) return;
    telling.add(relay);
    const mailbox = { identity: this.#context.publicKey, deviceId: this.#context.device.deviceId };
    this.#context.directed.request(link.sessionId, { verb: 'drop', mailbox, name: { root: row.root, length: row.blobBytes } }, {
      deadlineMs,
      done: (outcome) => {
        telling.delete(relay);
        if (outcome.kind === 'answered' || outcome.kind === 'negative') this.#told(id, relay);
      },
    }, now);
  }

  #told(id: string, relay: string): void {
    const row = this.#context.memory.files.get(id);
    if (row === undefined || isOpen(row) || !row.heldBy.includes(relay)) return;
    const heldBy = row.heldBy.filter((one) => one !== relay);
    if (heldBy.length === 0) this.#open.delete(id);
    this.#note({ ...row, heldBy });
  }

  #note(row: FileRow): void {
    this.#context.commit([{ kind: 'put-file', row }], { done: () => { if (row.heldBy.length === 0) this.#forget(row); } });
  }

  /** Nothing happens any more with a file that is here: its row is on the disk, and need not be in memory. */
  #forget(row: FileRow): void {
    const { files } = this.#context.memory;
    if (row.stage === 'ready' && files.get(row.messageId) === row) files.delete(row.messageId);
  }
}

/** Still to come, or perhaps. */
export const isOpen = (row: FileRow): boolean => row.stage === 'offered' || row.stage === 'wanted' || row.stage === 'paused';
export const isSame = (left: FileRow, right: FileRow): boolean => left.blobBytes === right.blobBytes && equalBytes(left.root, right.root);
