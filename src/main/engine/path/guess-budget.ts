/**
 * How often ports are guessed at all. A guess is a thousand datagrams to a host that only the contact has named, so it is one at a time, some seconds apart, and a few an hour: for
 * one contact, and to one host whoever names it. Two in a row miss together once in 3,500 times: whoever was missed twice is behind a router that is not what it seems. One that hit has
 * shown that the contact is there, and counts for the whole visor alone: a path that is lost, as after a machine slept, may be sought anew.
 */
const hourMs = 3_600_000;
/** From the end of one to the beginning of the next in the whole visor, as HyperDHT's (notes on peers, section 2). */
export const betweenGuessesMs = 20_000;
/** An hour. */
export const guessesOfContact = 3;
/** An hour, for all contacts together: 4,096 probes of 128 bytes, 150 bytes a second. */
export const guessesAtHost = 4;
/** Of all contacts and hosts, an hour. */
export const guessesOfVisor = 24;

interface Spent { readonly contact: string; readonly host: string; readonly atMs: number; isReached: boolean }

export class GuessBudget {
  /** Oldest first, at most {@link guessesOfVisor}. */
  #spent: Spent[] = [];
  #endedMs = Number.NEGATIVE_INFINITY;

  /** When one with this contact may begin, as far as it does not depend on the host. */
  readyMs(contact: string, nowMs: number): number {
    this.#forget(nowMs);
    return Math.max(nowMs, this.#endedMs + betweenGuessesMs, this.#freeMs(({ contact: other, isReached }) => other === contact && !isReached, guessesOfContact), this.#freeMs(() => true, guessesOfVisor));
  }

  allows(contact: string, host: string, nowMs: number): boolean {
    return this.readyMs(contact, nowMs) <= nowMs && this.#freeMs((spent) => spent.host === host && !spent.isReached, guessesAtHost) <= nowMs;
  }

  spend(contact: string, host: string, nowMs: number): void { this.#spent.push({ contact, host, atMs: nowMs, isReached: false }); }

  /** The last one is over. */
  ended(isReached: boolean, nowMs: number): void {
    const last = this.#spent.at(-1);
    if (last !== undefined && isReached) last.isReached = true;
    this.#endedMs = nowMs;
  }

  /** The network is another one: what was in vain in the last may not be in this one. What hosts were spared counts on. */
  networkChanged(): void { this.#endedMs = Number.NEGATIVE_INFINITY; }

  #freeMs(isOf: (spent: Spent) => boolean, most: number): number {
    const all = this.#spent.filter(isOf);
    const first = all.at(-most);
    return first === undefined ? Number.NEGATIVE_INFINITY : first.atMs + hourMs;
  }

  #forget(nowMs: number): void {
    this.#spent = this.#spent.filter(({ atMs }) => nowMs - atMs < hourMs);
  }
}
