/** The downloads of one session: all of them share its path, and what they learn of it. */
import { Bbr } from '../congestion/bbr.ts';
import { CongestedPath } from '../congestion/path.ts';
import { PathMtu } from '../path-mtu/path-mtu.ts';
import { datagramBytesFor, defaultProbeSizes, groupShiftFor } from '../path-mtu/sizes.ts';
import type { Transfer } from '../congestion/scheduler.ts';
import type { CongestionController } from '../congestion/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Source } from './source.ts';

/** The default by its numbers (bench/RESULTS.md): it fills lossy links and keeps queues short, where CUBIC does neither. */
const controller = (datagramBytes: number): CongestionController => new Bbr(datagramBytes);

export class SessionPath {
  readonly sessionId: SessionId;
  path: CongestedPath;
  readonly sources = new Map<Transfer, Source>();
  /** By the id of their responses. */
  readonly byKey = new Map<string, Source>();
  /** Undefined where no leaf but the smallest could pass. */
  mtu: PathMtu | undefined;
  /** Probes under way, by the id of their answers. */
  readonly probes = new Map<string, number>();
  lastProgressMs: number;
  #datagramLimitBytes: number;
  emptySinceMs: number | undefined;

  constructor(sessionId: SessionId, datagramLimitBytes: number, roundTripMs: number | undefined, nowMs: number) {
    this.sessionId = sessionId;
    this.path = newPath(roundTripMs);
    this.#datagramLimitBytes = datagramLimitBytes;
    this.mtu = newMtu(datagramLimitBytes);
    this.lastProgressMs = nowMs;
  }

  add(source: Source): void {
    this.sources.set(source.transfer, source);
    this.byKey.set(source.key, source);
    this.emptySinceMs = undefined;
  }

  remove(source: Source, nowMs: number): void {
    this.path.leave(source.transfer);
    this.sources.delete(source.transfer);
    if (this.byKey.get(source.key) === source) this.byKey.delete(source.key);
    if (this.sources.size === 0) this.emptySinceMs = nowMs;
  }

  /** The source asks for something else from now on: under another id, or over another path. */
  rejoin(source: Source, key: string): void {
    this.path.leave(source.transfer);
    this.sources.delete(source.transfer);
    if (this.byKey.get(source.key) === source) this.byKey.delete(source.key);
    source.asked.clear();
    source.key = key;
    source.knowsName = false;
    source.transfer = this.path.join(source.transfer.trafficClass);
    this.add(source);
  }

  /** The packets go another way: nothing that was learned holds. */
  renewPath(datagramLimitBytes: number, nowMs: number): void {
    this.path = newPath(undefined);
    // Over the same interfaces the search goes on, so that many changes are not many probes.
    if (datagramLimitBytes === this.#datagramLimitBytes) this.mtu?.pathChanged(nowMs);
    else this.mtu = newMtu(datagramLimitBytes);
    this.#datagramLimitBytes = datagramLimitBytes;
  }

  /** The largest leaves that the path is known to carry. */
  get groupShift(): number { return this.mtu === undefined ? 0 : groupShiftFor(this.mtu.bytesConfirmed); }
}

const newMtu = (datagramLimitBytes: number): PathMtu | undefined =>
  datagramLimitBytes < datagramBytesFor(1) ? undefined : new PathMtu({ sizes: defaultProbeSizes.filter((sizeBytes) => sizeBytes <= datagramLimitBytes) });

const newPath = (roundTripMs: number | undefined): CongestedPath =>
  new CongestedPath({ controller, datagramBytes: datagramBytesFor(0), ...(roundTripMs === undefined ? {} : { roundTripMs }) });
