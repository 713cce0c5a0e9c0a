/**
 * One attempt to lay a sealed letter at enough of the recipient's relays: up to two at a time, a third only when one of these fails, so that
 * copies stay few. A relay that named a time to come again is left alone until then; the others are not made to wait for it.
 */
import { fullJitterMs, randomFraction } from '../random.ts';
import { holders } from './facts.ts';
import type { OutboxRelays, DepositOutcome } from './outbox-relays.ts';
import type { Live } from './outbox-live.ts';
import type { OutboxRow } from './visor-store.ts';
import type { Recipient } from '../overlay/recipients.ts';
import type { Instant, RelayHint } from '../wire/types.ts';
import type { WaitReason } from '../../../shared/views.ts';
import type { VisorContext } from '../visor-context.ts';

/** Copies wanted: any two of the recipient's relays (architecture 10). */
export const copiesWanted = 2;
const retryBaseMs = 1_000;
export const retryCapMs = 5 * 60_000;
const retryMinimumMs = 250;
/** A full relay is asked again after its own word, growing by half each time, up to this (architecture 7). */
const quotaCapMs = 6 * 3_600_000;
/** Letters that were refused together do not all come back together. */
const pauseSpread = 0.1;

type Refused = DepositOutcome & { kind: 'refused' };
export type CopiesOutcome =
  | { readonly kind: 'enough' }
  | { readonly kind: 'later'; readonly reason: WaitReason; readonly pauseMs: number; readonly sealAgain: boolean }
  /** The row changed meanwhile; whoever changed it has said what happens next. */
  | { readonly kind: 'overtaken' };

export interface CopiesHooks {
  readonly sending: (by: 1 | -1) => void;
  readonly held: (outcome: DepositOutcome & { kind: 'held' }, now: Instant) => void;
  readonly recordsStale: () => void;
  /** That friend's relay keeps no mail for them. */
  readonly noMailbox: (relay: string, now: Instant) => void;
  readonly done: (outcome: CopiesOutcome, now: Instant) => void;
}

/** Pause before the next attempt when nobody named one. */
export const retryPauseMs = (context: VisorContext, live: Live): number => Math.max(retryMinimumMs, fullJitterMs(context.random, live.failures, retryBaseMs, retryCapMs));

/** Relays that have it, among these. */
export function coveredBy(row: OutboxRow, relays: readonly RelayHint[]): ReadonlySet<string> {
  const read = new Set(relays.map((relay) => relay.publicKey));
  return new Set(holders(row.facts).map((held) => held.relay).filter((relay) => read.has(relay)));
}

