/**
 * What our relays know of what we publish: each is told of a name by a signed record, and asked to hold its content, which it pulls from here; both are repeated. One name at a
 * time is done at each relay, so that a thousand of them are no burst.
 */
import { Deadlines } from '../deadlines.ts';
import { nameKey } from '../directed/datum.ts';
import { createNamedRecord, decodeNamedRecord, verifyNamedRecord } from '../wire/named-record.ts';
import { decodeHoldResponse } from '../wire/responses.ts';
import { aheadMaximumSeconds, isNamed, lifetimeSeconds, nextNumber } from './published-rows.ts';
import { RateMeter } from './rate-meter.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { PublishedRow } from '../mail/visor-store.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { PublishedOffers } from './published-offers.ts';

const requestDeadlineMs = 10_000;
/** Asked again while a relay is taking a content, and while it holds it. */
const takingMs = 1_000;
const heldMs = 600_000;
/** A relay without room passes on to us what others ask, as long as it has been told lately. */
const throughMs = 20_000;
const retryMinimumMs = 2_000;
const retryMaximumMs = 60_000;
const refusedMs = 600_000;

/** What one relay knows of one name. */
interface ToldOfName { sequence: number; heldBytes: number; complete: boolean; full: boolean; failures: number; readonly rate: RateMeter }

export interface PublishedPlace { readonly relay: string; readonly deadlines: Deadlines; readonly names: Map<string, ToldOfName>; busy: boolean }

export class PublishedRelays {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #isRegistered: (relay: string) => boolean;
  readonly #offers: PublishedOffers;
  readonly #places = new Map<string, PublishedPlace>();

  constructor(context: VisorContext, links: RelayLinks, isRegistered: (relay: string) => boolean, offers: PublishedOffers) {
    this.#context = context;
    this.#links = links;
    this.#isRegistered = isRegistered;
    this.#offers = offers;
  }

