/** When to ask again. One rule for requests and pulls, free of jitter: a request goes to one peer, and the peers' clocks are apart anyway. */

/** Below this, timers and scheduling on either side would look like loss. */
const timeoutMinimumMs = 50;
/** Before the first echo came back: longer than most paths, shorter than a person's patience. */
const timeoutUnmeasuredMs = 300;
/** Doubling stops here, so that an answer after an outage is not waited for in vain. */
export const timeoutMaximumMs = 3_000;

export function firstTimeoutMs(smoothedRoundTripMs: number | undefined): number {
  return smoothedRoundTripMs === undefined ? timeoutUnmeasuredMs : Math.max(timeoutMinimumMs, smoothedRoundTripMs * 2);
}

/** Never shortens a timeout that began above the cap on a very slow path. */
export function nextTimeoutMs(timeoutMs: number): number {
  return Math.max(timeoutMs, Math.min(timeoutMs * 2, timeoutMaximumMs));
}
