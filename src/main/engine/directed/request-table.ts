/**
 * Outgoing requests that wait for their answer: repeats them, collects the fragments of an answer, ends each exactly once. Knows nothing
 * of verbs: any request is a frame with an id that the other side answers under.
 */
import { Deadlines } from '../deadlines.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { decodeNegative, encodeRequest, requestIdBytes } from '../wire/frame.ts';
import { firstTimeoutMs, nextTimeoutMs } from './retransmission.ts';
import type { RandomBytes } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { Frame, Instant, RequestBody } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { FrameSender, RequestOptions, RequestOutcome } from './types.ts';

/** Waiting requests of all sessions together; a visor has tens, a relay one doorbell for each mailbox that is online. */
export const requestsMaximum = 4_096;
/** Fragments of one answer: four times what the longest answer of version 1 has. Bounds what a hostile answer can make us keep to 73 KB. */
export const answerFragmentsMaximum = 64;

type Response = Extract<Frame, { type: 'response' }>;

interface Pending {
  readonly sessionId: SessionId;
  readonly frame: Uint8Array;
  readonly done: RequestOptions['done'];
  readonly deadlineAtMs: number;
  timeoutMs: number;
  readonly fragments: Map<number, Uint8Array>;
  /** Number of the fragment that was marked final. */
  last: number | undefined;
}

export class RequestTable {
  readonly #sender: FrameSender;
  readonly #random: RandomBytes;
  readonly #counters: Counters;
  readonly #pending = new Map<string, Pending>();
  readonly #bySession = new Map<SessionId, Set<string>>();
  readonly #deadlines = new Deadlines();

  constructor(sender: FrameSender, random: RandomBytes, counters: Counters) {
    this.#sender = sender;
    this.#random = random;
    this.#counters = counters;
  }

  get size(): number { return this.#pending.size; }

  request(sessionId: SessionId, body: RequestBody, options: RequestOptions, now: Instant): void {
    if (this.#pending.size >= requestsMaximum) {
      this.#counters.count('request-table-full');
      options.done({ kind: 'timed-out' }, now);
      return;
    }
    const requestId = this.#random(requestIdBytes);
    const key = keyOf(sessionId, requestId);
    const pending: Pending = {
      sessionId, frame: encodeRequest(requestId, body), done: options.done, deadlineAtMs: now.monotonicMs + options.deadlineMs,
      timeoutMs: firstTimeoutMs(this.#sender.smoothedRoundTripMs(sessionId)), fragments: new Map(), last: undefined,
    };
    this.#pending.set(key, pending);
    const keys = this.#bySession.get(sessionId) ?? new Set<string>();
    this.#bySession.set(sessionId, keys.add(key));
    this.#arm(key, pending, now);
    this.#sender.send(sessionId, pending.frame, now);
  }

  /** False when nobody here asked for it. */
  handleResponse(sessionId: SessionId, response: Response, now: Instant): boolean {
    const key = keyOf(sessionId, response.requestId);
    const pending = this.#pending.get(key);
    if (pending === undefined) return false;
    if (response.negative) {
      const negative = decodeNegative(response.payload);
      if (negative === undefined) this.#counters.count('bad-negative');
      else this.#finish(key, pending, { kind: 'negative', negative }, now);
      return true;
    }
    this.#collect(key, pending, response, now);
    return true;
  }

  sessionLost(sessionId: SessionId, now: Instant): void {
    const lost = [...this.#bySession.get(sessionId) ?? []];
    // All are taken out first: a callback may ask again on the same session, and that request is not lost.
    const ended = lost.map((key) => this.#remove(key));
    for (const pending of ended) pending?.done({ kind: 'session-lost' }, now);
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const pending = this.#pending.get(key);
      if (pending === undefined) continue;
      if (now.monotonicMs >= pending.deadlineAtMs) {
        this.#finish(key, pending, { kind: 'timed-out' }, now);
        continue;
      }
      pending.timeoutMs = nextTimeoutMs(pending.timeoutMs);
      this.#arm(key, pending, now);
      this.#counters.count('request-repeated');
      this.#sender.send(pending.sessionId, pending.frame, now);
    }
  }

  nextAtMs(): number | undefined { return this.#deadlines.next()?.atMs; }

  #collect(key: string, pending: Pending, response: Response, now: Instant): void {
    const { fragment, final, payload } = response;
    if (fragment >= answerFragmentsMaximum || (pending.last !== undefined && (fragment > pending.last || (final && fragment !== pending.last)))) {
      this.#counters.count('bad-fragment');
      return;
    }
    const known = pending.fragments.get(fragment);
    if (known !== undefined && equalBytes(known, payload)) {
      this.#counters.count('duplicate-fragment');
      return;
    }
    if (known !== undefined) {
      // The other side forgot its answer and made another one: fragments of two answers must not be mixed.
      pending.fragments.clear();
      pending.last = undefined;
      this.#counters.count('answer-changed');
    }
    pending.fragments.set(fragment, payload.slice());
    if (final) {
      pending.last = fragment;
      for (const number of pending.fragments.keys()) if (number > fragment) pending.fragments.delete(number);
    }
    const payloads = completed(pending);
    if (payloads !== undefined) this.#finish(key, pending, { kind: 'answered', payloads }, now);
    // The rest of the answer is probably right behind: asking again now would only double it.
    else this.#arm(key, pending, now);
  }

  #arm(key: string, pending: Pending, now: Instant): void {
    this.#deadlines.set(key, Math.min(now.monotonicMs + pending.timeoutMs, pending.deadlineAtMs));
  }

  #finish(key: string, pending: Pending, outcome: RequestOutcome, now: Instant): void {
    this.#remove(key);
    pending.done(outcome, now);
  }

  #remove(key: string): Pending | undefined {
    const pending = this.#pending.get(key);
    if (pending === undefined) return undefined;
    this.#pending.delete(key);
    this.#deadlines.clear(key);
    const keys = this.#bySession.get(pending.sessionId);
    keys?.delete(key);
    if (keys?.size === 0) this.#bySession.delete(pending.sessionId);
    return pending;
  }
}

const keyOf = (sessionId: SessionId, requestId: Uint8Array): string => `${String(sessionId)}/${toHex(requestId)}`;

/** All payloads in order, once the final one and all before it are there. */
function completed(pending: Pending): readonly Uint8Array[] | undefined {
  if (pending.last === undefined || pending.fragments.size !== pending.last + 1) return undefined;
  const payloads: Uint8Array[] = [];
  for (let number = 0; number <= pending.last; number += 1) {
    const payload = pending.fragments.get(number);
    if (payload === undefined) return undefined;
    payloads.push(payload);
  }
  return payloads;
}
