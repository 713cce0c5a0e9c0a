/**
 * One side that downloads and several that hold, with a link of its own to each, for tests: links have delay, jitter, loss, doubling, a rate with a queue
 * before it and a bound of the datagrams they carry, and all of it may change while packets are under way. The clock jumps from event to event.
 * Not part of the product.
 */
import { tree } from '../lockstep/testing.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { transportOverheadBytes } from '../wire/frame.ts';
import { createDirected } from './directed.ts';
import { seededRandom, wallStartMs } from './testing.ts';
import type { Crypto } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { Directed, DownloadHandle, DownloadOptions, SourceEnd } from './types.ts';

export const crypto: Crypto = { ...nobleCrypto, tree, blake3: (data) => tree.hash(data) };
export const nameOf = (bytes: Uint8Array): ContentName => ({ root: crypto.blake3(bytes), length: bytes.length });

/** Enough for the largest run here; a machine that needs more goes round in circles. */
const stepsMaximum = 3_000_000;
/** Timers that fire without time going on: more is a hot loop. */
const timersAtOnceMaximum = 2_000;
/** What comes so soon after another one is handed over with it, as a host does with what it finds at its socket. */
const turnMs = 0.4;
const chunkBytes = 1_024;

export interface Link {
  delayMs: number;
  jitterMs: number;
  /** Of 1. */
  loss: number;
  doubled: number;
  /** Towards the reader. */
  rateBytesPerMs: number;
  queueBytes: number;
  /** Datagrams beyond this vanish. */
  carriesBytes: number;
  /** What both sides take the bound to be (`datagramLimitBytes`). */
  limitBytes: number;
  down: boolean;
  /** What the holder sends, changed; undefined: nothing of it. */
  tamper: (frame: Uint8Array) => Uint8Array | undefined;
}

const plainLink = (): Link => ({
  delayMs: 10, jitterMs: 0, loss: 0, doubled: 0, rateBytesPerMs: 5_000, queueBytes: 400_000, carriesBytes: 65_507, limitBytes: 1_200, down: false, tamper: (frame) => frame,
});

interface Event { readonly atMs: number; readonly order: number; readonly run: () => void }

export class Network {
  readonly reader: Directed;
  readonly holders: Directed[] = [];
  readonly links: Link[] = [];
  readonly #random: () => number;
  readonly #free: number[] = [];
  #events: Event[] = [];
  #order = 0;
  /** Handed over to the reader and not flushed. */
  readonly #turnFrames: Uint8Array[] = [];
  #turnEndMs = 0;
  nowMs = 1_000;
  /** Frames that the reader has sent. */
  requests = 0;
  responses = 0;
  watch: ((from: 'reader' | 'holder', sessionId: SessionId, frame: Uint8Array) => void) | undefined;