export function layCopies(context: VisorContext, relays: OutboxRelays, row: OutboxRow, recipient: Recipient, friends: readonly RelayHint[], live: Live, ttlSeconds: () => number, now: Instant, hooks: CopiesHooks): void {
  const covered = coveredBy(row, recipient.relays);
  const wanted = Math.min(copiesWanted, recipient.relays.length);
  let missing = wanted - covered.size;
  const open = recipient.relays.filter((relay) => !covered.has(relay.publicKey));
  const ofFriends = friends.filter((friend) => !recipient.relays.some((relay) => relay.publicKey === friend.publicKey));
  if (recipient.relays.length === 0 && ofFriends.length === 0) { hooks.done({ kind: 'later', reason: recipient.isBarred ? 'relay-banned' : 'no-relay-known', pauseMs: retryPauseMs(context, live), sealAgain: false }, now); return; }
  if (isEnough(row, recipient, ofFriends)) { hooks.done({ kind: 'enough' }, now); return; }
  const mayAsk = (relay: RelayHint, at: Instant): boolean => (live.paused.get(relay.publicKey)?.untilMs ?? 0) <= at.monotonicMs;
  let queue = relays.byReadiness(open.filter((relay) => mayAsk(relay, now)));
  let isWithFriends = false;
  const refusals: Refused[] = [];
  let running = 0;
  let stored = 0;
  let ended = false;
  const next = (at: Instant): void => {
    if (!ended && running === 0 && stored < missing && queue.length === 0 && !isWithFriends) {
      isWithFriends = true;
      const current = context.memory.outbox.get(row.id) ?? row;
      const held = coveredBy(current, ofFriends);
      queue = relays.byReadiness(ofFriends.filter((relay) => !held.has(relay.publicKey) && mayAsk(relay, at)));
      missing = copiesWanted - covered.size - held.size;
    }
    while (!ended && running + stored < missing) {
      const hint = queue.shift();
      if (hint === undefined) break;
      const isFriend = isWithFriends;
      running += 1;
      const token = live.withoutToken.has(hint.publicKey) ? undefined : context.memory.contacts.get(row.recipient)?.depositToken;
      relays.deposit(row, hint, token, ttlSeconds(), at, {
        sending: () => { live.mayBeThere = true; live.laidAt.add(hint.publicKey); hooks.sending(1); },
        done: (outcome, sent, then) => {
          if (sent) hooks.sending(-1);
          running -= 1;
          if (outcome.kind === 'held') {
            stored += 1;
            live.paused.delete(hint.publicKey);
            hooks.held(outcome, then);
          } else {
            if (!isFriend) refusals.push(outcome);
            if (isFriend && outcome.cause === 'records-stale') { hooks.noMailbox(hint.publicKey, then); next(then); return; }
            if (outcome.cause === 'token-revoked' && token !== undefined && row.kind === 'introduction') live.withoutToken.add(hint.publicKey);
            if (outcome.cause === 'records-stale' || outcome.cause === 'seal-again') hooks.recordsStale();
            if (outcome.retryAfterMs > 0) pause(context, live, hint.publicKey, outcome, then);
            else live.paused.delete(hint.publicKey);
          }
          next(then);
        },
      });
    }
    if (running > 0 || ended) return;
    ended = true;
    const current = context.memory.outbox.get(row.id);
    if (current?.stage !== 'deposit' || current.sealed?.letterId !== row.sealed?.letterId) { hooks.done({ kind: 'overtaken' }, at); return; }
    if (isEnough(current, recipient, ofFriends)) { hooks.done({ kind: 'enough' }, at); return; }
    hooks.done(summary(context, live, open.map((relay) => relay.publicKey), refusals, current, at), at);
  };
  next(now);
}

/**
 * Copies at friends are enough when one of the recipient's own relays has another, when there is nowhere else, and for what nobody waits for. They alone are better than none, and the recipient's own relays are
 * tried further, however many they are: a friend's computer may go off and stay off, and who are our friends may be nobody to the recipient, and keep nothing of what they sign for.
 */
function isEnough(row: OutboxRow, recipient: Recipient, ofFriends: readonly RelayHint[]): boolean {
  const own = coveredBy(row, recipient.relays).size;
  const theirs = coveredBy(row, ofFriends).size;
  if (recipient.relays.length > 0 && own >= Math.min(copiesWanted, recipient.relays.length)) return true;
  if (own > 0 && own + theirs >= copiesWanted) return true;
  const isOwed = row.kind === 'message' || row.kind === 'introduction';
  return theirs > 0 && (recipient.relays.length === 0 || !isOwed);
}

function pause(context: VisorContext, live: Live, relay: string, outcome: Refused, now: Instant): void {
  const refusals = live.paused.get(relay)?.refusals ?? 0;
  const capMs = outcome.reason === 'relay-full' ? quotaCapMs : retryCapMs;
  const pauseMs = Math.min(capMs, outcome.retryAfterMs * 1.5 ** Math.min(refusals, 30)) * (1 + pauseSpread * randomFraction(context.random));
  live.paused.set(relay, { refusals: refusals + 1, untilMs: now.monotonicMs + Math.ceil(pauseMs) });
}

/** The next attempt: when the first relay may be asked again. */
function summary(context: VisorContext, live: Live, open: readonly string[], refusals: readonly Refused[], row: OutboxRow, now: Instant): CopiesOutcome {
  const pauses = open.map((relay) => live.paused.get(relay)?.untilMs ?? 0).filter((untilMs) => untilMs > now.monotonicMs);
  const allPaused = pauses.length === open.length && pauses.length > 0;
  const told = refusals.find((refusal) => refusal.retryAfterMs > 0) ?? refusals.find((refusal) => refusal.reason !== 'relay-unreachable') ?? refusals[0];
  const reason = told?.reason ?? (allPaused ? row.lastReason ?? 'relay-full' : 'relay-unreachable');
  return {
    kind: 'later', reason, pauseMs: allPaused ? Math.min(...pauses) - now.monotonicMs : retryPauseMs(context, live),
    sealAgain: refusals.some((refusal) => refusal.cause === 'seal-again') && holders(row.facts).length === 0,
  };
}
