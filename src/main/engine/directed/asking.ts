/**
 * Who asks for what now: as long as a session's path allows, its sources take runs from the plans of their downloads, in the order of the path's scheduler. What was
 * asked is noted under the path's numbers, and the session's next deadline is set.
 */
import { noNumber } from '../congestion/flight.ts';
import { hopLimitMaximum } from '../forwarding/forwarding.ts';
import { encodeRequest } from '../wire/frame.ts';
import { bitmapOf } from '../wire/verbs.ts';
import { proofTag } from './source.ts';
import type { Deadlines } from '../deadlines.ts';
import type { RandomBytes } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, LeafRun } from '../wire/types.ts';
import type { Download } from './download.ts';
import type { LeafSizes } from './leaf-sizes.ts';
import type { SessionPath } from './session-path.ts';
import type { Source } from './source.ts';
import type { FrameSender } from './types.ts';

/** A request names at most so many leaves (wire/verbs.ts). */
const runMaximum = 64;
const nonceBytes = 8;
/** How often it is looked for sources that owe something for too long. */
export const checkMs = 2_000;
/** What a path learned is worth keeping between two letters, not between two conversations. */
export const emptyPathMs = 10_000;
/** A source is slow only beside one whose round trip is so much shorter. */
const quickerFactor = 2;
/** A source that has brought nothing of this content for so many probe timeouts is as good as silent, whatever else comes of its session. */
const owingProbes = 4;
/** Askings of one source that are remembered before it is looked for those that have become useless. */
const sweepMinimum = 1_024;

const isOwing = ({ owingSinceMs }: Source, { path }: SessionPath, nowMs: number): boolean => owingSinceMs !== undefined && nowMs - owingSinceMs >= owingProbes * path.probeTimeoutMs;

export class Asking {
  readonly #sender: FrameSender;
  readonly #random: RandomBytes;
  readonly #leafSizes: LeafSizes;
  readonly #sessions: ReadonlyMap<SessionId, SessionPath>;
  readonly #deadlines: Deadlines;

  constructor(sender: FrameSender, random: RandomBytes, leafSizes: LeafSizes, sessions: ReadonlyMap<SessionId, SessionPath>, deadlines: Deadlines) {
    this.#sender = sender;
    this.#random = random;
    this.#leafSizes = leafSizes;
    this.#sessions = sessions;
    this.#deadlines = deadlines;
  }

  /** Tells the scheduler which of its sources want to ask. */
  refresh(download: Download, now: Instant): void {
    for (const source of download.sources) this.#sessions.get(source.sessionId)?.path.setWanting(source.transfer, this.wants(source, now.monotonicMs));
  }

  /** Whether there is something that this source is to be asked for. */
  wants(source: Source, nowMs: number): boolean { return source.download.hasWork(source) && !this.#isLeftOut(source, nowMs); }

  /**
   * Where others have the content too, a silent source is asked for probes alone, and not at all a slow source whose answers would come after a quicker one has brought all that may be kept meanwhile: everybody would wait for them, round trip after round trip. It is
   * asked again when the quicker one has gone, is silent or has become slow itself.
   */
  #isLeftOut(source: Source, nowMs: number): boolean {
    const { download, sessionId } = source;
    const own = this.#sessions.get(sessionId);
    if (download.sources.size < 2 || own === undefined) return false;
    if (own.isSilent) return !own.path.isProbing && own.path.inFlightBytes > 0;
    if (isOwing(source, own, nowMs)) return source.transfer.inFlight > 0;
    for (const other of download.sources) {
      const session = this.#sessions.get(other.sessionId);
      if (session === undefined || session === own || other.heldUntilMs > nowMs) continue;
      const { path } = session;
      const isQuicker = path.smoothedRttMs * quickerFactor <= own.path.smoothedRttMs && nowMs - session.lastProgressMs < path.probeTimeoutMs && !isOwing(other, session, nowMs);
      if (isQuicker && download.options.keptMaximumBytes < path.rateBytesPerMs * own.path.smoothedRttMs) return true;
    }
    return false;
  }

  pumpAll(download: Download, now: Instant): void {
    for (const source of [...download.sources]) this.pumpOf(source, now);
  }

  pumpOf(source: Source, now: Instant): void {
    const session = this.#sessions.get(source.sessionId);
    if (session !== undefined) this.pump(session, now);
  }

  /** Asks as long as the path allows. */
  pump(session: SessionPath, now: Instant): void {
    const nowMs = now.monotonicMs;
    this.#leafSizes.probe(session, now);
    for (let transfer = session.path.next(nowMs); transfer !== undefined; transfer = session.path.next(nowMs)) {
      const source = session.sources.get(transfer);
      if (source === undefined || source.heldUntilMs > nowMs || !this.#ask(session, source, session.path.roomBytes(transfer, nowMs), now)) session.path.setWanting(transfer, false);
    }
    this.arm(session, now);
  }

  #ask(session: SessionPath, source: Source, roomBytes: number, now: Instant): boolean {
    const { download } = source;
    // Only until it is cut anew, which waits for the verifier.
    if (download.groupShift > session.groupShift || this.#isLeftOut(source, now.monotonicMs)) return false;
    const isProbe = download.sources.size > 1 && (session.isSilent || isOwing(source, session, now.monotonicMs));
    const leafMaximum = isProbe ? 1 : Math.max(1, Math.min(runMaximum, Math.floor(roomBytes / download.largestDatagramBytes)));
    const planned = download.takeRun(source, leafMaximum);
    if (planned === undefined) return false;
    const { first, leaves, proof } = planned;
    if (proof) for (const { part, sizeBytes } of download.proofDatagrams(first)) this.#noteAsked(session, source, proofTag(first, part), sizeBytes, now);
    for (const leaf of leaves) this.#noteAsked(session, source, leaf, download.fragmentDatagramBytes(leaf), now);
    const last = leaves.at(-1);
    const run: LeafRun = { first, proof, count: last === undefined ? 0 : last - first + 1, bitmap: bitmapOf(leaves.map((leaf) => leaf - first)), nonce: this.#random(nonceBytes), hopLimit: hopLimitMaximum };
    if (!source.knowsName) source.shownAtMs = now.monotonicMs;
    const body = source.knowsName ? { verb: 'more' as const, ...run } : { verb: 'pull' as const, name: download.name, groupShift: download.groupShift, ...run };
    this.#sender.send(source.sessionId, encodeRequest(download.requestId, body), now);
    session.path.setWanting(source.transfer, this.wants(source, now.monotonicMs));
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

  /** Sets the session's one deadline. */
  arm(session: SessionPath, now: Instant): void {
    if (this.#sessions.get(session.sessionId) !== session) return;
    let atMs = Math.min(session.path.pollTimeout()?.atMs ?? Infinity, session.mtu?.pollTimeout()?.atMs ?? Infinity);
    if (session.sources.size === 0) atMs = (session.emptySinceMs ?? now.monotonicMs) + emptyPathMs;
    else atMs = Math.min(atMs, session.checkAtMs ?? Infinity);
    for (const source of session.heldSources) atMs = Math.min(atMs, source.heldUntilMs);
    if (atMs === Infinity) this.#deadlines.clear(String(session.sessionId));
    else this.#deadlines.set(String(session.sessionId), atMs);
  }
}
