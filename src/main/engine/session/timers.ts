/**
 * All deadlines in one binary heap. A timed object has one true deadline, `wakeAtMs`, which may move at every packet without touching
 * the heap: an entry that surfaces too early is put back at the true time, and only a deadline that moves *forward* costs a push. So an
 * idle session has one entry, and a busy one about one push per second.
 */
export interface Timed {
  /** When this object wants `handleTimeout`; Infinity for never. */
  wakeAtMs: number;
  /** Kept by the heap: the time of this object's valid entry. */
  queuedAtMs: number;
  /** For diagnostics. */
  readonly timerName: string;
}

interface Entry<Item> { readonly atMs: number; readonly item: Item }

export class Timers<Item extends Timed> {
  readonly #heap: Entry<Item>[] = [];

  /** Entries, stale ones included. */
  get size(): number { return this.#heap.length; }

  /** After `wakeAtMs` has changed. */
  update(item: Item): void {
    if (item.wakeAtMs >= item.queuedAtMs) return;
    item.queuedAtMs = item.wakeAtMs;
    this.#push({ atMs: item.wakeAtMs, item });
  }

  next(): Item | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (top.atMs === top.item.queuedAtMs) {
        if (top.item.wakeAtMs <= top.atMs) return top.item;
        top.item.queuedAtMs = Infinity;
        this.#pop();
        this.update(top.item);
      } else {
        this.#pop();
      }
    }
    return undefined;
  }

  /** Removes and returns an object whose time has come. */
  takeDue(nowMs: number): Item | undefined {
    const item = this.next();
    if (item === undefined || item.wakeAtMs > nowMs) return undefined;
    this.#pop();
    item.queuedAtMs = Infinity;
    return item;
  }

  #push(entry: Entry<Item>): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.atMs <= entry.atMs) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      if (left === undefined) break;
      const childIndex = right !== undefined && right.atMs < left.atMs ? 2 * index + 2 : 2 * index + 1;
      const child = heap[childIndex];
      if (child === undefined || child.atMs >= last.atMs) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}