  get places(): readonly PublishedPlace[] { return [...this.#places.values()]; }

  /** This relay has a mailbox of ours and serves it: what it knows is to be found out anew. */
  registered(relay: string, now: Instant): void {
    const place: PublishedPlace = { relay, deadlines: new Deadlines(), names: new Map(), busy: false };
    this.#places.set(relay, place);
    for (const path of this.#context.memory.published.keys()) place.deadlines.set(path, now.monotonicMs);
  }

  /** Its content is another one: what was known of the one before is not about it. */
  forget(path: string): void {
    for (const place of this.#places.values()) place.names.delete(path);
  }

  /** All of them are to be told at once. */
  schedule(path: string, now: Instant): void {
    for (const place of this.#places.values()) {
      place.deadlines.set(path, now.monotonicMs);
      this.#goOn(place, now);
    }
  }

  /** No name stands for it any more. */
  drop(content: ContentName, now: Instant): void {
    for (const { relay } of this.#places.values()) {
      const sessionId = this.#sessionOf(relay);
      if (sessionId !== undefined) this.#context.directed.request(sessionId, { verb: 'drop', mailbox: this.#mailbox, name: content }, { deadlineMs: requestDeadlineMs, done: () => undefined }, now);
    }
  }

  handleTimeout(now: Instant): void {
    for (const place of this.#places.values()) this.#goOn(place, now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    let atMs = Infinity;
    for (const place of this.#places.values()) if (!place.busy && this.#isRegistered(place.relay)) atMs = Math.min(atMs, place.deadlines.next()?.atMs ?? Infinity);
    return atMs === Infinity ? undefined : { atMs, reason: 'publish' };
  }

  #goOn(place: PublishedPlace, now: Instant): void {
    if (place.busy || this.#places.get(place.relay) !== place) return;
    const sessionId = this.#sessionOf(place.relay);
    if (sessionId === undefined) {
      if (!this.#context.memory.relays.has(place.relay) || this.#isRegistered(place.relay)) this.#places.delete(place.relay);
      return;
    }
    for (let path = place.deadlines.takeDue(now.monotonicMs); path !== undefined; path = place.deadlines.takeDue(now.monotonicMs)) {
      const row = this.#context.memory.published.get(path);
      if (row === undefined) { place.names.delete(path); continue; }
      const told = place.names.get(path) ?? { sequence: 0, heldBytes: 0, complete: false, full: false, failures: 0, rate: new RateMeter() };
      place.names.set(path, told);
      if (told.sequence !== row.sequence) { this.#tell(place, sessionId, row, told, now); return; }
      if (row.content !== undefined) { this.#hold(place, sessionId, row.path, row.content, told, now); return; }
    }
  }

  #tell(place: PublishedPlace, sessionId: SessionId, row: PublishedRow, told: ToldOfName, now: Instant): void {
    const { path, content, mediaType, sequence, notAfterSeconds } = row;
    const record = createNamedRecord({ identitySecret: this.#context.identitySecret, path, sequence, notAfterSeconds, content, mediaType });
    place.busy = true;
    this.#context.directed.request(sessionId, { verb: 'publish', kind: 'named', object: record.bytes }, {
      deadlineMs: requestDeadlineMs,
      done: (outcome, at) => {
        if (outcome.kind === 'answered') told.sequence = sequence;
        if (outcome.kind === 'negative' && outcome.negative.code === 'stale') { this.#settleStale(place, sessionId, path, told, at); return; }
        this.#ended(place, path, told, outcome, 0, at);
      },
    }, now);
  }

  /** It has a record of ours that is newer than our own, which was lost: this profile was restored from a copy. */
  #settleStale(place: PublishedPlace, sessionId: SessionId, path: string, told: ToldOfName, now: Instant): void {
    this.#context.directed.request(sessionId, { verb: 'record', kind: 'named', identity: this.#context.publicKey, path }, {
      deadlineMs: requestDeadlineMs,
      done: (outcome, at) => {
        const record = outcome.kind === 'answered' && outcome.payloads[0] !== undefined ? decodeNamedRecord(outcome.payloads[0]) : undefined;
        const row = this.#context.memory.published.get(path);
        const isOurs = record !== undefined && record.identity === this.#context.publicKey && record.path === path && verifyNamedRecord(record);
        const next = row === undefined ? undefined : nextNumber(this.#context, row, at);
        const isNews = isOurs && row !== undefined && record.sequence >= row.sequence && record.sequence < Math.floor(at.wallMs / 1_000) + aheadMaximumSeconds;
        if (row !== undefined && next !== undefined && isNews) {
          this.#context.commit([{ kind: 'put-published', row: { ...row, ...next, sequence: Math.max(next.sequence, record.sequence + 1) } }], { done: (_applied, then) => { this.schedule(path, then); } });
        }
        told.failures += 1;
        place.busy = false;
        place.deadlines.set(path, at.monotonicMs + pauseMs(told.failures));
        this.#goOn(place, at);
      },
    }, now);
  }

  #hold(place: PublishedPlace, sessionId: SessionId, path: string, content: ContentName, told: ToldOfName, now: Instant): void {
    place.busy = true;
    const ask = (at: Instant): void => {
      this.#context.directed.request(sessionId, { verb: 'hold', mailbox: this.#mailbox, token: undefined, ttlSeconds: lifetimeSeconds, name: content }, {
        deadlineMs: requestDeadlineMs,
        done: (outcome, then) => { this.#held(place, path, content, told, outcome, then); },
      }, at);
    };
    // One that holds it all needs nothing of us; should it have lost it, its answer says so, and it is asked again with the content offered.
    if (told.complete) { ask(now); return; }
    this.#offers.offer(content, now, (offered, at) => {
      if (offered && isNamed(this.#context, content)) { ask(at); return; }
      place.busy = false;
      place.deadlines.set(path, at.monotonicMs + refusedMs);
      this.#goOn(place, at);
    });
  }

  #held(place: PublishedPlace, path: string, content: ContentName, told: ToldOfName, outcome: RequestOutcome, now: Instant): void {
    const answer = outcome.kind === 'answered' && outcome.payloads[0] !== undefined ? decodeHoldResponse(outcome.payloads[0]) : undefined;
    if (answer === undefined) { this.#ended(place, path, told, outcome, 0, now); return; }
    const wasComplete = told.complete;
    told.complete = answer.state === 'held';
    told.heldBytes = told.complete ? content.length : Math.min(answer.heldBytes, content.length);
    told.full = false;
    told.rate.note(told.heldBytes, now.monotonicMs);
    if (told.complete && !this.#isTaken(content)) this.#offers.withdraw(content);
    this.#ended(place, path, told, outcome, told.complete ? heldMs : wasComplete ? 0 : takingMs, now);
  }

  /** @param againMs when the relay is to be asked again after a good answer. */
  #ended(place: PublishedPlace, path: string, told: ToldOfName, outcome: RequestOutcome, againMs: number, now: Instant): void {
    place.busy = false;
    let waitMs = againMs;
    if (outcome.kind === 'answered') told.failures = 0;
    else if (outcome.kind === 'negative') {
      const { code, retryAfterSeconds } = outcome.negative;
      told.full = code === 'quota';
      told.complete = false;
      told.failures += 1;
      this.#context.count(`publish.${code}`);
      waitMs = code === 'quota' ? throughMs : code === 'busy' ? Math.max(retryMinimumMs, retryAfterSeconds * 1_000) : code === 'no-mailbox' ? retryMaximumMs : refusedMs;
    } else {
      told.failures += 1;
      waitMs = pauseMs(told.failures);
    }
    if (this.#context.memory.published.get(path)?.sequence !== told.sequence && outcome.kind === 'answered') waitMs = 0;
    place.deadlines.set(path, now.monotonicMs + waitMs);
    this.#goOn(place, now);
  }

  /** Some relay still has to get it from here. */
  #isTaken(content: ContentName): boolean {
    const key = nameKey(content);
    for (const [path, row] of this.#context.memory.published) {
      if (row.content === undefined || nameKey(row.content) !== key) continue;
      for (const place of this.#places.values()) if (place.names.get(path)?.complete !== true) return true;
    }
    return false;
  }

  get #mailbox(): { readonly identity: string; readonly deviceId: string } { return { identity: this.#context.publicKey, deviceId: this.#context.device.deviceId }; }

  /** Undefined where nothing is published (now). */
  #sessionOf(relay: string): SessionId | undefined {
    const row = this.#context.memory.relays.get(relay);
    const link = this.#links.own(relay);
    if (row === undefined || row.leavingSinceMs !== undefined || link?.state !== 'connected' || !this.#isRegistered(relay)) return undefined;
    return link.sessionId;
  }
}

const pauseMs = (failures: number): number => Math.min(retryMaximumMs, retryMinimumMs * 2 ** Math.min(failures, 10));
