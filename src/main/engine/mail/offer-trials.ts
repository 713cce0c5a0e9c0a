/**
 * Which of the places that contacts offer are used. An offer is one person's word that there is a relay with that key at that place: they may be wrong, or lie to have us send handshakes of
 * 1,200 bytes to somebody else, or to stand in the way of the friend whose relay it is. Whether it is true shows when the place is asked, for who answers there proves to have the key. Therefore
 *
 * - few places that have never answered are used at once; when there are more, each has its turn;
 * - several contacts may offer the same relay, and the one whose place answers has it. Whoever was first has no right to it: while the place in use does not answer, the others have their turns. So a
 *   false offer costs the true one a turn at most, and the friend's own word, that of which the place answers, beats all others;
 * - whoever moves again and again is followed with pauses that double.
 *
 * How seldom one silent place is asked is the matter of the session core (`isHearsay` in session/types.ts).
 */
import type { Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';

/** Each costs a session and a mailbox. */
export const usedMaximum = 8;
/** Of these, such that have never answered. */
export const unansweredMaximum = 3;
/** How long a place is asked before another that waits has its turn. */
export const turnMs = 600_000;
/** Between the places of one contact. */
const movePauseFirstMs = 8_000;
const movePauseMaximumMs = 300_000;
/** Who has stayed so long may move at once again. */
const movesForgottenMs = 3_600_000;

/** What is to be known of an offer here. */
export interface Candidate {
  readonly contact: PublicKeyHex;
  readonly hint: RelayHint;
  /** Somebody with that key has answered at this place. */
  readonly hasAnswered: boolean;
}

interface State {
  readonly place: string;
  /** Monotonic ms; not used before. */
  readonly notBeforeMs: number;
  readonly moves: number;
  /** When its last turn began; -Infinity: it had none. */
  beganMs: number;
  /** In use: since when it has been seen not to be there. */
  awaySinceMs: number | undefined;
  /** It is offered. */
  isPresent: boolean;
}

const unknown: State = { place: '', notBeforeMs: -Infinity, moves: 0, beganMs: -Infinity, awaySinceMs: undefined, isPresent: false };

export class OfferTrials<Offer extends Candidate> {
  readonly #isConnected: (relay: PublicKeyHex) => boolean;
  readonly #states = new Map<PublicKeyHex, State>();
  #used = new Map<PublicKeyHex, Offer>();
  #nextMs = Infinity;

  constructor(isConnected: (relay: PublicKeyHex) => boolean) { this.#isConnected = isConnected; }

  /** When another choice is due, monotonic ms. */
  get nextMs(): number { return this.#nextMs; }

  /** Whose place of that relay is used. */
  inUse(relay: PublicKeyHex): PublicKeyHex | undefined { return this.#used.get(relay)?.contact; }

  /**
   * @param offers all that may be used, those that have been for the longest time first
   * @returns by relay key; what is in it is in use from now on
   */
  choose(offers: readonly Offer[], now: Instant): ReadonlyMap<PublicKeyHex, Offer> {
    this.#nextMs = Infinity;
    this.#forgetGone(new Set(offers.map(({ contact }) => contact)), now);
    const ready = offers.filter((offer) => this.#mayBeUsed(offer, now));
    const picks = [...Map.groupBy(ready, ({ hint }) => hint.publicKey).values()].flatMap((same) => this.#pick(same, now) ?? []);
    const known = picks.filter((pick) => pick.hasAnswered).slice(0, usedMaximum);
    const chosen = [...known, ...this.#turns(picks.filter((pick) => !pick.hasAnswered), Math.min(unansweredMaximum, usedMaximum - known.length), now)];
    const before = this.#used;
    this.#used = new Map(chosen.map((offer) => [offer.hint.publicKey, offer]));
    for (const offer of chosen) {
      const state = this.#state(offer);
      if (before.get(offer.hint.publicKey)?.contact === offer.contact && state.beganMs > -Infinity) continue;
      state.beganMs = now.monotonicMs;
      state.awaySinceMs = undefined;
    }
    return this.#used;
  }

  /** Who takes an offer back and makes it again has moved; so what they did before is kept as long as it counts. */
  #forgetGone(present: ReadonlySet<PublicKeyHex>, now: Instant): void {
    for (const [contact, state] of [...this.#states]) {
      if (present.has(contact)) continue;
      state.isPresent = false;
      if (now.monotonicMs - Math.max(state.beganMs, state.notBeforeMs) >= movesForgottenMs) this.#states.delete(contact);
    }
  }

  #state({ contact }: Offer): State { return this.#states.get(contact) ?? unknown; }

  #mayBeUsed(offer: Offer, now: Instant): boolean {
    const place = placeOf(offer.hint);
    const before = this.#states.get(offer.contact);
    const state = before?.isPresent === true && before.place === place ? before : { place, ...moved(before, now), beganMs: -Infinity, awaySinceMs: undefined, isPresent: true };
    this.#states.set(offer.contact, state);
    if (now.monotonicMs >= state.notBeforeMs) return true;
    this.#nextMs = Math.min(this.#nextMs, state.notBeforeMs);
    return false;
  }

  /** Of all who offer one relay. */
  #pick(same: readonly Offer[], now: Instant): Offer | undefined {
    const current = same.find((offer) => this.#isInUse(offer));
    if (current !== undefined && same.length === 1) {
      // Nobody waits, so nobody looks: whatever was known of it is old when somebody does.
      this.#state(current).awaySinceMs = undefined;
      return current;
    }
    if (current !== undefined) {
      const state = this.#state(current);
      state.awaySinceMs = this.#isConnected(current.hint.publicKey) ? undefined : state.awaySinceMs ?? (current.hasAnswered ? now.monotonicMs : state.beganMs);
      const endsMs = (state.awaySinceMs ?? now.monotonicMs) + turnMs;
      if (now.monotonicMs < endsMs) { this.#nextMs = Math.min(this.#nextMs, endsMs); return current; }
    }
    this.#nextMs = Math.min(this.#nextMs, now.monotonicMs + turnMs);
    return this.#longestAgo(same)[0];
  }

  /** Those that have not had theirs first, and nobody is sent away while nobody else waits. */
  #turns(picks: readonly Offer[], places: number, now: Instant): readonly Offer[] {
    const isInTurn = (offer: Offer): boolean => this.#isInUse(offer) && now.monotonicMs - this.#state(offer).beganMs < turnMs;
    const turns = [...picks.filter(isInTurn), ...this.#longestAgo(picks.filter((offer) => !isInTurn(offer)))].slice(0, places);
    if (picks.length > places) for (const offer of turns) this.#nextMs = Math.min(this.#nextMs, isInTurn(offer) ? this.#state(offer).beganMs + turnMs : now.monotonicMs + turnMs);
    return turns;
  }

  #isInUse(offer: Offer): boolean {
    const used = this.#used.get(offer.hint.publicKey);
    return used?.contact === offer.contact && placeOf(used.hint) === placeOf(offer.hint);
  }

  /** Of those that have waited alike, such as have answered; of these, the oldest. */
  #longestAgo(offers: readonly Offer[]): readonly Offer[] {
    return [...offers].sort((one, other) => {
      const [oneMs, otherMs] = [this.#state(one).beganMs, this.#state(other).beganMs];
      return oneMs === otherMs ? Number(other.hasAnswered) - Number(one.hasAnswered) : oneMs - otherMs;
    });
  }
}

function moved(before: State | undefined, now: Instant): Pick<State, 'notBeforeMs' | 'moves'> {
  if (before === undefined) return { notBeforeMs: -Infinity, moves: 0 };
  // A place that was never used has cost nothing; what the one before it has cost still counts.
  if (before.beganMs === -Infinity) return { notBeforeMs: before.notBeforeMs, moves: before.moves };
  const moves = now.monotonicMs - before.beganMs >= movesForgottenMs ? 0 : before.moves;
  return { notBeforeMs: before.beganMs + Math.min(movePauseMaximumMs, movePauseFirstMs * 2 ** moves), moves: moves + 1 };
}

const placeOf = ({ publicKey, host, port }: RelayHint): string => `${publicKey}@${host}:${String(port)}`;
