/**
 * How large a datagram one path carries: datagram path MTU discovery (DPLPMTUD, RFC 8899) as a machine without sockets and clocks.
 *
 * WHY. A leaf of 1 KiB needs 1,139 bytes and passes everywhere. Where the path carries more, a response brings 2 to 32 KiB at once: fewer
 * packets, fewer hashes, fewer calls of the kernel. What a path carries nobody tells: routers that drop what is too large often say nothing,
 * and what they say anybody could have said. So it is found by trying, with datagrams whose loss costs nothing.
 *
 * WHAT IS PROBED is the caller's business: a response of the probe's size that is asked of the other side, where responses are what is
 * large, or a datagram that we pad. This machine says "probe this size now" (`pollProbe`), and is told when the answer came
 * (`probeAnswered`); that none came it finds itself (`pollTimeout`, `handleTimeout`). One object stands for one direction of one path.
 * Probes and ordinary large datagrams must leave with fragmentation forbidden (IPv4: the DF bit), at whichever side sends them: otherwise
 * the IP layer cuts them up, every size "fits", and one lost piece loses 32 KiB. Where that cannot be had, the table must end where the
 * interface's own MTU does (`sizes`).
 *
 * WHAT A CALLER DOES. `setWanted(true)` while bulk flows: an idle path is not probed, and keeps what it knows. After any call, and after
 * `handleTimeout` when the time of `pollTimeout` has come: `pollProbe`, and what it returns is sent at once; `bytesConfirmed` is what
 * ordinary datagrams may have from now on. A lost probe is no sign of congestion (RFC 8899 section 3, item 7), so the caller keeps probes out
 * of what its congestion control counts as lost. Of ordinary datagrams it tells `fullSizedArrived` and `fullSizedLost` with their sizes,
 * of all sizes: what the small ones do tells what became of the large ones. When the other side is silent altogether, nothing is wanted.
 *
 * THE SEARCH goes upwards in a table of sizes from its base, which is never probed and never given up. First it jumps to the top, once: on
 * loopback one round trip settles everything, elsewhere one lost packet. After that step by step; a size that was probed three times without
 * an answer is the ceiling, and the search is complete. After ten minutes the ceiling is forgotten and the next larger size is tried again
 * (PMTU_RAISE_TIMER). The answer to a probe that had been given up still proves that the path carries it, unless it is very late.
 *
 * FALLING BACK. `black-hole.ts` says when large datagrams vanish while small ones come, or when probes of the present size do. Then the base
 * holds at once, and the search starts anew below the size that failed, for the period of the raise timer. `tooLong` is the word of the own
 * kernel (EMSGSIZE): it takes effect at once and without a probe. Should the kernel refuse even the base, `blocked` says so; the base is
 * probed when the raise timer ends. `pathChanged` forgets everything.
 *
 * HOW MUCH IS SENT. One probe is in flight at a time, and two never leave within one round trip, whatever is called in whatever order, a
 * change of path included. A search costs at most one jump and three probes for each size that is left of the table, and begins again with
 * the raise timer, after a fall (each with a lower ceiling than the one before), or with another path.
 *
 * HOSTILE PEERS. Answers are authenticated before they get here. A peer that does not answer, or drops what is large, gets small datagrams;
 * one that feigns answers gets datagrams which do not reach it, until the black hole is noticed. Answers to what was not asked are ignored,
 * every memory has a bound, and time that runs backwards stands still.
 */
import { BlackHoleDetector } from './black-hole.ts';
import { checkedProbeSizes, defaultProbeSizes } from './sizes.ts';

/** Probes of one size without an answer, until it counts as too large (MAX_PROBES, RFC 8899 section 5.1.2). */
export const probesMaximum = 3;
/** How long a ceiling holds, in ms (PMTU_RAISE_TIMER, RFC 8899 section 5.1.1). */
export const raiseAfterMs = 600_000;
/** What counts as long, in round trips: with the path's queue full of bulk, one trip takes longer than the average. */
const patienceRoundTrips = 3;
/** ... but in ms no less: a busy machine answers late. */
const patienceMinimumMs = 100;
/**
 * Bounds of PROBE_TIMER, in ms. RFC 8899 section 5.1.1 forbids less than a second: three probes then outlast a hiccup of the radio. It asks for
 * more than 15 s where nothing is known of the round trip; here it is known, and a search has to end while the transfer still runs.
 */
export const probeTimerMinimumMs = 1_000;
export const probeTimerMaximumMs = 15_000;
/** While nothing is known of the round trip, in ms (RFC 9002 section 6.2.2). */
const roundTripUnknownMs = 333;
/** Bounds of a round trip, in ms: timers show no less than the first, and a machine that slept is not a path. */
const roundTripMinimumMs = 1;
const roundTripMaximumMs = 10_000;
/** Answers that come later than this after their probe tell of a path that may be another one by now, in ms. */
export const lateAnswerMs = 15_000;
/** Probes without an answer that are remembered for late ones: those of one size, and the jump. */
const rememberedProbes = probesMaximum + 1;
/** No clock shows more, in ms; above it adding a round trip would change nothing. */
const clockMaximumMs = Number.MAX_SAFE_INTEGER;

