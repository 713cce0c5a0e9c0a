/** The times at which one address is probed: five probes while routers on both sides open, then a steady few (notes on peers, section 2). */
import type { RandomBytes } from '../crypto.ts';
import { randomFraction } from '../random.ts';
import type { SocketAddress } from '../wire/types.ts';
import type { PathTier } from './path-tier.ts';
import type { ChosenTarget, ProbeCourse } from './probe-targets.ts';

/** From its beginning, however it goes. */
export const attemptMs = 5_000;
/** Of one address in one attempt, heard from or not: a course of 14 and one to spare. */
export const probesPerAddressMaximum = 15;

const burstMs: readonly number[] = [0, 20, 60, 140, 300];
const roundMs = 500;
const fullCourse: readonly number[] = [...burstMs, ...Array.from({ length: 9 }, (_, round) => 300 + roundMs * (round + 1))];
/** The second, in case the first is lost or comes before the other side has begun. */
const briefCourse: readonly number[] = [0, 300];
/** Two sides whose clocks agree too well would keep missing each other, where routers drop what comes in before something went out. */
const burstJitterMs = 6;
const roundJitterMs = 50;

export class ProbeTarget {
  readonly address: SocketAddress;
  readonly tier: PathTier;
  readonly #random: RandomBytes;
  #course: readonly number[];
  #fromMs: number;
  #step = 0;
  #sent = 0;
  #jitterMs = 0;
  isHeard = false;
  isAnswered = false;

  constructor({ address, tier, course }: ChosenTarget, fromMs: number, random: RandomBytes) {
    this.address = address;
    this.tier = tier;
    this.#random = random;
    this.#course = coursesOf[course];
    this.#fromMs = fromMs;
    this.#drawJitter();
  }

  /** When the next probe is due; undefined: none is left. */
  get dueMs(): number | undefined {
    const offsetMs = this.#course[this.#step];
    return offsetMs === undefined || this.isAnswered || this.#sent >= probesPerAddressMaximum ? undefined : this.#fromMs + offsetMs + this.#jitterMs;
  }

  /** The full course from now on, and what comes of it counts as heard. Only the first time: hearing is no way to have more sent. */
  heard(nowMs: number): void {
    if (this.isHeard) return;
    this.isHeard = true;
    this.#course = fullCourse;
    this.#fromMs = nowMs;
    this.#step = 0;
    this.#jitterMs = 0;
  }

  /** One probe went out, or was not allowed to. Those whose time is over as well are left out: after a pause there is no flood. */
  pass(nowMs: number, wasSent: boolean): void {
    if (wasSent) this.#sent += 1;
    do this.#step += 1; while (this.#fromMs + (this.#course[this.#step] ?? Number.POSITIVE_INFINITY) <= nowMs);
    this.#drawJitter();
  }

  #drawJitter(): void {
    this.#jitterMs = Math.floor(randomFraction(this.#random) * (this.#step < burstMs.length ? burstJitterMs : roundJitterMs));
  }
}

const coursesOf: Readonly<Record<ProbeCourse, readonly number[]>> = { full: fullCourse, brief: briefCourse };
