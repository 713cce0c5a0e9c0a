/**
 * How large the leaves of downloads are: looks for what datagrams each session's path carries, by asking for padding, and cuts downloads anew into the
 * largest leaves that all their sources can send.
 */
import { datagramBytesFor } from '../path-mtu/sizes.ts';
import { encodeRequest, requestIdBytes, responseHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';
import { keyText } from './datum.ts';
import type { RandomBytes } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { Frame, Instant } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { Download } from './download.ts';
import type { SessionPath } from './session-path.ts';
import type { FrameSender } from './types.ts';

/** Less than this left of a content is fetched in the leaves that it has. */
const regroupMinimumBytes = 512 * 1_024;
/** Nothing is looked for on a session that has brought nothing for so long. */
const silentMs = 20_000;
/** Probes whose answers are waited for; each has a few. */
const probesRemembered = 8;
/** Around a payload, in a datagram. */
export const aroundPayloadBytes = transportOverheadBytes + responseHeaderBytes;

type Response = Extract<Frame, { type: 'response' }>;

export class LeafSizes {
  readonly #sender: FrameSender;
  readonly #random: RandomBytes;
  readonly #counters: Counters;
  readonly #sessions: ReadonlyMap<SessionId, SessionPath>;

  constructor(sender: FrameSender, random: RandomBytes, counters: Counters, sessions: ReadonlyMap<SessionId, SessionPath>) {
    this.#sender = sender;
    this.#random = random;
    this.#counters = counters;
    this.#sessions = sessions;
  }

  /** Larger leaves are worth looking for while something large is fetched. */
  probe(session: SessionPath, now: Instant): void {
    const { mtu } = session;
    if (mtu === undefined) return;
    this.#tell(session);
    mtu.setWanted(this.#isLarge(session) && now.monotonicMs - session.lastProgressMs < silentMs);
    const probe = mtu.pollProbe(now.monotonicMs, session.path.smoothedRttMs);
    if (probe === undefined) return;
    const requestId = this.#random(requestIdBytes);
    for (const [oldest] of session.probes) if (session.probes.size >= probesRemembered) session.probes.delete(oldest);
    session.probes.set(keyText(requestId), probe);
    this.#sender.send(session.sessionId, encodeRequest(requestId, { verb: 'pad', datagramBytes: probe.sizeBytes }), now);
  }

  /** False when it answers no probe. */
  takeAnswer(session: SessionPath, key: string, response: Response, now: Instant): boolean {
    const probe = session.probes.get(key);
    if (probe === undefined) return false;
    session.probes.delete(key);
    // Refused: such datagrams would be cut up on the way, which is as good as not getting there.
    if (response.negative) return true;
    // A shorter answer proves nothing about the path.
    if (response.payload.length + aroundPayloadBytes < probe.sizeBytes) { this.#counters.count('bad-probe-answer'); return true; }
    session.mtu?.probeAnswered(probe.probeId, now.monotonicMs);
    session.toldBytes ??= 0;
    this.#tell(session);
    return true;
  }

  /** Leaves as large as all sources of a download can send them: larger at once when that pays, smaller at once when it must be. True: it was cut anew. */
  regroup(download: Download): boolean {
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
    return true;
  }

  /** From the first probe that was answered on: what is known by then, and each time that it is another size. */
  #tell(session: SessionPath): void {
    const { mtu, toldBytes } = session;
    if (mtu === undefined || toldBytes === undefined || toldBytes === mtu.bytesConfirmed) return;
    session.toldBytes = mtu.bytesConfirmed;
    this.#sender.carries?.(session.sessionId, mtu.bytesConfirmed);
  }

  /** Looked at for each packet: whether anything is, not what is largest. */
  #isLarge(session: SessionPath): boolean {
    for (const { download } of session.sources.values()) {
      if (download.options.trafficClass === 'bulk' && !download.held && download.name.length - download.verifiedBytes >= regroupMinimumBytes) return true;
    }
    return false;
  }
}
