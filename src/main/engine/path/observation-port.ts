/**
 * The seam between a check of the network and what it works with: the check decides what to ask, when, and what it means; it hears
 * observations. It knows nothing of tickets, datagrams and sessions. Callbacks run inside the engine's own inputs.
 */
import type { Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import type { AnswerFrom, Observation, ProbeSocket, SpareSocket } from './types.ts';

export type { SpareSocket } from './types.ts';
/** The sockets of one engine: the one for everything, a relay's second port, and those of a visor's checks. */
export type EngineSocket = ProbeSocket | 'second';

/** A relay that tells how it sees our packets, for as long as its ticket is good. */
export interface ObservingRelay {
  readonly relay: PublicKeyHex;
  /** Where our session with it goes. */
  readonly address: SocketAddress;
  /** Its other port at the same host; undefined when it has none. */
  readonly secondAddress: SocketAddress | undefined;
  /** Where it saw our session (and so our main socket) when it gave the ticket. */
  readonly seen: SocketAddress;
  readonly probesLeft: number;
  /** Monotonic milliseconds. */
  readonly goodUntilMs: number;
}

export type PrepareOutcome =
  | { readonly kind: 'ready'; readonly observer: ObservingRelay }
  /** `not-observing`: it is connected, and does not offer it (an older relay). */
  | { readonly kind: 'failed'; readonly reason: 'not-connected' | 'not-observing' | 'busy' | 'refused' | 'no-answer' | 'network-changed'; readonly retryAfterSeconds: number };

export interface Probe {
  readonly socket: ProbeSocket;
  readonly relay: PublicKeyHex;
  /** Which port of the relay is asked. */
  readonly port: 'main' | 'second';
  readonly answerFrom: AnswerFrom;
  /** Exactly for an answer from another relay; it has to be prepared too. */
  readonly otherRelay?: PublicKeyHex;
}

/** `no-ticket`: prepare it (again): none is known, it is over, or its probes are. */
export type ProbeOutcome = 'sent' | 'no-ticket' | 'no-second-port' | 'no-other-relay' | 'not-bound';

/** What a check may do. */
export interface ObservationPort {
  /** Own relays that are connected now and can be asked. */
  observers(): readonly PublicKeyHex[];
  /** Sees to a ticket with at least `probes` probes left, and says when it is there. `done` may be called at once. */
  prepare(relay: PublicKeyHex, probes: number, now: Instant, done: (outcome: PrepareOutcome, now: Instant) => void): void;
  /**
   * Sends one datagram, at once. Nobody repeats it: silence is an answer too. But silence may also be a relay that started anew and lost its tickets: before it is
   * taken for one of the network's, the same relay should have answered a plain probe of the main socket since. So with its second port, which a firewall before
   * the relay may close: silence from there means something only where a probe of that port itself was answered.
   */
  probe(probe: Probe, now: Instant): ProbeOutcome;
  /** Asks for a socket of the check's own; `bound` says how that went. Undefined when there are 8. */
  bindSpare(): SpareSocket | undefined;
  /** Closes it; what was sent from it is not waited for any more. */
  unbindSpare(socket: SpareSocket): void;
}

/** A check, as the engine sees it. */
export interface NetworkCheck {
  /** At most one for each probe; late ones come too, up to 10 s. */
  observed(observation: Observation, now: Instant): void;
  /** `port` is the local one; undefined: it could not be bound, or broke. */
  bound(socket: SpareSocket, port: number | undefined, now: Instant): void;
  /** A relay was connected or lost. */
  relaysChanged(now: Instant): void;
  /** Nothing that was observed holds any more. Tickets and probes under way are forgotten; spare sockets stay until they are unbound. */
  networkChanged(now: Instant): void;
  handleTimeout(now: Instant): void;
  /** Monotonic milliseconds. */
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
}

export type CreateNetworkCheck = (port: ObservationPort, now: Instant) => NetworkCheck;
