/**
 * Memory for datagrams that are sent. A host that gives it back (`Sessions.recycle`) when the kernel has taken a datagram lets the next one be
 * written to the same place: no allocation for a packet, nothing for the garbage collector, and pages that are in the cache. A host that
 * does not, such as a model network that keeps what was sent, gets fresh memory for each and notices nothing.
 */
import { datagramLimitBytes } from '../wire/limits.ts';

/** Of what an ordinary path carries, and of anything that a socket takes. */
const smallBytes = 1_536;
const largeBytes = datagramLimitBytes;
/** Places kept of either size: a datagram is sent at once, so more than a few are free only after a burst. */
const freeMaximum = 64;

export class DatagramPool {
  readonly #small: ArrayBuffer[] = [];
  readonly #large: ArrayBuffer[] = [];
  /** So that nothing is taken for free that something else still uses. */
  readonly #own = new WeakSet<ArrayBufferLike>();
  /** Large places would be a waste where they are used once. */
  #isGivenBack = false;

  /** Holds anything. */
  take(sizeBytes: number): Uint8Array {
    if (!this.#isGivenBack || sizeBytes > largeBytes) return new Uint8Array(sizeBytes);
    const isSmall = sizeBytes <= smallBytes;
    return new Uint8Array((isSmall ? this.#small : this.#large).pop() ?? this.#newPlace(isSmall ? smallBytes : largeBytes), 0, sizeBytes);
  }

  /** Whoever gives back a datagram has no view of it left. One that did not come from here is ignored. */
  giveBack(datagram: Uint8Array): void {
    this.#isGivenBack = true;
    const place = datagram.buffer;
    if (!(place instanceof ArrayBuffer) || !this.#own.has(place)) return;
    const free = place.byteLength === smallBytes ? this.#small : this.#large;
    if (free.length < freeMaximum) free.push(place);
  }

  #newPlace(sizeBytes: number): ArrayBuffer {
    const place = new ArrayBuffer(sizeBytes);
    this.#own.add(place);
    return place;
  }
}
