/**
 * The one download machine. Everything that is bigger than a packet comes through it, from one holder or several: it keeps the
 * sources of all downloads on their sessions (one congested path for each), matches what comes to what was asked, and gives up holders that are silent,
 * refuse or lie. `asking.ts` says who asks for what when, `leaf-sizes.ts` how large the leaves are. A holder keeps nothing about us: retransmission is decided here alone.
 */
import { Deadlines } from '../deadlines.ts';
import { decodeNegative } from '../wire/frame.ts';
import { datagramBytesFor } from '../path-mtu/sizes.ts';
import { proofParts } from '../lockstep/codec.ts';
import { Asking, checkMs, emptyPathMs } from './asking.ts';
import { keyText } from './datum.ts';
import { Download } from './download.ts';
import { Gathering } from './gathered-leaves.ts';
import { LeafSizes, aroundPayloadBytes } from './leaf-sizes.ts';
import { SessionPath } from './session-path.ts';
import { Source, leafOfProofTag, proofTag } from './source.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Frame, Instant, Negative } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { Taken } from './download.ts';
import type { DownloadHandle, DownloadOptions, FrameSender, MemoryUse, SourceEnd } from './types.ts';

/** A source ends when it has brought nothing of what it was asked for so long: while nothing came of its session either, or it said "busy", and otherwise. */
const idleMaximumMs = 20_000;
const ignoredMaximumMs = 60_000;
/** A session that has been silent for so many probe timeouts is not waited for by those who have other holders. */
const silentProbes = 2;
/** Shortest and longest wait after "busy" or "not yet". */
const heldMinimumMs = 500;
const heldMaximumMs = 3_000;
type Response = Extract<Frame, { type: 'response' }>;

export class DownloadMachine {
  readonly #sender: FrameSender;
  readonly #crypto: Crypto;
  readonly #counters: Counters;
  readonly #sessions = new Map<SessionId, SessionPath>();
  readonly #deadlines = new Deadlines();
  readonly #leafSizes: LeafSizes;
  readonly #asking: Asking;
  readonly #gathering = new Gathering();
  #isFlushing = false;
  /** Of the leaves that are being flushed. */
  readonly #taken: Taken[] = [];
  #nextOrdinal = 1;

