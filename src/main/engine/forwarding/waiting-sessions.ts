/**
 * Who waits for which item, with bounds: the items by name, the sessions that wait, and all of them by their age. An item without a waiter is forgotten, with what was asked
 * for it. Every bound evicts what was asked for least recently, and a session that asks for more than its share evicts its own.
 *
 * The lifetime is the same for all, so the order of asking is the order of expiry, and one chain serves both.
 */
import { AwaitedItem, Waiter } from './awaited-item.ts';
import { Chain } from './chain.ts';
import { itemKey } from './types.ts';
import type { Counters } from '../directed/counters.ts';
import type { SessionId } from '../session/types.ts';
import type { AskedSessions } from './asked-sessions.ts';
import type { Requester } from './awaited-item.ts';
import type { ItemKind } from './types.ts';

export interface WaitingLimits {
  readonly lifetimeMs: number;
  readonly perSession: number;
  readonly total: number;
}

export class WaitingSessions {
  readonly #limits: WaitingLimits;
  readonly #counters: Counters;
  readonly #asked: AskedSessions;
  readonly #names = new Map<string, Map<number, AwaitedItem>>();
  readonly #requesters = new Map<SessionId, Requester>();
  readonly #waiting = new Chain<Waiter>();

  constructor(limits: WaitingLimits, counters: Counters, asked: AskedSessions) {
    this.#limits = limits;
    this.#counters = counters;
    this.#asked = asked;
  }

  /** Counted for each item. */
  get size(): number { return this.#waiting.size; }
  get nameCount(): number { return this.#names.size; }
  get oldest(): Waiter | undefined { return this.#waiting.first?.value; }

  countOf(session: SessionId): number { return this.#requesters.get(session)?.waiting.size ?? 0; }

  find(nameId: string, kind: ItemKind, number: number): AwaitedItem | undefined { return this.#names.get(nameId)?.get(itemKey(kind, number)); }

  waiterOf(session: SessionId, item: AwaitedItem): Waiter | undefined { return this.#requesters.get(session)?.waiting.get(item); }

  /** The session, which does not wait for this item, waits for it from now on. */
  join(from: SessionId, nameId: string, kind: ItemKind, number: number, nowMs: number): AwaitedItem {
    this.#makeRoom(from);
    // After making room: that may have removed both.
    const item = this.find(nameId, kind, number) ?? this.#add(nameId, kind, number);
    const requester = this.#requesters.get(from) ?? { session: from, waiting: new Map<AwaitedItem, Waiter>(), order: new Chain<Waiter>() };
    this.#requesters.set(from, requester);
    const added = new Waiter(item, requester);
    requester.waiting.set(item, added);
    item.waiters.append(added.inItem);
    this.refresh(added, nowMs);
    return item;
  }

  refresh(waiter: Waiter, nowMs: number): void {
    waiter.expiresAtMs = nowMs + this.#limits.lifetimeMs;
    this.#waiting.append(waiter.inTable);
    waiter.requester.order.append(waiter.inRequester);
  }

  leave(waiter: Waiter): void {
    const { item, requester } = waiter;
    this.#waiting.remove(waiter.inTable);
    requester.order.remove(waiter.inRequester);
    requester.waiting.delete(item);
    if (requester.waiting.size === 0) this.#requesters.delete(requester.session);
    item.waiters.remove(waiter.inItem);
    if (item.waiters.size > 0) return;
    for (const asked of item.asked) if (asked.open) this.#asked.unlist(asked.session, item);
    const items = this.#names.get(item.nameId);
    items?.delete(itemKey(item.kind, item.number));
    if (items?.size === 0) this.#names.delete(item.nameId);
  }

  /** It waits for nothing any more. */
  leaveAll(session: SessionId): void {
    for (const waiter of [...this.#requesters.get(session)?.waiting.values() ?? []]) this.leave(waiter);
  }

  /** Nobody waits for it any more. */
  remove(item: AwaitedItem): void {
    for (let link = item.waiters.first; link !== undefined; link = item.waiters.first) this.leave(link.value);
  }

  #makeRoom(from: SessionId): void {
    const own = this.#requesters.get(from)?.order;
    if (own?.first !== undefined && own.size >= this.#limits.perSession) {
      this.#counters.count('interest-evicted-own');
      this.leave(own.first.value);
    }
    if (this.#waiting.first !== undefined && this.#waiting.size >= this.#limits.total) {
      this.#counters.count('interest-evicted');
      this.leave(this.#waiting.first.value);
    }
  }

  #add(nameId: string, kind: ItemKind, number: number): AwaitedItem {
    const item = new AwaitedItem(nameId, kind, number);
    const items = this.#names.get(nameId) ?? new Map<number, AwaitedItem>();
    this.#names.set(nameId, items.set(itemKey(kind, number), item));
    return item;
  }
}
