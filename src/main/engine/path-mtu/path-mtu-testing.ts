/**
 * A path with a limit in each direction, for tests: it loses at random, delays and repeats answers, and swallows in silence what is too
 * large at the moment of crossing. A clock that jumps from event to event drives the search. Not part of the product.
 */
import { VirtualTime, seededFraction } from '../congestion/congestion-testing.ts';
import { PathMtu } from './path-mtu.ts';
import type { PathMtuOptions, Probe } from './path-mtu.ts';
import { udpPayloadMaximumBytes } from './sizes.ts';

export interface ModelOptions extends PathMtuOptions {
  /** Largest datagram from us, in bytes of UDP payload. */
  readonly outBytes?: number;
  /** Largest datagram to us. */
  readonly backBytes?: number;
  /** `padded`: our datagram has the probe's size and the answer is small; `response`: the other way round. */
  readonly probing?: 'padded' | 'response';
  readonly roundTripMs?: number;
  /** What the search is told of the round trip; undefined: the truth. */
  readonly assumedRoundTripMs?: number;
  /** Of each datagram in each direction, 0 to 1. */
  readonly loss?: number;
  /** Added to an answer's way, uniformly between 0 and this: answers overtake each other. */
  readonly jitterMs?: number;
  /** Of answers that come twice, 0 to 1. */
  readonly repeats?: number;
  /** Our kernel knows the limit `outBytes` and refuses at once. */
  readonly kernelRefuses?: boolean;
  readonly seed?: number;
}

const requestBytes = 100;
/** Longer than any answer takes: what did not come until then is lost. */
const lossAfterRoundTrips = 3;

export interface SentAt extends Probe { readonly atMs: number }

export class ModelPath {
  readonly time = new VirtualTime();
  readonly search: PathMtu;
  readonly probes: SentAt[] = [];
  outBytes: number;
  backBytes: number;
  loss: number;
  /** Nothing passes. */
  isDown = false;
  /** Of the probe that was confirmed last: what its direction carried when it crossed. */
  carriedAtConfirmation = Infinity;
  readonly #options: ModelOptions;
  readonly #random: () => number;
  readonly #roundTripMs: number;
  #armedAtMs = Infinity;

  constructor(options: ModelOptions = {}) {
    this.#options = options;
    this.search = new PathMtu(options);
    this.#random = seededFraction(options.seed ?? 1);
    this.#roundTripMs = options.roundTripMs ?? 20;
    this.outBytes = options.outBytes ?? udpPayloadMaximumBytes;
    this.backBytes = options.backBytes ?? udpPayloadMaximumBytes;
    this.loss = options.loss ?? 0;
  }

