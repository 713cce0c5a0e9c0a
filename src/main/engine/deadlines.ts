/**
 * Named deadlines of one core: set, moved and cleared by key, the earliest known without a search. A binary heap with lazy deletion:
 * moving a deadline leaves the old entry to be skipped when it surfaces.
 */
interface Entry { readonly key: string; readonly atMs: number; readonly stamp: number }

export class Deadlines {
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, Entry>();
  #stamp = 0;

  get size(): number { return this.#current.size; }

  /** Replaces the key's earlier deadline. Monotonic milliseconds. */
  set(key: string, atMs: number): void {
    this.#stamp += 1;
    const entry: Entry = { key, atMs, stamp: this.#stamp };
    this.#current.set(key, entry);
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1);
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
