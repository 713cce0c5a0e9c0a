/** What will be done when, by one timer: a binary heap by time, and by order of entry among equals. */

/** Timers fire by the millisecond; what is due within this is done with what is due. */
const earlyMs = 0.3;

interface Entry { readonly atMs: number; readonly order: number; readonly action: () => void }

const isBefore = (left: Entry, right: Entry): boolean => left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);

export class Schedule {
  readonly #heap: Entry[] = [];
  #order = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  /** @param atMs as `performance.now()` counts. */
  at(atMs: number, action: () => void): void {
    this.#order += 1;
    this.#push({ atMs, order: this.#order, action });
    this.#arm();
  }

  #arm(): void {
    const next = this.#heap[0];
    if (next === undefined || (this.#timer !== undefined && this.#timerAtMs <= next.atMs)) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = next.atMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const dueMs = performance.now() + earlyMs;
      for (let top = this.#heap[0]; top !== undefined && top.atMs <= dueMs; top = this.#heap[0]) {
        this.#removeTop();
        top.action();
      }
      this.#arm();
    }, Math.max(0, next.atMs - performance.now()));
  }

  #push(entry: Entry): void {
    let index = this.#heap.push(entry) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      this.#heap[index] = parent;
      index = above;
    }
    this.#heap[index] = entry;
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = this.#heap[2 * index + 1];
      if (left === undefined) break;
      const right = this.#heap[2 * index + 2];
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, last)) break;
      this.#heap[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    this.#heap[index] = last;
  }
}
