/** What time does to the sources of a session: others are asked for what a silent one owes, those that said "busy" are asked again, and who brings nothing for too long is given up. */
import { checkMs } from './asking.ts';
import type { Instant } from '../wire/types.ts';
import type { Asking } from './asking.ts';
import type { Holders } from './holders.ts';
import type { SessionPath } from './session-path.ts';

/** A source ends when it has brought nothing of what it was asked for so long: while nothing came of its session either, or it said "busy", and otherwise. */
const idleMaximumMs = 20_000;
const ignoredMaximumMs = 60_000;
/** A session that has been silent for so many probe timeouts is not waited for by those who have other holders. */
const silentProbes = 2;

export class Silence {
  readonly #holders: Holders;
  readonly #asking: Asking;

  constructor(holders: Holders, asking: Asking) {
    this.#holders = holders;
    this.#asking = asking;
  }

  /** A deadline of a session with sources has come. */
  handleTimeout(session: SessionPath, now: Instant): void {
    const nowMs = now.monotonicMs;
    session.path.handleTimeout(nowMs);
    session.mtu?.handleTimeout(nowMs);
    // Others first: this one may be silent for good.
    for (const download of this.#holders.collectLost(session, now)) for (const source of [...download.sources]) if (source.sessionId !== session.sessionId) this.#asking.pumpOf(source, now);
    this.#lend(session, now);
    this.#holders.regroup(session, now);
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
      if (isNew && download.sources.size > 1) for (const tag of asked.keys()) download.neededAgain(tag);
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
      if (idle || overdue) { this.#holders.end(source, 'timed-out', now); continue; }
      this.#asking.refresh(download, now);
      if (!download.held) session.checkAtMs ??= nowMs + checkMs;
    }
  }
}
