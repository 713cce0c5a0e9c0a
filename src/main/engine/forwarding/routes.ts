/**
 * Which sessions say that they hold which content, and whom to ask next.
 *
 * An announcement is a claim. It costs its session a place among its own, ends with the session, and must be renewed. Holders that have
 * not failed are asked in turn. One that refused, lied or stayed silent is asked only when there is no other, the one whose failure is longest
 * ago first; an answer clears it, unless it has lied. A session that has lied about one name begins as failed with every name it announces
 * afterwards. Nothing here decides whether a content is true: that is the verifier's work.
 */
import { Counters } from '../directed/counters.ts';
import { Chain, Link } from './chain.ts';
import type { SessionId } from '../session/types.ts';
import type { DueTime } from './types.ts';

/** From the last announcement; holders renew at a third of it. */
export const announcementLifetimeMs = 600_000;
export const announcedPerSessionMaximum = 1_024;
/** All sessions together: about 30 MB. */
export const announcedMaximum = 65_536;
/** Expiring frees memory only; so it is done this often at most. */
const sweepMs = 1_000;

export interface RouteLimits { readonly lifetimeMs: number; readonly perSession: number; readonly total: number }

/** For diagnostics: how often one holder of a name did what. */
export interface HolderView {
  readonly session: SessionId;
  readonly failed: boolean;
  readonly answers: number;
  readonly negatives: number;
  readonly timeouts: number;
  readonly lies: number;
}

interface NameHolders {
  /** In turn. */
  readonly ready: Chain<Holder>;
  /** The longest ago first. */
  readonly failed: Chain<Holder>;
}

interface SessionHoldings {
  readonly holders: Map<string, Holder>;
  /** By the time of the last announcement. */
  readonly order: Chain<Holder>;
}

class Holder {
  readonly nameId: string;
  readonly session: SessionId;
  expiresAtMs = 0;
  answeredAtMs = -Infinity;
  answers = 0;
  negatives = 0;
  timeouts = 0;
  lies = 0;
  readonly inTable = new Link<Holder>(this);
  readonly inSession = new Link<Holder>(this);
  readonly inName = new Link<Holder>(this);

  constructor(nameId: string, session: SessionId) {
    this.nameId = nameId;
    this.session = session;
  }
}

export class Routes {
  readonly #limits: RouteLimits;
  readonly #counters = new Counters();
  readonly #names = new Map<string, NameHolders>();
  readonly #sessions = new Map<SessionId, SessionHoldings>();
  /** Sessions that lied, until they end. */
  readonly #liars = new Set<SessionId>();
  readonly #announced = new Chain<Holder>();
  #nowMs = -Infinity;

