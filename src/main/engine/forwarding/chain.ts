/**
 * Chains of values in the order in which they were last moved to the end: recency and age without a search. A Map keeps order too, but finding
 * its first entry means passing all that were deleted before it, and a full table would do that for each packet. A value has one link for
 * each chain that it is in.
 */
export class Link<T> {
  readonly value: T;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  chain: Chain<T> | undefined;

  constructor(value: T) { this.value = value; }
}

export class Chain<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number { return this.#size; }
  get first(): Link<T> | undefined { return this.#first; }

  /** Puts it at the end, from wherever in this or another chain it was. */
  append(link: Link<T>): void {
    link.chain?.remove(link);
    link.chain = this;
    link.previous = this.#last;
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#size += 1;
  }

  /** Nothing happens when it is not in this chain. */
  remove(link: Link<T>): void {
    if (link.chain !== this) return;
    if (link.previous === undefined) this.#first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    link.previous = undefined;
    link.next = undefined;
    link.chain = undefined;
    this.#size -= 1;
  }
}