export interface PathMtuOptions {
  /** Bytes of UDP payload, ascending; the first is the base, which the path is taken to carry. */
  readonly sizes?: readonly number[];
}

export interface Probe {
  /** Bytes of UDP payload the probing datagram must have. */
  readonly sizeBytes: number;
  /** Never the same twice in one object. */
  readonly probeId: number;
}

/** `late`: it counts although the probe had been given up. `unknown`: never sent, answered before, or far too old; nothing was learnt. */
export type AnswerOutcome = 'answered' | 'late' | 'unknown';

/** For diagnostics. `doubting`: losses in a row, the present size is probed again. */
export type PathMtuPhase = 'blocked' | 'doubting' | 'searching' | 'complete';

type Purpose = 'jump' | 'step' | 'confirm';

interface SentProbe extends Probe {
  /** Of its size in the table. */
  readonly index: number;
  readonly purpose: Purpose;
  readonly sentMs: number;
  readonly deadlineMs: number;
}

export class PathMtu {
  readonly #sizes: readonly number[];
  readonly #blackHole = new BlackHoleDetector();
  #nowMs = -Infinity;
  #wanted = false;
  /** Index of the size that is known to pass; -1 when the kernel refuses even the base. */
  #confirmed = 0;
  /** Index of the smallest size that is not tried, until `#raiseAtMs`; the table's length: none. */
  #ceiling: number;
  #raiseAtMs = Infinity;
  #jumped = false;
  /** Probes of the next size that were not answered. */
  #tries = 0;
  #flying: SentProbe | undefined;
  #unanswered: SentProbe[] = [];
  /** No probe leaves before. */
  #notBeforeMs = 0;
  /** A long time on this path. */
  #patienceMs = patienceRoundTrips * roundTripUnknownMs;
  #probeCount = 0;

  constructor(options: PathMtuOptions = {}) {
    this.#sizes = checkedProbeSizes(options.sizes ?? defaultProbeSizes);
    this.#ceiling = this.#sizes.length;
  }

