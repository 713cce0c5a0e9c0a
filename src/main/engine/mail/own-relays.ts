/**
 * The relays that keep our mail, and what each is to us right now: registered, refused, drained, or being left.
 *
 * A relay that the person removes is left, not forgotten. It is no longer told to anybody, but letters that wait there, and those that are on
 * their way to it from people who have not heard yet, are fetched still; and it learns where we have gone, so that whoever
 * knows us only by it finds us. That ends when it has known for a day and is drained, or after thirty days if it never answers, or when
 * the person says so. Its word on the time and on what is complete counts no more.
 */
import { Deadlines } from '../deadlines.ts';
import { Registration } from './registration.ts';
import { clockSetMs } from '../session/constants.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { Instant } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Inbox } from './inbox.ts';
import type { OwnRecords } from './own-records.ts';
import type { DepositTokens } from './tokens.ts';
import type { RelayRow, VisorChange } from './visor-store.ts';

/** Longer than records stay fresh with those who write to us (recipients.ts): by then they have looked again. */
const leavingMinimumMs = 24 * 3_600_000;
/** The longest a letter can wait at a relay. */
export const leavingMaximumMs = 30 * 86_400_000;
/** A mailbox that was empty this recently is empty: it is looked into every five minutes (inbox.ts). */
const drainedWithinMs = 15 * 60_000;
/** Before it is forgotten unheard it is asked once more: the machine may have slept all that time, and its clock be wrong. */
const lastAskedMs = 50 * 60_000;
const refusedByFriendMs = 5 * 60_000;
/** Relays being left at once; of more, the one that was left first is forgotten. */
const leavingMaximum = 8;

/** How much of our mail a relay holds, and how much it would hold at most, as it said then. */
export interface MailboxUse {
  readonly letters: number;
  readonly lettersMaximum: number;
  readonly sizeBytes: number;
  readonly maximumBytes: number;
  readonly atWallMs: number;
}

export interface OwnRelaysEvents {
  /** The first of them is there: the network works. */
  online(now: Instant): void;
  /** This one has a mailbox of ours and serves it. */
  registered(link: RelayLink, now: Instant): void;
  /** It does not keep mail for us. */
  refused(relay: string, now: Instant): void;
  /** Another install has taken over; from then on `isRevoked` says so. */
  revoked(now: Instant): void;
  isRevoked(): boolean;
}

