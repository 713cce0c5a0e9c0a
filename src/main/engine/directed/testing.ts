/**
 * Two request layers with a network between them, for tests: delays, loses, doubles and reorders frames as it is told, on a clock that
 * jumps from event to event. Not part of the product.
 */
import { createDirected } from './directed.ts';
import type { Crypto } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant } from '../wire/types.ts';
import type { Directed } from './types.ts';

/** What becomes of one frame: no entries = lost, several = doubled; each is an additional delay in ms. */
export type Fate = (frame: Uint8Array, from: 'left' | 'right') => readonly number[];

interface Flight { readonly to: 'left' | 'right'; readonly sessionId: SessionId; readonly frame: Uint8Array; readonly atMs: number; readonly order: number }
/** Anything else with timers, driven along. */
export interface Driven { handleTimeout(now: Instant): void; pollTimeout(): { readonly atMs: number } | undefined; after?(now: Instant): void }

export const wallStartMs = 1_800_000_000_000;

/** A generator that repeats: splitmix32. */
export function seededRandom(seed: number): (sizeBytes: number) => Uint8Array {
  let state = seed >>> 0;
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) & 0xff;
  });
}

export class Pair {
  readonly left: Directed;
  readonly right: Directed;
  readonly driven: Driven[] = [];
  readonly sent: { readonly from: 'left' | 'right'; readonly frame: Uint8Array; readonly atMs: number }[] = [];
  fate: Fate = () => [0];
  /** What arrives instead of a frame that was sent. */
  tamper: (frame: Uint8Array, from: 'left' | 'right') => Uint8Array = (frame) => frame;
  delayMs = 10;
  smoothedRoundTripMs: number | undefined = 20;
  nowMs = 1_000;
  #flights: Flight[] = [];
  #order = 0;

  constructor(crypto: Crypto, seed = 1) {
    this.left = createDirected(this.#sender('left'), crypto, seededRandom(seed));
    this.right = createDirected(this.#sender('right'), crypto, seededRandom(seed + 1));
  }

  get now(): Instant { return { monotonicMs: this.nowMs, wallMs: wallStartMs + this.nowMs }; }

  /** Runs events until nothing is left to do before `untilMs` from now. */
  run(forMs = 60_000): void {
    const untilMs = this.nowMs + forMs;
    const gathered: Uint8Array[] = [];
    for (let steps = 0; steps < 200_000; steps += 1) {
      for (const driven of this.driven) driven.after?.(this.now);
      const flight = this.#flights.reduce<Flight | undefined>((best, each) =>
        (best === undefined || each.atMs < best.atMs || (each.atMs === best.atMs && each.order < best.order) ? each : best), undefined);
      const timer = Math.min(...[this.left, this.right, ...this.driven].map((each) => each.pollTimeout()?.atMs ?? Infinity));
      const nextMs = Math.min(flight?.atMs ?? Infinity, timer);
      if (nextMs > untilMs) { this.nowMs = untilMs; return; }
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (flight !== undefined && flight.atMs <= timer) {
        this.#flights = this.#flights.filter((each) => each !== flight);
        const use = this[flight.to].handleFrame(flight.sessionId, flight.frame, this.now);
        if (use !== 'kept') gathered.push(flight.frame);
        // As a host does with what comes in one turn.
        if (use === 'until-flush' && this.#flights.some(({ to, atMs }) => to === flight.to && atMs === this.nowMs)) continue;
        for (const each of [this.left, this.right]) each.flush(this.now);
        // As a host may free them: whoever still looked at the frames would find this.
        for (const frame of gathered) frame.fill(0xee);
        gathered.length = 0;
      } else {
        for (const each of [this.left, this.right, ...this.driven]) each.handleTimeout(this.now);
      }
    }
    throw new Error('the simulation does not come to rest');
  }

  /** What waits in the network is gone. */
  clearNetwork(): void { this.#flights = []; }

  #sender(from: 'left' | 'right'): Parameters<typeof createDirected>[0] {
    return {
      send: (sessionId, frame) => {
        this.sent.push({ from, frame, atMs: this.nowMs });
        for (const extraMs of this.fate(frame, from)) {
          this.#order += 1;
          this.#flights.push({ to: from === 'left' ? 'right' : 'left', sessionId, frame: this.tamper(frame.slice(), from), atMs: this.nowMs + this.delayMs + extraMs, order: this.#order });
        }
        return true;
      },
      smoothedRoundTripMs: () => this.smoothedRoundTripMs,
      datagramLimitBytes: () => 1_200,
    };
  }
}
