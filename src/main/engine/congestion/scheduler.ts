/**
 * Which of a path's transfers may ask next. Receipts before chat before bulk; within a class each in turn for a quantum of bytes (deficit
 * round robin, RFC 8290 section 3.3 describes the same for queues). A file is never asked for while a letter waits, except for a small share that keeps
 * it alive while thousands of letters are fetched.
 */
import { trafficClasses } from './types.ts';
import type { TrafficClass } from './types.ts';

/** Bytes that one transfer asks for before it is the next one's turn: one batch of fragments. */
export const quantumBytes = 8_192;
/** Of so many bytes asked for, one goes to the lowest class that waits: files creep on, and what is before them loses an eighth. */
export const lowestClassShare = 8;

/** One transfer's place on a path. */
export class Transfer {
  readonly trafficClass: TrafficClass;
  /** Asked for and not answered. */
  inFlight = 0;
  wanting = false;
  joined = true;
  /** Left of its turn, in bytes. */
  creditBytes = quantumBytes;
  before: Transfer | undefined;
  after: Transfer | undefined;

  constructor(trafficClass: TrafficClass) { this.trafficClass = trafficClass; }
}

/** Those of one class that want something, in the order of their turns: a linked list, since each may leave at any time. */
class Turns {
  first: Transfer | undefined;
  #last: Transfer | undefined;

  append(transfer: Transfer): void {
    transfer.before = this.#last;
    transfer.after = undefined;
    if (this.#last === undefined) this.first = transfer;
    else this.#last.after = transfer;
    this.#last = transfer;
  }

  remove(transfer: Transfer): void {
    if (transfer.before === undefined) this.first = transfer.after;
    else transfer.before.after = transfer.after;
    if (transfer.after === undefined) this.#last = transfer.before;
    else transfer.after.before = transfer.before;
    transfer.before = undefined;
    transfer.after = undefined;
  }
}

export class PathScheduler {
  readonly #turns: Readonly<Record<TrafficClass, Turns>> = { receipt: new Turns(), chat: new Turns(), bulk: new Turns() };
  /** Bytes asked for by others since the lowest waiting class was served. */
  #withheldBytes = 0;

  setWanting(transfer: Transfer, wanting: boolean): void {
    if (transfer.wanting === wanting || (wanting && !transfer.joined)) return;
    transfer.wanting = wanting;
    if (wanting) this.#turns[transfer.trafficClass].append(transfer);
    else this.#turns[transfer.trafficClass].remove(transfer);
  }

  /** Whose turn it is; undefined when nobody wants anything. */
  next(): Transfer | undefined {
    let highest: Transfer | undefined;
    let lowest: Transfer | undefined;
    for (const trafficClass of trafficClasses) {
      const first = this.#turns[trafficClass].first;
      highest ??= first;
      lowest = first ?? lowest;
    }
    return this.#withheldBytes >= (lowestClassShare - 1) * quantumBytes ? lowest : highest;
  }

  /** What was asked for counts against the turn. */
  charge(transfer: Transfer, bytes: number): void {
    transfer.creditBytes -= bytes;
    this.#countWithheld(transfer, bytes);
    if (transfer.creditBytes > 0) return;
    // A debt is carried into the next turn, within one quantum: fairness is by bytes, not by requests.
    transfer.creditBytes = Math.max(transfer.creditBytes + quantumBytes, 1 - quantumBytes);
    if (!transfer.wanting) return;
    this.#turns[transfer.trafficClass].remove(transfer);
    this.#turns[transfer.trafficClass].append(transfer);
  }

  #countWithheld(transfer: Transfer, bytes: number): void {
    const rank = trafficClasses.indexOf(transfer.trafficClass);
    let lowerWaits = false;
    for (let index = rank + 1; index < trafficClasses.length; index += 1) {
      const trafficClass = trafficClasses[index];
      if (trafficClass !== undefined && this.#turns[trafficClass].first !== undefined) lowerWaits = true;
    }
    if (lowerWaits) this.#withheldBytes += bytes;
    else this.#withheldBytes = Math.max(0, this.#withheldBytes - bytes * (lowestClassShare - 1));
  }
}
