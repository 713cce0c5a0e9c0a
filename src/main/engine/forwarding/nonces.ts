/**
 * Nonces of requests seen lately: a request that comes back from another session has gone round in a circle. They are remembered for longer
 * than interests are, as in NFD's dead nonce list: an interest ends with its answer, and a copy of its request may still be under way.
 *
 * Forgetting one is harmless, since the hop limit ends the circle later. So there is a bound for each session, that only its own flood reaches, and
 * one for all.
 */
import { Chain, Link } from './chain.ts';
import type { SessionId } from '../session/types.ts';
import type { DueTime } from './types.ts';

/** A circle of eight hops takes less, even through queues of half a second. */
export const nonceLifetimeMs = 8_000;
export const noncesPerSessionMaximum = 1_024;
/** About 6 MB. */
export const noncesMaximum = 32_768;

export interface NonceLimits { readonly lifetimeMs: number; readonly perSession: number; readonly total: number }

class SeenNonce {
  readonly key: string;
  readonly from: SessionId;
  seenAtMs = 0;
  readonly inTable = new Link<SeenNonce>(this);
  readonly inSession = new Link<SeenNonce>(this);

  constructor(key: string, from: SessionId) {
    this.key = key;
    this.from = from;
  }
}

export class NonceMemory {
  readonly #limits: NonceLimits;
  readonly #byKey = new Map<string, SeenNonce>();
  readonly #bySession = new Map<SessionId, Chain<SeenNonce>>();
  /** By the time they were seen last. */
  readonly #all = new Chain<SeenNonce>();

  constructor(limits: NonceLimits = { lifetimeMs: nonceLifetimeMs, perSession: noncesPerSessionMaximum, total: noncesMaximum }) { this.#limits = limits; }

  get size(): number { return this.#byKey.size; }

  /** `again`: the same session repeats the very request. `loop`: another session brings it. The time must not run backwards. */
  note(nameId: string, nonce: string, from: SessionId, nowMs: number): 'new' | 'again' | 'loop' {
    this.handleTimeout(nowMs);
    const key = `${nameId}/${nonce}`;
    const known = this.#byKey.get(key);
    if (known !== undefined && known.from !== from) return 'loop';
    const seen = known ?? new SeenNonce(key, from);
    seen.seenAtMs = nowMs;
    this.#all.append(seen.inTable);
    if (known !== undefined) {
      known.inSession.chain?.append(known.inSession);
      return 'again';
    }
    this.#byKey.set(key, seen);
    const own = this.#bySession.get(from) ?? new Chain<SeenNonce>();
    this.#bySession.set(from, own);
    own.append(seen.inSession);
    this.#forgetBeyond(own, this.#limits.perSession);
    this.#forgetBeyond(this.#all, this.#limits.total);
    return 'new';
  }

  handleTimeout(nowMs: number): void {
    for (let oldest = this.#all.first; oldest !== undefined && oldest.value.seenAtMs + this.#limits.lifetimeMs <= nowMs; oldest = this.#all.first) this.#forget(oldest.value);
  }

  /** Coarse: it only frees memory, and asking about a nonce forgets the old ones first. */
  pollTimeout(): DueTime | undefined {
    const oldest = this.#all.first;
    return oldest === undefined ? undefined : { atMs: oldest.value.seenAtMs + 2 * this.#limits.lifetimeMs, reason: 'forget nonces' };
  }

  #forgetBeyond(chain: Chain<SeenNonce>, maximum: number): void {
    if (chain.size > maximum && chain.first !== undefined) this.#forget(chain.first.value);
  }

  #forget(seen: SeenNonce): void {
    this.#byKey.delete(seen.key);
    this.#all.remove(seen.inTable);
    const own = seen.inSession.chain;
    own?.remove(seen.inSession);
    if (own?.size === 0) this.#bySession.delete(seen.from);
  }
}
