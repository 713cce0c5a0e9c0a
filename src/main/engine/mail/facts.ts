/**
 * What is known about an outgoing letter, and the one state that is shown for it. Facts only accumulate: merging is commutative,
 * associative and idempotent, so late, repeated and reordered news cannot make a letter go backwards. The headline is computed
 * from them by rank: read > delivered > expired, cancelled, failed > stored > sending > queued (architecture 9).
 */
import type { Headline, WaitReason } from '../../../shared/views.ts';
import type { LetterFacts } from './visor-store.ts';

type Held = NonNullable<LetterFacts['held']>[number];

const earliest = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined ? right : right === undefined ? left : Math.min(left, right);

/** One row a relay. A later receipt from a relay that had lost its copy makes it a holder again. */
function mergeHeld(left: readonly Held[] | undefined, right: readonly Held[] | undefined): readonly Held[] | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const byRelay = new Map<string, Held>();
  for (const held of [...left, ...right]) {
    const other = byRelay.get(held.relay);
    if (other === undefined) { byRelay.set(held.relay, held); continue; }
    const sinceMs = Math.max(other.sinceMs, held.sinceMs);
    const lostAtMs = Math.max(other.lostAtMs ?? -1, held.lostAtMs ?? -1);
    const merged = { relay: held.relay, sinceMs, untilMs: Math.max(other.untilMs, held.untilMs) };
    byRelay.set(held.relay, lostAtMs < 0 ? merged : { ...merged, lostAtMs });
  }
  return [...byRelay.values()].sort((one, two) => (one.relay < two.relay ? -1 : one.relay > two.relay ? 1 : 0));
}

export function mergeFacts(left: LetterFacts, right: LetterFacts): LetterFacts {
  const held = mergeHeld(left.held, right.held);
  const failed = left.failed === undefined ? right.failed
    : right.failed === undefined ? left.failed
      : left.failed.atMs < right.failed.atMs || (left.failed.atMs === right.failed.atMs && left.failed.reason <= right.failed.reason) ? left.failed : right.failed;
  const sendingSinceMs = earliest(left.sendingSinceMs, right.sendingSinceMs);
  const fetchedAtMs = earliest(left.fetchedAtMs, right.fetchedAtMs);
  const deliveredAtMs = earliest(left.deliveredAtMs, right.deliveredAtMs);
  const readAtMs = earliest(left.readAtMs, right.readAtMs);
  const expiredAtMs = earliest(left.expiredAtMs, right.expiredAtMs);
  const unconfirmedAtMs = earliest(left.unconfirmedAtMs, right.unconfirmedAtMs);
  const cancelledAtMs = earliest(left.cancelledAtMs, right.cancelledAtMs);
  return {
    ...(sendingSinceMs === undefined ? {} : { sendingSinceMs }),
    ...(held === undefined ? {} : { held }),
    ...(fetchedAtMs === undefined ? {} : { fetchedAtMs }),
    ...(deliveredAtMs === undefined ? {} : { deliveredAtMs }),
    ...(readAtMs === undefined ? {} : { readAtMs }),
    ...(expiredAtMs === undefined ? {} : { expiredAtMs }),
    ...(unconfirmedAtMs === undefined ? {} : { unconfirmedAtMs }),
    ...(cancelledAtMs === undefined ? {} : { cancelledAtMs }),
    ...(failed === undefined ? {} : { failed }),
  };
}

/** Relays that hold it as far as we know: their receipt is newer than any word of theirs that it is gone. */
export function holders(facts: LetterFacts): readonly Held[] {
  return (facts.held ?? []).filter((held) => held.lostAtMs === undefined || held.lostAtMs < held.sinceMs);
}

/** True for facts after which nothing is sent any more. */
export function isSettled(facts: LetterFacts): boolean {
  return facts.readAtMs !== undefined || facts.deliveredAtMs !== undefined || facts.expiredAtMs !== undefined
    || facts.cancelledAtMs !== undefined || facts.failed !== undefined;
}

export interface LiveState {
  readonly sendingNow: boolean;
  readonly reason: WaitReason | undefined;
  readonly nextTryWallMs: number | undefined;
  readonly wantedCopies: number;
  readonly relayName: (publicKey: string) => string;
}

/** The one state shown; `live` is what the outbox knows of a letter that is not finished. */
export function deriveHeadline(facts: LetterFacts, live: LiveState): Headline {
  if (facts.readAtMs !== undefined) return { state: 'read', atMs: facts.readAtMs };
  if (facts.deliveredAtMs !== undefined) return { state: 'delivered', atMs: facts.deliveredAtMs };
  if (facts.cancelledAtMs !== undefined) return { state: 'cancelled' };
  if (facts.expiredAtMs !== undefined) return { state: 'expired' };
  if (facts.failed !== undefined) return { state: 'failed', reason: facts.failed.reason };
  if (facts.unconfirmedAtMs !== undefined) return { state: 'unconfirmed' };
  const heldBy = holders(facts);
  if (heldBy.length > 0) {
    return {
      state: 'stored',
      heldBy: heldBy.map((held) => ({ relay: held.relay, relayName: live.relayName(held.relay), untilMs: held.untilMs })),
      wanted: Math.max(live.wantedCopies, heldBy.length),
    };
  }
  if (live.sendingNow) return { state: 'sending' };
  return {
    state: 'queued',
    ...(live.reason === undefined ? {} : { reason: live.reason }),
    ...(live.nextTryWallMs === undefined ? {} : { nextTryAtMs: live.nextTryWallMs }),
  };
}
