/**
 * The pending-interest table: who waits for which item, and who was asked for it, so that a response goes back the way the request came.
 *
 * An item that is asked for already is not asked for again because another session wants it too (*aggregation*). When a session repeats its own
 * request, its loss detection has decided, and the item is forwarded again, at growing distances. Sessions never see each other: they get
 * the response, once each.
 *
 * Nothing rests on the table. What is evicted, refused or expired is a lost packet to its requester, who will ask again. So every bound evicts
 * what was asked for least recently, and a session that asks for more than its share evicts its own.
 *
 * The lifetime is the same for all, so the order of asking is the order of expiry, and one chain serves both.
 */
import { Counters } from '../directed/counters.ts';
import { AwaitedItem, Waiter, aheadBit, pathBit } from './awaited-item.ts';
import { Chain } from './chain.ts';
import { NonceMemory } from './nonces.ts';
import { Strands } from './strands.ts';
import { earlier, itemKey, kindOfPart } from './types.ts';
import type { SessionId } from '../session/types.ts';
import type { Requester } from './awaited-item.ts';
import type { NonceLimits } from './nonces.ts';
import type { DueTime, Interest, ItemKind, NegativeScope, Overdue, ResponsePart, Stranded } from './types.ts';

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
/** Names and sessions to be reported as overdue at the next timeout. */
const overdueMaximum = 1_024;

const none: readonly SessionId[] = [];
const noneStranded: readonly Stranded[] = [];

export interface PendingLimits {
  readonly lifetimeMs: number;
  readonly perSession: number;
  readonly total: number;
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
  readonly #names = new Map<string, Map<number, AwaitedItem>>();
  readonly #requesters = new Map<SessionId, Requester>();
  /** What each session was asked for and has not answered, by name. */
  readonly #askedOf = new Map<SessionId, Map<string, Set<AwaitedItem>>>();
  readonly #waiting = new Chain<Waiter>();
  readonly #overdue = new Map<string, { nameId: string; session: SessionId; askedAtMs: number; items: number }>();
  #nowMs = -Infinity;

  constructor(limits: PendingLimits = { lifetimeMs: interestLifetimeMs, perSession: waitingPerSessionMaximum, total: waitingMaximum }) {
    this.#limits = limits;
    this.#nonces = new NonceMemory(limits.nonces);
  }

