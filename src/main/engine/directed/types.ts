/**
 * The surface of the request layer: every packet between two sides is a request or a response, and whatever is bigger than a packet is
 * pulled. Callbacks run synchronously inside the engine's own inputs; there is no other concurrency.
 */
import type { TrafficClass } from '../congestion/types.ts';
import type { ContentName, Instant, Negative, RequestBody } from '../wire/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Datum } from './datum.ts';

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

/** Why a holder is asked no more: `lying`, it sent what does not prove, again and again; `absent`, it says that it has no such content. */
export type SourceEnd = 'absent' | 'lying' | 'timed-out' | 'session-lost' | 'too-large';

export interface DownloadOptions {
  readonly trafficClass: TrafficClass;
  /** Memory for what comes before its turn; also how far ahead is asked. */
  readonly keptMaximumBytes: number;
  /** Of an earlier download of the same content, whose bytes are kept. What is damaged counts as none. */
  readonly snapshot?: Uint8Array;
  /** Ends sources when the whole takes longer; without it only silence does. */
  readonly totalMaximumMs?: number;
  /** Bytes that have been proved; the view is valid during the call only. */
  verified(offset: number, bytes: Uint8Array, now: Instant): void;
  /** Everything is here; all sources have been left. Called once, and nothing after it. Of a snapshot that is complete: when the first source is added. */
  completed(now: Instant): void;
  /** The download goes on with the others, and waits for new ones when there are none. */
  sourceEnded(sessionId: SessionId, reason: SourceEnd, now: Instant): void;
  /** A fragment or proof of this source was refused; for diagnostics. */
  refused?(sessionId: SessionId, reason: string): void;
}

export interface DownloadHandle {
  readonly verifiedBytes: number;
  /** Which leaves have been proved so far (engine/lockstep); to be stored once their bytes are durable. */
  readonly snapshot: Uint8Array;
  readonly sources: readonly { readonly sessionId: SessionId; readonly receivedBytes: number; readonly badFragments: number }[];
  addSource(sessionId: SessionId, now: Instant): void;
  removeSource(sessionId: SessionId, now: Instant): void;
  /** Asks for nothing more until it is let go; what is under way still comes. */
  hold(held: boolean, now: Instant): void;
  /** Nothing of it happens any more; nobody is told. */
  cancel(now: Instant): void;
}

export interface Puller {
  /** A small content into memory, from one holder. */
  pull(sessionId: SessionId, name: ContentName, done: (outcome: PullOutcome, now: Instant) => void, now: Instant): void;
}

/** Holds what others may pull from here. Stateless towards requesters: each request is answered from the datum alone. */
export interface Publisher {
  /** Offers bytes under their name until `withdraw`; reference-counted by repeated offers. */
  offer(name: ContentName, bytes: Uint8Array): void;
  offerDatum(name: ContentName, datum: Datum): void;
  withdraw(name: ContentName): void;
  /** Asked for names that are not offered (a relay's stored bodies). `found` may be called later, once. */
  setFallback(lookup: (sessionId: SessionId, name: ContentName, found: (found: Uint8Array | Datum | undefined, now: Instant) => void, now: Instant) => void): void;
  /** What the lookup found under this name is asked for anew. */
  forget(name: ContentName): void;
}

/**
 * What is still used of memory that was handed over: `none` of it (it may be freed: so for what is forwarded, and most of what downloads are answered with), all of it
 * `until-flush` (leaves that are verified together with those that follow), or views of it are `kept`.
 */
export type MemoryUse = 'none' | 'until-flush' | 'kept';

export interface Directed extends Puller {
  readonly publisher: Publisher;
  /** Any content, from any number of holders. Undefined for a length that none has. */
  download(name: ContentName, options: DownloadOptions, now: Instant): DownloadHandle | undefined;
  request(sessionId: SessionId, body: RequestBody, options: RequestOptions, now: Instant): void;
  handle(verb: RequestBody['verb'], handler: RequestHandler): void;
  handleFrame(sessionId: SessionId, frame: Uint8Array, now: Instant): MemoryUse;
  /** Settles what was gathered: to be called before anything that is to be sent is looked for. Every other input settles it too. */
  flush(now: Instant): void;
  /** The session is gone, or its other side restarted: everything pending on it ends as `session-lost`. */
  sessionLost(sessionId: SessionId, now: Instant): void;
  /** This session has the content: pulls of others that cannot be answered here are forwarded to it. Switches forwarding on. */
  announce(sessionId: SessionId, name: ContentName, now: Instant): void;
  /** The session's packets take another path from now on. */
  pathChanged(sessionId: SessionId, now: Instant): void;
  handleTimeout(now: Instant): void;
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
  readonly dropCounters: Readonly<Record<string, number>>;
}

/** What the request layer needs from below. */
export interface FrameSender {
  /** False when the session is not established now; the frame is then repeated by timeout like a lost one. */
  send(sessionId: SessionId, frame: Uint8Array, now: Instant): boolean;
  /** Memory for one frame that is sent next and not looked at after; without it each frame has memory of its own. */
  frameRoom?(sizeBytes: number): Uint8Array;
  smoothedRoundTripMs(sessionId: SessionId): number | undefined;
  /** The longest datagram to and from the other side that nobody would cut up before it leaves: the bound of what a path is probed for. */
  datagramLimitBytes(sessionId: SessionId): number;
  /** Datagrams of that size come through from the other side, in one piece; it was tried. */
  carries?(sessionId: SessionId, sizeBytes: number): void;
}
