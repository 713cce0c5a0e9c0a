/**
 * What the parts of congestion control tell each other. Sizes are bytes on the wire as the requester expects or sees them, times are
 * monotonic milliseconds (fractions allowed), rates are bytes per millisecond.
 */

/** In order of precedence. `receipt`: what frees the other side of work; `chat`: letters and lists of them; `bulk`: files. */
export const trafficClasses = ['receipt', 'chat', 'bulk'] as const;
export type TrafficClass = (typeof trafficClasses)[number];

/** One response that answered a request in flight. The path fills one object again and again: a controller reads it and keeps nothing. */
export interface Arrival {
  readonly nowMs: number;
  readonly bytes: number;
  /** Number of the request that was answered, and the number the next request will get: what a round trip is counted by. */
  readonly number: number;
  readonly nextNumber: number;
  /** In flight after this arrival. */
  readonly inFlightBytes: number;
  /** Undefined where a sample would be ambiguous: the fragment was asked for twice, or a newer one came before. */
  readonly rttMs: number | undefined;
  readonly smoothedRttMs: number;
  readonly minimumRttMs: number;
  /** Receive rate over about the round trip of this request; undefined while nothing can be said. */
  readonly rateBytesPerMs: number | undefined;
  /** The request was made when there was less to ask for than the window allowed: the rate is a lower bound. */
  readonly applicationLimited: boolean;
  /** The window or the pacer held something back since this request was made: only then is more window of use (RFC 9002 section 7.8). */
  readonly windowLimited: boolean;
  /** Asked for before the last reduction took effect (RFC 9002 section 7.3.2). */
  readonly inRecovery: boolean;
}

/** Requests that count as lost, judged together. */
export interface Loss {
  readonly nowMs: number;
  readonly bytes: number;
  /** Of these, what a queue on the way back may have dropped. A lost request takes a whole run along, and counts as one datagram. */
  readonly droppedBytes: number;
  /** In flight after the lost ones were taken out. */
  readonly inFlightBytes: number;
  readonly nextNumber: number;
  /** The first since the last reduction took effect: a new congestion event (RFC 9002 section 7.3.1). */
  readonly newEvent: boolean;
  /** Nothing came through for several probe timeouts (RFC 9002 section 7.6). */
  readonly persistent: boolean;
}

/** Decides how much may be in flight on one path, and how fast it is asked for. Never below two datagrams, never above the maximum. */
export interface CongestionController {
  readonly name: string;
  readonly windowBytes: number;
  /** Undefined: the pacer goes by window and round trip (RFC 9002 section 7.7). */
  readonly pacingRateBytesPerMs: number | undefined;
  /** True while the window doubles each round trip: the pacer leaves room for that. */
  readonly startingUp: boolean;
  handleArrival(arrival: Arrival): void;
  handleLoss(loss: Loss): void;
  /** Everything the last congestion event counted as lost has come after all. */
  undo(): void;
  /** Nothing was in flight for so long. */
  handleIdle(idleMs: number, probeTimeoutMs: number): void;
  /** The path carries datagrams of another size from now on. */
  setDatagramBytes(datagramBytes: number): void;
}

export type ControllerFactory = (datagramBytes: number) => CongestionController;