  /** Waiting sessions, counted for each item. */
  get size(): number { return this.#waiting.size; }
  get nameCount(): number { return this.#names.size; }
  get nonceCount(): number { return this.#nonces.size; }
  get counters(): Readonly<Record<string, number>> { return this.#counters.all; }

  waitingOf(session: SessionId): number { return this.#requesters.get(session)?.waiting.size ?? 0; }

  /** Whether a response for the item would be accepted from that session. */
  isAskedOf(session: SessionId, nameId: string, kind: ItemKind, item: number): boolean { return this.#find(nameId, kind, item)?.openAt(session) !== undefined; }

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
      if (this.#find(nameId, kind, number)?.restsOn(from, now - this.#limits.lifetimeMs) === true) { crossed += 1; continue; }
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
      const item = this.#find(nameId, kind, number);
      if (item === undefined) continue;
      const dropped = item.noteAsked(to, now);
      if (dropped !== undefined) this.#unlist(dropped, item);
      const names = this.#askedOf.get(to) ?? new Map<string, Set<AwaitedItem>>();
      this.#askedOf.set(to, names);
      const listed = names.get(nameId) ?? new Set<AwaitedItem>();
      names.set(nameId, listed.add(item));
    }
  }

  /** Whom to send the response to: each session once. None when nobody asked for it, or not from there. */
  answered(nameId: string, part: ResponsePart, number: number, from: SessionId): readonly SessionId[] {
    const item = this.#find(nameId, kindOfPart(part), number);
    if (item === undefined) return this.#drop('answer-unasked');
    const asked = item.openAt(from);
    if (asked === undefined) return this.#drop('answer-from-stranger');
    const sessions = part === 'path' || part === 'ahead' ? this.#takePart(item, part === 'path' ? pathBit : aheadBit) : waitersOf(item);
    if (sessions.length === 0) return this.#drop('answer-repeated');
    for (const other of item.asked) if (other.open && asked.lastAtMs - other.firstAtMs >= overtakenByMs) this.#noteOverdue(item, other.session, other.firstAtMs);
    if (part === 'fragment' || part === 'whole') this.#remove(item);
    // Who was asked and asks back has it.
    return sessions.includes(from) ? sessions.filter((session) => session !== from) : sessions;
  }

  /** The session will not answer. Gives back what nobody else was asked for; it stays awaited until it is forwarded, refused or expires. */
  rejected(nameId: string, from: SessionId, scope?: NegativeScope): readonly Stranded[] {
    const listed = this.#askedOf.get(from)?.get(nameId);
    if (listed === undefined) {
      this.#counters.count('negative-unasked');
      return noneStranded;
    }
    const items: AwaitedItem[] = [];
    if (scope === undefined) items.push(...listed);
    else {
      for (const number of scope.items) {
        const item = this.#find(nameId, scope.kind, number);
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
      const item = this.#find(nameId, kind, number);
      if (item === undefined) continue;
      for (const session of waitersOf(item)) sessions.add(session);
      this.#remove(item);
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
    for (const waiter of [...this.#requesters.get(session)?.waiting.values() ?? []]) this.#leave(waiter);
    const items: AwaitedItem[] = [];
    for (const listed of this.#askedOf.get(session)?.values() ?? []) items.push(...listed);
    return this.#close(items, session);
  }

  /** Expires what nobody has repeated. Returns who did not answer in time. */
  handleTimeout(nowMs: number): readonly Overdue[] {
    const now = this.#clock(nowMs);
    this.#nonces.handleTimeout(now);
    for (let oldest = this.#waiting.first; oldest !== undefined && oldest.value.expiresAtMs <= now; oldest = this.#waiting.first) {
      const { item } = oldest.value;
      if (item.waiters.size === 1) for (const asked of item.asked) if (asked.open) this.#noteOverdue(item, asked.session, asked.firstAtMs);
      this.#counters.count('interest-expired');
      this.#leave(oldest.value);
    }
    const overdue = [...this.#overdue.values()];
    this.#overdue.clear();
    return overdue;
  }

  pollTimeout(): DueTime | undefined {
    if (this.#overdue.size > 0) return { atMs: this.#nowMs, reason: 'report who is overdue' };
    const oldest = this.#waiting.first;
    return earlier(oldest === undefined ? undefined : { atMs: oldest.value.expiresAtMs, reason: 'expire an interest' }, this.#nonces.pollTimeout());
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

  #find(nameId: string, kind: ItemKind, number: number): AwaitedItem | undefined { return this.#names.get(nameId)?.get(itemKey(kind, number)); }

  /** The session waits for the item from now on. Returns it when it is to be forwarded. */
  #wait(from: SessionId, nameId: string, kind: ItemKind, number: number, now: number): AwaitedItem | undefined {
    const known = this.#find(nameId, kind, number);
    const waiter = known === undefined ? undefined : this.#requesters.get(from)?.waiting.get(known);
    if (known !== undefined && waiter !== undefined) {
      this.#refresh(waiter, now);
      waiter.sentParts = 0;
      if (known.isAwaited(now - this.#limits.lifetimeMs) && now - known.handedOutAtMs < known.spacingMs) {
        this.#counters.count('repeat-too-soon');
        return undefined;
      }
      this.#counters.count('repeat-forwarded');
      return this.#handOut(known, now);
    }
    this.#makeRoom(from);
    // After making room: that may have removed both.
    const item = this.#find(nameId, kind, number) ?? this.#add(nameId, kind, number);
    const requester = this.#requesters.get(from) ?? { session: from, waiting: new Map<AwaitedItem, Waiter>(), order: new Chain<Waiter>() };
    this.#requesters.set(from, requester);
    const added = new Waiter(item, requester);
    requester.waiting.set(item, added);
    item.waiters.append(added.inItem);
    this.#refresh(added, now);
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
    for (const asked of item.asked) if (asked.open && asked.lastAtMs <= now - this.#limits.lifetimeMs) this.#noteOverdue(item, asked.session, asked.firstAtMs);
    return item;
  }

  #refresh(waiter: Waiter, now: number): void {
    waiter.expiresAtMs = now + this.#limits.lifetimeMs;
    this.#waiting.append(waiter.inTable);
    waiter.requester.order.append(waiter.inRequester);
  }

  #makeRoom(from: SessionId): void {
    const own = this.#requesters.get(from)?.order;
    if (own?.first !== undefined && own.size >= this.#limits.perSession) {
      this.#counters.count('interest-evicted-own');
      this.#leave(own.first.value);
    }
    if (this.#waiting.first !== undefined && this.#waiting.size >= this.#limits.total) {
      this.#counters.count('interest-evicted');
      this.#leave(this.#waiting.first.value);
    }
  }

  #add(nameId: string, kind: ItemKind, number: number): AwaitedItem {
    const item = new AwaitedItem(nameId, kind, number);
    const items = this.#names.get(nameId) ?? new Map<number, AwaitedItem>();
    this.#names.set(nameId, items.set(itemKey(kind, number), item));
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
      if (waiter.sentParts === (pathBit | aheadBit)) this.#leave(waiter);
    }
    return sessions;
  }

  #close(items: readonly AwaitedItem[], session: SessionId): readonly Stranded[] {
    if (items.length === 0) return noneStranded;
    const strands = new Strands();
    for (const item of items) {
      const asked = item.openAt(session);
      if (asked !== undefined) asked.open = false;
      this.#unlist(session, item);
      if (!item.isOpen) strands.add(item);
    }
    return strands.all;
  }

  #leave(waiter: Waiter): void {
    const { item, requester } = waiter;
    this.#waiting.remove(waiter.inTable);
    requester.order.remove(waiter.inRequester);
    requester.waiting.delete(item);
    if (requester.waiting.size === 0) this.#requesters.delete(requester.session);
    item.waiters.remove(waiter.inItem);
    if (item.waiters.size > 0) return;
    for (const asked of item.asked) if (asked.open) this.#unlist(asked.session, item);
    const items = this.#names.get(item.nameId);
    items?.delete(itemKey(item.kind, item.number));
    if (items?.size === 0) this.#names.delete(item.nameId);
  }

  #remove(item: AwaitedItem): void {
    for (let link = item.waiters.first; link !== undefined; link = item.waiters.first) this.#leave(link.value);
  }

  #unlist(session: SessionId, item: AwaitedItem): void {
    const names = this.#askedOf.get(session);
    const listed = names?.get(item.nameId);
    listed?.delete(item);
    if (listed?.size === 0) names?.delete(item.nameId);
    if (names?.size === 0) this.#askedOf.delete(session);
  }

  #noteOverdue(item: AwaitedItem, session: SessionId, askedAtMs: number): void {
    const key = `${String(session)}/${item.nameId}`;
    const known = this.#overdue.get(key);
    if (known !== undefined) {
      known.items += 1;
      known.askedAtMs = Math.min(known.askedAtMs, askedAtMs);
    } else if (this.#overdue.size < overdueMaximum) this.#overdue.set(key, { nameId: item.nameId, session, askedAtMs, items: 1 });
  }
}

function waitersOf(item: AwaitedItem): SessionId[] {
  const sessions: SessionId[] = [];
  for (let link = item.waiters.first; link !== undefined; link = link.next) sessions.push(link.value.requester.session);
  return sessions;
}
