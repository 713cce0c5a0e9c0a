/** What a check asks its host to do. */
import type { AddressFamily, NetworkReport } from '../../../shared/network-report.ts';
import type { SocketAddress } from '../wire/types.ts';
import type { ProbeDatagram } from './check-probes.ts';
import type { SpareSocket } from './types.ts';

export type { SpareSocket } from './types.ts';

export type CheckEffect =
  /** Send an observe request with a nonce of its own from this socket, the main one of the address's family; tell authentic answers by `handleObservation`, and what cannot be sent by `handleUnsent`. */
  | { readonly kind: 'probe' } & ProbeDatagram
  /** Send any datagram that can be told again from this spare socket; tell its arrival at another one by `handleHairpin`. */
  | { readonly kind: 'hairpin-probe'; readonly socket: SpareSocket; readonly to: SocketAddress }
  /** Bind a socket at a port of the system's choice; tell the port by `handleSpareBound`, or `handleSpareFailed`. */
  | { readonly kind: 'bind-spare'; readonly socket: SpareSocket; readonly family: AddressFamily }
  | { readonly kind: 'release-spare'; readonly socket: SpareSocket }
  /** Ask the router by PCP, else NAT-PMP, to open a port for the main socket; tell the result by `handlePortControl`. */
  | { readonly kind: 'port-control'; readonly port: number }
  /** Connect and have the relay prove itself (`tcp`), or fetch its page (`http`); tell the result by `handleTcp`. */
  | { readonly kind: 'tcp-probe'; readonly protocol: 'tcp' | 'http'; readonly to: SocketAddress }
  /** `first`: enough to begin with. `complete`: nothing more will come. */
  | { readonly kind: 'report'; readonly stage: 'first' | 'complete'; readonly report: NetworkReport };
