/**
 * Incoming requests: runs one handler per request id and remembers its answer, so that a repetition (its answer was lost) is answered
 * again without doing anything again. What is remembered is bounded; verbs are idempotent, so forgetting costs work and never correctness.
 */
import { toHex } from '../wire/bytes.ts';
import { encodeNegative, encodeResponse } from '../wire/frame.ts';
import type { SessionId } from '../session/types.ts';
import type { Frame, Instant, Negative, Verb } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { Answer, FrameSender, RequestHandler } from './types.ts';

/** Requests of one session whose handler has not answered yet; what a busy depositor has in one group commit. */
export const pendingPerSessionMaximum = 128;
/** Answers kept for one session: a flood of its own makes a session forget only its own. */
export const rememberedPerSessionMaximum = 256;
export const rememberedMaximum = 8_192;
export const rememberedBytesMaximum = 8 * 1_048_576;
/** Keys, map entries and array headers of one remembered answer, roughly. */
const rememberedOverheadBytes = 256;
const busy: Negative = { code: 'busy', retryAfterSeconds: 1, detail: 0 };
const malformed: Negative = { code: 'malformed', retryAfterSeconds: 0, detail: 0 };

type Request = Extract<Frame, { type: 'request' }>;

interface Remembered { readonly sessionId: SessionId; readonly id: string; readonly frames: readonly Uint8Array[]; readonly sizeBytes: number }
interface SessionRequests { readonly pending: Set<string>; readonly remembered: Map<string, Remembered> }

export class Responder {
  readonly #sender: FrameSender;
  readonly #counters: Counters;
  readonly #handlers = new Map<Verb, RequestHandler>();
  readonly #sessions = new Map<SessionId, SessionRequests>();
  /** Every remembered answer, least recently used first. */
  readonly #order = new Set<Remembered>();
  #rememberedBytes = 0;

  constructor(sender: FrameSender, counters: Counters) {
    this.#sender = sender;
    this.#counters = counters;
  }

  get rememberedCount(): number { return this.#order.size; }
  get rememberedBytes(): number { return this.#rememberedBytes; }

  handle(verb: Verb, handler: RequestHandler): void { this.#handlers.set(verb, handler); }

  handleRequest(sessionId: SessionId, request: Request, now: Instant): void {
    const id = toHex(request.requestId);
    const session = this.#sessions.get(sessionId) ?? { pending: new Set<string>(), remembered: new Map<string, Remembered>() };
    const remembered = session.remembered.get(id);
    if (remembered !== undefined) {
      this.#counters.count('request-answered-again');
      this.#touch(session, remembered);
      for (const frame of remembered.frames) this.#sender.send(sessionId, frame, now);
      return;
    }
    if (session.pending.has(id)) {
      this.#counters.count('request-repeated-while-pending');
      return;
    }
    const handler = this.#handlers.get(request.body.verb);
    if (handler === undefined) {
      this.#counters.count('unhandled-verb');
      this.refuseMalformed(sessionId, request.requestId, now);
      return;
    }
    if (session.pending.size >= pendingPerSessionMaximum) {
      this.#counters.count('session-busy');
      this.#sender.send(sessionId, encodeNegative(request.requestId, busy), now);
      return;
    }
    this.#sessions.set(sessionId, session);
    session.pending.add(id);
    handler(sessionId, request.body, this.#answer(sessionId, session, id, request.requestId.slice()), now);
  }

  /** For what has a request's outside and no meaning: the other side learns that repeating is no use. Nothing is remembered. */
  refuseMalformed(sessionId: SessionId, requestId: Uint8Array, now: Instant): void {
    this.#sender.send(sessionId, encodeNegative(requestId, malformed), now);
  }

  /** Its handlers' answers, whenever they come, go nowhere: a new session under the same number is somebody's new start. */
  sessionLost(sessionId: SessionId): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    for (const remembered of [...session.remembered.values()]) this.#forget(remembered);
    session.pending.clear();
    this.#sessions.delete(sessionId);
  }

  #answer(sessionId: SessionId, session: SessionRequests, id: string, requestId: Uint8Array): Answer {
    let answered = false;
    const send = (frames: readonly Uint8Array[], now: Instant): void => {
      if (answered) { this.#counters.count('answered-twice'); return; }
      answered = true;
      if (this.#sessions.get(sessionId) !== session) { this.#counters.count('answer-for-lost-session'); return; }
      session.pending.delete(id);
      this.#remember(sessionId, session, id, frames);
      for (const frame of frames) this.#sender.send(sessionId, frame, now);
    };
    return {
      respond: (payload, now) => { send([encodeResponse(requestId, 0, true, payload)], now); },
      respondMany: (payloads, now) => {
        const all = payloads.length === 0 ? [new Uint8Array(0)] : payloads;
        send(all.map((payload, number) => encodeResponse(requestId, number, number === all.length - 1, payload)), now);
      },
      refuse: (negative, now) => { send([encodeNegative(requestId, negative)], now); },
    };
  }

  #remember(sessionId: SessionId, session: SessionRequests, id: string, frames: readonly Uint8Array[]): void {
    const sizeBytes = frames.reduce((sum, frame) => sum + frame.length, rememberedOverheadBytes);
    this.#rememberedBytes += sizeBytes;
    this.#touch(session, { sessionId, id, frames, sizeBytes });
    const oldestOwn = session.remembered.values().next();
    if (session.remembered.size > rememberedPerSessionMaximum && oldestOwn.done !== true) this.#forget(oldestOwn.value);
    const isOver = (): boolean => this.#order.size > rememberedMaximum || this.#rememberedBytes > rememberedBytesMaximum;
    // Asked before the loop too: reaching the first of a set means passing all that were deleted before it.
    if (!isOver()) return;
    for (const oldest of this.#order) {
      this.#forget(oldest);
      if (!isOver()) break;
    }
  }

  #touch(session: SessionRequests, remembered: Remembered): void {
    this.#order.delete(remembered);
    session.remembered.delete(remembered.id);
    session.remembered.set(remembered.id, remembered);
    this.#order.add(remembered);
  }

  #forget(remembered: Remembered): void {
    const session = this.#sessions.get(remembered.sessionId);
    this.#order.delete(remembered);
    this.#rememberedBytes -= remembered.sizeBytes;
    session?.remembered.delete(remembered.id);
    if (session?.remembered.size === 0 && session.pending.size === 0) this.#sessions.delete(remembered.sessionId);
  }
}
