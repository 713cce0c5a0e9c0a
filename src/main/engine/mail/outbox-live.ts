/**
 * What is known of a letter under way only while this engine runs: whether it is being tried, its pauses, and how much of its time is left.
 *
 * TIME. A letter's time counts from the person's send. Three clocks tell how much has passed: this run's monotonic clock, which may stand
 * still while the machine sleeps; the wall clock, which may be set; and the relays' clocks, which may lie. What passed by the monotonic
 * clock has passed for sure. Beyond that the one that says least is believed: a letter kept too long is a nuisance, one ended early is lost.
 */
import type { Instant } from '../wire/types.ts';
import type { OutboxRow } from './visor-store.ts';

export const statusFirstMs = 60_000;
/** Receipts come within seconds of the acknowledgement; one that has not is lost, or its sender has not accepted us yet. Doubles with each time. */
const receiptPatienceFirstMs = 3_600_000;

export interface Live {
  active: boolean;
  inFlight: number;
  nextTryMs: number | undefined;
  /** Failed attempts since something changed for the better: makes the next pause longer. */
  failures: number;
  statusDelayMs: number;
  /** A deposit of it was sent, perhaps in an earlier run: a relay may have it though no receipt came. */
  mayBeThere: boolean;
  /** Relays that said when to come again, and how often they have. */
  readonly paused: Map<string, { readonly refusals: number; readonly untilMs: number }>;
  /** Relays at which the token is revoked: introductions go to their stranger lane. */
  readonly withoutToken: Set<string>;
  /** Relays that a deposit of it was sent to in this run, whatever was heard of it. */
  readonly laidAt: Set<string>;
  /** It was given to their device itself, perhaps in an earlier run, and no answer was heard. */
  handedOver: boolean;
  /** Own relays were asked once more whether a receipt is there, after the time that its recipient may keep one back. */
  askedAgain: boolean;
  /** Their device itself could not open it: how often, and until when (monotonic) it goes by relays alone. */
  unopenableByPeer: number;
  notToPeerUntilMs: number;
  readonly adoptedMs: number;
  readonly elapsedAtAdoptionMs: number;
  /** When a relay first said that the recipient has acknowledged it, monotonic; and how long after it the receipt is waited for. */
  ackedMs: number | undefined;
  receiptPatienceMs: number;
  /** When its end was noticed, monotonic. */
  endedMs: number | undefined;
}

/** Wall times of one moment: the own clock, corrected by two relays or more, and by any relay. */
export interface WallClocks { readonly ownMs: number; readonly correctedMs: number; readonly relayMs: number | undefined }

export function createLive(row: OutboxRow, clocks: WallClocks, now: Instant): Live {
  return {
    active: false, inFlight: 0, nextTryMs: undefined, failures: 0, statusDelayMs: statusFirstMs, mayBeThere: false, paused: new Map(), withoutToken: new Set(), laidAt: new Set(),
    handedOver: false, askedAgain: false, unopenableByPeer: 0, notToPeerUntilMs: 0,
    adoptedMs: now.monotonicMs, elapsedAtAdoptionMs: wallElapsedMs(row, clocks), endedMs: undefined,
    ackedMs: undefined, receiptPatienceMs: receiptPatienceFirstMs,
  };
}

/** What is left of its time, between 0 and all of it. */
export function remainingMs(row: OutboxRow, live: Live, clocks: WallClocks, now: Instant): number {
  const ttlMs = row.ttlSeconds * 1000;
  // A row that was overdue when it was loaded is judged by the wall clocks alone, once relays have told the time.
  const sureMs = live.elapsedAtAdoptionMs >= ttlMs ? 0 : live.elapsedAtAdoptionMs + (now.monotonicMs - live.adoptedMs);
  return Math.max(0, ttlMs - Math.max(sureMs, wallElapsedMs(row, clocks)));
}

/** Its time is over by the clock that cannot be set. */
export function isSurelyOver(row: OutboxRow, live: Live, now: Instant): boolean {
  return live.elapsedAtAdoptionMs < row.ttlSeconds * 1000 && live.elapsedAtAdoptionMs + (now.monotonicMs - live.adoptedMs) >= row.ttlSeconds * 1000;
}

function wallElapsedMs(row: OutboxRow, clocks: WallClocks): number {
  const correctedStartMs = row.expiresAtMs - row.ttlSeconds * 1000;
  const elapsed = [clocks.ownMs - row.queuedAtMs, clocks.correctedMs - correctedStartMs, ...(clocks.relayMs === undefined ? [] : [clocks.relayMs - correctedStartMs])];
  return Math.max(0, Math.min(...elapsed));
}
