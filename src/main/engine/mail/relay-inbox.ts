/** What is known of our mailbox at one relay while its letters are fetched, pass by pass. */
import type { RelayLink } from '../overlay/relay-links.ts';

export type Verdict = 'committed' | 'unopenable';

export interface RelayInbox {
  readonly link: RelayLink;
  epoch: Uint8Array;
  afterSequence: number;
  waiting: number;
  listing: boolean;
  /** The doorbell rang while a pass was under way. */
  again: boolean;
  failures: boolean;
  /** A letter failed since a pass last began from the beginning. */
  hasFailed: boolean;
  /** Passes in a row that failed. */
  failedPasses: number;
  readonly acks: { readonly letterId: Uint8Array; readonly verdict: Verdict }[];
  pendingLetters: number;
  /** Whole passes in a row that showed nothing. */
  emptyPasses: number;
  readonly inProgress: Set<string>;
  passDone: boolean;
  /** The pass is about one letter that the doorbell brought: it says nothing about what else waits. */
  shown: boolean;
}

/** @param epoch that the relay told last. @param failedPasses in a row, before this session. */
export const newRelayInbox = (link: RelayLink, epoch: Uint8Array, waitingLetters: number, failedPasses: number): RelayInbox => ({
  link, epoch, afterSequence: 0, waiting: waitingLetters, listing: false, again: false, failures: false, hasFailed: false, failedPasses, acks: [], pendingLetters: 0, emptyPasses: 0, inProgress: new Set(), passDone: false, shown: false,
});