  constructor(links: readonly Partial<Link>[], seed = 1) {
    const bytes = seededRandom(seed + 77);
    this.#random = () => bytes(3).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 24;
    this.reader = createDirected({
      send: (sessionId, frame) => { this.requests += 1; this.watch?.('reader', sessionId, frame); this.#up(sessionId, frame); return true; },
      smoothedRoundTripMs: (sessionId) => { const link = this.links[sessionId - 1]; return link === undefined ? undefined : link.delayMs * 2; },
      datagramLimitBytes: (sessionId) => this.links[sessionId - 1]?.limitBytes ?? 1_200,
    }, crypto, seededRandom(seed));
    for (const link of links) this.addHolder(link, seed);
  }

  get now(): Instant { return { monotonicMs: this.nowMs, wallMs: wallStartMs + this.nowMs }; }

  /** Its session has the number of holders, at both sides. */
  addHolder(link: Partial<Link>, seed = 1): SessionId {
    const sessionId = this.links.push({ ...plainLink(), ...link });
    this.#free.push(0);
    this.holders.push(createDirected({
      send: (_, frame) => { this.responses += 1; this.watch?.('holder', sessionId, frame); this.#down(sessionId, frame); return true; },
      smoothedRoundTripMs: () => undefined,
      datagramLimitBytes: () => this.link(sessionId).limitBytes,
    }, crypto, seededRandom(seed + 100 + sessionId)));
    return sessionId;
  }

  link(sessionId: SessionId): Link {
    const link = this.links[sessionId - 1];
    if (link === undefined) throw new Error(`there is no link ${String(sessionId)}`);
    return link;
  }

  holder(sessionId: SessionId): Directed {
    const holder = this.holders[sessionId - 1];
    if (holder === undefined) throw new Error(`there is no holder ${String(sessionId)}`);
    return holder;
  }

  /** All holders, or those named, have it. */
  offer(bytes: Uint8Array, sessionIds: readonly SessionId[] = this.links.map((_, index) => index + 1)): ContentName {
    const name = nameOf(bytes);
    for (const sessionId of sessionIds) this.holder(sessionId).publisher.offer(name, bytes);
    return name;
  }

  after(delayMs: number, run: () => void): void { this.#push(this.nowMs + delayMs, run); }

  run(forMs = 600_000, until: () => boolean = () => false): void {
    const untilMs = this.nowMs + forMs;
    let timersAtOnce = 0;
    for (let steps = 0; steps < stepsMaximum; steps += 1) {
      if (until()) return;
      const [event] = this.#events;
      let timerMs = Infinity;
      let due: Directed | undefined;
      for (const each of [this.reader, ...this.holders]) {
        const atMs = each.pollTimeout()?.atMs ?? Infinity;
        if (atMs < timerMs) { timerMs = atMs; due = each; }
      }
      const nextMs = Math.min(event?.atMs ?? Infinity, timerMs);
      if (this.#turnFrames.length > 0 && nextMs > this.#turnEndMs) {
        this.#endTurn();
        continue;
      }
      if (nextMs > untilMs) { this.nowMs = untilMs; return; }
      timersAtOnce = nextMs > this.nowMs ? 0 : timersAtOnce + 1;
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (event !== undefined && event.atMs <= timerMs) {
        this.#pop();
        timersAtOnce = 0;
        event.run();
      } else {
        if (timersAtOnce > timersAtOnceMaximum) throw new Error(`timers without end at ${String(this.nowMs)} ms`);
        due?.handleTimeout(this.now);
      }
    }
    throw new Error('the simulation does not come to rest');
  }

  /** What is under way is gone, what the session was known for too. */
  loseSession(sessionId: SessionId): void {
    this.reader.sessionLost(sessionId, this.now);
    this.holder(sessionId).sessionLost(1, this.now);
  }

  #up(sessionId: SessionId, frame: Uint8Array): void {
    const copy = frame.slice();
    this.#carry(this.link(sessionId), frame.length, 0, () => { this.holder(sessionId).handleFrame(1, copy, this.now); });
  }

  #down(sessionId: SessionId, sent: Uint8Array): void {
    const link = this.link(sessionId);
    const frame = link.tamper(sent.slice());
    if (frame === undefined) return;
    const sizeBytes = frame.length + transportOverheadBytes;
    const startMs = Math.max(this.nowMs, this.#free[sessionId - 1] ?? 0);
    if ((startMs - this.nowMs) * link.rateBytesPerMs > link.queueBytes) return;
    this.#free[sessionId - 1] = startMs + sizeBytes / link.rateBytesPerMs;
    this.#carry(link, frame.length, startMs + sizeBytes / link.rateBytesPerMs - this.nowMs, () => { this.#arrive(sessionId, frame.slice()); });
  }

  #arrive(sessionId: SessionId, frame: Uint8Array): void {
    const use = this.reader.handleFrame(sessionId, frame, this.now);
    if (use === 'kept') return;
    if (this.#turnFrames.length === 0) this.#turnEndMs = this.nowMs + turnMs;
    this.#turnFrames.push(frame);
    if (use === 'none') this.#endTurn();
  }

  /** Whoever still looks at the frames after it finds nonsense. */
  #endTurn(): void {
    this.reader.flush(this.now);
    for (const frame of this.#turnFrames) frame.fill(0xee);
    this.#turnFrames.length = 0;
  }

  #carry(link: Link, frameBytes: number, extraMs: number, arrive: () => void): void {
    if (link.down || frameBytes + transportOverheadBytes > link.carriesBytes) return;
    if (link.loss > 0 && this.#random() < link.loss) return;
    const copies = link.doubled > 0 && this.#random() < link.doubled ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#push(this.nowMs + extraMs + link.delayMs + (link.jitterMs > 0 ? this.#random() * link.jitterMs : 0), arrive);
  }

  #push(atMs: number, run: () => void): void {
    this.#order += 1;
    const event: Event = { atMs, order: this.#order, run };
    const events = this.#events;
    let index = events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = events[parent];
      if (above === undefined || isBefore(above, event)) break;
      events[index] = above;
      index = parent;
    }
    events[index] = event;
  }

  #pop(): void {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return;
    let index = 0;
    for (;;) {
      const left = events[2 * index + 1];
      const right = events[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (isBefore(last, child)) break;
      events[index] = child;
      index = child === right ? 2 * index + 2 : 2 * index + 1;
    }
    events[index] = last;
  }
}

const isBefore = (left: Event, right: Event): boolean => left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);

