/** What is known of the paths of one session. Plain data: the rules are in paths.ts. */
import type { SocketAddress } from '../wire/types.ts';

interface Question { readonly requestId: Uint8Array; readonly random: Uint8Array; readonly sentMs: number }

export interface Path {
  readonly address: SocketAddress;
  /** Lower is nearer. */
  readonly tier: number;
  /** When it first answered; undefined: it is not a path yet. */
  provedMs: number | undefined;
  heardMs: number;
  answeredMs: number;
  /** The challenge that is not answered yet. */
  asked: Question | undefined;
  /** Since when an answer is missing. */
  askedSinceMs: number | undefined;
  asksUnanswered: number;
  nextAskMs: number;
  /** The network changed since it last answered. */
  isShaken: boolean;
  smoothedRoundTripMs: number | undefined;
  /** While it is not proved: it gets no more than it sent. */
  receivedBytes: number;
  sentBytes: number;
}

export interface PathSet {
  readonly paths: Path[];
  current: Path | undefined;
  /** The one before, by which everything goes too for a while. */
  overlap: Path | undefined;
  overlapUntilMs: number;
  /** When something was last sent that is not about paths. */
  trafficMs: number;
  /** Oldest first. */
  probes: (Question & { readonly address: SocketAddress })[];
}

export const createPathSet = (): PathSet => ({ paths: [], current: undefined, overlap: undefined, overlapUntilMs: -Infinity, trafficMs: -Infinity, probes: [] });
