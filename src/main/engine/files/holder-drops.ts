/**
 * Says to the relays of others that they need not hold a file of ours any more: its recipient has it, or we took it back. Which of them are still to be
 * told stands in the file's row (`heldBy`), committed together with its end, so that a crash or a relay that is away costs time and not the room in
 * somebody's mailbox. The counterpart for what our own relays hold for us is relay-drops.ts.
 */
import { Deadlines } from '../deadlines.ts';
import { isSame } from './relay-drops.ts';
import type { FileRow } from '../mail/visor-store.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { DeviceIdHex, Instant, RelayHint } from '../wire/types.ts';

const linkDeadlineMs = 5_000;
const dropDeadlineMs = 10_000;
/** After a failure, doubling. */
const retryMinimumMs = 5_000;
const retryMaximumMs = 600_000;
/** Relays forget by themselves when a file's time is over; until then clocks may differ. */
const forgottenAfterMs = 86_400_000;

interface Telling { failures: number; outstanding: number }

export class HolderDrops {
  readonly #context: VisorContext;
  readonly #recipients: Recipients;
  readonly #links: RelayLinks;
  readonly #open = new Map<string, Telling>();
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, recipients: Recipients, links: RelayLinks) {
    this.#context = context;
    this.#recipients = recipients;
    this.#links = links;
  }

  /**
   * Who is to be told when this one ends: nobody while the same content goes to the same person with another message.
   * @param endedToo messages whose files end in the same commit, before this one.
   */
  owedBy(row: FileRow, endedToo: readonly FileRow[] = []): readonly string[] {
    for (const other of this.#context.memory.files.values()) {
      if (other.messageId === row.messageId || other.direction !== 'out' || recipientOf(other) !== recipientOf(row) || !isSame(other, row)) continue;
      if (!isReleased(other) && !endedToo.some(({ messageId }) => messageId === other.messageId)) return [];
    }
    const relays = this.#recipients.known(recipientOf(row))?.relays ?? [];
    return [...new Set([...row.heldBy, ...relays.map(({ publicKey }) => publicKey)])];
  }

  /** After the commit of a row that ended, and for those that the last run left. */
  begin(row: FileRow, now: Instant): void {
    if (!isReleased(row) || row.heldBy.length === 0 || this.#open.has(row.messageId)) return;
    this.#open.set(row.messageId, { failures: 0, outstanding: 0 });
    this.#deadlines.set(row.messageId, now.monotonicMs);
  }

  /** Things changed for the better. */
  kick(now: Instant): void {
    for (const [id, telling] of this.#open) {
      telling.failures = 0;
      if (telling.outstanding === 0) this.#deadlines.set(id, now.monotonicMs);
    }
  }

  handleTimeout(now: Instant): void {
    for (let id = this.#deadlines.takeDue(now.monotonicMs); id !== undefined; id = this.#deadlines.takeDue(now.monotonicMs)) this.#tell(id, now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'tell relays of others to forget a file' };
  }

  #tell(id: string, now: Instant): void {
    const row = this.#owed(id);
    const telling = this.#open.get(id);
    if (row === undefined || telling === undefined) { this.#close(id); return; }
    const recipient = this.#recipients.known(recipientOf(row));
    const isOver = row.expiresAtMs + forgottenAfterMs <= this.#context.correctedWallMs(now);
    const hints = isOver ? [] : (recipient?.relays ?? []).filter(({ publicKey }) => row.heldBy.includes(publicKey));
    // Relays that the recipient has left forget its mailbox, and with it the file.
    if (recipient === undefined || hints.length < row.heldBy.length) this.#note({ ...row, heldBy: hints.map(({ publicKey }) => publicKey) });
    if (recipient === undefined || hints.length === 0) { this.#close(id); return; }
    telling.outstanding = hints.length;
    for (const hint of hints) this.#tellOne(row, hint, recipient.device.deviceId, telling, now);
  }

  #tellOne(row: FileRow, hint: RelayHint, deviceId: DeviceIdHex, telling: Telling, now: Instant): void {
    const finished = (isTold: boolean, at: Instant): void => {
      telling.outstanding -= 1;
      const owed = this.#owed(row.messageId);
      if (isTold && owed !== undefined) this.#note({ ...owed, heldBy: owed.heldBy.filter((relay) => relay !== hint.publicKey) });
      if (telling.outstanding > 0) return;
      if ((this.#owed(row.messageId)?.heldBy.length ?? 0) === 0) { this.#close(row.messageId); return; }
      this.#deadlines.set(row.messageId, at.monotonicMs + Math.min(retryMaximumMs, retryMinimumMs * 2 ** Math.min(telling.failures, 10)));
      telling.failures += 1;
    };
    const link = this.#links.deposit(hint, now);
    if (link === undefined) { finished(false, now); return; }
    this.#links.whenUp(link, linkDeadlineMs, now, (up, at) => {
      if (!up || link.sessionId === undefined) { finished(false, at); return; }
      const mailbox = { identity: recipientOf(row), deviceId };
      this.#context.directed.request(link.sessionId, { verb: 'drop', mailbox, name: { root: row.root, length: row.blobBytes } }, {
        deadlineMs: dropDeadlineMs,
        done: (outcome, then) => { finished(outcome.kind === 'answered' || outcome.kind === 'negative', then); },
      }, at);
    });
  }

  #owed(id: string): FileRow | undefined {
    const row = this.#context.memory.files.get(id);
    return row !== undefined && isReleased(row) ? row : undefined;
  }

  #note(row: FileRow): void { this.#context.commit([{ kind: 'put-file', row }]); }

  #close(id: string): void {
    this.#open.delete(id);
    this.#deadlines.clear(id);
  }
}

/** An outgoing file that nobody needs to hold any more. One that we only cannot serve ourselves is still fetched from who holds it. */
export const isReleased = (row: FileRow): boolean => row.direction === 'out' && (row.stage === 'ready' || (row.stage === 'failed' && row.failure === 'cancelled'));

/** Whom an outgoing file is for, or who sent an incoming one: a conversation's id is the other side's key and port. */
export const recipientOf = (row: FileRow): string => row.conversationId.split(':')[0] ?? '';
