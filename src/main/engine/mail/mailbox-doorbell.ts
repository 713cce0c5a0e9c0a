/**
 * Tells the owners of mailboxes that asking is worth while. One `notify` per session at a time, for all that came in a batch: it only says
 * how far the sequence has got, so a later one replaces an earlier one. Losing it costs a delay and nothing else.
 */
import { mailboxKey } from '../wire/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, Mailbox } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';
import type { MailboxOwners } from './mailbox-owners.ts';

/** As long as a visor can be out of reach without its session ending; when it registers anew it is told anew. */
const notifyDeadlineMs = 120_000;

export class Doorbell {
  readonly #context: MailboxContext;
  readonly #owners: MailboxOwners;
  readonly #news = new Map<string, { readonly mailbox: Mailbox; readonly sequence: number }>();
  /** Sessions with a `notify` under way, and what has to be told them after it (0 = nothing). */
  readonly #ringing = new Map<SessionId, number>();

  constructor(context: MailboxContext, owners: MailboxOwners) {
    this.#context = context;
    this.#owners = owners;
  }

  get hasNews(): boolean { return this.#news.size > 0; }

  /** Rings at the next `flush`, if the owner has a live session. */
  letterStored(mailbox: Mailbox, sequence: number): void {
    const key = mailboxKey(mailbox);
    if ((this.#news.get(key)?.sequence ?? 0) < sequence) this.#news.set(key, { mailbox, sequence });
  }

  sessionClosed(sessionId: SessionId): void { this.#ringing.delete(sessionId); }

  flush(now: Instant): void {
    const news = [...this.#news.values()];
    this.#news.clear();
    for (const { mailbox, sequence } of news) {
      for (const sessionId of this.#owners.sessionsOf(mailbox)) {
        const next = this.#ringing.get(sessionId);
        if (next === undefined) this.#ring(sessionId, mailbox, sequence, now);
        else this.#ringing.set(sessionId, Math.max(next, sequence));
      }
    }
  }

  #ring(sessionId: SessionId, mailbox: Mailbox, sequence: number, now: Instant): void {
    this.#ringing.set(sessionId, 0);
    this.#context.counters.count('notified');
    this.#context.environment.directed.request(sessionId, { verb: 'notify', epoch: this.#context.epoch, highestSequence: sequence }, {
      deadlineMs: notifyDeadlineMs,
      done: (outcome, at) => {
        const next = this.#ringing.get(sessionId) ?? 0;
        this.#ringing.delete(sessionId);
        if (next > sequence && outcome.kind !== 'session-lost' && this.#owners.sessionsOf(mailbox).includes(sessionId)) this.#ring(sessionId, mailbox, next, at);
      },
    }, now);
  }
}
