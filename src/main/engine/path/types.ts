/** What a check of the network finds out, and what it needs for that from relays, routers and the machine. */
import type { AddressFamily, PortControlProtocol } from '../../../shared/network-report.ts';
import type { SocketAddress } from '../wire/types.ts';

export type { AddressFamily, Candidate, FamilyReport, Filtering, Known, Mapping, NetworkReport, NotCheckedReason, PortAllocation } from '../../../shared/network-report.ts';

/** Which socket a probe leaves from: the one that everything goes through, or one that was bound for this check alone. */
export type ProbeSocket = 'main' | `spare-${number}`;
export type SpareSocket = Exclude<ProbeSocket, 'main'>;
/** From where the answer is asked for: the address that was asked, another port of it, or another relay on its behalf. */
export type AnswerFrom = 'asked' | 'other-port' | 'other-relay';

/** An authentic answer of an observer: how it saw our probe. */
export interface Observation {
  readonly socket: ProbeSocket;
  /** The address that the probe was sent to. */
  readonly asked: SocketAddress;
  readonly answerFrom: AnswerFrom;
  /** Where the answer came from. */
  readonly from: SocketAddress;
  /** Where the probe came from, as the observer saw it. */
  readonly seen: SocketAddress;
  /** Since the very datagram that was answered, not since the first of its kind: each has a nonce of its own. */
  readonly roundTripMs: number;
  /** The how manieth datagram of its kind was answered, filled in by the check; absent: the first. */
  readonly timesSent?: number;
}

/** A probe without an answer. */
export interface Silence {
  readonly socket: ProbeSocket;
  readonly asked: SocketAddress;
  readonly answerFrom: AnswerFrom;
  /** Datagrams that had time enough to be answered. */
  readonly timesSent: number;
}

/** From one spare socket to where relays saw the other, and back. */
export interface HairpinTrial {
  readonly family: AddressFamily;
  readonly arrived: boolean;
  /** In both directions together, of those that had time enough to arrive. */
  readonly timesSent: number;
}

/** What the router said to PCP and NAT-PMP. `mapped`: the outer address it opened for the main socket; `address`: only its outer address. */
export type PortControlResult =
  | { readonly outcome: 'mapped'; readonly protocol: PortControlProtocol; readonly external: SocketAddress }
  | { readonly outcome: 'address'; readonly protocol: PortControlProtocol; readonly host: string }
  /** It answered, and gave no port. */
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'silent'; readonly timesSent: number };

/**
 * `reached`: the relay itself answered (over TCP: its handshake; over HTTP: the text it always gives). `intercepted`: somebody else did.
 * `failed`: refused, or nothing came.
 */
export interface TcpProbeResult {
  readonly protocol: 'tcp' | 'http';
  readonly to: SocketAddress;
  readonly outcome: 'reached' | 'intercepted' | 'failed';
}

/** Learned elsewhere, of this same network. */
export type Learned = Readonly<Partial<Record<AddressFamily, {
  readonly mappingLifetimeMs?: { readonly value: number; readonly samples: number };
  readonly pathMtuBytes?: { readonly value: number; readonly samples: number };
}>>>;

/** One address family of a relay that observes for us. */
export interface CheckRelay {
  /** Names the relay in the report; a relay with both families comes twice. */
  readonly relay: string;
  readonly first: SocketAddress;
  /** Another port of the same address. */
  readonly second?: SocketAddress;
  /** The relay said that it has another one answer on its behalf. */
  readonly hasOtherRelay: boolean;
  /** Where it takes TCP; HTTP is asked for at port 80 of the same host. */
  readonly tcp?: SocketAddress;
  /** It has proved itself over TCP already: the session with it goes that way. */
  readonly isOverTcp?: boolean;
}

/** Everything a report is made from. */
export interface Evidence {
  /** Addresses of the machine's interfaces. */
  readonly localHosts: readonly string[];
  readonly localPorts: readonly { readonly socket: ProbeSocket; readonly family: AddressFamily; readonly port: number }[];
  readonly relays: readonly CheckRelay[];
  /** In the order in which the probes' sockets were first used. */
  readonly observations: readonly Observation[];
  readonly silences: readonly Silence[];
  readonly hairpins: readonly HairpinTrial[];
  /** `asked`: the router has not answered yet, and may have opened a port for the main socket meanwhile. */
  readonly portControl: PortControlResult | 'asked' | undefined;
  readonly tcp: readonly TcpProbeResult[];
  readonly learned: Learned;
  readonly isComplete: boolean;
}
