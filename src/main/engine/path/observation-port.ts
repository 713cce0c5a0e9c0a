/**
 * The seam between a check of the network and what it works with: the check decides what to ask, when, and what it means; it hears
 * observations. It knows nothing of tickets, datagrams and sessions. Callbacks run inside the engine's own inputs.
 */
import type { GuessSocket, Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import type { Pass } from './observe-codec.ts';
import type { NetworkReport } from '../../../shared/network-report.ts';
import type { AddressFamily, AnswerFrom, Observation, PortControlResult, ProbeSocket, SpareSocket, TcpProbeResult } from './types.ts';

export type { SpareSocket } from './types.ts';
/** The sockets of one engine: the one for everything, a relay's second port, those of a visor's checks, and those of its guesses. */
export type EngineSocket = ProbeSocket | GuessSocket | 'second';

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

/** An own relay, connected or not. */
export interface OwnRelay {
  readonly relay: PublicKeyHex;
  /** As people know it. */
  readonly name: string;
  /** Undefined: its name is not resolved. */
  readonly address: SocketAddress | undefined;
  readonly isConnected: boolean;
  /** The session with it goes over TCP. */
  readonly isOverTcp?: boolean;
  /** Of the session. */
  readonly roundTripMs: number | undefined;
}

/** What only the machine around the engine can find out. `check` comes back with the answer. */
export type NetworkRequest =
  | { readonly kind: 'interfaces'; readonly check: number }
  /** Ask the router to open a port for the main socket, and keep it open from then on until the engine ends. */
  | { readonly kind: 'port-control'; readonly check: number; readonly port: number }
  | { readonly kind: 'tcp-probe'; readonly check: number; readonly protocol: 'tcp' | 'http'; readonly to: SocketAddress };

export type NetworkAnswer =
  /** Addresses of the machine from which the main socket sends, and its ports. */
  | { readonly kind: 'interfaces'; readonly check: number; readonly localHosts: readonly string[]; readonly mainPorts: Readonly<Partial<Record<AddressFamily, number>>> }
  /** Undefined: there was no way to ask. */
  | { readonly kind: 'port-control'; readonly check: number; readonly result: PortControlResult | undefined }
  | { readonly kind: 'tcp-probe'; readonly check: number; readonly result: TcpProbeResult };

/** What the last check found out. */
export interface CheckedNetwork {
  readonly report: NetworkReport;
  /** When it ended, by our own clock. */
  readonly checkedWallMs: number;
}

/** What a check may do. */
export interface ObservationPort {
  /** All own relays. */
  relays(): readonly OwnRelay[];
  /** Own relays that are connected now and can be asked. */
  observers(): readonly PublicKeyHex[];
  /** Sees to a ticket with at least `probes` probes left, and says when it is there. `done` may be called at once. */
  prepare(relay: PublicKeyHex, probes: number, now: Instant, done: (outcome: PrepareOutcome, now: Instant) => void): void;
  /** Of the ticket that is held. */
  probesLeft(relay: PublicKeyHex, now: Instant): number;
  /**
   * Sends one datagram, at once. Nobody repeats it: silence is an answer too. But silence may also be a relay that started anew and lost its tickets: before it is
   * taken for one of the network's, the same relay should have answered a plain probe of the main socket since. So with its second port, which a firewall before
   * the relay may close: silence from there means something only where a probe of that port itself was answered.
   */
  probe(probe: Probe, now: Instant): ProbeOutcome;
  /** Of the observers, those that give passes. */
  passGivers(): readonly PublicKeyHex[];
  /** One datagram, as `probe`, that asks for a pass of the socket; `passed` brings it. */
  askPass(relay: PublicKeyHex, socket: ProbeSocket, now: Instant): ProbeOutcome;
  /** One datagram of the main socket that shows a pass; where the answer to it arrives is told by `passed`. */
  askByPass(relay: PublicKeyHex, pass: Pass, answerAt: ProbeSocket, now: Instant): ProbeOutcome;
  /** Bytes are to be spared: what nobody asked for is done more rarely. */
  isSparing(): boolean;
  /** Small values that outlast a restart. */
  recall(key: string): string | undefined;
  remember(key: string, value: string): void;
  /** 32 hexadecimal digits that name a text without telling it. */
  digest(text: string): string;
  /** Asks for a socket of the check's own; `bound` says how that went. Undefined when there are 16. */
  bindSpare(): SpareSocket | undefined;
  /** Closes it; what was sent from it is not waited for any more. */
  unbindSpare(socket: SpareSocket): void;
  /** Sends a small datagram that can be told again and says nothing to anybody else; `marked` tells where it arrived. False: not bound, or no place for it. */
  mark(socket: SpareSocket, to: SocketAddress, now: Instant): boolean;
  /** Answered by `answered`, perhaps never. */
  ask(request: NetworkRequest): void;
  /** There is a new report. */
  reported(): void;
}

/** `given`: a pass for the socket that asked. `arrived`: the answer that a pass was shown for. */
export type PassNews =
  | { readonly kind: 'given'; readonly relay: PublicKeyHex; readonly at: ProbeSocket; readonly pass: Pass }
  | { readonly kind: 'arrived'; readonly relay: PublicKeyHex; readonly at: ProbeSocket };

/** A check, as the engine sees it. */
export interface NetworkCheck {
  /** At most one for each probe; late ones come too, up to 10 s. */
  observed(observation: Observation, now: Instant): void;
  /** `port` is the local one; undefined: it could not be bound, or broke. */
  bound(socket: SpareSocket, port: number | undefined, now: Instant): void;
  /** What was sent by `mark` from another spare socket arrived at this one: once, and within 10 s. */
  marked(at: SpareSocket, now: Instant): void;
  answered(answer: NetworkAnswer, now: Instant): void;
  passed?(news: PassNews, now: Instant): void;
  /** How long the router surely keeps a silent conversation of that family, as far as it was learned for this network, in ms. */
  mappingLifetimeMs?(family: AddressFamily): number | undefined;
  /** A conversation was forgotten sooner. */
  mappingForgotten?(family: AddressFamily, now: Instant): void;
  /** Checks now, or shares the check that runs; `done` comes within 5 s, perhaps at once. */
  run(now: Instant, done: (checked: CheckedNetwork) => void): void;
  /** Checks now whatever was found out a moment ago: it seems not to hold any more. */
  runAnew?(now: Instant): void;
  /** What the last check of this network found out, or the one that runs has so far. */
  readonly last: CheckedNetwork | undefined;
  /** A relay was connected or lost. */
  relaysChanged(now: Instant): void;
  /** Nothing that was observed holds any more. Tickets and probes under way are forgotten; spare sockets stay until they are unbound. */
  networkChanged(now: Instant): void;
  handleTimeout(now: Instant): void;
  /** Monotonic milliseconds. */
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
}

export type CreateNetworkCheck = (port: ObservationPort, now: Instant) => NetworkCheck;
