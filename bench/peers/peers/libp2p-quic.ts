/** libp2p over QUIC (quinn, in Rust): encryption and streams are those of QUIC. */
import { quic } from '@chainsafe/libp2p-quic';
import { libp2pPeer } from './libp2p.ts';

export const libp2pQuic = libp2pPeer({ listen: '/ip4/127.0.0.1/udp/0/quic-v1', transports: [quic()] });
