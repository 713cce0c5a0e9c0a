/** What the parts of the mailbox role share: environment, clock, counters, and how an answer says no. */
import { Counters } from '../directed/counters.ts';
import { MailClock } from './mail-clock.ts';
import type { Answer } from '../directed/types.ts';
import type { Instant, NegativeCode } from '../wire/types.ts';
import type { MailboxQuota, MailRequest, MailOperation, MailResults } from './mail-store.ts';
import type { MailboxEnvironment } from './mailbox-types.ts';

/** One mailbox (notes: peers, section 3, queue quota); strangers get 5 % of it (architecture 7). */
export const mailboxQuota: MailboxQuota = { letters: 1_000, bytes: 32 * 1_048_576, lettersPerToken: 128, strangerLetters: 50, receipts: 2_000 };

export class MailboxContext {
  readonly environment: MailboxEnvironment;
  readonly epoch: Uint8Array;
  readonly clock: MailClock;
  readonly counters = new Counters();
  /** Something was asked of the store since the last tick. */
  active = false;
  /** Of one mailbox here. */
  readonly quota: MailboxQuota;

  constructor(environment: MailboxEnvironment, opened: MailResults['open'], now: Instant) {
    this.environment = environment;
    this.quota = quotaFor(environment.policy.mailbox);
    this.epoch = opened.epoch.slice();
    this.clock = new MailClock(opened.elapsedMs, opened.lastWallMs, now);
  }

  /** Whole milliseconds: a store keeps integers. */
  elapsedMs(now: Instant): number { return Math.floor(this.clock.elapsedMs(now)); }

  store<Op extends MailOperation>(request: Extract<MailRequest, { op: Op }>, done: (result: MailResults[Op], now: Instant) => void): void {
    this.active = true;
    this.environment.store<Op>(request, done);
  }

  refuse(answer: Answer, code: NegativeCode, now: Instant, retryAfterSeconds = 0, detail = 0): void {
    this.counters.count(`refused.${code}`);
    answer.refuse({ code, retryAfterSeconds, detail }, now);
  }
}

/** Where a mailbox holds less, it holds less of everything: receipts are bytes on the disk too. */
function quotaFor(limits: MailboxEnvironment['policy']['mailbox']): MailboxQuota {
  const share = (limits?.letters ?? mailboxQuota.letters) / mailboxQuota.letters;
  return { ...mailboxQuota, ...limits, receipts: Math.ceil(mailboxQuota.receipts * share), strangerLetters: Math.ceil(mailboxQuota.strangerLetters * share) };
}
