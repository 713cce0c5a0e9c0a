/**
 * One item that sessions wait for: who waits, and who was asked. Bookkeeping without judgement; `pending-interests.ts` decides.
 */
import { Chain, Link } from './chain.ts';
import type { SessionId } from '../session/types.ts';
import type { ItemKind } from './types.ts';

/** Sessions asked for one item; a requester that has tried so many gives up before. */
export const askedMaximum = 4;

/** Which parts of a proof have been handed on. */
export const pathBit = 1;
export const aheadBit = 2;

/** Everything that one session waits for. */
export interface Requester {
  readonly session: SessionId;
  readonly waiting: Map<AwaitedItem, Waiter>;
  /** By the time of the last request. */
  readonly order: Chain<Waiter>;
}

/** One session waits for one item. */
export class Waiter {
  readonly item: AwaitedItem;
  readonly requester: Requester;
  expiresAtMs = 0;
  /** Parts of the proof it was sent since its last request. */
  sentParts = 0;
  readonly inTable = new Link<Waiter>(this);
  readonly inRequester = new Link<Waiter>(this);
  readonly inItem = new Link<Waiter>(this);

  constructor(item: AwaitedItem, requester: Requester) {
    this.item = item;
    this.requester = requester;
  }
}

interface Asked {
  readonly session: SessionId;
  readonly firstAtMs: number;
  lastAtMs: number;
  /** False once it refused or was lost. */
  open: boolean;
}

export class AwaitedItem {
  readonly nameId: string;
  readonly kind: ItemKind;
  readonly number: number;
  readonly waiters = new Chain<Waiter>();
  /** A few; in no order. */
  readonly asked: Asked[] = [];
  /** Of the request that was forwarded last. */
  nonce = '';
  hopLimit = 0;
  handedOutAtMs = -Infinity;
  spacingMs = 0;
  /** A part of the proof came after the last forwarding: who joins now would miss it. */
  partlyAnswered = false;

  constructor(nameId: string, kind: ItemKind, number: number) {
    this.nameId = nameId;
    this.kind = kind;
    this.number = number;
  }

  /** In the order in which they joined. */
  get waitingSessions(): SessionId[] {
    const sessions: SessionId[] = [];
    for (let link = this.waiters.first; link !== undefined; link = link.next) sessions.push(link.value.requester.session);
    return sessions;
  }

  openAt(session: SessionId): Asked | undefined {
    for (const asked of this.asked) if (asked.session === session && asked.open) return asked;
    return undefined;
  }

  /** Whether an answer to a request made after that time may still come. */
  isAwaited(sinceMs: number): boolean {
    for (const asked of this.asked) if (asked.open && asked.lastAtMs > sinceMs) return true;
    return false;
  }

  get isOpen(): boolean {
    for (const asked of this.asked) if (asked.open) return true;
    return false;
  }

  /** Whether all that is hoped for is to come from this session. */
  restsOn(session: SessionId, sinceMs: number): boolean {
    let found = false;
    for (const asked of this.asked) {
      if (!asked.open || asked.lastAtMs <= sinceMs) continue;
      if (asked.session !== session) return false;
      found = true;
    }
    return found;
  }

  /** Notes that a session is asked now. Returns the session that is not remembered any more. */
  noteAsked(session: SessionId, nowMs: number): SessionId | undefined {
    for (const known of this.asked) {
      if (known.session !== session) continue;
      known.lastAtMs = nowMs;
      known.open = true;
      return undefined;
    }
    const added: Asked = { session, firstAtMs: nowMs, lastAtMs: nowMs, open: true };
    if (this.asked.length < askedMaximum) {
      this.asked.push(added);
      return undefined;
    }
    const oldest = this.asked.reduce((least, asked, index) => (asked.lastAtMs < (this.asked[least]?.lastAtMs ?? Infinity) ? index : least), 0);
    return this.asked.splice(oldest, 1, added)[0]?.session;
  }
}
