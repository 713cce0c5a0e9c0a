/**
 * The pending-interest table: who waits for which item, and who was asked for it, so that a response goes back the way the request came.
 *
 * An item that is asked for already is not asked for again because another session wants it too (*aggregation*). When a session repeats its own
 * request, its loss detection has decided, and the item is forwarded again, at growing distances. Sessions never see each other: they get
 * the response, once each.
 *
 * Nothing rests on the table. What is evicted (waiting-sessions.ts), refused or expired is a lost packet to its requester, who will ask again.
 */
import { Counters } from '../directed/counters.ts';
import { AskedSessions } from './asked-sessions.ts';
import { aheadBit, pathBit } from './awaited-item.ts';
import { NonceMemory } from './nonces.ts';
import { OverdueSessions } from './overdue-sessions.ts';
import { Strands } from './strands.ts';
import { earlier, kindOfPart } from './types.ts';
import { WaitingSessions } from './waiting-sessions.ts';
import type { SessionId } from '../session/types.ts';
import type { AwaitedItem } from './awaited-item.ts';
import type { NonceLimits } from './nonces.ts';
import type { DueTime, Interest, ItemKind, NegativeScope, Overdue, ResponsePart, Stranded } from './types.ts';
import type { WaitingLimits } from './waiting-sessions.ts';

/** From a session's last request for an item; longer than any round trip and the repeats in it. */
export const interestLifetimeMs = 4_000;
/** Items one session waits for: eight megabytes of the smallest fragments under way, 600 Mbit/s at 100 ms. With fewer, what a fast link holds would look lost. */
export const waitingPerSessionMaximum = 8_192;
/** Waiting sessions of all items together: some 800 bytes each. */
export const waitingMaximum = 65_536;
/** A request that comes with more hops left is forwarded with this many. */
export const hopLimitMaximum = 8;
/** An item is not forwarded again sooner than this, and after each time the distance doubles up to the second. */
export const repeatSpacingMs = 10;
export const repeatSpacingMaximumMs = 640;
/** A session is overtaken when another answers that was asked so much later. Less would let quick repeats give slow holders a bad name. */
export const overtakenByMs = 100;

const none: readonly SessionId[] = [];
const noneStranded: readonly Stranded[] = [];

export interface PendingLimits extends WaitingLimits {
  readonly nonces?: NonceLimits;
}