export class OwnRelays {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #inbox: () => Inbox;
  readonly #events: OwnRelaysEvents;
  readonly #registration: Registration;
  readonly #registered = new Set<string>();
  readonly #refused = new Set<string>();
  /** Monotonic time when a relay's mailbox was last empty. */
  readonly #drained = new Map<string, number>();
  /** What each told of our mailbox when it registered it last. */
  readonly #mailboxes = new Map<string, MailboxUse>();
  /** Monotonic time since when a relay being left has heard of it in this run, and since when its thirty days seem to be over. */
  readonly #told = new Map<string, number>();
  readonly #overdue = new Map<string, number>();
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, links: RelayLinks, records: OwnRecords, tokens: DepositTokens, inbox: () => Inbox, events: OwnRelaysEvents) {
    this.#context = context;
    this.#links = links;
    this.#inbox = inbox;
    this.#events = events;
    this.#registration = new Registration(context, records, tokens, {
      registered: (link, _epochChanged, waiting, at, mailbox) => { this.#mailboxes.set(link.hint.publicKey, { ...mailbox, atWallMs: at.wallMs }); this.#onRegistered(link, waiting, at); },
      refused: (link, at) => {
        this.#refused.add(link.hint.publicKey);
        // It may have kept mail for us until now.
        if (this.#registered.delete(link.hint.publicKey)) this.#inbox().linkDown(link.hint.publicKey);
        // A friend's relay may not have heard yet that we are one.
        if (this.#context.memory.relays.get(link.hint.publicKey)?.role === 'friend') this.#deadlines.set(link.hint.publicKey, at.monotonicMs + refusedByFriendMs);
        this.#announce(link);
        events.refused(link.hint.publicKey, at);
      },
      failed: (link, pauseMs, at) => { this.#deadlines.set(link.hint.publicKey, at.monotonicMs + pauseMs); },
      revoked: (at) => { if (!events.isRevoked()) events.revoked(at); },
    });
  }

  /** Those that keep our mail, without those being left and those of friends. */
  get configured(): readonly RelayRow[] { return [...this.#context.memory.relays.values()].filter((row) => row.leavingSinceMs === undefined && row.role !== 'friend'); }
  /** Those of friends that are there. */
  get friendsConnectedCount(): number { return [...this.#context.memory.relays.values()].filter((row) => row.role === 'friend' && row.leavingSinceMs === undefined && this.#registered.has(row.publicKey)).length; }
  get connectedCount(): number { return this.configured.filter((row) => this.#registered.has(row.publicKey)).length; }
  get registered(): ReadonlySet<string> { return this.#registered; }
  knowsTokens(publicKey: string): boolean { return this.#registered.has(publicKey) && this.#registration.knowsTokens(publicKey); }
  mailbox(publicKey: string): MailboxUse | undefined { return this.#mailboxes.get(publicKey); }
  isRefused(publicKey: string): boolean { return this.#refused.has(publicKey); }

  /** True once each was drained after that monotonic time. One that is being left, or a friend's, and does not answer or never ends, is not waited for. */
  drainedSince(monotonicMs: number): boolean {
    const newest = Math.max(0, ...this.#drained.values());
    for (const row of this.#context.memory.relays.values()) {
      const drainedMs = this.#drained.get(row.publicKey) ?? -1;
      if ((row.leavingSinceMs !== undefined || row.role === 'friend') && (!this.#registered.has(row.publicKey) || newest - drainedMs > drainedWithinMs)) continue;
      if (drainedMs < monotonicMs) return false;
    }
    return true;
  }

  drained(relay: string, now: Instant): void {
    this.#drained.set(relay, now.monotonicMs);
    this.#forgetLeft(now);
  }

  /** What to commit when the person removes it. Gone at once: the only one, the one inside this app, and one that is being left already. */
  removal(row: RelayRow, now: Instant): readonly VisorChange[] {
    const isOnlyOne = this.#context.memory.relays.size === 1;
    if (row.leavingSinceMs !== undefined || row.choice === 'banned' || row.role === 'local' || isOnlyOne || this.#events.isRevoked()) return [{ kind: 'delete-relay', publicKey: row.publicKey }];
    const left = [...this.#context.memory.relays.values()].filter((other) => other.leavingSinceMs !== undefined).sort((one, other) => (one.leavingSinceMs ?? 0) - (other.leavingSinceMs ?? 0));
    const forgotten = left.slice(0, Math.max(0, left.length + 1 - leavingMaximum));
    return [{ kind: 'put-relay', row: { ...row, leavingSinceMs: now.wallMs, choice: 'normal', rank: undefined } }, ...forgotten.map((other) => ({ kind: 'delete-relay', publicKey: other.publicKey } as const))];
  }

  /** Rows were added, removed or marked: dial and drop, and tell those that stay. */
  changed(now: Instant): void {
    this.#links.syncOwn(now);
    for (const relay of this.#mailboxes.keys()) if (!this.#context.memory.relays.has(relay)) this.#mailboxes.delete(relay);
    for (const relay of [...this.#registered]) {
      const link = this.#links.own(relay);
      // Also one whose address changed: its new link registers when it is up.
      if (link?.state !== 'connected') { this.#registered.delete(relay); this.#inbox().linkDown(relay); } else this.registerAgain(relay, now);
    }
  }

  linkUp(link: RelayLink, now: Instant): void {
    this.#registered.delete(link.hint.publicKey);
    this.#refused.delete(link.hint.publicKey);
    this.#inbox().linkDown(link.hint.publicKey);
    this.registerAgain(link.hint.publicKey, now);
    this.#announce(link);
  }

  linkDown(link: RelayLink): void {
    this.#registered.delete(link.hint.publicKey);
    this.#inbox().linkDown(link.hint.publicKey);
    this.#announce(link);
  }

  /** Publishes what changed, asks again where we were refused, and finds out whether another install has taken over. */
  registerAgain(relay: string, now: Instant): void {
    const link = this.#links.own(relay);
    if (link?.state === 'connected' && !this.#events.isRevoked()) this.#registration.start(link, now);
  }

  registerAllAgain(now: Instant): void {
    this.#forgetLeft(now);
    for (const relay of this.#context.memory.relays.keys()) this.registerAgain(relay, now);
  }

  tokenChanged(token: Uint8Array, granted: boolean, now: Instant): void {
    for (const relay of this.#registered) {
      const link = this.#links.own(relay);
      if (link !== undefined) this.#registration.tokenChanged(link, token, granted, now);
    }
  }

  /**
   * Median of the relays' clocks minus ours as it is now; undefined with fewer than `minimum` relays heard. Where they are even in number ours is one of those that are asked: of two that differ
   * neither would be the middle, and one relay that says it is years ago would have no letter's certificate be valid yet.
   */
  clockOffsetMs(minimum: number, now: Instant): number | undefined {
    const told: { readonly offsetMs: number; readonly movedMs: number }[] = [];
    for (const link of this.#links.all) {
      const row = this.#context.memory.relays.get(link.hint.publicKey);
      const isTrusted = link.purpose === 'own' && row?.leavingSinceMs === undefined && row?.role !== 'friend';
      const session = isTrusted ? this.#links.session(link) : undefined;
      if (session?.clockOffsetMs !== undefined) told.push({ offsetMs: session.clockOffsetMs, movedMs: now.wallMs - now.monotonicMs - session.clockToldAheadMs });
    }
    // Against our monotonic clock ours has moved since some were told: it was set, or the machine slept and the monotonic one stood still. Set back is certain; who told it since knows better.
    const since = told.filter(({ movedMs }) => Math.abs(movedMs) < clockSetMs);
    const offsets = (since.length > 0 ? since : told).map(({ offsetMs, movedMs }) => offsetMs + Math.max(0, -movedMs));
    if (offsets.length < minimum || offsets.length === 0) return undefined;
    if (offsets.length % 2 === 0) offsets.push(0);
    offsets.sort((left, right) => left - right);
    return offsets[(offsets.length - 1) / 2];
  }

  /** Another install has taken over: nothing is fetched any more. */
  stop(): void {
    this.#registered.clear();
    this.#forget([...this.#context.memory.relays.values()].filter((row) => row.leavingSinceMs !== undefined));
    for (const link of this.#links.all) this.#inbox().linkDown(link.hint.publicKey);
  }

  handleTimeout(now: Instant): void {
    for (let relay = this.#deadlines.takeDue(now.monotonicMs); relay !== undefined; relay = this.#deadlines.takeDue(now.monotonicMs)) this.registerAgain(relay, now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'register' };
  }

  #onRegistered(link: RelayLink, waiting: number, now: Instant): void {
    if (this.#events.isRevoked()) return;
    const relay = link.hint.publicKey;
    const isFirst = this.#registered.size === 0;
    this.#registered.add(relay);
    this.#refused.delete(relay);
    this.#deadlines.clear(relay);
    if (this.#context.memory.relays.get(relay)?.leavingSinceMs === undefined) this.#told.delete(relay);
    else if (!this.#told.has(relay)) this.#told.set(relay, now.monotonicMs);
    this.#inbox().registered(link, waiting, now);
    if (isFirst) this.#events.online(now);
    this.#events.registered(link, now);
    this.#announce(link);
  }

  #forgetLeft(now: Instant): void {
    const over = [...this.#context.memory.relays.values()].filter(({ publicKey, leavingSinceMs }) => {
      if (leavingSinceMs === undefined) return false;
      const leftForMs = now.wallMs + (this.clockOffsetMs(1, now) ?? 0) - leavingSinceMs;
      if (leftForMs < leavingMaximumMs) this.#overdue.delete(publicKey);
      else if (!this.#overdue.has(publicKey)) this.#overdue.set(publicKey, now.monotonicMs);
      const overdueForMs = now.monotonicMs - (this.#overdue.get(publicKey) ?? now.monotonicMs);
      const toldForMs = now.monotonicMs - (this.#told.get(publicKey) ?? now.monotonicMs);
      const isDrained = this.#registered.has(publicKey) && (this.#drained.get(publicKey) ?? -Infinity) >= now.monotonicMs - drainedWithinMs;
      return overdueForMs >= lastAskedMs || (isDrained && toldForMs >= leavingMinimumMs);
    });
    this.#forget(over);
  }

  #forget(over: readonly RelayRow[]): void {
    if (over.length === 0) return;
    this.#context.commit(over.map(({ publicKey }) => ({ kind: 'delete-relay', publicKey })), {
      announce: over.map(({ publicKey }) => ({ kind: 'relay-removed', publicKey })),
      done: (_applied, at) => { this.changed(at); },
    });
  }

  #announce(link: RelayLink): void {
    this.#context.announce({ kind: 'relay', publicKey: link.hint.publicKey }, { kind: 'connection' });
  }
}
