/**
 * The one download machine. Everything that is bigger than a packet comes through it, from one holder or several. It hands what happens to its parts: `holders.ts` keeps the
 * sources of all downloads on their sessions (one congested path for each), `arrivals.ts` matches what comes to what was asked, and `refusals.ts`, `silence.ts` and again
 * `arrivals.ts` give up holders that refuse, are silent or lie. `asking.ts` says who asks for what when, `leaf-sizes.ts` how large the leaves are. A holder keeps nothing about
 * us: retransmission is decided here alone.
 */
import { Deadlines } from '../deadlines.ts';
import { proofParts } from '../lockstep/codec.ts';
import { Arrivals } from './arrivals.ts';
import { Asking, checkMs, emptyPathMs } from './asking.ts';
import { keyText } from './datum.ts';
import { Download } from './download.ts';
import { Holders } from './holders.ts';
import { LeafSizes } from './leaf-sizes.ts';
import { Refusals } from './refusals.ts';
import { Silence } from './silence.ts';
import { proofTag } from './source.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Frame, Instant } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { SessionPath } from './session-path.ts';
import type { DownloadHandle, DownloadOptions, FrameSender, MemoryUse } from './types.ts';

type Response = Extract<Frame, { type: 'response' }>;

export class DownloadMachine {
  readonly #crypto: Crypto;
  readonly #sessions = new Map<SessionId, SessionPath>();
  readonly #deadlines = new Deadlines();
  readonly #leafSizes: LeafSizes;
  readonly #asking: Asking;
  readonly #holders: Holders;
  readonly #arrivals: Arrivals;
  readonly #refusals: Refusals;
  readonly #silence: Silence;

  constructor(sender: FrameSender, crypto: Crypto, random: RandomBytes, counters: Counters) {
    this.#crypto = crypto;
    this.#leafSizes = new LeafSizes(sender, random, counters, this.#sessions);
    this.#asking = new Asking(sender, random, this.#leafSizes, this.#sessions, this.#deadlines);
    this.#holders = new Holders({ sender, counters, leafSizes: this.#leafSizes, asking: this.#asking, sessions: this.#sessions, flush: (now) => { this.flush(now); } });
    this.#arrivals = new Arrivals(this.#holders, this.#asking, counters, this.#sessions);
    this.#refusals = new Refusals(this.#holders, this.#asking, counters);
    this.#silence = new Silence(this.#holders, this.#asking);
  }

  /** Undefined for a length that no content has. The caller adds sources; it is told of each one's end, and of the whole's. */
  start(name: ContentName, options: DownloadOptions, now: Instant): DownloadHandle | undefined {
    const download = Download.start(this.#crypto, { root: name.root.slice(), length: name.length }, options, now);
    if (download === undefined) return undefined;
    return {
      get verifiedBytes() { return download.verifiedBytes; },
      get snapshot() { return download.snapshot; },
      get sources() { return [...download.sources].map(({ sessionId, receivedBytes, badFragments }) => ({ sessionId, receivedBytes, badFragments })); },
      addSource: (sessionId, at) => { this.#addSource(download, sessionId, at); },
      removeSource: (sessionId, at) => {
        for (const source of download.sources) if (source.sessionId === sessionId) this.#holders.remove(source, at);
      },
      hold: (held, at) => { this.#hold(download, held, at); },
      cancel: (at) => {
        this.flush(at);
        download.over = true;
        for (const source of [...download.sources]) this.#holders.remove(source, at);
      },
    };
  }

  /** Undefined when it belongs to no download of this session. Otherwise what is still used of its memory. */
  handleResponse(sessionId: SessionId, response: Response, now: Instant): MemoryUse | undefined {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    const key = keyText(response.requestId);
    const tag = tagOf(response);
    const source = session.sourceOf(key, response.negative ? undefined : tag);
    if (source === undefined) {
      if (!this.#leafSizes.takeAnswer(session, key, response, now)) return undefined;
      this.flush(now);
      this.#holders.regroup(session, now);
      this.#asking.pump(session, now);
      return 'none';
    }
    if (!response.negative) return this.#arrivals.take(session, source, tag, response, now);
    this.flush(now);
    this.#refusals.take(session, source, response.payload, now);
    return 'none';
  }

  /** Verifies what came, and asks for what is missing next. */
  flush(now: Instant): void { this.#arrivals.flush(now); }

  sessionLost(sessionId: SessionId, now: Instant): void {
    this.flush(now);
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#deadlines.clear(String(sessionId));
    this.#holders.lose(session, now);
  }

  /** The session's packets go another way. */
  pathChanged(sessionId: SessionId, now: Instant): void {
    this.flush(now);
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) this.#holders.renewPath(session, now);
  }

  handleTimeout(now: Instant): void {
    this.flush(now);
    const due: SessionId[] = [];
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) due.push(Number(key));
    // Each once: what is due again already waits for the next call, whatever led to that.
    for (const sessionId of due) {
      const session = this.#sessions.get(sessionId);
      if (session === undefined) continue;
      if (session.sources.size > 0) this.#silence.handleTimeout(session, now);
      // Added as the deadline was: a difference of such times may be rounded to less.
      else if (session.emptySinceMs !== undefined && now.monotonicMs >= session.emptySinceMs + emptyPathMs) this.#sessions.delete(session.sessionId);
      else this.#asking.arm(session, now);
    }
  }

  nextAtMs(): number | undefined { return this.#deadlines.next()?.atMs; }

  /** Fragments of one session that are asked for and have not come. */
  outstanding(sessionId: SessionId): number {
    let sum = 0;
    for (const source of this.#sessions.get(sessionId)?.sources.values() ?? []) sum += source.transfer.inFlight;
    return sum;
  }

  #addSource(download: Download, sessionId: SessionId, now: Instant): void {
    this.flush(now);
    for (const source of download.sources) if (source.sessionId === sessionId) return;
    if (download.over) return;
    if (download.isComplete) this.#arrivals.complete(download, now);
    else this.#holders.add(download, sessionId, now);
  }

  #hold(download: Download, held: boolean, now: Instant): void {
    // Before: what is verified now may make the owner say otherwise.
    download.held = held;
    this.flush(now);
    // What it owed before, it could not bring.
    for (const source of download.sources) source.owingSinceMs = undefined;
    this.#asking.refresh(download, now);
    for (const { sessionId } of download.sources) {
      const session = this.#sessions.get(sessionId);
      if (session !== undefined) session.checkAtMs ??= now.monotonicMs + checkMs;
    }
    this.#asking.pumpAll(download, now);
  }
}

const tagOf = (response: Response): number =>
  response.proof ? proofTag(response.fragment, proofParts[response.payload[0] ?? 0] ?? 'whole') : response.fragment;
