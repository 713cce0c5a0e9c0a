/**
 * Congestion control of one path, at the side that asks.
 *
 * WHO DECIDES. In directed messaging nobody sends what was not asked for, and the answers are what fills a path. So the requester controls:
 * in flight is what was REQUESTED and has not come, a response is the acknowledgement, and a holder keeps no state about anybody. One
 * object of this class stands for one path (one session to one next hop) and is shared by all transfers that ask through it; what they
 * learn of the path, they learn together.
 *
 * WHAT A CALLER DOES. A transfer joins with a class and says whether it wants something (`setWanting`). As long as `next` names a transfer,
 * it may ask for up to `roomBytes` of it, in one request for a run of fragments; each fragment is noted with `asked`, under the size of the
 * response that is expected, and gets a number. `arrived` takes the number of the fragment that came, `withdrawn` the number of one that
 * will not (a negative answer, a source that was given up). `pollLost` hands out what must be asked for again: with a new number, and the
 * old one named as `previous`. After each of these, and after `handleTimeout`, `next` may have something again; `pollTimeout` says when
 * time alone will. A caller that was named by `next` and has nothing to ask for says so with `setWanting`.
 *
 * NUMBERS. A fragment that is asked for again gets a new number, so that the order of asking is never in doubt. But a response does not say
 * which asking it answers: such a fragment gives no round-trip sample, and when it comes sooner than the path can be, or twice, then the
 * first asking had not been lost after all.
 *
 * THE PARTS. `ledger.ts` keeps what was asked for and what became of it: `flight.ts` remembers numbers, `rtt-estimator.ts` round trips,
 * `rate-sampler.ts` the receive rate; `loss-detector.ts` says what is lost, `recovery.ts` which losses are one event and when they were
 * none. A `CongestionController` (`cubic.ts` with `hystart.ts`, or `bbr.ts`) turns arrivals and losses into a window and a pace, `pacer.ts`
 * keeps the pace, and `scheduler.ts` says whose turn it is.
 *
 * A FILE NEVER DELAYS A LETTER. Receipts and chat are asked for before bulk, at once, from a small reserve above the window and without
 * waiting for the pacer; bulk pays for it. So a letter waits for nothing here, only behind what is already in the path's queue, which is
 * what the window bounds.
 *
 * TIMEOUTS. Silence proves nothing: a probe timeout (RFC 9002 section 6.2) hands out the two oldest requests to be asked for again above
 * the window, and leaves the window alone. The answer to a probe shows what was lost. Losing everything for several probe timeouts is
 * persistent congestion, and the window falls to its minimum. Ending a transfer that makes no progress is the caller's business.
 *
 * HOSTILE PEERS. What comes is only ever used after it was matched to a number that flies, so a holder can feign speed or slowness for what
 * was asked of it and nothing else. Every table has a bound, windows and rates are finite whatever times and sizes come in, and time that
 * runs backwards stands still.
 */
import { noNumber } from './flight.ts';
import { Ledger, countedBytes, probesAtOnce } from './ledger.ts';
import { checkedDatagramBytes } from './limits.ts';
import { Pacer, pacingRate } from './pacer.ts';
import { PathScheduler, Transfer } from './scheduler.ts';
import type { ArrivalOutcome, LostRequest } from './ledger.ts';
import type { CongestionController, ControllerFactory, TrafficClass } from './types.ts';

/** What receipts and chat may ask for above the window, in datagrams: as much as a list of letters and a few of them. */
export const urgentReserveDatagrams = 4;
/** Bulk is asked for in runs of up to so many datagrams, or what the path carries in this time where that is more, and never more than this share of the window: requests stay few, and bursts small. */
const batchDatagrams = 8;
const batchMs = 0.5;
const batchShare = 1 / 8;
/** What one request can name (wire/verbs.ts). */
const batchMaximumDatagrams = 64;

