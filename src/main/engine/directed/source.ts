/** One holder of a download: its place on its session's path, and what it was asked for. */
import type { ProofPart } from '../lockstep/codec.ts';
import type { Transfer } from '../congestion/scheduler.ts';
import type { SessionId } from '../session/types.ts';
import type { Download } from './download.ts';

/** What a request on a path was for: a leaf by its number, a proof below zero, its second part apart from the first: each may be lost. */
export const proofTag = (first: number, part: ProofPart): number => -1 - 2 * first - (part === 'ahead' ? 1 : 0);
export const leafOfProofTag = (tag: number): number => Math.floor((-1 - tag) / 2);

export class Source {
  readonly download: Download;
  readonly sessionId: SessionId;
  /** Handed to the verifier, which names it when a kept fragment turns out bad. */
  readonly ordinal: number;
  transfer: Transfer;
  /** The id that its responses carry, as a map key. */
  key: string;
  /** The path's number under which each tag was asked for last. */
  readonly asked = new Map<number, number>();
  sweepAt = 1_024;
  /** It has answered by the id, so it knows the name. */
  knowsName = false;
  /** When the name was shown last. */
  shownAtMs = -Infinity;
  badInARow = 0;
  badFragments = 0;
  receivedBytes = 0;
  /** It said "busy" or "not yet": nothing is asked before. */
  heldUntilMs = 0;
  /** Since when it has brought nothing of what it is asked for; undefined while it is asked for nothing. */
  owingSinceMs: number | undefined;

  constructor(download: Download, sessionId: SessionId, ordinal: number, transfer: Transfer, key: string) {
    this.download = download;
    this.sessionId = sessionId;
    this.ordinal = ordinal;
    this.transfer = transfer;
    this.key = key;
  }
}
