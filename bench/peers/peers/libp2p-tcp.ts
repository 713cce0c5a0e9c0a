/** libp2p over TCP, encrypted with Noise, streams by yamux. */
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { libp2pPeer } from './libp2p.ts';

export const libp2pTcp = libp2pPeer({ listen: '/ip4/127.0.0.1/tcp/0', transports: [tcp()], streamMuxers: [yamux()], connectionEncrypters: [noise()] });