  get nowMs(): number { return this.time.nowMs; }
  /** In the direction that is searched. */
  get limitBytes(): number { return this.#options.probing === 'response' ? this.backBytes : this.outBytes; }
  set limitBytes(bytes: number) { if (this.#options.probing === 'response') this.backBytes = bytes; else this.outBytes = bytes; }

  start(): this {
    this.search.setWanted(true);
    this.pump();
    return this;
  }

  /** Runs so many ms further. */
  run(ms: number): this {
    this.pump();
    this.time.run(this.nowMs + ms);
    return this;
  }

  /** To be called after anything was told to the search. */
  pump(): void {
    this.search.handleTimeout(this.nowMs);
    for (let probe = this.#poll(); probe !== undefined; probe = this.#poll()) this.#send(probe);
    const atMs = this.search.pollTimeout()?.atMs;
    if (atMs === undefined || (atMs >= this.#armedAtMs && this.#armedAtMs > this.nowMs)) return;
    this.#armedAtMs = Math.max(atMs, this.nowMs);
    this.time.at(this.#armedAtMs, () => { this.#armedAtMs = Infinity; this.pump(); });
  }

  /** An ordinary datagram in the direction that is searched, and what the caller tells about it. */
  traffic(sizeBytes: number): void {
    const delayMs = this.#passes(sizeBytes, this.limitBytes) ? this.#roundTripMs + this.#jitterMs() : undefined;
    if (delayMs === undefined) this.time.at(this.nowMs + lossAfterRoundTrips * this.#roundTripMs, () => { this.search.fullSizedLost(sizeBytes, this.nowMs); this.pump(); });
    else this.time.at(this.nowMs + delayMs, () => { this.search.fullSizedArrived(sizeBytes, this.nowMs); this.pump(); });
  }

  /** Bulk at the present size with small datagrams between, for so many ms. */
  bulk(ms: number, everyMs = 5, smallEvery = 4): this {
    for (let index = 0; index * everyMs < ms; index += 1) {
      this.time.at(this.nowMs + index * everyMs, () => this.traffic(smallEvery > 0 && index % smallEvery === 0 ? requestBytes : this.search.bytesConfirmed));
    }
    return this.run(ms);
  }

  #poll(): Probe | undefined { return this.search.pollProbe(this.nowMs, this.#options.assumedRoundTripMs ?? this.#roundTripMs); }

  #send(probe: Probe): void {
    this.probes.push({ ...probe, atMs: this.nowMs });
    const isResponse = this.#options.probing === 'response';
    const outward = isResponse ? requestBytes : probe.sizeBytes;
    if (this.#options.kernelRefuses === true && outward > this.outBytes) { this.search.tooLong(outward, this.nowMs); return; }
    if (!this.#passes(outward, this.outBytes)) return;
    const carriedOut = this.outBytes;
    this.time.at(this.nowMs + this.#roundTripMs / 2, () => {
      if (!this.#passes(isResponse ? probe.sizeBytes : requestBytes, this.backBytes)) return;
      const carried = isResponse ? this.backBytes : carriedOut;
      const copies = this.#random() < (this.#options.repeats ?? 0) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) this.time.at(this.nowMs + this.#roundTripMs / 2 + this.#jitterMs(), () => this.#answer(probe, carried));
    });
  }

  #answer(probe: Probe, carried: number): void {
    const before = this.search.bytesConfirmed;
    this.search.probeAnswered(probe.probeId, this.nowMs);
    if (this.search.bytesConfirmed > before) this.carriedAtConfirmation = carried;
    this.pump();
  }

  #passes(sizeBytes: number, limitBytes: number): boolean { return !this.isDown && sizeBytes <= limitBytes && this.#random() >= this.loss; }

  #jitterMs(): number { return this.#random() * (this.#options.jitterMs ?? 0); }
}

/** The largest of `sizes` that a path carries; the base if it carries none. */
export function largestThatFits(sizes: readonly number[], limitBytes: number): number {
  return sizes.findLast((size) => size <= limitBytes) ?? sizes[0] ?? 0;
}

/** Between the probes of a test without a model, in ms. */
export const rtt = 20;
export const sizesOf = (path: ModelPath): readonly number[] => path.probes.map((probe) => probe.sizeBytes);

export function wanted(sizes?: readonly number[]): PathMtu {
  const search = new PathMtu(sizes === undefined ? {} : { sizes });
  search.setWanted(true);
  return search;
}

/** The next probe, however long it takes until the last one counts as lost. */
export function nextProbe(search: PathMtu, roundTripMs = rtt): Probe & { readonly atMs: number } {
  for (let step = 0; step < 4; step += 1) {
    const atMs = search.pollTimeout()?.atMs ?? 0;
    search.handleTimeout(atMs);
    const probe = search.pollProbe(atMs, roundTripMs);
    if (probe !== undefined) return { ...probe, atMs };
  }
  throw new Error('no probe came');
}

/** A search that has found the top, at 20 ms. */
export function atTop(): PathMtu {
  const search = wanted();
  const probe = search.pollProbe(0, rtt);
  search.probeAnswered(probe?.probeId ?? 0, rtt);
  return search;
}