  /** The present PLPMTU: what ordinary datagrams may have, in bytes of UDP payload. */
  get bytesConfirmed(): number { return this.#sizeAt(Math.max(0, this.#confirmed)); }
  /** The own kernel refuses the base: nothing that Waypost sends in bulk gets through. */
  get blocked(): boolean { return this.#confirmed < 0; }
  get phase(): PathMtuPhase {
    if (this.blocked) return 'blocked';
    const next = this.#next();
    if (next === undefined) return 'complete';
    return next.purpose === 'confirm' ? 'doubting' : 'searching';
  }
  /** For diagnostics. */
  get probesSent(): number { return this.#probeCount; }

  /** Whether probes may be sent: while bulk flows. One that flies is still waited for. */
  setWanted(wanted: boolean): void { this.#wanted = wanted; }

  /** The probe to send now, which counts as sent. `roundTripMs`: what the caller knows of the path, its smoothed round trip or probe timeout. */
  pollProbe(nowMs: number, roundTripMs: number): Probe | undefined {
    const now = this.#clock(nowMs);
    const roundTrip = boundedRoundTripMs(roundTripMs);
    this.#patienceMs = Math.max(patienceRoundTrips * roundTrip, patienceMinimumMs);
    if (!this.#wanted || this.#flying !== undefined || now < this.#notBeforeMs) return undefined;
    this.#raise(now);
    const next = this.#next();
    if (next === undefined) return undefined;
    if (next.purpose === 'jump') this.#jumped = true;
    this.#probeCount += 1;
    this.#notBeforeMs = now + roundTrip;
    const probe: Probe = { sizeBytes: this.#sizeAt(next.index), probeId: this.#probeCount };
    this.#flying = { ...probe, ...next, sentMs: now, deadlineMs: now + Math.min(Math.max(this.#patienceMs, probeTimerMinimumMs), probeTimerMaximumMs) };
    return probe;
  }

  /** An authenticated answer came: the datagram of the probe's size has passed. */
  probeAnswered(probeId: number, nowMs: number): AnswerOutcome {
    const now = this.#clock(nowMs);
    const flying = this.#flying?.probeId === probeId;
    const probe = flying ? this.#flying : this.#unanswered.find((one) => one.probeId === probeId);
    if (probe === undefined || now - probe.sentMs > lateAnswerMs) return 'unknown';
    if (flying) this.#flying = undefined;
    else this.#unanswered = this.#unanswered.filter((one) => one !== probe);
    this.#blackHole.arrived(probe.sizeBytes, now);
    if (probe.index > this.#confirmed) {
      this.#confirmed = probe.index;
      this.#tries = 0;
      // Three losses were chance: what lies above is as open as it was.
      if (probe.index >= this.#ceiling) this.#forgetCeiling();
    }
    return flying ? 'answered' : 'late';
  }

  /** An ordinary datagram of so many bytes came. */
  fullSizedArrived(sizeBytes: number, nowMs: number): void {
    const now = this.#clock(nowMs);
    if (sizeBytes > 0) this.#blackHole.arrived(sizeBytes, now);
  }

  /** An ordinary datagram of so many bytes counts as lost. */
  fullSizedLost(sizeBytes: number, nowMs: number): void {
    const now = this.#clock(nowMs);
    // What is larger than now may be asked for was sent before the last fall.
    if (!(sizeBytes > this.#sizeAt(0) && sizeBytes <= this.bytesConfirmed)) return;
    if (this.#blackHole.lost(sizeBytes, now, this.#patienceMs)) this.#fallBack(now);
  }

  /** The own kernel refused to send so many bytes (EMSGSIZE), a probe or not. */
  tooLong(sizeBytes: number, nowMs: number): void {
    const now = this.#clock(nowMs);
    if (!(sizeBytes > 0)) return;
    if (this.#flying !== undefined && this.#flying.sizeBytes >= sizeBytes) this.#flying = undefined;
    this.#unanswered = this.#unanswered.filter((probe) => probe.sizeBytes < sizeBytes);
    const refused = this.#sizes.findIndex((size) => size >= sizeBytes);
    if (refused < 0) return;
    if (this.#confirmed >= refused) {
      this.#confirmed = refused - 1;
      this.#blackHole.clear();
    }
    this.#lowerCeiling(refused, now);
  }

  /** Another network, another address of the other side: nothing that was found holds. */
  pathChanged(nowMs: number): void {
    this.#clock(nowMs);
    this.#confirmed = 0;
    this.#jumped = false;
    this.#forgetCeiling();
    this.#forgetProbes();
  }

  handleTimeout(nowMs: number): void {
    const now = this.#clock(nowMs);
    const probe = this.#flying;
    if (probe === undefined || now < probe.deadlineMs) return;
    this.#flying = undefined;
    this.#unanswered.push(probe);
    if (this.#unanswered.length > rememberedProbes) this.#unanswered.shift();
    this.#lost(probe, now);
  }

  /** When time alone changes something. `answer`: a probe counts as lost then. `probe`, `raise`: `pollProbe` has one from then on. */
  pollTimeout(): { readonly atMs: number; readonly reason: 'answer' | 'probe' | 'raise' } | undefined {
    if (this.#flying !== undefined) return { atMs: this.#flying.deadlineMs, reason: 'answer' };
    if (!this.#wanted) return undefined;
    if (this.#next() !== undefined) return { atMs: this.#notBeforeMs, reason: 'probe' };
    if (this.#ceiling < this.#sizes.length) return { atMs: Math.max(this.#raiseAtMs, this.#notBeforeMs), reason: 'raise' };
    return undefined;
  }

  #next(): { readonly index: number; readonly purpose: Purpose } | undefined {
    if (this.#blackHole.suspected) return { index: this.#confirmed, purpose: 'confirm' };
    const lowest = this.#confirmed + 1;
    const highest = this.#ceiling - 1;
    if (lowest > highest) return undefined;
    return this.#jumped || lowest === highest ? { index: lowest, purpose: 'step' } : { index: highest, purpose: 'jump' };
  }

  #lost(probe: SentProbe, now: number): void {
    switch (probe.purpose) {
      case 'jump': return;
      case 'confirm':
        if (this.#blackHole.probeUnanswered()) this.#fallBack(now);
        return;
      case 'step':
        if (probe.index !== this.#confirmed + 1) return;
        this.#tries += 1;
        if (this.#tries >= probesMaximum) this.#lowerCeiling(probe.index, now);
    }
  }

  #fallBack(now: number): void {
    const failed = this.#confirmed;
    this.#confirmed = 0;
    this.#forgetProbes();
    this.#lowerCeiling(failed, now);
  }

  #lowerCeiling(index: number, now: number): void {
    if (index > this.#ceiling) return;
    this.#tries = 0;
    this.#ceiling = index;
    this.#raiseAtMs = now + raiseAfterMs;
  }

  #raise(now: number): void {
    if (now < this.#raiseAtMs) return;
    this.#jumped = true;
    this.#forgetCeiling();
  }

  #forgetCeiling(): void {
    this.#ceiling = this.#sizes.length;
    this.#raiseAtMs = Infinity;
    this.#tries = 0;
  }

  #forgetProbes(): void {
    this.#flying = undefined;
    this.#unanswered = [];
    this.#blackHole.clear();
  }

  #sizeAt(index: number): number { return this.#sizes[index] ?? 0; }

  #clock(nowMs: number): number {
    if (nowMs > this.#nowMs && nowMs <= clockMaximumMs) this.#nowMs = nowMs;
    return this.#nowMs === -Infinity ? 0 : this.#nowMs;
  }
}

function boundedRoundTripMs(roundTripMs: number): number {
  return Number.isFinite(roundTripMs) ? Math.min(Math.max(roundTripMs, roundTripMinimumMs), roundTripMaximumMs) : roundTripUnknownMs;
}
