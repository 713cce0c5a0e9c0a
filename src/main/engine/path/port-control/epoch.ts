/**
 * The gateway's count of seconds since it last lost its mappings. It must run as fast as our clock does; where it does not, the gateway has begun anew and whatever it
 * had mapped is gone. RFC 6887 section 8.5 and RFC 6886 section 3.6 differ in what they allow.
 */
import type { PortControlMethod } from './port-control-types.ts';

const secondMs = 1_000;
/** Of both standards: clocks round, and datagrams take their time. */
const slackSeconds = 2;
/** RFC 6887: this much backwards is an answer that overtook another. */
const backwardsSeconds = 1;

export class Epoch {
  #last: { readonly epochSeconds: number; readonly atMs: number } | undefined;

  forget(): void { this.#last = undefined; }

  /** What an answer to our own question said. */
  remember(epochSeconds: number, nowMs: number): void { this.#last = { epochSeconds, atMs: nowMs }; }

  /** Whether the gateway has lost its mappings since what is remembered; false when nothing is. */
  hasBegunAnew(epochSeconds: number, method: PortControlMethod, nowMs: number): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    const oursSeconds = (nowMs - last.atMs) / secondMs;
    const theirsSeconds = epochSeconds - last.epochSeconds;
    switch (method) {
      case 'pcp': return theirsSeconds < -backwardsSeconds || oursSeconds + slackSeconds < theirsSeconds * 15 / 16 || theirsSeconds + slackSeconds < oursSeconds * 15 / 16;
      case 'nat-pmp': return theirsSeconds + slackSeconds < oursSeconds * 7 / 8;
    }
  }
}
