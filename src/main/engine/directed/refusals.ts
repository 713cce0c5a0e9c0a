/** What holders refuse: some refusals are for now, some are about the path, and some are the end of the source. */
import { datagramBytesFor } from '../path-mtu/sizes.ts';
import { decodeNegative } from '../wire/frame.ts';
import type { Instant, Negative } from '../wire/types.ts';
import type { Asking } from './asking.ts';
import type { Counters } from './counters.ts';
import type { Holders } from './holders.ts';
import type { SessionPath } from './session-path.ts';
import type { Source } from './source.ts';
import type { SourceEnd } from './types.ts';

/** Shortest and longest wait after "busy" or "not yet". */
const heldMinimumMs = 500;
const heldMaximumMs = 3_000;

export class Refusals {
  readonly #holders: Holders;
  readonly #asking: Asking;
  readonly #counters: Counters;

  constructor(holders: Holders, asking: Asking, counters: Counters) {
    this.#holders = holders;
    this.#asking = asking;
    this.#counters = counters;
  }

  take(session: SessionPath, source: Source, payload: Uint8Array, now: Instant): void {
    const negative = decodeNegative(payload);
    if (negative === undefined) { this.#counters.count('bad-negative'); return; }
    // What was refused long ago says nothing about what is asked now.
    if (source.asked.size === 0) { this.#counters.count('unasked-negative'); return; }
    if (negative.code === 'too-large' && source.download.groupShift > 0 && session.mtu !== undefined) {
      // The holder's path carries less than it did: not a word about the content.
      session.mtu.tooLong(datagramBytesFor(source.download.groupShift), now.monotonicMs);
      this.#holders.regroup(session, now);
      this.#asking.pump(session, now);
      return;
    }
    const reason = endOf(negative);
    if (reason !== undefined) { this.#holders.end(source, reason, now); return; }
    // One of several, for what was asked before the name was shown again.
    if (negative.code === 'unknown-name' && !source.knowsName && now.monotonicMs - source.shownAtMs < session.path.smoothedRttMs) { this.#counters.count('unasked-negative'); return; }
    for (const number of source.asked.values()) session.path.withdrawn(number);
    this.#holders.giveBack(session, source, now);
    if (negative.code === 'unknown-name' && source.knowsName) source.knowsName = false;
    else {
      // Not progress: a holder that is busy for too long ends like a silent one.
      source.heldUntilMs = now.monotonicMs + Math.min(Math.max(negative.retryAfterSeconds * 1_000, heldMinimumMs), heldMaximumMs);
      session.heldSources.add(source);
    }
    this.#asking.refresh(source.download, now);
    this.#asking.pump(session, now);
    this.#asking.pumpAll(source.download, now);
  }
}

/** Why a refusal ends the source; undefined when it is only for now. */
function endOf(negative: Negative): SourceEnd | undefined {
  switch (negative.code) {
    case 'busy':
    case 'not-yet':
    case 'unknown-name': return undefined;
    case 'too-large': return 'too-large';
    default: return 'absent';
  }
}