  constructor(limits: RouteLimits = { lifetimeMs: announcementLifetimeMs, perSession: announcedPerSessionMaximum, total: announcedMaximum }) { this.#limits = limits; }

  get size(): number { return this.#announced.size; }
  get nameCount(): number { return this.#names.size; }
  get counters(): Readonly<Record<string, number>> { return this.#counters.all; }

  announcedBy(session: SessionId): number { return this.#sessions.get(session)?.order.size ?? 0; }

  holders(nameId: string): readonly HolderView[] {
    const name = this.#names.get(nameId);
    return name === undefined ? [] : [...viewsOf(name.ready, false), ...viewsOf(name.failed, true)];
  }

  /** New or renewed. Beyond a bound the announcement that was renewed longest ago goes: the session's own, or of all. */
  announced(session: SessionId, nameId: string, nowMs: number): void {
    const now = this.#clock(nowMs);
    const known = this.#find(session, nameId);
    if (known !== undefined) {
      this.#renew(known, now);
      return;
    }
    this.#makeRoom(session);
    const holder = new Holder(nameId, session);
    const holdings = this.#sessions.get(session) ?? { holders: new Map<string, Holder>(), order: new Chain<Holder>() };
    this.#sessions.set(session, holdings);
    holdings.holders.set(nameId, holder);
    holdings.order.append(holder.inSession);
    const name = this.#names.get(nameId) ?? { ready: new Chain<Holder>(), failed: new Chain<Holder>() };
    this.#names.set(nameId, name);
    (this.#liars.has(session) ? name.failed : name.ready).append(holder.inName);
    this.#renew(holder, now);
  }

  withdrawn(session: SessionId, nameId: string): void {
    const holder = this.#find(session, nameId);
    if (holder !== undefined) this.#forget(holder);
  }

  sessionLost(session: SessionId): void {
    const order = this.#sessions.get(session)?.order;
    for (let link = order?.first; link !== undefined; link = order?.first) this.#forget(link.value);
    this.#liars.delete(session);
  }

  /** Whether there is anybody to ask but that session. */
  leadsOn(nameId: string, except: SessionId): boolean {
    const name = this.#names.get(nameId);
    if (name === undefined) return false;
    return name.ready.size + name.failed.size > (this.#find(except, nameId) === undefined ? 0 : 1);
  }

  /** The next one to ask; it goes to the end of its row. `except` should be short: each of its sessions may be passed once. */
  next(nameId: string, except: readonly SessionId[] = []): SessionId | undefined {
    const name = this.#names.get(nameId);
    if (name === undefined) return undefined;
    return takeTurn(name.ready, except) ?? takeTurn(name.failed, except);
  }

  /** It sent what it was asked for. */
  answered(nameId: string, session: SessionId, nowMs: number): void {
    const holder = this.#find(session, nameId);
    if (holder === undefined) return;
    holder.answers += 1;
    holder.answeredAtMs = this.#clock(nowMs);
    const name = this.#names.get(nameId);
    if (name === undefined || holder.lies > 0 || holder.inName.chain === name.ready) return;
    name.ready.append(holder.inName);
    this.#counters.count('holder-restored');
  }

  /** It said that it does not have it, or will not give it. */
  refused(nameId: string, session: SessionId): void {
    const holder = this.#fail(nameId, session, 'holder-refused');
    if (holder !== undefined) holder.negatives += 1;
  }

  /** It sent what is not of the content. */
  blame(nameId: string, session: SessionId): void {
    const holder = this.#fail(nameId, session, 'holder-lied');
    if (holder === undefined) return;
    holder.lies += 1;
    this.#liars.add(session);
  }

  /** It left something unanswered that it was asked for at that time. Who has answered anything of the name since then has only lost a packet. */
  timedOut(nameId: string, session: SessionId, askedAtMs: number): void {
    const known = this.#find(session, nameId);
    if (known === undefined || known.answeredAtMs >= askedAtMs) return;
    const holder = this.#fail(nameId, session, 'holder-timed-out');
    if (holder !== undefined) holder.timeouts += 1;
  }

  handleTimeout(nowMs: number): void {
    const now = this.#clock(nowMs);
    for (let oldest = this.#announced.first; oldest !== undefined && oldest.value.expiresAtMs <= now; oldest = this.#announced.first) {
      this.#counters.count('announcement-expired');
      this.#forget(oldest.value);
    }
  }

  pollTimeout(): DueTime | undefined {
    const oldest = this.#announced.first;
    return oldest === undefined ? undefined : { atMs: Math.ceil(oldest.value.expiresAtMs / sweepMs) * sweepMs, reason: 'expire an announcement' };
  }

  #clock(nowMs: number): number {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
    return this.#nowMs;
  }

  #find(session: SessionId, nameId: string): Holder | undefined { return this.#sessions.get(session)?.holders.get(nameId); }

  #renew(holder: Holder, now: number): void {
    holder.expiresAtMs = now + this.#limits.lifetimeMs;
    this.#announced.append(holder.inTable);
    holder.inSession.chain?.append(holder.inSession);
  }

  #makeRoom(session: SessionId): void {
    const own = this.#sessions.get(session)?.order;
    if (own?.first !== undefined && own.size >= this.#limits.perSession) {
      this.#counters.count('announcement-evicted-own');
      this.#forget(own.first.value);
    }
    if (this.#announced.first !== undefined && this.#announced.size >= this.#limits.total) {
      this.#counters.count('announcement-evicted');
      this.#forget(this.#announced.first.value);
    }
  }

  #fail(nameId: string, session: SessionId, counter: string): Holder | undefined {
    const holder = this.#find(session, nameId);
    if (holder === undefined) return undefined;
    this.#names.get(nameId)?.failed.append(holder.inName);
    this.#counters.count(counter);
    return holder;
  }

  #forget(holder: Holder): void {
    this.#announced.remove(holder.inTable);
    const holdings = this.#sessions.get(holder.session);
    holdings?.holders.delete(holder.nameId);
    holdings?.order.remove(holder.inSession);
    if (holdings?.order.size === 0) this.#sessions.delete(holder.session);
    const name = this.#names.get(holder.nameId);
    holder.inName.chain?.remove(holder.inName);
    if (name !== undefined && name.ready.size + name.failed.size === 0) this.#names.delete(holder.nameId);
  }
}

function takeTurn(row: Chain<Holder>, except: readonly SessionId[]): SessionId | undefined {
  for (let link = row.first; link !== undefined; link = link.next) {
    if (except.includes(link.value.session)) continue;
    row.append(link);
    return link.value.session;
  }
  return undefined;
}

function viewsOf(row: Chain<Holder>, failed: boolean): HolderView[] {
  const views: HolderView[] = [];
  for (let link = row.first; link !== undefined; link = link.next) {
    const { session, answers, negatives, timeouts, lies } = link.value;
    views.push({ session, failed, answers, negatives, timeouts, lies });
  }
  return views;
}
