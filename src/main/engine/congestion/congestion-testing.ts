/**
 * A bottleneck between holders and requesters, for tests: responses of all requesters pass one queue of a certain rate, with a bound in packets, random loss, reordering and outages, on a
 * clock that jumps from event to event and from one seed. Not part of the product.
 */
import { noNumber } from './flight.ts';
import { CongestedPath } from './path.ts';
import type { Transfer } from './scheduler.ts';
import type { ControllerFactory, TrafficClass } from './types.ts';

export interface LinkOptions {
  readonly rateMbit: number;
  /** Both ways together, without queue. */
  readonly roundTripMs: number;
  readonly queuePackets: number;
  /** Of responses, 0 to 1. */
  readonly loss?: number;
  /** Of requests, 0 to 1: each takes the responses of its whole run along. */
  readonly requestLoss?: number;
  /** Of responses, 0 to 1, and by how long they are held back after the queue. */
  readonly reorderShare?: number;
  readonly reorderMs?: number;
  /** How long a holder takes for each response, uniformly between 0 and this. */
  readonly responderMs?: number;
  readonly seed?: number;
}

export const bytesPerMs = (mbit: number): number => mbit * 125;
/** Of one path's bandwidth-delay product. */
export const queueOf = (rateMbit: number, ms: number, datagramBytes = 1_200): number => Math.max(1, Math.round(bytesPerMs(rateMbit) * ms / datagramBytes));

/** Uniform in [0, 1), repeatable: splitmix32. */
export function seededFraction(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  };
}

interface Event { readonly atMs: number; readonly order: number; readonly run: () => void }

/** Virtual time: a binary heap of what will happen. */
export class VirtualTime {
  nowMs = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  at(atMs: number, run: () => void): void {
    this.#order += 1;
    this.#heap.push({ atMs: Math.max(atMs, this.nowMs), order: this.#order, run });
    this.#up(this.#heap.length - 1);
  }

  run(untilMs: number, steps = 20_000_000): void {
    for (let step = 0; step < steps; step += 1) {
      const top = this.#heap[0];
      if (top === undefined || top.atMs > untilMs) { this.nowMs = Math.max(this.nowMs, untilMs); return; }
      this.#removeTop();
      this.nowMs = top.atMs;
      top.run();
    }
    throw new Error('virtual time does not come to rest');
  }

  #up(start: number): void {
    for (let index = start; index > 0;) {
      const above = (index - 1) >> 1;
      if (!this.#swapUnordered(above, index)) return;
      index = above;
    }
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = right < this.#heap.length && this.#before(right, left) ? right : left;
      if (child >= this.#heap.length || !this.#swapUnordered(index, child)) return;
      index = child;
    }
  }

  #before(left: number, right: number): boolean {
    const one = this.#heap[left];
    const other = this.#heap[right];
    return one !== undefined && other !== undefined && (one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order));
  }

  #swapUnordered(above: number, below: number): boolean {
    const upper = this.#heap[above];
    const lower = this.#heap[below];
    if (upper === undefined || lower === undefined || !this.#before(below, above)) return false;
    this.#heap[above] = lower;
    this.#heap[below] = upper;
    return true;
  }
}

export class Link {
  readonly time: VirtualTime;
  readonly #options: LinkOptions;
  readonly #random: () => number;
  /** When the queue will have been sent. */
  #busyUntilMs = 0;
  #queued = 0;
  dropped = 0;
  lost = 0;
  passedBytes = 0;
  worstQueueMs = 0;
  #outage = { fromMs: Infinity, untilMs: Infinity };

  constructor(time: VirtualTime, options: LinkOptions) {
    this.time = time;
    this.#options = options;
    this.#random = seededFraction(options.seed ?? 1);
  }

