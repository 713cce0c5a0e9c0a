/**
 * Requests that were made, by number: one number for each fragment each time it is asked for. A ring of plain arrays, so that asking
 * and answering allocate nothing once it has grown to the path's window. What was answered or lost stays readable until its place is
 * needed: a late response is recognised by it.
 */

export type FlightState = 'unknown' | 'flying' | 'lost' | 'arrived' | 'withdrawn';
const states: readonly FlightState[] = ['unknown', 'flying', 'lost', 'arrived', 'withdrawn'];
const flying = 1;

/** Numbers remembered at first and at most. With fragments of 1 KiB the largest holds twice the largest window. */
const capacityMinimum = 64;
export const capacityMaximum = 65_536;
/** No number: fragments that were not asked for before. */
export const noNumber = -1;

/** What was true when the request was made, for the receive rate (see `rate-sampler.ts`). */
export interface AskedAt {
  readonly deliveredBytes: number;
  readonly deliveredAtMs: number;
  readonly firstAskedAtMs: number;
  readonly applicationLimited: boolean;
}

export class Flight<Transfer> {
  #capacity = capacityMinimum;
  /** Oldest remembered, oldest that may still fly, and next to be given. */
  #first = 0;
  #oldest = 0;
  #next = 0;
  #bytesInFlight = 0;
  #count = 0;
  #state = new Uint8Array(capacityMinimum);
  #limited = new Uint8Array(capacityMinimum);
  #bytes = new Uint32Array(capacityMinimum);
  #event = new Uint32Array(capacityMinimum);
  #tag = new Float64Array(capacityMinimum);
  #askedAtMs = new Float64Array(capacityMinimum);
  #previous = new Float64Array(capacityMinimum);
  #deliveredBytes = new Float64Array(capacityMinimum);
  #deliveredAtMs = new Float64Array(capacityMinimum);
  #firstAskedAtMs = new Float64Array(capacityMinimum);
  #transfers: (Transfer | undefined)[] = new Array<Transfer | undefined>(capacityMinimum).fill(undefined);

  get nextNumber(): number { return this.#next; }
  get firstRemembered(): number { return this.#first; }
  get bytesInFlight(): number { return this.#bytesInFlight; }
  get count(): number { return this.#count; }
  /** No more numbers can be given before one that flies has ended: only a window far beyond its bound gets here. */
  get full(): boolean { return this.#next - this.oldestFlying >= capacityMaximum; }

  /** The oldest number in flight; `nextNumber` when there is none. */
  get oldestFlying(): number {
    while (this.#oldest < this.#next && this.#state[this.#oldest % this.#capacity] !== flying) this.#oldest += 1;
    return this.#oldest;
  }

  /** The number given. `previous`: the number under which the same fragment was asked for before. */
  add(transfer: Transfer, tag: number, bytes: number, nowMs: number, previous: number, asked: AskedAt): number {
    if (this.full) throw new RangeError('flight: too many requests in flight');
    this.#makeRoom();
    const number = this.#next;
    const index = number % this.#capacity;
    this.#next += 1;
    this.#state[index] = flying;
    this.#limited[index] = asked.applicationLimited ? 1 : 0;
    this.#event[index] = 0;
    this.#bytes[index] = bytes;
    this.#tag[index] = tag;
    this.#askedAtMs[index] = nowMs;
    this.#previous[index] = previous;
    this.#deliveredBytes[index] = asked.deliveredBytes;
    this.#deliveredAtMs[index] = asked.deliveredAtMs;
    this.#firstAskedAtMs[index] = asked.firstAskedAtMs;
    this.#transfers[index] = transfer;
    this.#bytesInFlight += bytes;
    this.#count += 1;
    return number;
  }

  /** Takes a number out of flight; the transfer it belonged to, undefined when it does not fly. */
  end(number: number, outcome: Exclude<FlightState, 'unknown' | 'flying'>): Transfer | undefined {
    if (this.state(number) !== 'flying') return undefined;
    const index = number % this.#capacity;
    const transfer = this.#transfers[index];
    this.#state[index] = states.indexOf(outcome);
    this.#transfers[index] = undefined;
    this.#bytesInFlight -= this.#bytes[index] ?? 0;
    this.#count -= 1;
    return transfer;
  }

  /** A lost one that came after all. */
  correct(number: number): void { if (this.state(number) === 'lost') this.#state[number % this.#capacity] = states.indexOf('arrived'); }

  state(number: number): FlightState {
    if (!(number >= this.#first && number < this.#next)) return 'unknown';
    return states[this.#state[number % this.#capacity] ?? 0] ?? 'unknown';
  }

  /* The rest is meant for numbers between `firstRemembered` and `nextNumber`. */
  transfer(number: number): Transfer | undefined { return this.#transfers[number % this.#capacity]; }
  bytes(number: number): number { return this.#bytes[number % this.#capacity] ?? 0; }
  tag(number: number): number { return this.#tag[number % this.#capacity] ?? 0; }
  askedAtMs(number: number): number { return this.#askedAtMs[number % this.#capacity] ?? 0; }
  previous(number: number): number { return this.#previous[number % this.#capacity] ?? noNumber; }
  deliveredBytes(number: number): number { return this.#deliveredBytes[number % this.#capacity] ?? 0; }
  deliveredAtMs(number: number): number { return this.#deliveredAtMs[number % this.#capacity] ?? 0; }
  firstAskedAtMs(number: number): number { return this.#firstAskedAtMs[number % this.#capacity] ?? 0; }
  applicationLimited(number: number): boolean { return this.#limited[number % this.#capacity] === 1; }
  /** The congestion event that a lost number was counted in. */
  event(number: number): number { return this.#event[number % this.#capacity] ?? 0; }
  setEvent(number: number, event: number): void { this.#event[number % this.#capacity] = event; }

  /** Grows while more than half of the places fly, else forgets the oldest that ended: memory of what was lost is worth that much. */
  #makeRoom(): void {
    if (this.#next - this.#first < this.#capacity) return;
    const crowded = this.#next - this.oldestFlying > this.#capacity / 2;
    if (crowded && this.#capacity < capacityMaximum) this.#grow();
    else this.#first += 1;
  }

  #grow(): void {
    const before = this.#capacity;
    const after = before * 2;
    const moved = <Table extends Uint8Array | Uint32Array | Float64Array>(table: Table, larger: Table): Table => {
      for (let number = this.#first; number < this.#next; number += 1) larger[number % after] = table[number % before] ?? 0;
      return larger;
    };
    this.#state = moved(this.#state, new Uint8Array(after));
    this.#limited = moved(this.#limited, new Uint8Array(after));
    this.#bytes = moved(this.#bytes, new Uint32Array(after));
    this.#event = moved(this.#event, new Uint32Array(after));
    this.#tag = moved(this.#tag, new Float64Array(after));
    this.#askedAtMs = moved(this.#askedAtMs, new Float64Array(after));
    this.#previous = moved(this.#previous, new Float64Array(after));
    this.#deliveredBytes = moved(this.#deliveredBytes, new Float64Array(after));
    this.#deliveredAtMs = moved(this.#deliveredAtMs, new Float64Array(after));
    this.#firstAskedAtMs = moved(this.#firstAskedAtMs, new Float64Array(after));
    const transfers = new Array<Transfer | undefined>(after).fill(undefined);
    for (let number = this.#first; number < this.#next; number += 1) transfers[number % after] = this.#transfers[number % before];
    this.#transfers = transfers;
    this.#capacity = after;
  }
}