export interface PathOptions {
  readonly controller: ControllerFactory;
  /** Size of one response with everything around it, as the path's MTU allows now. */
  readonly datagramBytes: number;
  /** Round trip known from the session; undefined: the initial value of RFC 9002. */
  readonly roundTripMs?: number;
}

export class CongestedPath {
  readonly controller: CongestionController;
  readonly #ledger: Ledger;
  readonly #pacer = new Pacer();
  readonly #scheduler = new PathScheduler();
  #datagramBytes: number;
  #nowMs = -Infinity;
  #idleSinceMs: number | undefined;
  /** Datagrams that may be asked for above the window now. */
  #probesDue = 0;

  constructor(options: PathOptions) {
    this.#datagramBytes = checkedDatagramBytes(options.datagramBytes);
    this.controller = options.controller(options.datagramBytes);
    this.#ledger = new Ledger(this.controller, options.roundTripMs);
  }

  get windowBytes(): number { return this.controller.windowBytes; }
  get inFlightBytes(): number { return this.#ledger.flight.bytesInFlight; }
  get smoothedRttMs(): number { return this.#ledger.rtt.smoothedMs; }
  /** What it carries, as far as that is known: its window in a round trip before the first sample. */
  get rateBytesPerMs(): number { return this.controller.pacingRateBytesPerMs ?? this.windowBytes / this.smoothedRttMs; }
  /** What is asked for now, whatever the window says, shows whether anything comes through. */
  get isProbing(): boolean { return this.#probesDue > 0; }
  get minimumRttMs(): number { return this.#ledger.rtt.minimumMs; }
  get probeTimeoutMs(): number { return this.#ledger.rtt.probeTimeoutMs; }
  /** For diagnostics: numbers that counted as lost, and those of them that came after all. */
  get lostCount(): number { return this.#ledger.lostCount; }
  get foundCount(): number { return this.#ledger.foundCount; }

  join(trafficClass: TrafficClass): Transfer { return new Transfer(trafficClass); }

  /** What it asked for is withdrawn; nothing of it is handed out any more. */
  leave(transfer: Transfer): void {
    this.#scheduler.setWanting(transfer, false);
    transfer.joined = false;
    this.#ledger.withdrawAll(transfer);
  }

  setWanting(transfer: Transfer, wanting: boolean): void { this.#scheduler.setWanting(transfer, wanting); }

  setDatagramBytes(datagramBytes: number): void {
    this.controller.setDatagramBytes(datagramBytes);
    this.#datagramBytes = datagramBytes;
  }

  /** Which transfer may ask now; undefined when none wants to, or nothing may be asked for. */
  next(nowMs: number): Transfer | undefined {
    const now = this.#clock(nowMs);
    const candidate = this.#scheduler.next();
    if (candidate === undefined) {
      if (this.inFlightBytes < this.windowBytes) this.#ledger.noteApplicationLimit();
      return undefined;
    }
    if (this.#ledger.flight.count === 0) this.#noteIdle(now);
    this.#fillPacer(now);
    if (this.#room(candidate) >= this.#leastRoom(candidate)) return candidate;
    this.#ledger.noteHeldBack();
    return undefined;
  }

  /** How much the transfer that `next` named may ask for at once: at least one datagram. */
  roomBytes(transfer: Transfer, nowMs: number): number {
    this.#fillPacer(this.#clock(nowMs));
    return Math.max(0, this.#room(transfer));
  }

  /** The number under which one fragment is asked for now. `tag`: what the transfer knows it by. `bytes`: size of the datagram expected. */
  asked(transfer: Transfer, tag: number, bytes: number, nowMs: number, previous: number = noNumber): number {
    const now = this.#clock(nowMs);
    const expectedBytes = countedBytes(bytes);
    const number = this.#ledger.asked(transfer, tag, expectedBytes, now, previous);
    this.#fillPacer(now);
    this.#pacer.take(expectedBytes);
    this.#scheduler.charge(transfer, expectedBytes);
    this.#probesDue = Math.max(0, this.#probesDue - 1);
    return number;
  }

  arrived(number: number, nowMs: number): ArrivalOutcome { return this.#ledger.arrived(number, this.#clock(nowMs)); }

  /** A response came to what had been answered before, and whose number is forgotten. */
  noteRepeated(): void { this.#ledger.noteRepeated(); }

  /** Nothing will come for this number, and nothing is to be learnt from that. */
  withdrawn(number: number): void { this.#ledger.withdrawn(number); }

  isFlying(number: number): boolean { return this.#ledger.flight.state(number) === 'flying'; }

  /** The next request that must be made again; undefined when there is none. */
  pollLost(): LostRequest | undefined { return this.#ledger.pollLost(); }

  handleTimeout(nowMs: number): void { if (this.#ledger.handleTimeout(this.#clock(nowMs))) this.#probesDue = probesAtOnce; }

  pollTimeout(): { readonly atMs: number; readonly reason: 'loss' | 'probe' | 'pace' } | undefined {
    const timer = this.#ledger.pollTimeout();
    const paceAtMs = this.#paceAtMs();
    this.#pacer.awaitedAt(paceAtMs);
    return paceAtMs !== undefined && (timer === undefined || paceAtMs < timer.atMs) ? { atMs: paceAtMs, reason: 'pace' } : timer;
  }

  #clock(nowMs: number): number {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
    return this.#nowMs === -Infinity ? 0 : this.#nowMs;
  }

  #fillPacer(now: number): void {
    this.#pacer.fill(now, this.#rateBytesPerMs(), this.#datagramBytes);
  }

  #rateBytesPerMs(): number { return this.controller.pacingRateBytesPerMs ?? pacingRate(this.windowBytes, this.smoothedRttMs, this.controller.startingUp); }

  #room(transfer: Transfer): number {
    if (this.#ledger.flight.full) return 0;
    const room = this.windowBytes - this.inFlightBytes;
    if (this.#probesDue > 0) return Math.max(room, this.#probesDue * this.#datagramBytes);
    if (transfer.trafficClass !== 'bulk') return room + urgentReserveDatagrams * this.#datagramBytes;
    return Math.min(room, this.#pacer.availableBytes);
  }

  #leastRoom(transfer: Transfer): number {
    if (this.#probesDue > 0) return this.#datagramBytes;
    // A letter waits for nothing; the rest of a long one comes in batches like anything else.
    return transfer.trafficClass !== 'bulk' && transfer.inFlight === 0 ? this.#datagramBytes : this.#batchBytes();
  }

  #batchBytes(): number {
    const datagrams = Math.floor(this.windowBytes * batchShare / this.#datagramBytes);
    const timed = this.#rateBytesPerMs() * batchMs / this.#datagramBytes;
    // Whole bytes, as the pacer's are: the wait for a fraction of one could be shorter than what the clock can show, and never end.
    return Math.floor(Math.max(1, Math.min(datagrams, Math.max(batchDatagrams, Math.min(timed, batchMaximumDatagrams)))) * this.#datagramBytes);
  }

  /** Each stretch of idleness is told once. */
  #noteIdle(now: number): void {
    const sinceMs = Math.max(this.#idleSinceMs ?? -Infinity, this.#ledger.lastActiveMs ?? Infinity);
    if (!(now > sinceMs)) return;
    this.controller.handleIdle(now - sinceMs, this.probeTimeoutMs);
    this.#idleSinceMs = now;
  }

  #paceAtMs(): number | undefined {
    const candidate = this.#scheduler.next();
    if (candidate?.trafficClass !== 'bulk' || this.#probesDue > 0 || this.#ledger.flight.full) return undefined;
    const batchBytes = this.#batchBytes();
    if (this.windowBytes - this.inFlightBytes < batchBytes) return undefined;
    return this.#pacer.readyAtMs(batchBytes, this.#clock(-Infinity));
  }
}
