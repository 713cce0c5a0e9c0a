/**
 * The one download machine. Each session has a window of fragments under way, shared by its downloads; what is presumed lost is named
 * in the bitmap of the next request. The holder keeps nothing about us: retransmission is decided here alone.
 *
 * A fragment counts as lost when the session has brought nothing for a timeout, or this download nothing for four: on a slow path the
 * first waits for what is still queued before it, the second stops a busy session from starving a download whose request was lost.
 */
import { Deadlines } from '../deadlines.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { decodeNegative, encodeRequest, pullRequestId } from '../wire/frame.ts';
import { contentMaximumBytes } from './publisher.ts';
import { Pull } from './pull.ts';
import { firstTimeoutMs, nextTimeoutMs, timeoutMaximumMs } from './retransmission.ts';
import type { Crypto } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Frame, Instant } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { PullDone } from './pull.ts';
import type { FrameSender, Puller, PullOutcome } from './types.ts';

/** Fragments under way on one session: 32 KiB, the burst that a fresh path carries without congestion control. */
export const windowFragments = 32;
/** A request is made for at least this many of a download's fragments at once, so that requests stay few beside fragments. */
const batchFragments = 8;
const activePerSessionMaximum = 32;
/** Downloads that wait or run, callbacks of joined ones included: a visor coming back lists thousands of letters at once. */
export const pullsMaximum = 8_192;
/** Ends when nothing came for this long, or when a holder that drips has taken this long in all. */
const idleMaximumMs = 20_000;
const totalMaximumMs = 300_000;
const starvationFactor = 4;
/** Shortest wait after "busy" or "not yet". */
const heldMinimumMs = 500;

type Response = Extract<Frame, { type: 'response' }>;

interface SessionPulls {
  readonly active: Map<string, Pull>;
  readonly waiting: Map<string, Pull>;
  lastProgressMs: number;
}

export class WindowedPuller implements Puller {
  readonly #sender: FrameSender;
  readonly #crypto: Crypto;
  readonly #counters: Counters;
  readonly #sessions = new Map<SessionId, SessionPulls>();
  readonly #byKey = new Map<string, Pull>();
  readonly #deadlines = new Deadlines();
  #callbacks = 0;

  constructor(sender: FrameSender, crypto: Crypto, counters: Counters) {
    this.#sender = sender;
    this.#crypto = crypto;
    this.#counters = counters;
  }

