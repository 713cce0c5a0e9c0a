/**
 * How many probes a minute may go to hosts that never asked for them. A peer names addresses at will and names them again in every attempt; here is what bounds
 * what its victim sees, whatever it names and however often. Counted by host and not by port: the line that would be flooded is one.
 */
const windowMs = 60_000;
/** An answer from there shows that somebody there wants probes, for so long; addresses change hands. */
const answerHoldsMs = 600_000;
/** Remembered to have answered. The oldest is forgotten first: it costs no more than the smaller limit. */
const answeredMaximum = 64;

export interface ProbeLimits {
  /** To one host that has not answered. */
  readonly perHost: number;
  /** To one host that has: others may sit behind the same address. */
  readonly perAnsweredHost: number;
  /** To all hosts that had not answered when they were probed. */
  readonly toUnanswered: number;
}

/** On behalf of one peer: about 26 kB a minute. */
export const limitsOfOnePeer: ProbeLimits = { perHost: 60, perAnsweredHost: 240, toUnanswered: 200 };
/** Of all peers together: peers that work together get no more of one victim than one alone; about 150 kB a minute in all. */
export const limitsOfAllPeers: ProbeLimits = { perHost: 60, perAnsweredHost: 240, toUnanswered: 1_200 };

interface Spent { readonly host: string; readonly atMs: number; readonly isUnanswered: boolean }

export class ProbeBudget {
  readonly #limits: ProbeLimits;
  /** Oldest first. Bounded by the limits: of hosts without an answer by their total, of others by their number. */
  readonly #spent: Spent[] = [];
  readonly #byHost = new Map<string, number>();
  readonly #answeredMs = new Map<string, number>();
  #toUnanswered = 0;

  constructor(limits: ProbeLimits) { this.#limits = limits; }

  allows(host: string, nowMs: number): boolean {
    this.#forget(nowMs);
    const toHost = this.#byHost.get(host) ?? 0;
    return this.#hasAnswered(host, nowMs) ? toHost < this.#limits.perAnsweredHost : toHost < this.#limits.perHost && this.#toUnanswered < this.#limits.toUnanswered;
  }

  spend(host: string, nowMs: number): void {
    const isUnanswered = !this.#hasAnswered(host, nowMs);
    this.#spent.push({ host, atMs: nowMs, isUnanswered });
    this.#byHost.set(host, (this.#byHost.get(host) ?? 0) + 1);
    if (isUnanswered) this.#toUnanswered += 1;
  }

  answered(host: string, nowMs: number): void {
    this.#answeredMs.delete(host);
    this.#answeredMs.set(host, nowMs);
    const [oldest] = this.#answeredMs.keys();
    if (this.#answeredMs.size > answeredMaximum && oldest !== undefined) this.#answeredMs.delete(oldest);
  }

  #hasAnswered(host: string, nowMs: number): boolean {
    const atMs = this.#answeredMs.get(host);
    return atMs !== undefined && nowMs - atMs < answerHoldsMs;
  }

  #forget(nowMs: number): void {
    for (let [first] = this.#spent; first !== undefined && nowMs - first.atMs >= windowMs; [first] = this.#spent) {
      this.#spent.shift();
      const left = (this.#byHost.get(first.host) ?? 1) - 1;
      if (left === 0) this.#byHost.delete(first.host);
      else this.#byHost.set(first.host, left);
      if (first.isUnanswered) this.#toUnanswered -= 1;
    }
  }
}
