/** The peers by name, loaded only in the processes that use them: nobody's memory holds another's code. */
import type { Peer } from './peer.ts';

export interface PeerEntry {
  /** Whether it comes from bench/peers/node_modules. */
  readonly installed: boolean;
  readonly load: () => Promise<Peer>;
}

export const peers: Readonly<Record<string, PeerEntry>> = {
  /** Datagrams as large as loopback carries; of Ethernet's size; through a relay that does not have the content. */
  waypost: { installed: false, load: async () => (await import('./peers/waypost.ts')).waypost({ datagramLimitBytes: 65_507, forwarded: false }) },
  'waypost-1452': { installed: false, load: async () => (await import('./peers/waypost.ts')).waypost({ datagramLimitBytes: 1_452, forwarded: false }) },
  'waypost-relayed': { installed: false, load: async () => (await import('./peers/waypost.ts')).waypost({ datagramLimitBytes: 65_507, forwarded: true }) },
  hyperdht: { installed: true, load: async () => (await import('./peers/hyperdht.ts')).hyperdht },
  'libp2p-quic': { installed: true, load: async () => (await import('./peers/libp2p-quic.ts')).libp2pQuic },
  'libp2p-tcp': { installed: true, load: async () => (await import('./peers/libp2p-tcp.ts')).libp2pTcp },
  tls: { installed: true, load: async () => (await import('./peers/tls.ts')).tls },
  dgram: { installed: false, load: async () => (await import('./peers/dgram.ts')).dgram },
};