/** One download with everything that its owner was told. */
export class Fetch {
  readonly bytes: Uint8Array;
  readonly handle: DownloadHandle;
  readonly ends: { readonly sessionId: SessionId; readonly reason: SourceEnd }[] = [];
  readonly refusals: { readonly sessionId: SessionId; readonly reason: string }[] = [];
  completed = 0;
  completedAtMs = 0;
  readonly startedAtMs: number;
  /** Bytes that were handed over again although nothing was cut anew in between. */
  repeatedBytes = 0;
  /** Told although it was complete or cancelled. */
  afterEnd = 0;
  over = false;
  onVerified: (() => void) | undefined;
  onEnded: ((sessionId: SessionId) => void) | undefined;
  onCompleted: (() => void) | undefined;
  readonly #regroups: () => number;
  readonly #cut = new Map<number, number>();

  constructor(network: Network, name: ContentName, sessionIds: readonly SessionId[], options: Partial<DownloadOptions> & { readonly into?: Uint8Array } = {}) {
    this.bytes = options.into ?? new Uint8Array(name.length);
    this.startedAtMs = network.nowMs;
    this.#regroups = () => network.reader.dropCounters['download-regrouped'] ?? 0;
    const handle = network.reader.download(name, {
      trafficClass: 'bulk',
      keptMaximumBytes: 2 * 1_048_576,
      verified: (offset, bytes) => { this.#verified(offset, bytes); },
      completed: () => { this.#noteAlive(); this.completed += 1; this.completedAtMs = network.nowMs; this.over = true; this.onCompleted?.(); },
      sourceEnded: (sessionId, reason) => { this.#noteAlive(); this.ends.push({ sessionId, reason }); this.onEnded?.(sessionId); },
      refused: (sessionId, reason) => { this.refusals.push({ sessionId, reason }); },
      ...options,
    }, network.now);
    if (handle === undefined) throw new Error('no content has this length');
    this.handle = handle;
    for (const sessionId of sessionIds) handle.addSource(sessionId, network.now);
  }

  get tookMs(): number { return this.completedAtMs - this.startedAtMs; }

  cancel(now: Instant): void {
    this.over = true;
    this.handle.cancel(now);
  }

  #verified(offset: number, bytes: Uint8Array): void {
    this.#noteAlive();
    const regroups = this.#regroups();
    for (let at = offset; at < offset + bytes.length; at += chunkBytes) {
      if (this.#cut.get(at) === regroups) this.repeatedBytes += Math.min(chunkBytes, offset + bytes.length - at);
      this.#cut.set(at, regroups);
    }
    this.bytes.set(bytes, offset);
    this.onVerified?.();
  }

  #noteAlive(): void { if (this.over) this.afterEnd += 1; }
}
