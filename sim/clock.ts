/**
 * Virtual time. One queue of events for the whole world, run in order of time and, at equal times, in the order in which they were added:
 * the same seed runs the same way to the last event. A machine's own clocks differ from the world's: they start elsewhere, are
 * off by some time, jump, and the monotonic one may stand still while the machine sleeps.
 */
import type { Instant } from '../src/main/engine/wire/types.ts';

/** Any date will do; it is a multiple of no rotation interval. */
const worldStartWallMs = Date.UTC(2026, 2, 3, 4, 5, 6, 789);

interface Event { readonly atMs: number; readonly order: number; readonly run: () => void }

export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;
  #nowMs = 0;

  /** Milliseconds since the world began. */
  get nowMs(): number { return this.#nowMs; }
  get size(): number { return this.#heap.length; }

  after(delayMs: number, run: () => void): void { this.at(this.#nowMs + Math.max(0, delayMs), run); }

  at(atMs: number, run: () => void): void {
    this.#order += 1;
    this.#push({ atMs: Math.max(atMs, this.#nowMs), order: this.#order, run });
  }

  /** Runs all events up to that time; stops early once `until` says so. */
  runTo(endMs: number, until?: () => boolean): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pop();
      this.#nowMs = next.atMs;
      next.run();
      if (until?.() === true) return;
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    heap.push(event);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      if (left === undefined) break;
      const right = heap[2 * index + 2];
      const useRight = right !== undefined && isBefore(right, left);
      const child = useRight ? right : left;
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = useRight ? 2 * index + 2 : 2 * index + 1;
    }
    heap[index] = last;
  }
}

function isBefore(left: Event, right: Event): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

export class MachineClock {
  readonly #queue: EventQueue;
  #monotonicOffsetMs: number;
  #wallOffsetMs: number;
  #worstWallErrorMs: number;
  #jumpsMs = 0;

  constructor(queue: EventQueue, monotonicOffsetMs: number, wallOffsetMs: number) {
    this.#queue = queue;
    this.#monotonicOffsetMs = monotonicOffsetMs;
    this.#wallOffsetMs = wallOffsetMs;
    this.#worstWallErrorMs = Math.abs(wallOffsetMs);
  }

  /** As the real host gives it: fractions in the monotonic time, whole milliseconds on the wall. */
  now(): Instant {
    return { monotonicMs: this.#queue.nowMs + this.#monotonicOffsetMs, wallMs: Math.floor(worldStartWallMs + this.#queue.nowMs + this.#wallOffsetMs) };
  }

  /** World time at which the machine's monotonic clock will show that. */
  worldMsOf(monotonicMs: number): number { return monotonicMs - this.#monotonicOffsetMs; }

  /** How wrong the wall clock has ever been. */
  get worstWallErrorMs(): number { return this.#worstWallErrorMs; }

  /** By how much it was set while the world ran, forth and back added up. */
  get jumpsMs(): number { return this.#jumpsMs; }

  jumpWall(byMs: number): void {
    this.#jumpsMs += Math.abs(byMs);
    this.#wallOffsetMs += byMs;
    this.#worstWallErrorMs = Math.max(this.#worstWallErrorMs, Math.abs(this.#wallOffsetMs), Math.abs(byMs));
  }

  /** The machine slept and its monotonic clock did not count. */
  stoodStill(forMs: number): void { this.#monotonicOffsetMs -= forMs; }

  /** A new process counts from somewhere else. */
  restarted(monotonicOffsetMs: number): void { this.#monotonicOffsetMs = monotonicOffsetMs - this.#queue.nowMs; }
}
