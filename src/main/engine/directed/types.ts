/**
 * The surface of the request layer: every packet between two sides is a request or a response, and whatever is bigger than a packet is
 * pulled. Callbacks run synchronously inside the engine's own inputs; there is no other concurrency.
 */
import type { ContentName, Instant, Negative, RequestBody } from '../wire/types.ts';
import type { SessionId } from '../session/types.ts';

export type RequestOutcome =
  /** One payload per fragment, in order of fragment number, complete up to the final one. */
  | { readonly kind: 'answered'; readonly payloads: readonly Uint8Array[] }
  | { readonly kind: 'negative'; readonly negative: Negative }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'session-lost' };

export interface RequestOptions {
  /** The request is repeated (RTO from the session's round trips, doubling) until answered or this many ms have passed. */
  readonly deadlineMs: number;
  readonly done: (outcome: RequestOutcome, now: Instant) => void;
}

/** How a handler answers; later calls after the first are ignored, answers to lost sessions are dropped. */
export interface Answer {
  respond(payload: Uint8Array, now: Instant): void;
  /** Several fragments, the last marked final. */
  respondMany(payloads: readonly Uint8Array[], now: Instant): void;
  refuse(negative: Negative, now: Instant): void;
}

/** Handles requests of some verbs; runs once per request id while the answer is pending or remembered. */
export type RequestHandler = (sessionId: SessionId, body: RequestBody, answer: Answer, now: Instant) => void;

export type PullOutcome =
  | { readonly kind: 'pulled'; readonly bytes: Uint8Array }
  /** `wrong-root`: everything came and does not hash to the name. `absent`: the holder says it has no such name. */
  | { readonly kind: 'failed'; readonly reason: 'absent' | 'wrong-root' | 'timed-out' | 'session-lost' | 'too-large' };

/** The one download machine's interface; the simple window of today and congestion control of later fit behind it. */
export interface Puller {
  pull(sessionId: SessionId, name: ContentName, done: (outcome: PullOutcome, now: Instant) => void, now: Instant): void;
}

/** Holds what others may pull from here. Stateless towards requesters: each request is answered from the datum alone. */
export interface Publisher {
  /** Offers bytes under their name until `withdraw`; reference-counted by repeated offers. */
  offer(name: ContentName, bytes: Uint8Array): void;
  withdraw(name: ContentName): void;
  /** Asked for names that are not offered (a relay's stored bodies). `found` may be called later, once. */
  setFallback(lookup: (sessionId: SessionId, name: ContentName, found: (bytes: Uint8Array | undefined, now: Instant) => void, now: Instant) => void): void;
}

export interface Directed extends Puller {
  readonly publisher: Publisher;
  request(sessionId: SessionId, body: RequestBody, options: RequestOptions, now: Instant): void;
  handle(verb: RequestBody['verb'], handler: RequestHandler): void;
  handleFrame(sessionId: SessionId, frame: Uint8Array, now: Instant): void;
  /** The session is gone, or its other side restarted: everything pending on it ends as `session-lost`. */
  sessionLost(sessionId: SessionId, now: Instant): void;
  handleTimeout(now: Instant): void;
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
  readonly dropCounters: Readonly<Record<string, number>>;
}

/** What the request layer needs from below. */
export interface FrameSender {
  /** False when the session is not established now; the frame is then repeated by timeout like a lost one. */
  send(sessionId: SessionId, frame: Uint8Array, now: Instant): boolean;
  smoothedRoundTripMs(sessionId: SessionId): number | undefined;
}