export type InterestOutcome =
  /** To be asked of a holder now, and noted with `forwarded`. The hop limit is the one to send. */
  | { readonly kind: 'forward'; readonly items: readonly number[]; readonly hopLimit: number }
  /** All of it has been asked for. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'refused'; readonly reason: 'loop' | 'hop-limit' };

export class PendingInterests {
  readonly #limits: PendingLimits;
  readonly #nonces: NonceMemory;
  readonly #counters = new Counters();
  readonly #asked = new AskedSessions();
  readonly #waiting: WaitingSessions;
  readonly #overdue = new OverdueSessions();
  #nowMs = -Infinity;

  constructor(limits: PendingLimits = { lifetimeMs: interestLifetimeMs, perSession: waitingPerSessionMaximum, total: waitingMaximum }) {
    this.#limits = limits;
    this.#nonces = new NonceMemory(limits.nonces);
    this.#waiting = new WaitingSessions(limits, this.#counters, this.#asked);
  }

  /** Waiting sessions, counted for each item. */
  get size(): number { return this.#waiting.size; }
  get nameCount(): number { return this.#waiting.nameCount; }
  get nonceCount(): number { return this.#nonces.size; }
  get counters(): Readonly<Record<string, number>> { return this.#counters.all; }

  waitingOf(session: SessionId): number { return this.#waiting.countOf(session); }

  /** Whether a response for the item would be accepted from that session. */
  isAskedOf(session: SessionId, nameId: string, kind: ItemKind, item: number): boolean { return this.#waiting.find(nameId, kind, item)?.openAt(session) !== undefined; }

  interested(interest: Interest, nowMs: number): InterestOutcome {
    const now = this.#clock(nowMs);
    const { from, nameId, kind } = interest;
    if (!(interest.hopLimit > 0)) return this.#refuse('hop-limit');
    if (this.#nonces.note(nameId, interest.nonce, from, now) === 'loop') return this.#refuse('loop');
    const hopLimit = Math.min(interest.hopLimit, hopLimitMaximum) - 1;
    const due: number[] = [];
    let crossed = 0;
    for (const number of interest.items) {
      // Each would wait for the other.
      if (this.#waiting.find(nameId, kind, number)?.restsOn(from, now - this.#limits.lifetimeMs) === true) { crossed += 1; continue; }
      const item = this.#wait(from, nameId, kind, number, now);
      if (item === undefined) continue;
      item.nonce = interest.nonce;
      item.hopLimit = hopLimit;
      due.push(number);
    }
    if (crossed > 0) this.#counters.count('interest-crossed', crossed);
    if (due.length > 0) return { kind: 'forward', items: due, hopLimit };
    return crossed > 0 && crossed === interest.items.length ? this.#refuse('loop') : { kind: 'pending' };
  }

  /** These items have been asked of that session. What is not awaited any more is passed over. */
  forwarded(nameId: string, kind: ItemKind, items: readonly number[], to: SessionId, nowMs: number): void {
    const now = this.#clock(nowMs);
    for (const number of items) {
      const item = this.#waiting.find(nameId, kind, number);
      if (item === undefined) continue;
      const dropped = item.noteAsked(to, now);
      if (dropped !== undefined) this.#asked.unlist(dropped, item);
      this.#asked.list(to, item);
    }
  }

  /** Whom to send the response to: each session once. None when nobody asked for it, or not from there. */
  answered(nameId: string, part: ResponsePart, number: number, from: SessionId): readonly SessionId[] {
    const item = this.#waiting.find(nameId, kindOfPart(part), number);
    if (item === undefined) return this.#drop('answer-unasked');
    const asked = item.openAt(from);
    if (asked === undefined) return this.#drop('answer-from-stranger');
    const sessions = part === 'path' || part === 'ahead' ? this.#takePart(item, part === 'path' ? pathBit : aheadBit) : item.waitingSessions;
    if (sessions.length === 0) return this.#drop('answer-repeated');
    for (const other of item.asked) if (other.open && asked.lastAtMs - other.firstAtMs >= overtakenByMs) this.#overdue.note(item.nameId, other.session, other.firstAtMs);
    if (part === 'fragment' || part === 'whole') this.#waiting.remove(item);
    // Who was asked and asks back has it.
    return sessions.includes(from) ? sessions.filter((session) => session !== from) : sessions;
  }

  /** The session will not answer. Gives back what nobody else was asked for; it stays awaited until it is forwarded, refused or expires. */
  rejected(nameId: string, from: SessionId, scope?: NegativeScope): readonly Stranded[] {
    const listed = this.#asked.itemsOf(from, nameId);
    if (listed === undefined) {
      this.#counters.count('negative-unasked');
      return noneStranded;
    }
    const items: AwaitedItem[] = [];
    if (scope === undefined) items.push(...listed);
    else {
      for (const number of scope.items) {
        const item = this.#waiting.find(nameId, scope.kind, number);
        if (item !== undefined && listed.has(item)) items.push(item);
      }
      if (items.length === 0) this.#counters.count('negative-unasked');
    }
    return this.#close(items, from);
  }

  /** Nobody will answer these: they are awaited no more. Returns whom to tell, each once. */
  refused(nameId: string, kind: ItemKind, items: readonly number[]): readonly SessionId[] {
    const sessions = new Set<SessionId>();
    for (const number of items) {
      const item = this.#waiting.find(nameId, kind, number);
      if (item === undefined) continue;
      for (const session of item.waitingSessions) sessions.add(session);
      this.#waiting.remove(item);
    }
    return [...sessions];
  }

  /** A negative answer that is to be handed on: `rejected` and then `refused`. Returns whom to send it to, each once. */
  answeredNegative(nameId: string, from: SessionId, scope?: NegativeScope): readonly SessionId[] {
    const sessions = new Set<SessionId>();
    for (const stranded of this.rejected(nameId, from, scope)) {
      for (const session of this.refused(nameId, stranded.kind, stranded.items)) sessions.add(session);
    }
    return [...sessions];
  }

  /** What it waited for is forgotten; what it alone was asked for is given back, to be asked of another or refused. */
  sessionLost(session: SessionId): readonly Stranded[] {
    this.#waiting.leaveAll(session);
    return this.#close(this.#asked.allOf(session), session);
  }

  /** Expires what nobody has repeated. Returns who did not answer in time. */
  handleTimeout(nowMs: number): readonly Overdue[] {
    const now = this.#clock(nowMs);
    this.#nonces.handleTimeout(now);
    for (let oldest = this.#waiting.oldest; oldest !== undefined && oldest.expiresAtMs <= now; oldest = this.#waiting.oldest) {
      const { item } = oldest;
      if (item.waiters.size === 1) for (const asked of item.asked) if (asked.open) this.#overdue.note(item.nameId, asked.session, asked.firstAtMs);
      this.#counters.count('interest-expired');
      this.#waiting.leave(oldest);
    }
    return this.#overdue.takeAll();
  }

  pollTimeout(): DueTime | undefined {
    if (!this.#overdue.isEmpty) return { atMs: this.#nowMs, reason: 'report who is overdue' };
    const { oldest } = this.#waiting;
    return earlier(oldest === undefined ? undefined : { atMs: oldest.expiresAtMs, reason: 'expire an interest' }, this.#nonces.pollTimeout());
  }

  #clock(nowMs: number): number {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
    return this.#nowMs;
  }

  #refuse(reason: 'loop' | 'hop-limit'): InterestOutcome {
    this.#counters.count(`interest-refused-${reason}`);
    return { kind: 'refused', reason };
  }

  #drop(counter: string): readonly SessionId[] {
    this.#counters.count(counter);
    return none;
  }

  /** The session waits for the item from now on. Returns it when it is to be forwarded. */
  #wait(from: SessionId, nameId: string, kind: ItemKind, number: number, now: number): AwaitedItem | undefined {
    const known = this.#waiting.find(nameId, kind, number);
    const waiter = known === undefined ? undefined : this.#waiting.waiterOf(from, known);
    if (known !== undefined && waiter !== undefined) {
      this.#waiting.refresh(waiter, now);
      waiter.sentParts = 0;
      if (known.isAwaited(now - this.#limits.lifetimeMs) && now - known.handedOutAtMs < known.spacingMs) {
        this.#counters.count('repeat-too-soon');
        return undefined;
      }
      this.#counters.count('repeat-forwarded');
      return this.#handOut(known, now);
    }
    const item = this.#waiting.join(from, nameId, kind, number, now);
    if (item.isAwaited(now - this.#limits.lifetimeMs) && !item.partlyAnswered) {
      this.#counters.count('interest-aggregated');
      return undefined;
    }
    return this.#handOut(item, now);
  }

  #handOut(item: AwaitedItem, now: number): AwaitedItem {
    item.spacingMs = item.handedOutAtMs === -Infinity ? repeatSpacingMs : Math.min(item.spacingMs * 2, repeatSpacingMaximumMs);
    item.handedOutAtMs = now;
    item.partlyAnswered = false;
    for (const asked of item.asked) if (asked.open && asked.lastAtMs <= now - this.#limits.lifetimeMs) this.#overdue.note(item.nameId, asked.session, asked.firstAtMs);
    return item;
  }

  /** A part of the proof: for those that were not sent it. Who has both waits no more. */
  #takePart(item: AwaitedItem, bit: number): SessionId[] {
    const sessions: SessionId[] = [];
    for (let link = item.waiters.first; link !== undefined;) {
      const waiter = link.value;
      link = link.next;
      if ((waiter.sentParts & bit) !== 0) continue;
      waiter.sentParts |= bit;
      item.partlyAnswered = true;
      sessions.push(waiter.requester.session);
      if (waiter.sentParts === (pathBit | aheadBit)) this.#waiting.leave(waiter);
    }
    return sessions;
  }

  #close(items: readonly AwaitedItem[], session: SessionId): readonly Stranded[] {
    if (items.length === 0) return noneStranded;
    const strands = new Strands();
    for (const item of items) {
      const asked = item.openAt(session);
      if (asked !== undefined) asked.open = false;
      this.#asked.unlist(session, item);
      if (!item.isOpen) strands.add(item);
    }
    return strands.all;
  }
}
