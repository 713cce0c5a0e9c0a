/**
 * What a relay gives to circuits, and how it keeps to that: how many there may be, of whom, and what goes through one. Everything here is a number
 * or a counter with an upper bound of its own; who is who is told in exchange.ts. What all circuits may carry in an hour is in hourly-budget.ts.
 */
import { addressPrefix } from '../mail/mailbox-rate.ts';
import type { SessionId } from '../session/types.ts';

/** A visor has some contacts with whom it talks at once, and most of those directly after seconds. */
export const circuitsPerOpenerMaximum = 16;
/** The owner of a mailbox is the one whom all of its contacts may want at once. */
export const circuitsPerOwnerMaximum = 64;
/** An eighth of all: one neighbourhood opens 30 a minute and could keep each with a datagram in two minutes, until nobody else had room. */
export const circuitsPerPrefixMaximum = 512;
/** With those that are being asked for. */
export const circuitsMaximum = 4_096;
/** Openings of one neighbourhood, also those that come to nothing. */
export const attemptsPerPrefixPerMinute = 30;
/** Of one owner's session; it answers in a round trip. */
export const connectsPerOwnerMaximum = 32;
/** Of all; the request layer has 4,096 requests for everything, doorbells among them. */
export const connectsMaximum = 1_024;
/** A device has one session here, and an old one or two that have not been missed yet. Nobody makes one request into more than so many. */
export const sessionsAskedMaximum = 8;
/** A session that cannot take a `connect` in five seconds would not carry a handshake either. */
export const connectDeadlineMs = 5_000;
/** A hang-up that is lost is made up for when the next datagram comes. */
export const hangUpDeadlineMs = 3_000;
/** Of our own, without an answer yet. When a relay with 4,096 circuits loses its network, telling everybody must not fill the request layer. */
export const hangUpsMaximum = 512;
/** As long as NATs keep a mapping at least (RFC 4787, REQ-5): ends that want it longer say something, as they do for their sessions. */
export const idleMs = 120_000;

/** Letters, small files and the finding of a direct path go through this; for more there is the direct path, or a mailbox. */
export const tunnelBytesPerSecond = 65_536;
/** A conversation's worth at once. */
export const tunnelBurstBytes = 262_144;
const tunnelBytesPerMs = tunnelBytesPerSecond / 1_000;

/** How often a session is told that it has no such circuit. */
export const strayIntervalMs = 1_000;
/** Sessions that are told so in one such interval. */
export const straysMaximum = 1_024;

/** The bytes that may go through one circuit, both directions together. */
export class TunnelBudget {
  #bytes = tunnelBurstBytes;
  #atMs: number;

  constructor(nowMs: number) { this.#atMs = nowMs; }

  /** False: they are not there, and nothing was taken. */
  take(sizeBytes: number, nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      this.#bytes = Math.min(tunnelBurstBytes, this.#bytes + (nowMs - this.#atMs) * tunnelBytesPerMs);
      this.#atMs = nowMs;
    }
    if (this.#bytes < sizeBytes) return false;
    this.#bytes -= sizeBytes;
    return true;
  }
}

/** How many circuits, and openings under way, each neighbourhood has. What is taken is given back, so that there are never more entries than those. */
export class NeighbourhoodShares {
  readonly #taken = new Map<string, number>();

  get size(): number { return this.#taken.size; }

  /** What `giveBack` wants; undefined when the neighbourhood of this host has all that it may have. */
  take(host: string): string | undefined {
    const prefix = addressPrefix(host);
    const taken = this.#taken.get(prefix) ?? 0;
    if (taken >= circuitsPerPrefixMaximum) return undefined;
    this.#taken.set(prefix, taken + 1);
    return prefix;
  }

  giveBack(prefix: string): void {
    const left = (this.#taken.get(prefix) ?? 0) - 1;
    if (left > 0) this.#taken.set(prefix, left);
    else this.#taken.delete(prefix);
  }
}

/** Whom it was told lately that there is no such circuit. When those are too many, nobody is told: forgetting some would let them be told more often. */
export class StrayAnswers {
  /** When; longest ago first. */
  readonly #told = new Map<SessionId, number>();

  get size(): number { return this.#told.size; }

  /** Whether the session may be told now; it counts as told then. */
  take(sessionId: SessionId, nowMs: number): boolean {
    for (const [known, atMs] of this.#told) {
      if (nowMs - atMs < strayIntervalMs) break;
      this.#told.delete(known);
    }
    if (this.#told.has(sessionId) || this.#told.size >= straysMaximum) return false;
    this.#told.set(sessionId, nowMs);
    return true;
  }

  forget(sessionId: SessionId): void { this.#told.delete(sessionId); }
}
