/**
 * Named deadlines of one core: set, moved and cleared by key, the earliest known without a search. A binary heap with lazy deletion:
 * moving a deadline leaves the old entry to be skipped when it surfaces. When most entries are such leftovers the heap is built anew: a deadline
 * of two weeks that is cleared after a second must not stay for two weeks.
 */
interface Entry { readonly key: string; readonly atMs: number; readonly stamp: number }

/** Leftovers that are not worth a rebuild. */
const leftoversMinimum = 64;

export class Deadlines {
  #heap: Entry[] = [];
  readonly #current = new Map<string, Entry>();
  #stamp = 0;

  get size(): number { return this.#current.size; }
  /** With leftovers: what memory is used for. */
  get entries(): number { return this.#heap.length; }

  /** Replaces the key's earlier deadline. Monotonic milliseconds. */
  set(key: string, atMs: number): void {
    this.#stamp += 1;
    const entry: Entry = { key, atMs, stamp: this.#stamp };
    this.#current.set(key, entry);
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1);
    if (this.#heap.length > 2 * this.#current.size + leftoversMinimum) this.#rebuild();
  }

  clear(key: string): void { this.#current.delete(key); }

  at(key: string): number | undefined { return this.#current.get(key)?.atMs; }

  next(): { readonly key: string; readonly atMs: number } | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined) return undefined;
      if (this.#current.get(top.key) === top) return top;
      this.#removeTop();
    }
  }

  /** Removes and returns the key of a deadline that has passed; equal times in the order they were set. */
  takeDue(nowMs: number): string | undefined {
    const top = this.next();
    if (top === undefined || top.atMs > nowMs) return undefined;
    this.#removeTop();
    this.#current.delete(top.key);
    return top.key;
  }

  /** In the order of times: a sorted array is a heap. */
  #rebuild(): void {
    this.#heap = [...this.#current.values()].sort((left, right) => (this.#before(left, right) ? -1 : 1));
  }

  #before(left: Entry, right: Entry): boolean {
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.stamp < right.stamp);
  }

  #siftUp(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const child = this.#heap[index];
      const above = this.#heap[parent];
      if (child === undefined || above === undefined || !this.#before(child, above)) return;
      this.#heap[index] = above;
      this.#heap[parent] = child;
      index = parent;
    }
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let index = 0;
    for (;;) {
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      if (left === undefined) return;
      const childIndex = right !== undefined && this.#before(right, left) ? 2 * index + 2 : 2 * index + 1;
      const child = this.#heap[childIndex];
      const node = this.#heap[index];
      if (child === undefined || node === undefined || !this.#before(child, node)) return;
      this.#heap[index] = child;
      this.#heap[childIndex] = node;
      index = childIndex;
    }
  }
}

/** When somebody has to be woken, and what for. */
export interface Due { readonly atMs: number; readonly reason: string }

export function earliestOf(candidates: Iterable<Due | undefined>): Due | undefined {
  let earliest: Due | undefined;
  for (const candidate of candidates) if (candidate !== undefined && (earliest === undefined || candidate.atMs < earliest.atMs)) earliest = candidate;
  return earliest;
}
