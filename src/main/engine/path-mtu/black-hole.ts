/**
 * Notices that a path which carried large datagrams swallows them now without a word (RFC 8899 section 4.3).
 *
 * Losses alone prove nothing: a full queue drops ten packets in a row, a dead link all of them. What tells a black hole is the size, so a row
 * of losses is weighed against what comes meanwhile: one datagram as large as the smallest lost one ends the row; smaller ones are evidence
 * when they keep coming while the losses go on. That takes some round trips: the first arrival after an outage makes many older
 * datagrams count as lost at one blow, and the next large one has to have the time to come. A row also raises a suspicion early, upon which
 * the owner probes the present size; enough of these probes without an answer are evidence too.
 */

/** So many losses in a row, and the present size is probed: as many as a congested queue drops now and then. */
export const suspicionLosses = 3;
/** So many losses in a row, while smaller ones come, are a black hole without a probe. */
export const verdictLosses = 6;
/** So many smaller ones must have come in the row: one or two may be stragglers. */
export const verdictArrivals = 3;
/** So many probes of the present size without an answer (MAX_PROBES, RFC 8899 section 5.1.2). */
export const confirmingProbes = 3;

export class BlackHoleDetector {
  #lostInRow = 0;
  #smallestLostBytes = Infinity;
  #smallerArrived = 0;
  #smallerSinceMs = Infinity;
  #unanswered = 0;

  /** The present size is to be probed. */
  get suspected(): boolean { return this.#lostInRow >= suspicionLosses; }

  /** True: it is a black hole. `patienceMs`: longer than a round trip takes on this path. */
  lost(sizeBytes: number, nowMs: number, patienceMs: number): boolean {
    this.#lostInRow = Math.min(this.#lostInRow + 1, verdictLosses);
    this.#smallestLostBytes = Math.min(this.#smallestLostBytes, sizeBytes);
    return this.#lostInRow >= verdictLosses && this.#smallerArrived >= verdictArrivals && nowMs - this.#smallerSinceMs >= patienceMs;
  }

  arrived(sizeBytes: number, nowMs: number): void {
    if (this.#lostInRow === 0) return;
    if (sizeBytes >= this.#smallestLostBytes) { this.clear(); return; }
    if (this.#smallerArrived === 0) this.#smallerSinceMs = nowMs;
    this.#smallerArrived = Math.min(this.#smallerArrived + 1, verdictArrivals);
  }

  /** A probe of the present size was not answered. True: it is a black hole. */
  probeUnanswered(): boolean {
    if (!this.suspected) return false;
    this.#unanswered += 1;
    return this.#unanswered >= confirmingProbes;
  }

  clear(): void {
    this.#lostInRow = 0;
    this.#smallestLostBytes = Infinity;
    this.#smallerArrived = 0;
    this.#smallerSinceMs = Infinity;
    this.#unanswered = 0;
  }
}
