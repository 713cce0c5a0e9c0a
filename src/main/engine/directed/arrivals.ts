/**
 * What comes of downloads: it is matched to what was asked, gathered until the host has handed over all of one look at its socket, verified, and leads to asking for more, to
 * the end of a source that lies, or to the end of the download.
 */
import { Gathering } from './gathered-leaves.ts';
import { aroundPayloadBytes } from './leaf-sizes.ts';
import type { SessionId } from '../session/types.ts';
import type { Frame, Instant } from '../wire/types.ts';
import type { Asking } from './asking.ts';
import type { Counters } from './counters.ts';
import type { Download, Taken } from './download.ts';
import type { Holders } from './holders.ts';
import type { SessionPath } from './session-path.ts';
import type { Source } from './source.ts';
import type { MemoryUse } from './types.ts';

type Response = Extract<Frame, { type: 'response' }>;

export class Arrivals {
  readonly #holders: Holders;
  readonly #asking: Asking;
  readonly #counters: Counters;
  readonly #sessions: ReadonlyMap<SessionId, SessionPath>;
  readonly #gathering = new Gathering();
  #isFlushing = false;
  /** Of the leaves that are being flushed. */
  readonly #taken: Taken[] = [];

  constructor(holders: Holders, asking: Asking, counters: Counters, sessions: ReadonlyMap<SessionId, SessionPath>) {
    this.#holders = holders;
    this.#asking = asking;
    this.#counters = counters;
    this.#sessions = sessions;
  }

  /** An answer of this source that is no refusal. Returns what is still used of its memory. @param tag under which it was asked for (source.ts). */
  take(session: SessionPath, source: Source, tag: number, response: Response, now: Instant): MemoryUse {
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

  /** All sources are left first, and what they leave room for is asked for last: the owner may do anything when it is told. */
  complete(download: Download, now: Instant): void {
    download.over = true;
    const left: SessionPath[] = [];
    for (const source of [...download.sources]) {
      const session = this.#sessions.get(source.sessionId);
      if (session === undefined) continue;
      this.#holders.detach(session, source, now);
      left.push(session);
    }
    download.options.completed(now);
    for (const session of left) this.#asking.pump(session, now);
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
    if (download.isComplete) { this.complete(download, now); return; }
    // Not only the one that brought it: what another one had brought before its turn may have been found bad.
    if (changed) for (const each of download.sources) if (download.isLying(each)) this.#holders.end(each, 'lying', now);
    this.#asking.refresh(download, now);
  }

  /** Something came of this session: what is lost is known, and there is room to ask. */
  #goOn(session: SessionPath, now: Instant): void {
    if (this.#sessions.get(session.sessionId) !== session) return;
    const lost = this.#holders.collectLost(session, now);
    if (session.mustRegroup) this.#holders.regroup(session, now);
    this.#asking.pump(session, now);
    for (const { download } of session.sources.values()) if (download.sources.size > 1) lost.add(download);
    for (const each of lost) if (each.sources.size > 1) this.#asking.pumpAll(each, now);
  }
}
