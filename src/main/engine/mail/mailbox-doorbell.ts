/**
 * Tells the owners of mailboxes that asking is worth while. One `notify` per session at a time, for all that came in a batch: it says how far
 * the sequence has got, so a later one replaces an earlier one. Losing it costs a delay and nothing else.
 *
 * A short letter for an owner who is here goes into the `notify` itself, which spares a conversation the round trip of a `list`. It counts as
 * fetched when the owner has answered, and stays stored until it is acknowledged, like one that was listed.
 */
import { mailboxKey } from '../wire/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, ListEntry, Mailbox } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';
import type { MailboxOwners } from './mailbox-owners.ts';

/** As long as a visor can be out of reach without its session ending; when it registers anew it is told anew. */
const notifyDeadlineMs = 120_000;
/** A letter that is shown is repeated for less than any letter lives, and not long after its sender took it back; then the owner is only told to ask. */
const showDeadlineMs = 2_000;
/** As in a listing: the smallest bucket and its tag. */
export const shownBodyMaximumBytes = 272;

interface News { readonly mailbox: Mailbox; readonly sequence: number; readonly entry: ListEntry | undefined }

export class Doorbell {
  readonly #context: MailboxContext;
  readonly #owners: MailboxOwners;
  readonly #news = new Map<string, News>();
  /** Sessions with a `notify` under way, and what has to be told them after it (0 = nothing). */
  readonly #ringing = new Map<SessionId, number>();

  constructor(context: MailboxContext, owners: MailboxOwners) {
    this.#context = context;
    this.#owners = owners;
  }

  get hasNews(): boolean { return this.#news.size > 0; }

  /** Rings at the next `flush`, if the owner has a live session. `entry`: the letter, when it is short enough to be shown. */
  letterStored(mailbox: Mailbox, sequence: number, entry?: ListEntry): void {
    const key = mailboxKey(mailbox);
    const known = this.#news.get(key);
    // The first of several: it is the one that the owner expects next.
    if (known === undefined) this.#news.set(key, { mailbox, sequence, entry });
    else if (known.sequence < sequence) this.#news.set(key, { ...known, sequence });
  }

  sessionClosed(sessionId: SessionId): void { this.#ringing.delete(sessionId); }

  flush(now: Instant): void {
    if (this.#news.size === 0) return;
    const news = [...this.#news.values()];
    this.#news.clear();
    for (const one of news) {
      for (const sessionId of this.#owners.sessionsOf(one.mailbox)) {
        const next = this.#ringing.get(sessionId);
        if (next === undefined) this.#ring(sessionId, one, now);
        else this.#ringing.set(sessionId, Math.max(next, one.sequence));
      }
    }
  }

  #ring(sessionId: SessionId, { mailbox, sequence, entry }: News, now: Instant): void {
    this.#ringing.set(sessionId, 0);
    this.#context.counters.count('notified');
    this.#context.environment.directed.request(sessionId, { verb: 'notify', epoch: this.#context.epoch, highestSequence: sequence, entry }, {
      deadlineMs: entry === undefined ? notifyDeadlineMs : showDeadlineMs,
      done: (outcome, at) => {
        const after = this.#ringing.get(sessionId) ?? 0;
        const next = entry !== undefined && outcome.kind !== 'answered' ? Math.max(after, sequence) : after > sequence ? after : 0;
        this.#ringing.delete(sessionId);
        if (entry !== undefined && outcome.kind === 'answered') this.#markShown(mailbox, entry, at);
        if (next > 0 && outcome.kind !== 'session-lost' && this.#owners.sessionsOf(mailbox).includes(sessionId)) this.#ring(sessionId, { mailbox, sequence: next, entry: undefined }, at);
      },
    }, now);
  }

  #markShown(mailbox: Mailbox, { letterId }: ListEntry, now: Instant): void {
    this.#context.store<'shown'>({ op: 'shown', mailbox, letterId, elapsedMs: this.#context.elapsedMs(now) }, () => undefined);
  }
}