  get size(): number { return this.#callbacks; }

  /** Fragments of one session that are asked for and have not come. */
  outstanding(sessionId: SessionId): number {
    let sum = 0;
    for (const pull of this.#sessions.get(sessionId)?.active.values() ?? []) sum += pull.outstanding;
    return sum;
  }

  pull(sessionId: SessionId, name: ContentName, done: PullDone, now: Instant): void {
    if (name.length > contentMaximumBytes) { done({ kind: 'failed', reason: 'too-large' }, now); return; }
    if (name.length === 0) { done(this.#verified(name, new Uint8Array(0)), now); return; }
    if (this.#callbacks >= pullsMaximum) {
      this.#counters.count('pulls-full');
      done({ kind: 'failed', reason: 'timed-out' }, now);
      return;
    }
    this.#callbacks += 1;
    const requestId = pullRequestId(this.#crypto, name);
    const key = keyOf(sessionId, requestId);
    const same = this.#byKey.get(key);
    if (same !== undefined) { same.callbacks.push(done); return; }
    const pull = new Pull(key, sessionId, { root: name.root.slice(), length: name.length }, requestId, done);
    this.#byKey.set(key, pull);
    const session = this.#sessions.get(sessionId) ?? { active: new Map<string, Pull>(), waiting: new Map<string, Pull>(), lastProgressMs: now.monotonicMs };
    this.#sessions.set(sessionId, session);
    session.waiting.set(key, pull);
    this.#pump(sessionId, session, now);
  }

  /** False when it belongs to no download of this session. */
  handleResponse(sessionId: SessionId, response: Response, now: Instant): boolean {
    const session = this.#sessions.get(sessionId);
    const pull = session?.active.get(keyOf(sessionId, response.requestId));
    if (session === undefined || pull === undefined) return false;
    if (response.negative) this.#handleNegative(session, pull, response.payload, now);
    else this.#handleFragment(session, pull, response, now);
    return true;
  }

  sessionLost(sessionId: SessionId, now: Instant): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) this.#failAll(sessionId, session, 'session-lost', now);
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const pull = this.#byKey.get(key);
      const session = pull === undefined ? undefined : this.#sessions.get(pull.sessionId);
      if (pull !== undefined && session !== undefined) this.#handlePullTimeout(session, pull, now);
    }
  }

  nextAtMs(): number | undefined { return this.#deadlines.next()?.atMs; }

  #handlePullTimeout(session: SessionPulls, pull: Pull, now: Instant): void {
    const nowMs = now.monotonicMs;
    const sessionIdle = nowMs - session.lastProgressMs >= idleMaximumMs && nowMs - pull.startedMs >= idleMaximumMs;
    if (sessionIdle) { this.#failAll(pull.sessionId, session, 'timed-out', now); return; }
    if (nowMs - pull.startedMs >= totalMaximumMs) { this.#finish(session, pull, { kind: 'failed', reason: 'timed-out' }, now); return; }
    const dueMs = dueAtMs(session, pull);
    if (dueMs > nowMs) { this.#deadlines.set(pull.key, dueMs); return; }
    this.#counters.count('fragments-presumed-lost', pull.presumeLost());
    pull.timeoutMs = nextTimeoutMs(pull.timeoutMs);
    pull.activeMs = nowMs;
    this.#deadlines.set(pull.key, nowMs + pull.timeoutMs);
    this.#pump(pull.sessionId, session, now);
  }

  #handleFragment(session: SessionPulls, pull: Pull, response: Response, now: Instant): void {
    const taken = pull.take(response.fragment, response.payload);
    if (taken !== 'taken') { this.#counters.count(taken === 'bad' ? 'bad-pull-fragment' : 'duplicate-pull-fragment'); return; }
    session.lastProgressMs = now.monotonicMs;
    pull.activeMs = now.monotonicMs;
    pull.heldUntilMs = 0;
    pull.timeoutMs = this.#firstTimeoutMs(pull.sessionId);
    if (pull.complete) this.#finish(session, pull, this.#verified(pull.name, pull.assemble()), now);
    else this.#deadlines.set(pull.key, dueAtMs(session, pull));
    this.#pump(pull.sessionId, session, now);
  }

  #handleNegative(session: SessionPulls, pull: Pull, payload: Uint8Array, now: Instant): void {
    const negative = decodeNegative(payload);
    if (negative === undefined) { this.#counters.count('bad-negative'); return; }
    switch (negative.code) {
      case 'busy':
      case 'not-yet':
        // Not progress: a holder that is busy for too long ends the download like a silent one.
        pull.presumeLost();
        pull.timeoutMs = Math.max(pull.timeoutMs, Math.min(Math.max(negative.retryAfterSeconds * 1_000, heldMinimumMs), timeoutMaximumMs));
        pull.heldUntilMs = now.monotonicMs + pull.timeoutMs;
        this.#deadlines.set(pull.key, pull.heldUntilMs);
        break;
      case 'too-large':
        this.#finish(session, pull, { kind: 'failed', reason: 'too-large' }, now);
        break;
      default:
        this.#finish(session, pull, { kind: 'failed', reason: 'absent' }, now);
    }
    this.#pump(pull.sessionId, session, now);
  }

  /** Fills the session's window: downloads that run first, in the order they began, then waiting ones. */
  #pump(sessionId: SessionId, session: SessionPulls, now: Instant): void {
    if (this.#sessions.get(sessionId) !== session) return;
    let room = windowFragments - this.outstanding(sessionId);
    for (const pull of session.active.values()) room -= this.#ask(pull, room, now);
    while (room > 0 && session.active.size < activePerSessionMaximum) {
      const next = session.waiting.values().next();
      if (next.done === true) break;
      const pull = next.value;
      session.waiting.delete(pull.key);
      session.active.set(pull.key, pull);
      pull.timeoutMs = this.#firstTimeoutMs(sessionId);
      pull.startedMs = now.monotonicMs;
      pull.activeMs = now.monotonicMs;
      const asked = this.#ask(pull, room, now);
      // Too little room for a batch now; its turn comes with the next fragment.
      if (asked === 0) this.#deadlines.set(pull.key, now.monotonicMs + pull.timeoutMs);
      room -= asked;
    }
  }

  /** The number of fragments asked for. */
  #ask(pull: Pull, room: number, now: Instant): number {
    if (pull.needed === 0 || pull.heldUntilMs > now.monotonicMs || room < Math.min(batchFragments, pull.needed)) return 0;
    const before = pull.outstanding;
    const body = pull.ask(room);
    if (body === undefined) return 0;
    pull.activeMs = now.monotonicMs;
    this.#deadlines.set(pull.key, now.monotonicMs + pull.timeoutMs);
    this.#sender.send(pull.sessionId, encodeRequest(pull.requestId, body), now);
    return pull.outstanding - before;
  }

  #finish(session: SessionPulls, pull: Pull, outcome: PullOutcome, now: Instant): void {
    this.#remove(session, pull);
    for (const done of pull.callbacks) done(outcome, now);
  }

  /** All are taken out before the first callback: it may pull again on the same session. */
  #failAll(sessionId: SessionId, session: SessionPulls, reason: 'session-lost' | 'timed-out', now: Instant): void {
    const ended = [...session.active.values(), ...session.waiting.values()];
    for (const pull of ended) this.#remove(session, pull);
    this.#sessions.delete(sessionId);
    for (const pull of ended) for (const done of pull.callbacks) done({ kind: 'failed', reason }, now);
  }

  #remove(session: SessionPulls, pull: Pull): void {
    session.active.delete(pull.key);
    session.waiting.delete(pull.key);
    this.#byKey.delete(pull.key);
    this.#deadlines.clear(pull.key);
    this.#callbacks -= pull.callbacks.length;
    if (session.active.size === 0 && session.waiting.size === 0) this.#sessions.delete(pull.sessionId);
  }

  #verified(name: ContentName, bytes: Uint8Array): PullOutcome {
    if (equalBytes(this.#crypto.blake3(bytes), name.root)) return { kind: 'pulled', bytes };
    this.#counters.count('wrong-root');
    return { kind: 'failed', reason: 'wrong-root' };
  }

  #firstTimeoutMs(sessionId: SessionId): number { return firstTimeoutMs(this.#sender.smoothedRoundTripMs(sessionId)); }
}

const keyOf = (sessionId: SessionId, requestId: Uint8Array): string => `${String(sessionId)}/${toHex(requestId)}`;

function dueAtMs(session: SessionPulls, pull: Pull): number {
  const ownMs = pull.activeMs + pull.timeoutMs;
  return Math.max(ownMs, Math.min(session.lastProgressMs + pull.timeoutMs, pull.activeMs + pull.timeoutMs * starvationFactor));
}
