/**
 * The one download machine. Everything that is bigger than a packet comes through it, from one holder or several: it decides who asks for what when
 * (one congested path for each session), matches what comes to what was asked, and gives up holders that are silent, refuse or lie. A holder
 * keeps nothing about us: retransmission is decided here alone.
 */
import { Deadlines } from '../deadlines.ts';
import { decodeNegative, encodeRequest, requestIdBytes, responseHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';
import { datagramBytesFor } from '../path-mtu/sizes.ts';
import { bitmapOf } from '../wire/verbs.ts';
import { proofParts } from '../lockstep/codec.ts';
import { noNumber } from '../congestion/flight.ts';
import { keyText } from './datum.ts';
import { Download } from './download.ts';
import { SessionPath } from './session-path.ts';
import { Source, leafOfProofTag, proofTag } from './source.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Frame, Instant, LeafRun, Negative } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { Taken } from './download.ts';
import type { DownloadHandle, DownloadOptions, FrameSender, SourceEnd } from './types.ts';

/** A source ends when it has brought nothing of what it was asked for so long: while nothing came of its session either, or it said "busy", and otherwise. */
const idleMaximumMs = 20_000;
const ignoredMaximumMs = 60_000;
/** How often it is looked for such sources. */
const checkMs = 2_000;
/** What a path learned is worth keeping between two letters, not between two conversations. */
const emptyPathMs = 10_000;
/** Shortest and longest wait after "busy" or "not yet". */
const heldMinimumMs = 500;
const heldMaximumMs = 3_000;
/** A request names at most so many leaves (wire/verbs.ts). */
const runMaximum = 64;
/** Less than this left of a content is fetched in the leaves that it has. */
const regroupMinimumBytes = 512 * 1_024;
/** Askings of one source that are remembered before it is looked for those that have become useless. */
const sweepMinimum = 1_024;
/** Probes whose answers are waited for; each has a few. */
const probesRemembered = 8;
/** Around a payload, in a datagram. */
const aroundPayloadBytes = transportOverheadBytes + responseHeaderBytes;

type Response = Extract<Frame, { type: 'response' }>;

export class DownloadMachine {
  readonly #sender: FrameSender;
  readonly #crypto: Crypto;
  readonly #random: RandomBytes;
  readonly #counters: Counters;
  readonly #sessions = new Map<SessionId, SessionPath>();
  readonly #deadlines = new Deadlines();
  #nextOrdinal = 1;

  constructor(sender: FrameSender, crypto: Crypto, random: RandomBytes, counters: Counters) {
    this.#sender = sender;
    this.#crypto = crypto;
    this.#random = random;
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
        download.held = held;
        // What it owed before, it could not bring.
        for (const source of download.sources) source.owingSinceMs = undefined;
        this.#refresh(download);
        for (const { sessionId } of download.sources) {
          const session = this.#sessions.get(sessionId);
          if (session !== undefined) session.checkAtMs ??= at.monotonicMs + checkMs;
        }
        this.#pumpAll(download, at);
      },
      cancel: (at) => {
        download.over = true;
        for (const source of [...download.sources]) this.#removeSource(source, at);
      },
    };
  }

  /** False when it belongs to no download of this session. */
  handleResponse(sessionId: SessionId, response: Response, now: Instant): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    const key = keyText(response.requestId);
    const tag = tagOf(response);
    const source = session.sourceOf(key, ({ asked }) => response.negative ? asked.size > 0 : asked.has(tag));
    if (source === undefined) return this.#handleProbeAnswer(session, key, response, now);
    if (response.negative) this.#handleNegative(session, source, response.payload, now);
    else this.#handleAnswer(session, source, tag, response, now);
    return true;
  }

  sessionLost(sessionId: SessionId, now: Instant): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    this.#deadlines.clear(String(sessionId));
    const sources = [...session.sources.values()];
    for (const source of sources) this.#detach(session, source, now);
    // What it has not brought is asked of the others at once.
    for (const { download } of sources) {
      this.#refresh(download);
      this.#pumpAll(download, now);
    }
    for (const source of sources) this.#told(source, 'session-lost', now);
  }

  /** The session's packets go another way. */
  pathChanged(sessionId: SessionId, now: Instant): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    const sources = [...session.sources.values()];
    for (const source of sources) this.#giveBack(session, source, now);
    session.renewPath(this.#sender.datagramLimitBytes(sessionId), now.monotonicMs);
    session.probes.clear();
    for (const source of sources) {
      session.rejoin(source, source.key);
      this.#refresh(source.download);
    }
    this.#regroup(session, now);
    this.#pump(session, now);
  }

  handleTimeout(now: Instant): void {
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
    this.#regroupDownload(download);
    this.#refresh(download);
    this.#pump(session, now);
  }

  /** Not told to the download's owner: it is the one who wants it. */
  #removeSource(source: Source, now: Instant): void {
    const session = this.#sessions.get(source.sessionId);
    if (session === undefined || !source.download.sources.has(source)) return;
    this.#detach(session, source, now);
    this.#refresh(source.download);
    this.#pumpAll(source.download, now);
    // There is room now for others that wait on this session.
    this.#pump(session, now);
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

  #needAgain(download: Download, tag: number): void {
    if (tag < 0) download.proofAgain(leafOfProofTag(tag));
    else download.again(tag);
  }

  #handleAnswer(session: SessionPath, source: Source, tag: number, response: Response, now: Instant): void {
    const { download } = source;
    const number = source.asked.get(tag);
    if (number === undefined) { this.#counters.count('unasked-fragment'); return; }
    const outcome = session.path.arrived(number, now.monotonicMs);
    if (outcome === 'answered' || outcome === 'late') source.asked.delete(tag);
    session.mtu?.fullSizedArrived(response.payload.length + aroundPayloadBytes, now.monotonicMs);
    source.knowsName = true;
    session.lastProgressMs = now.monotonicMs;
    source.receivedBytes += response.payload.length;
    const lost = this.#collectLost(session, now);
    this.#judge(source, this.#take(source, response, now), now);
    if (download.groupShift > session.groupShift) this.#regroup(session, now);
    this.#pump(session, now);
    for (const each of lost.add(download)) if (each.sources.size > 1) this.#pumpAll(each, now);
  }

  #take(source: Source, response: Response, now: Instant): Taken {
    const taken = response.proof ? source.download.takeProof(source, response.fragment, response.payload, now) : source.download.takeFragment(source, response.fragment, response.payload, now);
    if (taken === 'bad') this.#counters.count('bad-pull-fragment');
    else if (taken === 'nothing') this.#counters.count('duplicate-pull-fragment');
    else {
      source.owingSinceMs = now.monotonicMs;
      source.heldUntilMs = 0;
    }
    if (source.transfer.inFlight === 0) source.owingSinceMs = undefined;
    return taken;
  }

  #judge(source: Source, taken: Taken, now: Instant): void {
    const { download } = source;
    if (download.over) return;
    if (download.isComplete) { this.#complete(download, now); return; }
    // Not only the one that brought it: what another one had brought before its turn may have been found bad.
    if (taken !== 'nothing') for (const each of [...download.sources]) if (download.isLying(each)) this.#endSource(each, 'lying', now);
    this.#refresh(download);
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
    for (const session of left) this.#pump(session, now);
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
      this.#pump(session, now);
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
    this.#refresh(source.download);
    this.#pump(session, now);
    this.#pumpAll(source.download, now);
  }

  #handleSessionTimeout(session: SessionPath, now: Instant): void {
    const nowMs = now.monotonicMs;
    if (session.sources.size === 0) {
      // Added as the deadline was: a difference of such times may be rounded to less.
      if (session.emptySinceMs !== undefined && nowMs >= session.emptySinceMs + emptyPathMs) this.#sessions.delete(session.sessionId);
      else this.#arm(session, now);
      return;
    }
    session.path.handleTimeout(nowMs);
    session.mtu?.handleTimeout(nowMs);
    // Others first: this one may be silent for good.
    for (const download of this.#collectLost(session, now)) for (const source of [...download.sources]) if (source.sessionId !== session.sessionId) this.#pumpOf(source, now);
    this.#regroup(session, now);
    for (const source of [...session.heldSources]) {
      if (source.heldUntilMs > nowMs) continue;
      session.heldSources.delete(source);
      this.#refresh(source.download);
    }
    if (session.checkAtMs !== undefined && nowMs >= session.checkAtMs) this.#checkSources(session, now);
    this.#pump(session, now);
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
      if (download.hasWork(source)) source.owingSinceMs ??= nowMs;
      else if (source.transfer.inFlight === 0 && source.heldUntilMs <= 0) source.owingSinceMs = undefined;
      const owingMs = source.owingSinceMs === undefined || download.held ? 0 : nowMs - source.owingSinceMs;
      const idle = owingMs >= (silent || source.heldUntilMs > 0 ? idleMaximumMs : source.asked.size > 0 ? ignoredMaximumMs : Infinity);
      const overdue = nowMs - download.startedMs >= (download.options.totalMaximumMs ?? Infinity);
      if (idle || overdue) { this.#endSource(source, 'timed-out', now); continue; }
      this.#refresh(download);
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
    for (const download of downloads) this.#refresh(download);
    return downloads;
  }

  #refresh(download: Download): void {
    for (const source of download.sources) this.#sessions.get(source.sessionId)?.path.setWanting(source.transfer, download.hasWork(source));
  }

  #pumpAll(download: Download, now: Instant): void {
    for (const source of [...download.sources]) this.#pumpOf(source, now);
  }

  #pumpOf(source: Source, now: Instant): void {
    const session = this.#sessions.get(source.sessionId);
    if (session !== undefined) this.#pump(session, now);
  }

  /** Asks as long as the path allows. */
  #pump(session: SessionPath, now: Instant): void {
    const nowMs = now.monotonicMs;
    this.#probe(session, now);
    for (let transfer = session.path.next(nowMs); transfer !== undefined; transfer = session.path.next(nowMs)) {
      const source = session.sources.get(transfer);
      if (source === undefined || source.heldUntilMs > nowMs || !this.#ask(session, source, session.path.roomBytes(transfer, nowMs), now)) session.path.setWanting(transfer, false);
    }
    this.#arm(session, now);
  }

  #ask(session: SessionPath, source: Source, roomBytes: number, now: Instant): boolean {
    const { download } = source;
    // Only until it is cut anew, which waits for the verifier.
    if (download.groupShift > session.groupShift) return false;
    const leafMaximum = Math.max(1, Math.min(runMaximum, Math.floor(roomBytes / download.largestDatagramBytes)));
    const planned = download.takeRun(source, leafMaximum);
    if (planned === undefined) return false;
    const { first, leaves, proof } = planned;
    if (proof) for (const { part, sizeBytes } of download.proofDatagrams(first)) this.#noteAsked(session, source, proofTag(first, part), sizeBytes, now);
    for (const leaf of leaves) this.#noteAsked(session, source, leaf, download.fragmentDatagramBytes(leaf), now);
    const last = leaves.at(-1);
    const run: LeafRun = { first, proof, count: last === undefined ? 0 : last - first + 1, bitmap: bitmapOf(leaves.map((leaf) => leaf - first)) };
    if (!source.knowsName) source.shownAtMs = now.monotonicMs;
    const body = source.knowsName ? { verb: 'more' as const, ...run } : { verb: 'pull' as const, name: download.name, groupShift: download.groupShift, ...run };
    this.#sender.send(source.sessionId, encodeRequest(download.requestId, body), now);
    session.path.setWanting(source.transfer, download.hasWork(source));
    return true;
  }

  /** Larger leaves are worth looking for while something large is fetched. */
  #probe(session: SessionPath, now: Instant): void {
    const { mtu } = session;
    if (mtu === undefined) return;
    mtu.setWanted(this.#largestLeft(session) >= regroupMinimumBytes && now.monotonicMs - session.lastProgressMs < idleMaximumMs);
    const probe = mtu.pollProbe(now.monotonicMs, session.path.smoothedRttMs);
    if (probe === undefined) return;
    const requestId = this.#random(requestIdBytes);
    for (const [oldest] of session.probes) if (session.probes.size >= probesRemembered) session.probes.delete(oldest);
    session.probes.set(keyText(requestId), probe);
    this.#sender.send(session.sessionId, encodeRequest(requestId, { verb: 'pad', datagramBytes: probe.sizeBytes }), now);
  }

  #handleProbeAnswer(session: SessionPath, key: string, response: Response, now: Instant): boolean {
    const probe = session.probes.get(key);
    if (probe === undefined) return false;
    session.probes.delete(key);
    // Refused: such datagrams would be cut up on the way, which is as good as not getting there.
    if (response.negative) return true;
    // A shorter answer proves nothing about the path.
    if (response.payload.length + aroundPayloadBytes < probe.sizeBytes) { this.#counters.count('bad-probe-answer'); return true; }
    session.mtu?.probeAnswered(probe.probeId, now.monotonicMs);
    this.#regroup(session, now);
    this.#pump(session, now);
    return true;
  }

  #largestLeft(session: SessionPath): number {
    let largest = 0;
    for (const { download } of session.sources.values()) {
      if (download.options.trafficClass === 'bulk' && !download.held) largest = Math.max(largest, download.name.length - download.verifiedBytes);
    }
    return largest;
  }

  /** Leaves as large as all sources of a download can send them: larger at once when that pays, smaller at once when it must be. */
  #regroup(session: SessionPath, now: Instant): void {
    for (const { download } of [...session.sources.values()]) if (this.#regroupDownload(download)) this.#pumpAll(download, now);
  }

  #regroupDownload(download: Download): boolean {
    const sources = [...download.sources];
    const groupShift = Math.min(...sources.map(({ sessionId }) => this.#sessions.get(sessionId)?.groupShift ?? 0));
    const larger = download.options.trafficClass === 'bulk' && groupShift > download.groupShift && download.name.length - download.verifiedBytes >= regroupMinimumBytes;
    if (sources.length === 0 || !(larger || groupShift < download.groupShift) || !download.regroup(groupShift)) return false;
    this.#counters.count('download-regrouped');
    for (const source of sources) {
      const path = this.#sessions.get(source.sessionId);
      path?.rejoin(source, keyText(download.requestId));
      path?.path.setDatagramBytes(datagramBytesFor(groupShift));
    }
    this.#refresh(download);
    return true;
  }

  #noteAsked(session: SessionPath, source: Source, tag: number, sizeBytes: number, now: Instant): void {
    source.owingSinceMs ??= now.monotonicMs;
    session.checkAtMs ??= now.monotonicMs + checkMs;
    const previous = source.asked.get(tag) ?? noNumber;
    // One response is counted once: what still flies of it is taken out.
    session.path.withdrawn(previous);
    source.asked.set(tag, session.path.asked(source.transfer, tag, sizeBytes, now.monotonicMs, previous));
    if (source.asked.size > source.sweepAt) this.#sweep(session, source);
  }

  /** Forgets what others brought: a late answer to it is of no use. */
  #sweep(session: SessionPath, source: Source): void {
    for (const [tag, number] of source.asked) if (tag >= 0 && source.download.has(tag) && !session.path.isFlying(number)) source.asked.delete(tag);
    source.sweepAt = sweepMinimum + 2 * source.asked.size;
  }

  #arm(session: SessionPath, now: Instant): void {
    if (this.#sessions.get(session.sessionId) !== session) return;
    let atMs = Math.min(session.path.pollTimeout()?.atMs ?? Infinity, session.mtu?.pollTimeout()?.atMs ?? Infinity);
    if (session.sources.size === 0) atMs = (session.emptySinceMs ?? now.monotonicMs) + emptyPathMs;
    else atMs = Math.min(atMs, session.checkAtMs ?? Infinity);
    for (const source of session.heldSources) atMs = Math.min(atMs, source.heldUntilMs);
    if (atMs === Infinity) this.#deadlines.clear(String(session.sessionId));
    else this.#deadlines.set(String(session.sessionId), atMs);
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
