/** The downloads of one session: all of them share its path, and what they learn of it. */
import { Bbr } from '../congestion/bbr.ts';
import { CongestedPath } from '../congestion/path.ts';
import { PathMtu } from '../path-mtu/path-mtu.ts';
import { datagramBytesFor, defaultProbeSizes, groupShiftFor } from '../path-mtu/sizes.ts';
import type { Probe } from '../path-mtu/path-mtu.ts';
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
  /** By the id of their responses: more than one where a content is downloaded twice. */
  readonly #byKey = new Map<string, Source[]>();
  /** Undefined where no leaf but the smallest could pass. */
  mtu: PathMtu | undefined;
  /** What `carries` was told last. */
  toldBytes: number | undefined;
  /** Probes under way, by the id of their answers. */
  readonly probes = new Map<string, Probe>();
  lastProgressMs: number;
  /** Its last progress when others were asked for what it owes. */
  #lentAtProgressMs: number | undefined;
  #datagramLimitBytes: number;
  emptySinceMs: number | undefined;
  /** Those that said "busy": each is asked again at its time. */
  readonly heldSources = new Set<Source>();
  /** When it is looked next at who owes what for too long. */
  checkAtMs: number | undefined;

  constructor(sessionId: SessionId, datagramLimitBytes: number, roundTripMs: number | undefined, nowMs: number) {
    this.sessionId = sessionId;
    this.path = newPath(roundTripMs);
    this.#datagramLimitBytes = datagramLimitBytes;
    this.mtu = newMtu(datagramLimitBytes);
    this.lastProgressMs = nowMs;
  }

  add(source: Source): void {
    this.sources.set(source.transfer, source);
    const same = this.#byKey.get(source.key);
    if (same === undefined) this.#byKey.set(source.key, [source]);
    else same.push(source);
    this.emptySinceMs = undefined;
  }

  /** Whose response it is: of several, the first that waits for it, since each has asked for itself. @param tag undefined for one that may answer anything. */
  sourceOf(key: string, tag: number | undefined): Source | undefined {
    const sources = this.#byKey.get(key);
    if (sources === undefined) return undefined;
    for (const source of sources) if (tag === undefined ? source.asked.size > 0 : source.asked.has(tag)) return source;
    return sources[0];
  }

  remove(source: Source, nowMs: number): void {
    this.path.leave(source.transfer);
    this.sources.delete(source.transfer);
    this.heldSources.delete(source);
    this.#forgetKey(source);
    if (this.sources.size === 0) this.emptySinceMs = nowMs;
  }

  /** The source asks for something else from now on: under another id, or over another path. */
  rejoin(source: Source, key: string): void {
    this.path.leave(source.transfer);
    this.sources.delete(source.transfer);
    this.#forgetKey(source);
    source.asked.clear();
    source.key = key;
    source.knowsName = false;
    source.transfer = this.path.join(source.transfer.trafficClass);
    this.add(source);
  }

  #forgetKey(source: Source): void {
    const left = this.#byKey.get(source.key)?.filter((each) => each !== source) ?? [];
    if (left.length === 0) this.#byKey.delete(source.key);
    else this.#byKey.set(source.key, left);
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
  /** Others were asked for what it owes, and nothing has come since: it is only asked for as much as shows whether it is back. */
  get isSilent(): boolean { return this.#lentAtProgressMs === this.lastProgressMs; }
  setSilent(): void { this.#lentAtProgressMs = this.lastProgressMs; }

  /** Whether any of its contents is cut into leaves that its datagrams do not carry any more. */
  get mustRegroup(): boolean {
    const { groupShift } = this;
    for (const { download } of this.sources.values()) if (download.groupShift > groupShift) return true;
    return false;
  }

  get groupShift(): number { return this.mtu === undefined ? 0 : groupShiftFor(this.mtu.bytesConfirmed); }
}

const newMtu = (datagramLimitBytes: number): PathMtu | undefined =>
  datagramLimitBytes < datagramBytesFor(1) ? undefined : new PathMtu({ sizes: defaultProbeSizes.filter((sizeBytes) => sizeBytes <= datagramLimitBytes) });

const newPath = (roundTripMs: number | undefined): CongestedPath =>
  new CongestedPath({ controller, datagramBytes: datagramBytesFor(0), ...(roundTripMs === undefined ? {} : { roundTripMs }) });
