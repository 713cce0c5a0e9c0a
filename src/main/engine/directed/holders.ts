/**
 * The sources of all downloads on their sessions, one congested path for each session: they come and go, and what one was asked for and does not bring any more is
 * needed from somebody.
 */
import { checkMs } from './asking.ts';
import { keyText } from './datum.ts';
import { SessionPath } from './session-path.ts';
import { Source } from './source.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant } from '../wire/types.ts';
import type { Asking } from './asking.ts';
import type { Counters } from './counters.ts';
import type { Download } from './download.ts';
import type { LeafSizes } from './leaf-sizes.ts';
import type { FrameSender, SourceEnd } from './types.ts';

export interface HoldersParts {
  readonly sender: FrameSender;
  readonly counters: Counters;
  readonly leafSizes: LeafSizes;
  readonly asking: Asking;
  readonly sessions: Map<SessionId, SessionPath>;
  /** Judges what came: before a source goes, which may have brought some of it. */
  readonly flush: (now: Instant) => void;
}

export class Holders {
  readonly #sender: FrameSender;
  readonly #counters: Counters;
  readonly #leafSizes: LeafSizes;
  readonly #asking: Asking;
  readonly #sessions: Map<SessionId, SessionPath>;
  readonly #flush: (now: Instant) => void;
  #nextOrdinal = 1;

  constructor({ sender, counters, leafSizes, asking, sessions, flush }: HoldersParts) {
    this.#sender = sender;
    this.#counters = counters;
    this.#leafSizes = leafSizes;
    this.#asking = asking;
    this.#sessions = sessions;
    this.#flush = flush;
  }

  /** The session brings something to this download, which is under way and has no such source. */
  add(download: Download, sessionId: SessionId, now: Instant): void {
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
  remove(source: Source, now: Instant): void {
    this.#flush(now);
    const session = this.#sessions.get(source.sessionId);
    if (session === undefined || !source.download.sources.has(source)) return;
    this.detach(session, source, now);
    this.#asking.refresh(source.download, now);
    this.#asking.pumpAll(source.download, now);
    // There is room now for others that wait on this session.
    this.#asking.pump(session, now);
  }

  /** Once: a callback may have ended it meanwhile. */
  end(source: Source, reason: SourceEnd, now: Instant): void {
    if (!source.download.sources.has(source)) return;
    if (reason === 'lying') source.download.distrust(source);
    this.remove(source, now);
    this.#told(source, reason, now);
  }

  /** The session is gone. */
  lose(session: SessionPath, now: Instant): void {
    this.#sessions.delete(session.sessionId);
    const sources = [...session.sources.values()];
    for (const source of sources) this.detach(session, source, now);
    // What it has not brought is asked of the others at once.
    for (const { download } of sources) {
      this.#asking.refresh(download, now);
      this.#asking.pumpAll(download, now);
    }
    for (const source of sources) this.#told(source, 'session-lost', now);
  }

  /** The session's packets go another way. */
  renewPath(session: SessionPath, now: Instant): void {
    const sources = [...session.sources.values()];
    for (const source of sources) this.giveBack(session, source, now);
    session.renewPath(this.#sender.datagramLimitBytes(session.sessionId), now.monotonicMs);
    session.probes.clear();
    for (const source of sources) {
      session.rejoin(source, source.key);
      this.#asking.refresh(source.download, now);
    }
    this.regroup(session, now);
    this.#asking.pump(session, now);
  }

  #told(source: Source, reason: SourceEnd, now: Instant): void {
    this.#counters.count(`source-${reason}`);
    if (!source.download.over) source.download.options.sourceEnded(source.sessionId, reason, now);
  }

  /** Takes it out, and asks nobody for anything yet. */
  detach(session: SessionPath, source: Source, now: Instant): void {
    source.download.sources.delete(source);
    this.giveBack(session, source, now);
    session.remove(source, now.monotonicMs);
  }

  /** What it was asked for and has not brought is needed from somebody. */
  giveBack(session: SessionPath, source: Source, now: Instant): void {
    this.collectLost(session, now);
    for (const tag of source.asked.keys()) source.download.neededAgain(tag);
    source.asked.clear();
  }

  /** Its downloads in leaves of the size that passes now. */
  regroup(session: SessionPath, now: Instant): void {
    for (const { download } of [...session.sources.values()]) {
      if (!this.#leafSizes.regroup(download)) continue;
      this.#asking.refresh(download, now);
      this.#asking.pumpAll(download, now);
    }
  }

  /** The downloads that somebody else could go on with. */
  collectLost(session: SessionPath, now: Instant): Set<Download> {
    const downloads = new Set<Download>();
    for (let lost = session.path.pollLost(); lost !== undefined; lost = session.path.pollLost()) {
      this.#counters.count('fragments-presumed-lost');
      const source = session.sources.get(lost.transfer);
      if (source === undefined) continue;
      if (lost.tag >= 0) session.mtu?.fullSizedLost(source.download.fragmentDatagramBytes(lost.tag), now.monotonicMs);
      // It may have been asked for anew in between, or brought by another one.
      if (source.asked.get(lost.tag) !== lost.number) continue;
      source.download.neededAgain(lost.tag);
      downloads.add(source.download);
    }
    for (const download of downloads) this.#asking.refresh(download, now);
    return downloads;
  }
}