  constructor(sender: FrameSender, crypto: Crypto, random: RandomBytes, counters: Counters) {
    this.#sender = sender;
    this.#crypto = crypto;
    this.#leafSizes = new LeafSizes(sender, random, counters, this.#sessions);
    this.#asking = new Asking(sender, random, this.#leafSizes, this.#sessions, this.#deadlines);
    this.#counters = counters;
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
        for (const source of download.sources) if (source.sessionId === sessionId) this.#removeSource(source, at);
      },
      hold: (held, at) => {
        // Before: what is verified now may make the owner say otherwise.
        download.held = held;
        this.flush(at);
        // What it owed before, it could not bring.
        for (const source of download.sources) source.owingSinceMs = undefined;
        this.#asking.refresh(download, at);
        for (const { sessionId } of download.sources) {
          const session = this.#sessions.get(sessionId);
          if (session !== undefined) session.checkAtMs ??= at.monotonicMs + checkMs;
        }
        this.#asking.pumpAll(download, at);
      },
      cancel: (at) => {
        this.flush(at);
        download.over = true;
        for (const source of [...download.sources]) this.#removeSource(source, at);
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
      this.#regroup(session, now);
      this.#asking.pump(session, now);
      return 'none';
    }
    if (!response.negative) return this.#handleAnswer(session, source, tag, response, now);
    this.flush(now);
    this.#handleNegative(session, source, response.payload, now);
    return 'none';
  }

  /** Verifies what was gathered, and asks for what is missing next. Called from within, by an owner who is told of something, it leaves the rest to who is at it. */
  flush(now: Instant): void {
    if (this.#gathering.isEmpty || this.#isFlushing) return;
    this.#isFlushing = true;
    const touched = new Set<SessionPath>();
    for (const { download, groupShift, leaves } of this.#gathering.take()) {
      let last: Source | undefined;
      for (const { from } of leaves) {
        if (from === last) continue;
        last = from;
        const session = this.#sessions.get(from.sessionId);
        if (session !== undefined) touched.add(session);
      }
      // Cancelled or cut anew by somebody who was told of another one: it is asked for anew where it is still wanted.
      if (download.over || download.groupShift !== groupShift) continue;
      download.takeFragments(leaves, this.#taken, now);
      let changed = false;
      for (let position = 0; position < leaves.length; position += 1) {
        const [leaf, taken] = [leaves[position], this.#taken[position] ?? 'nothing'];
        if (leaf !== undefined) this.#noteTaken(leaf.from, taken, now);
        changed ||= taken !== 'nothing';
      }
      this.#judge(download, changed, now);
    }
    this.#isFlushing = false;
    for (const session of touched) this.#goOn(session, now);
  }

  sessionLost(sessionId: SessionId, now: Instant): void {
    this.flush(now);
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    this.#deadlines.clear(String(sessionId));
    const sources = [...session.sources.values()];
    for (const source of sources) this.#detach(session, source, now);
    // What it has not brought is asked of the others at once.
    for (const { download } of sources) {
      this.#asking.refresh(download, now);
      this.#asking.pumpAll(download, now);
    }
    for (const source of sources) this.#told(source, 'session-lost', now);
  }

  /** The session's packets go another way. */
  pathChanged(sessionId: SessionId, now: Instant): void {
    this.flush(now);
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    const sources = [...session.sources.values()];
    for (const source of sources) this.#giveBack(session, source, now);
    session.renewPath(this.#sender.datagramLimitBytes(sessionId), now.monotonicMs);
    session.probes.clear();
    for (const source of sources) {
      session.rejoin(source, source.key);
      this.#asking.refresh(source.download, now);
    }
    this.#regroup(session, now);
    this.#asking.pump(session, now);
  }

  handleTimeout(now: Instant): void {
    this.flush(now);
    const due: SessionId[] = [];
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) due.push(Number(key));
    // Each once: what is due again already waits for the next call, whatever led to that.
    for (const sessionId of due) {
      const session = this.#sessions.get(sessionId);
      if (session !== undefined) this.#handleSessionTimeout(session, now);
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
    if (download.isComplete) { this.#complete(download, now); return; }
    let session = this.#sessions.get(sessionId);
    if (session === undefined) {
      session = new SessionPath(sessionId, this.#sender.datagramLimitBytes(sessionId), this.#sender.smoothedRoundTripMs(sessionId), now.monotonicMs);
      this.#sessions.set(sessionId, session);
    }
    const source = new Source(download, sessionId, this.#nextOrdinal, session.path.join(download.options.trafficClass), keyText(download.requestId));
    this.#nextOrdinal += 1;
    download.sources.add(source);
    session.add(source);
    session.checkAtMs ??= now.monotonicMs + checkMs;
    // Before anything is asked for: a snapshot may have been taken on a path that carried more, or this one may be known to carry more.
    this.#leafSizes.regroup(download);
    this.#asking.refresh(download, now);
    this.#asking.pump(session, now);
  }

  /** Not told to the download's owner: it is the one who wants it. */
  #removeSource(source: Source, now: Instant): void {
    this.flush(now);
    const session = this.#sessions.get(source.sessionId);
    if (session === undefined || !source.download.sources.has(source)) return;
    this.#detach(session, source, now);
    this.#asking.refresh(source.download, now);
    this.#asking.pumpAll(source.download, now);
    // There is room now for others that wait on this session.
    this.#asking.pump(session, now);
  }

  /** Once: a callback may have ended it meanwhile. */
  #endSource(source: Source, reason: SourceEnd, now: Instant): void {
    if (!source.download.sources.has(source)) return;
    if (reason === 'lying') source.download.distrust(source);
    this.#removeSource(source, now);
    this.#told(source, reason, now);
  }

  #told(source: Source, reason: SourceEnd, now: Instant): void {
    this.#counters.count(`source-${reason}`);
    if (!source.download.over) source.download.options.sourceEnded(source.sessionId, reason, now);
  }

  #detach(session: SessionPath, source: Source, now: Instant): void {
    source.download.sources.delete(source);
    this.#giveBack(session, source, now);
    session.remove(source, now.monotonicMs);
  }

  /** What it was asked for and has not brought is needed from somebody. */
  #giveBack(session: SessionPath, source: Source, now: Instant): void {
    this.#collectLost(session, now);
    for (const tag of source.asked.keys()) this.#needAgain(source.download, tag);
    source.asked.clear();
  }

  /** Its downloads in leaves of the size that passes now. */
  #regroup(session: SessionPath, now: Instant): void {
    for (const { download } of [...session.sources.values()]) {
      if (!this.#leafSizes.regroup(download)) continue;
      this.#asking.refresh(download, now);
      this.#asking.pumpAll(download, now);
    }
  }

  #needAgain(download: Download, tag: number): void {
    if (tag < 0) download.proofAgain(leafOfProofTag(tag));
    else download.again(tag);
  }

  #handleAnswer(session: SessionPath, source: Source, tag: number, response: Response, now: Instant): MemoryUse {
    const { download } = source;
    const number = source.asked.get(tag);
    if (number === undefined) {
      this.#counters.count('unasked-fragment');
      this.flush(now);
      if (tag >= 0 && tag < download.leafCount && download.has(tag)) session.path.noteRepeated();
      return 'none';
    }
    const outcome = session.path.arrived(number, now.monotonicMs);
    if (outcome === 'answered' || outcome === 'late') source.asked.delete(tag);
    session.mtu?.fullSizedArrived(response.payload.length + aroundPayloadBytes, now.monotonicMs);
    source.knowsName = true;
    this.#noteProgress(session, now);
    source.receivedBytes += response.payload.length;
    if (response.proof) {
      this.#takeProof(session, source, response, now);
      return 'none';
    }
    this.#gathering.add(source, response.fragment, response.payload);
    // A lone leaf has no others to wait for.
    if (download.leafCount > 1 && !this.#gathering.isFull) return 'until-flush';
    this.flush(now);
    return 'none';
  }

  #noteProgress(session: SessionPath, now: Instant): void {
    const isBack = session.isSilent;
    session.lastProgressMs = now.monotonicMs;
    if (isBack) for (const { download } of session.sources.values()) this.#asking.refresh(download, now);
  }

  #takeProof(session: SessionPath, source: Source, response: Response, now: Instant): void {
    const { download } = source;
    // What it leads on to may have just come.
    this.flush(now);
    if (download.over) return;
    const taken = download.takeProof(source, response.fragment, response.payload, now);
    this.#noteTaken(source, taken, now);
    this.#judge(download, taken !== 'nothing', now);
    this.#goOn(session, now);
  }

  #noteTaken(source: Source, taken: Taken, now: Instant): void {
    if (taken === 'bad') this.#counters.count('bad-pull-fragment');
    else if (taken === 'nothing') this.#counters.count('duplicate-pull-fragment');
    else {
      source.owingSinceMs = now.monotonicMs;
      source.heldUntilMs = 0;
    }
    if (source.transfer.inFlight === 0) source.owingSinceMs = undefined;
  }

  /** @param changed whether anything was proved, kept or refused. */
  #judge(download: Download, changed: boolean, now: Instant): void {
    if (download.over) return;
    if (download.isComplete) { this.#complete(download, now); return; }
    // Not only the one that brought it: what another one had brought before its turn may have been found bad.
    if (changed) for (const each of download.sources) if (download.isLying(each)) this.#endSource(each, 'lying', now);
    this.#asking.refresh(download, now);
  }

  /** Something came of this session: what is lost is known, and there is room to ask. */
  #goOn(session: SessionPath, now: Instant): void {
    if (this.#sessions.get(session.sessionId) !== session) return;
    const lost = this.#collectLost(session, now);
    if (session.mustRegroup) this.#regroup(session, now);
    this.#asking.pump(session, now);
    for (const { download } of session.sources.values()) if (download.sources.size > 1) lost.add(download);
    for (const each of lost) if (each.sources.size > 1) this.#asking.pumpAll(each, now);
  }

  /** All sources are left first, and what they leave room for is asked for last: the owner may do anything when it is told. */
  #complete(download: Download, now: Instant): void {
    download.over = true;
    const left: SessionPath[] = [];
    for (const source of [...download.sources]) {
      const session = this.#sessions.get(source.sessionId);
      if (session === undefined) continue;
      this.#detach(session, source, now);
      left.push(session);
    }
    download.options.completed(now);
    for (const session of left) this.#asking.pump(session, now);
  }

  #handleNegative(session: SessionPath, source: Source, payload: Uint8Array, now: Instant): void {
    const negative = decodeNegative(payload);
    if (negative === undefined) { this.#counters.count('bad-negative'); return; }
    // What was refused long ago says nothing about what is asked now.
    if (source.asked.size === 0) { this.#counters.count('unasked-negative'); return; }
    if (negative.code === 'too-large' && source.download.groupShift > 0 && session.mtu !== undefined) {
      // The holder's path carries less than it did: not a word about the content.
      session.mtu.tooLong(datagramBytesFor(source.download.groupShift), now.monotonicMs);
      this.#regroup(session, now);
      this.#asking.pump(session, now);
      return;
    }
    const reason = endOf(negative);
    if (reason !== undefined) { this.#endSource(source, reason, now); return; }
    // One of several, for what was asked before the name was shown again.
    if (negative.code === 'unknown-name' && !source.knowsName && now.monotonicMs - source.shownAtMs < session.path.smoothedRttMs) { this.#counters.count('unasked-negative'); return; }
    for (const number of source.asked.values()) session.path.withdrawn(number);
    this.#giveBack(session, source, now);
    if (negative.code === 'unknown-name' && source.knowsName) source.knowsName = false;
    else {
      // Not progress: a holder that is busy for too long ends like a silent one.
      source.heldUntilMs = now.monotonicMs + Math.min(Math.max(negative.retryAfterSeconds * 1_000, heldMinimumMs), heldMaximumMs);
      session.heldSources.add(source);
    }
    this.#asking.refresh(source.download, now);
    this.#asking.pump(session, now);
    this.#asking.pumpAll(source.download, now);
  }

  #handleSessionTimeout(session: SessionPath, now: Instant): void {
    const nowMs = now.monotonicMs;
    if (session.sources.size === 0) {
      // Added as the deadline was: a difference of such times may be rounded to less.
      if (session.emptySinceMs !== undefined && nowMs >= session.emptySinceMs + emptyPathMs) this.#sessions.delete(session.sessionId);
      else this.#asking.arm(session, now);
      return;
    }
    session.path.handleTimeout(nowMs);
    session.mtu?.handleTimeout(nowMs);
    // Others first: this one may be silent for good.
    for (const download of this.#collectLost(session, now)) for (const source of [...download.sources]) if (source.sessionId !== session.sessionId) this.#asking.pumpOf(source, now);
    this.#lend(session, now);
    this.#regroup(session, now);
    for (const source of [...session.heldSources]) {
      if (source.heldUntilMs > nowMs) continue;
      session.heldSources.delete(source);
      this.#asking.refresh(source.download, now);
    }
    if (session.checkAtMs !== undefined && nowMs >= session.checkAtMs) this.#checkSources(session, now);
    this.#asking.pump(session, now);
  }

  /**
   * What a silent session still owes, others are asked for: on its own path it counts as lost only after several probes, and until then each of its leaves would cost the
   * others a round trip. What comes after all is taken.
   */
  #lend(session: SessionPath, now: Instant): void {
    if (now.monotonicMs - session.lastProgressMs < silentProbes * session.path.probeTimeoutMs) return;
    const isNew = !session.isSilent;
    session.setSilent();
    for (const { download, asked } of session.sources.values()) {
      if (isNew && download.sources.size > 1) for (const tag of asked.keys()) this.#needAgain(download, tag);
      this.#asking.refresh(download, now);
      if (isNew) for (const other of [...download.sources]) if (other.sessionId !== session.sessionId) this.#asking.pumpOf(other, now);
    }
  }

  /** Ends those that bring nothing, or whose download takes too long. */
  #checkSources(session: SessionPath, now: Instant): void {
    const nowMs = now.monotonicMs;
    session.checkAtMs = undefined;
    const silent = nowMs - session.lastProgressMs >= idleMaximumMs;
    for (const source of [...session.sources.values()]) {
      const { download } = source;
      // Ended meanwhile by a callback.
      if (!session.sources.has(source.transfer)) continue;
      // Who waits for its turn on a silent session waits for the same.
      if (this.#asking.wants(source, nowMs)) source.owingSinceMs ??= nowMs;
      else if (source.transfer.inFlight === 0 && source.heldUntilMs <= 0) source.owingSinceMs = undefined;
      const owingMs = source.owingSinceMs === undefined || download.held ? 0 : nowMs - source.owingSinceMs;
      const idle = owingMs >= (silent || source.heldUntilMs > 0 ? idleMaximumMs : source.asked.size > 0 ? ignoredMaximumMs : Infinity);
      const overdue = nowMs - download.startedMs >= (download.options.totalMaximumMs ?? Infinity);
      if (idle || overdue) { this.#endSource(source, 'timed-out', now); continue; }
      this.#asking.refresh(download, now);
      if (!download.held) session.checkAtMs ??= nowMs + checkMs;
    }
  }

  /** The downloads that somebody else could go on with. */
  #collectLost(session: SessionPath, now: Instant): Set<Download> {
    const downloads = new Set<Download>();
    for (let lost = session.path.pollLost(); lost !== undefined; lost = session.path.pollLost()) {
      this.#counters.count('fragments-presumed-lost');
      const source = session.sources.get(lost.transfer);
      if (source === undefined) continue;
      if (lost.tag >= 0) session.mtu?.fullSizedLost(source.download.fragmentDatagramBytes(lost.tag), now.monotonicMs);
      // It may have been asked for anew in between, or brought by another one.
      if (source.asked.get(lost.tag) !== lost.number) continue;
      this.#needAgain(source.download, lost.tag);
      downloads.add(source.download);
    }
    for (const download of downloads) this.#asking.refresh(download, now);
    return downloads;
  }

}

const tagOf = (response: Response): number =>
  response.proof ? proofTag(response.fragment, proofParts[response.payload[0] ?? 0] ?? 'whole') : response.fragment;

/** Why a refusal ends the source; undefined when it is only for now. */
function endOf(negative: Negative): SourceEnd | undefined {
  switch (negative.code) {
    case 'busy':
    case 'not-yet':
    case 'unknown-name': return undefined;
    case 'too-large': return 'too-large';
    default: return 'absent';
  }
}
