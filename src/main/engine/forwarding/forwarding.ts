/**
 * Interest forwarding: a relay or stepping stone that does not hold a content asks somebody who does, for others.
 *
 * WHAT IS FORWARDED. Requests for items (fragments and proofs) of a *content name*, and nothing else: (BLAKE3 root, length) with the size of
 * the leaf groups, hashed to a 16-byte id. Such a name says nothing of who wrote to whom, what it names never changes, and every response proves
 * itself to whoever knows the name. Mailbox verbs and records never come here. Responses and negative answers go back the way the request came; the
 * holder learns nothing about the requester, nor the other way round.
 *
 * THE WAY OF A REQUEST. The caller decodes it, checks that its items exist in a content of that length, and that the full name was shown (a
 * `ShownName`, which cannot be made of a bare id). What the cache has is answered. The rest goes on to a holder: one that announced the
 * name in its session (`routes.ts`), never the session that asks. What another session has asked for already is not asked for again
 * (`pending-interests.ts`); a repeat by the same session is, because only requesters detect losses. We repeat nothing of our own accord.
 *
 * THE WAY OF A RESPONSE. It is accepted only from a session that was asked for that very item, goes to each session that waits, once, and ends the
 * wait. A proof may come in two parts, and each waiting session gets both. A caller that can verify (it keeps the content's frontier)
 * says so, and then the response is cached; one that finds a lie calls `lied`, and the items are asked of another holder. A caller that
 * cannot hands the bytes on unverified: LockStep makes that harmless, since the requester checks each response as it comes.
 *
 * NEGATIVE ANSWERS are hints, except from a holder about itself. About a whole name, one makes us ask the next holder for what nobody else was
 * asked, up to four in all; then it is handed on. About single items (a loop, a request too many) it says nothing about its
 * sender as a holder. A lost session is handled in the same way.
 *
 * CIRCLES. Announcements are claims, and two forwarders may each believe that the other holds. Three things end a request: the nonce, which
 * is remembered for longer than the interest and must not come back from another session; the hop limit, which falls with each
 * forwarding and is cut to eight on entry; and the rule that a session is never asked for what it asks us for. Two interests that wait for each
 * other across several forwarders, each aggregated with the other, are ended by their lifetime.
 *
 * NOTHING RESTS ON IT. There is no state here whose loss costs more than a packet: evicted, expired and refused interests look to their
 * requesters like lost datagrams. So everything has a bound, and each bound evicts the oldest, never everything: items per session and in all,
 * nonces, announcements per session and in all, cached bytes. A session over its own bound displaces only what is its own, so a
 * hundred thousand requests for names that nobody holds hurt nobody: without a holder they do not even enter the table. Eight sessions that use all of
 * their share fill it; then what is oldest of all goes, and others repeat more often. How many sessions one side may have is for the session layer.
 *
 * WHAT IT COSTS. Each step is O(1) for each item: maps, and chains instead of searches (`chain.ts`). Lifetimes are the same for all entries of
 * a table, so that the order of asking is the order of expiry. No timers: `pollTimeout` says when `handleTimeout` has something to do.
 *
 * WHAT A REQUESTER COULD LEARN. That a response comes at once says that somebody asked for the same content in the last minute. The cache
 * answers only those who know the name, which is all of whom that may be asked; it forgets by age, and it can be switched off (size 0).
 *
 * FILES. This one joins the parts. `pending-interests.ts` with `waiting-sessions.ts`, `awaited-item.ts`, `asked-sessions.ts`,
 * `overdue-sessions.ts` and `strands.ts`: who waits, who was asked, who is late. `nonces.ts`: circles.
 * `routes.ts`: who holds. `content-cache.ts` and `shown-name.ts`: what came through lately. Each can be used alone.
 *
 * Sources: Urbit's directed messaging (reverse paths; its table has no bounds, aggregation, nonces or hop limits, and its forwarder forgot
 * that it may want a page itself); NDN and NFD (interest table, nonces, dead nonce list, strategies that skip failing next hops).
 */
import { ContentCache } from './content-cache.ts';
import { PendingInterests } from './pending-interests.ts';
import { Routes } from './routes.ts';
import { askedMaximum } from './awaited-item.ts';
import { earlier, kindOfPart } from './types.ts';
import type { SessionId } from '../session/types.ts';
import type { CacheLimits, CachedPart } from './content-cache.ts';
import type { PendingLimits } from './pending-interests.ts';
import type { RouteLimits } from './routes.ts';
import type { ShownName } from './shown-name.ts';
import type { DueTime, Forward, Interest, NegativeScope, ResponsePart, Stranded } from './types.ts';

export { ContentCache } from './content-cache.ts';
export type { CacheLimits, CachedPart } from './content-cache.ts';
export { PendingInterests, hopLimitMaximum } from './pending-interests.ts';
export type { InterestOutcome, PendingLimits } from './pending-interests.ts';
export { Routes } from './routes.ts';
export type { HolderView, RouteLimits } from './routes.ts';
export { ShownName } from './shown-name.ts';
export type { DueTime, Forward, Interest, ItemKind, NegativeScope, Overdue, ResponsePart, Stranded } from './types.ts';

export interface ForwarderOptions {
  readonly pending?: PendingLimits;
  readonly routes?: RouteLimits;
  readonly cache?: CacheLimits;
}

/** A request as decoded, under a name that its session has shown. */
export type ForwarderRequest = Omit<Interest, 'nameId'> & { readonly name: ShownName };

export type RefusalReason = 'no-holder' | 'loop' | 'hop-limit';