  get queueMs(): number { return Math.max(0, this.#busyUntilMs - this.time.nowMs); }
  /** Nothing passes, in either direction. */
  cut(fromMs: number, untilMs: number): void { this.#outage = { fromMs, untilMs }; }
  resetMeasurements(): void { this.dropped = 0; this.lost = 0; this.passedBytes = 0; this.worstQueueMs = 0; }

  /** A request goes up without contention; `respond` runs at the holder. */
  request(respond: () => void): void {
    if (this.#isCut() || this.#random() < (this.#options.requestLoss ?? 0)) return;
    this.time.at(this.time.nowMs + this.#options.roundTripMs / 2, () => { if (!this.#isCut()) respond(); });
  }

  respond(bytes: number, arrive: () => void): void {
    const responderMs = (this.#options.responderMs ?? 0) * this.#random();
    this.time.at(this.time.nowMs + responderMs, () => this.#enqueue(bytes, arrive));
  }

  #enqueue(bytes: number, arrive: () => void): void {
    if (this.#isCut()) return;
    if (this.#random() < (this.#options.loss ?? 0)) { this.lost += 1; return; }
    if (this.#queued >= this.#options.queuePackets) { this.dropped += 1; return; }
    this.#queued += 1;
    this.worstQueueMs = Math.max(this.worstQueueMs, this.queueMs);
    this.#busyUntilMs = Math.max(this.#busyUntilMs, this.time.nowMs) + bytes / bytesPerMs(this.#options.rateMbit);
    this.time.at(this.#busyUntilMs, () => {
      this.#queued -= 1;
      if (this.#isCut()) return;
      this.passedBytes += bytes;
      const heldMs = this.#random() < (this.#options.reorderShare ?? 0) ? this.#options.reorderMs ?? 0 : 0;
      this.time.at(this.time.nowMs + this.#options.roundTripMs / 2 + heldMs, arrive);
    });
  }

  #isCut(): boolean { return this.time.nowMs >= this.#outage.fromMs && this.time.nowMs < this.#outage.untilMs; }
}

export interface Download {
  readonly transfer: Transfer;
  readonly startedMs: number;
  readonly fragments: number;
  readonly arrived: Set<number>;
  doneMs: number | undefined;
  asked: number;
  readonly again: { readonly tag: number; readonly previous: number }[];
}

/** One side that asks, through a path of its own or together with others. */
export class Requester {
  readonly path: CongestedPath;
  readonly downloads = new Map<Transfer, Download>();
  readonly #link: Link;
  readonly #datagramBytes: number;
  readonly #numbers = new Map<Transfer, Map<number, number>>();
  #wakeAtMs = Infinity;
  receivedBytes = 0;
  smallestWindowBytes = Infinity;
  largestWindowBytes = 0;
  requests = 0;

  constructor(link: Link, controller: ControllerFactory, datagramBytes = 1_200) {
    this.#link = link;
    this.#datagramBytes = datagramBytes;
    this.path = new CongestedPath({ controller, datagramBytes });
  }

  /** Begins now; `fragments` may be Infinity. */
  download(trafficClass: TrafficClass, fragments: number): Download {
    const transfer = this.path.join(trafficClass);
    const download: Download = { transfer, startedMs: this.#link.time.nowMs, fragments, arrived: new Set(), doneMs: undefined, asked: 0, again: [] };
    this.downloads.set(transfer, download);
    this.#numbers.set(transfer, new Map());
    this.path.setWanting(transfer, true);
    this.#pump();
    return download;
  }

  #pump(): void {
    const nowMs = this.#link.time.nowMs;
    for (let lost = this.path.pollLost(); lost !== undefined; lost = this.path.pollLost()) {
      const download = this.downloads.get(lost.transfer);
      if (download === undefined || download.arrived.has(lost.tag)) continue;
      download.again.push({ tag: lost.tag, previous: lost.number });
      this.path.setWanting(lost.transfer, true);
    }
    for (let transfer = this.path.next(nowMs); transfer !== undefined; transfer = this.path.next(nowMs)) this.#ask(transfer, nowMs);
    this.smallestWindowBytes = Math.min(this.smallestWindowBytes, this.path.windowBytes);
    this.largestWindowBytes = Math.max(this.largestWindowBytes, this.path.windowBytes);
    this.#arm();
  }

  #ask(transfer: Transfer, nowMs: number): void {
    const download = this.downloads.get(transfer);
    const numbers = this.#numbers.get(transfer);
    if (download === undefined || numbers === undefined) throw new Error('an unknown transfer was named');
    const room = Math.min(64, Math.max(1, Math.floor(this.path.roomBytes(transfer, nowMs) / this.#datagramBytes)), transfer.trafficClass === 'bulk' ? 8 : 64);
    const run: number[] = [];
    while (run.length < room) {
      const again = download.again.shift();
      if (again !== undefined && download.arrived.has(again.tag)) continue;
      if (again === undefined && download.asked >= download.fragments) break;
      const tag = again?.tag ?? download.asked++;
      numbers.set(tag, this.path.asked(transfer, tag, this.#datagramBytes, nowMs, again?.previous ?? noNumber));
      run.push(tag);
    }
    this.path.setWanting(transfer, download.again.length > 0 || download.asked < download.fragments);
    if (run.length === 0) return;
    this.requests += 1;
    this.#link.request(() => { for (const tag of run) this.#link.respond(this.#datagramBytes, () => this.#arrive(download, numbers, tag)); });
  }

  #arrive(download: Download, numbers: Map<number, number>, tag: number): void {
    this.path.arrived(numbers.get(tag) ?? noNumber, this.#link.time.nowMs);
    if (!download.arrived.has(tag)) {
      download.arrived.add(tag);
      this.receivedBytes += this.#datagramBytes;
      if (download.arrived.size === download.fragments) {
        download.doneMs = this.#link.time.nowMs;
        this.path.leave(download.transfer);
      }
    }
    this.#pump();
  }

  #arm(): void {
    const atMs = this.path.pollTimeout()?.atMs;
    if (atMs === undefined || atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    this.#link.time.at(atMs, () => {
      if (this.#wakeAtMs !== atMs) return;
      this.#wakeAtMs = Infinity;
      this.path.handleTimeout(this.#link.time.nowMs);
      this.#pump();
    });
  }
}
