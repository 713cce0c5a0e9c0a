/** One attempt at a direct path: the addresses that are probed, which of them answered, and when it is over. Nothing here knows of other attempts. */
import type { RandomBytes } from '../crypto.ts';
import { sameAddress, type SocketAddress } from '../wire/types.ts';
import { compareTiers, tierOf, type PathTier } from './path-tier.ts';
import { mayProbe, type ChosenTarget, type OwnPlaces } from './probe-targets.ts';
import { attemptMs, ProbeTarget } from './punching-schedule.ts';

/** Addresses that nobody offered, where authentic packets came from: a router that gives each conversation a port shows several. */
export const heardMaximum = 8;
export const probesPerAttemptMaximum = 200;
/** Of these, addresses that were offered only may use so many: who has been heard from is nearly reached, and must not find everything spent. */
const probesToOfferedMaximum = 160;
/** After the first answer: time for a nearer address, whose packets usually are back before. */
export const afterAnswerMs = 1_000;

export class PunchingAttempt {
  readonly #own: OwnPlaces;
  readonly #random: RandomBytes;
  readonly #targets: ProbeTarget[];
  #added = 0;
  #sent = 0;
  #sentToOffered = 0;
  #reached: PathTier | undefined;
  #endMs: number;

  constructor(chosen: readonly ChosenTarget[], own: OwnPlaces, nowMs: number, random: RandomBytes) {
    this.#own = own;
    this.#random = random;
    this.#targets = chosen.map((target) => new ProbeTarget(target, nowMs, random));
    this.#endMs = nowMs + attemptMs;
  }

  get isReached(): boolean { return this.#reached !== undefined; }
  get endMs(): number { return this.#endMs; }

  heardFrom(address: SocketAddress, nowMs: number): void {
    const known = this.#find(address);
    if (known !== undefined) { known.heard(nowMs); return; }
    if (this.#added >= heardMaximum || !mayProbe(address, this.#own)) return;
    const tier = tierOf(address, this.#own.hosts);
    // Where routers give each conversation its own port, every probe to such an address would show the other side one more.
    if (this.#reached !== undefined && compareTiers(tier, this.#reached) >= 0) return;
    this.#added += 1;
    const target = new ProbeTarget({ address, tier, course: 'full' }, nowMs, this.#random);
    target.heard(nowMs);
    this.#targets.push(target);
  }

  answered(address: SocketAddress, nowMs: number): void {
    const target = this.#find(address);
    if (target !== undefined) target.isAnswered = true;
    const tier = target?.tier ?? tierOf(address, this.#own.hosts);
    if (this.#reached === undefined) this.#endMs = nowMs + afterAnswerMs;
    if (this.#reached === undefined || compareTiers(tier, this.#reached) < 0) this.#reached = tier;
  }

  /** Whose probe comes next, if none may go out before `fromMs`. Of several that could then: whoever was heard from, then the nearest. */
  next(fromMs: number): { readonly target: ProbeTarget; readonly dueMs: number } | undefined {
    let first: { readonly target: ProbeTarget; readonly dueMs: number } | undefined;
    for (const target of this.#targets) {
      if (target.dueMs === undefined || !this.#isWorthwhile(target)) continue;
      const dueMs = Math.max(target.dueMs, fromMs);
      if (dueMs >= this.#endMs) continue;
      if (first === undefined || dueMs < first.dueMs || (dueMs === first.dueMs && target.isHeard && !first.target.isHeard)) first = { target, dueMs };
    }
    return first;
  }

  sent(target: ProbeTarget): void {
    this.#sent += 1;
    if (!target.isHeard) this.#sentToOffered += 1;
  }

  #isWorthwhile({ tier, isHeard }: ProbeTarget): boolean {
    if (this.#sent >= probesPerAttemptMaximum || (!isHeard && this.#sentToOffered >= probesToOfferedMaximum)) return false;
    return this.#reached === undefined || compareTiers(tier, this.#reached) <= 0;
  }

  #find(address: SocketAddress): ProbeTarget | undefined { return this.#targets.find((target) => sameAddress(target.address, address)); }
}