/** All of it is to be done: send what is cached, ask the holder, tell the requester. */
export interface RequestStep {
  readonly cached: readonly CachedPart[];
  readonly forward: Forward | undefined;
  /** About the items of this request that were not cached. `no-holder` is about the name. */
  readonly refused: RefusalReason | undefined;
}

/** Sessions to be told that nobody answers these items; `scope` of what they asked. */
export interface Refusal { readonly nameId: string; readonly scope: NegativeScope; readonly sessions: readonly SessionId[] }

/** What follows from an answer that will not come: others are asked, or those that wait are told. */
export interface RerouteStep { readonly forwards: readonly Forward[]; readonly refusals: readonly Refusal[] }

export interface IncomingResponse {
  readonly from: SessionId;
  readonly nameId: string;
  readonly part: ResponsePart;
  readonly item: number;
  readonly payload: Uint8Array;
  /** Whether the caller has verified it against the name; only then is it cached. */
  readonly verified: boolean;
}

export class Forwarder {
  readonly pending: PendingInterests;
  readonly routes: Routes;
  readonly cache: ContentCache;

  constructor(options: ForwarderOptions = {}) {
    this.pending = new PendingInterests(options.pending);
    this.routes = new Routes(options.routes);
    this.cache = new ContentCache(options.cache);
  }

  request(request: ForwarderRequest, nowMs: number): RequestStep {
    const { from, name, kind, nonce } = request;
    const { nameId } = name;
    const cached: CachedPart[] = [];
    const missing: number[] = [];
    for (const item of request.items) {
      const parts = this.cache.answerOf(name, kind, item, nowMs);
      if (parts === undefined) missing.push(item);
      else cached.push(...parts);
    }
    const step = (forward: Forward | undefined, refused: RefusalReason | undefined): RequestStep => ({ cached, forward, refused });
    if (missing.length === 0) return step(undefined, undefined);
    if (!this.routes.leadsOn(nameId, from)) return step(undefined, 'no-holder');
    const outcome = this.pending.interested({ from, nameId, kind, items: missing, nonce, hopLimit: request.hopLimit }, nowMs);
    switch (outcome.kind) {
      case 'refused': return step(undefined, outcome.reason);
      case 'pending': return step(undefined, undefined);
      case 'forward': {
        const to = this.routes.next(nameId, [from]);
        if (to === undefined) return step(undefined, 'no-holder');
        this.pending.forwarded(nameId, kind, outcome.items, to, nowMs);
        return step({ to, nameId, kind, items: outcome.items, nonce, hopLimit: outcome.hopLimit }, undefined);
      }
    }
  }

  /** Whether this response was asked of that session, and is still waited for. */
  isAwaited(from: SessionId, nameId: string, part: ResponsePart, item: number): boolean { return this.pending.isAskedOf(from, nameId, kindOfPart(part), item); }

  /** Whom to send the payload to, as it came. */
  response(response: IncomingResponse, nowMs: number): readonly SessionId[] {
    const { from, nameId, part, item } = response;
    const sessions = this.pending.answered(nameId, part, item, from);
    if (sessions.length === 0) return sessions;
    this.routes.answered(nameId, from, nowMs);
    if (response.verified) this.cache.putVerified(nameId, part, item, response.payload, nowMs);
    return sessions;
  }

  /** The caller has found that a response is not of the content: to be called instead of `response`. */
  lied(from: SessionId, nameId: string, part: ResponsePart, item: number, nowMs: number): RerouteStep {
    const kind = kindOfPart(part);
    // What nobody asked for is dropped like any other such response, and nothing is to be learnt from it.
    if (this.pending.isAskedOf(from, nameId, kind, item)) this.routes.blame(nameId, from);
    return this.#reroute(this.pending.rejected(nameId, from, { kind, items: [item] }), nowMs);
  }

  /** Without a scope it is about the name, and its sender is asked last from now on. */
  negative(from: SessionId, nameId: string, scope: NegativeScope | undefined, nowMs: number): RerouteStep {
    if (scope === undefined) this.routes.refused(nameId, from);
    return this.#reroute(this.pending.rejected(nameId, from, scope), nowMs);
  }

  sessionLost(session: SessionId, nowMs: number): RerouteStep {
    this.routes.sessionLost(session);
    return this.#reroute(this.pending.sessionLost(session), nowMs);
  }

  /** The name is to be forgotten here: its owner has purged it. */
  purge(nameId: string): void { this.cache.purge(nameId); }

  handleTimeout(nowMs: number): void {
    for (const { nameId, session, askedAtMs } of this.pending.handleTimeout(nowMs)) this.routes.timedOut(nameId, session, askedAtMs);
    this.routes.handleTimeout(nowMs);
    this.cache.handleTimeout(nowMs);
  }

  pollTimeout(): DueTime | undefined { return earlier(earlier(this.pending.pollTimeout(), this.routes.pollTimeout()), this.cache.pollTimeout()); }

  #reroute(strandedItems: readonly Stranded[], nowMs: number): RerouteStep {
    const forwards: Forward[] = [];
    const refusals: Refusal[] = [];
    for (const { nameId, kind, items, nonce, hopLimit, tries, except } of strandedItems) {
      const to = tries < askedMaximum ? this.routes.next(nameId, except) : undefined;
      if (to === undefined) refusals.push({ nameId, scope: { kind, items }, sessions: this.pending.refused(nameId, kind, items) });
      else {
        this.pending.forwarded(nameId, kind, items, to, nowMs);
        forwards.push({ to, nameId, kind, items, nonce, hopLimit });
      }
    }
    return { forwards, refusals };
  }
}
