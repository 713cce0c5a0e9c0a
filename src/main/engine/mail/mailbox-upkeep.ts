/** What a relay does by itself: persists its mail clock, lets letters expire in small batches, and stops expiring when the wall clock is in doubt. */
import type { Instant } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';

/** Mail time that a crash may cost, with and without activity. Losing some only keeps letters longer. */
const tickActiveMs = 10_000;
const tickIdleMs = 60_000;
/** Letters per expiry request: about one group commit's worth, so that deposits do not wait behind a mass expiry. */
export const expireBatch = 500;

/** Named records are not served after their end anyway; they are deleted this often, so many at once. */
const expireNamesEveryMs = 600_000;
const expireNamesBatch = 256;

export class MailboxUpkeep {
  readonly #context: MailboxContext;
  #lastTickMs: number;
  #expiring = false;
  #expireNamesAtMs: number;

  constructor(context: MailboxContext, now: Instant) {
    this.#context = context;
    this.#lastTickMs = now.monotonicMs;
    this.#expireNamesAtMs = now.monotonicMs + expireNamesEveryMs;
    if (context.clock.suspended) this.#warn(now);
    this.#tick(now);
  }

  handleTimeout(now: Instant): void {
    if (now.monotonicMs < this.nextAtMs()) return;
    if (this.#context.clock.observe(now)) this.#warn(now);
    this.#tick(now);
    this.#expire(now);
    if (now.monotonicMs >= this.#expireNamesAtMs) this.#expireNames(now);
  }

  nextAtMs(): number { return this.#lastTickMs + (this.#context.active ? tickActiveMs : tickIdleMs); }

  confirmClock(now: Instant): void {
    this.#context.clock.confirm(now);
    this.#context.environment.log('info', 'mailbox.clock-confirmed', {});
    this.#tick(now);
    this.#expire(now);
  }

  // Straight to the environment: its own requests are no activity.
  #tick(now: Instant): void {
    this.#lastTickMs = now.monotonicMs;
    this.#context.active = false;
    this.#context.environment.store<'tick'>({ op: 'tick', ...this.#context.clock.tick(now) }, () => undefined);
  }

  #expire(now: Instant): void {
    if (this.#context.clock.suspended || this.#expiring) return;
    this.#expiring = true;
    this.#context.environment.store<'expire'>({ op: 'expire', elapsedMs: this.#context.elapsedMs(now), most: expireBatch }, ({ expired, more }, at) => {
      this.#expiring = false;
      this.#context.counters.count('expired', expired);
      if (!more) return;
      if (this.#context.clock.observe(at)) this.#warn(at);
      this.#expire(at);
    });
  }

  #expireNames(now: Instant): void {
    this.#expireNamesAtMs = now.monotonicMs + expireNamesEveryMs;
    if (this.#context.clock.suspended) return;
    this.#context.environment.store<'expire-records'>({ op: 'expire-records', nowSeconds: Math.floor(now.wallMs / 1_000), most: expireNamesBatch }, ({ more }, at) => {
      if (more) this.#expireNames(at);
    });
  }

  #warn(now: Instant): void {
    this.#context.counters.count('expiry-suspended');
    this.#context.environment.log('warn', 'mailbox.expiry-suspended', { wallMs: now.wallMs });
  }
}
