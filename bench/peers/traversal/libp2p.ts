/**
 * js-libp2p through NATs: by peer id, over a public relay (circuit relay v2, with its default limits). Ends identify, ask AutoNAT, and upgrade relayed connections by
 * DCUtR, as its documentation sets them up. Three of them: over QUIC; over TCP; and over WebRTC, js-libp2p's own way between two ends behind NATs, which uses the relay
 * for signalling and ICE, with a STUN server beside the relay, for punching. Where that fails the relayed connection is used.
 *
 * The AutoNAT servers are nodes of their own: js-libp2p's takes a connection from the address in question for a dial to it, if there is one, and closes it afterwards;
 * the relay's own connection with the asker would be that.
 */
import { autoNAT } from '@libp2p/autonat';
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { dcutr } from '@libp2p/dcutr';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { webRTC } from '@libp2p/webrtc';
import { yamux } from '@libp2p/yamux';
import { quic } from '@chainsafe/libp2p-quic';
import { setTimeout as pause } from 'node:timers/promises';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Component, type Connection, type Libp2p, type Stream } from 'libp2p';
import { serveStun } from './stun.ts';
import type { Traverser } from '../../nat-matrix/traverser.ts';

const protocol = '/waypost-nat-matrix/1';
const limits = { runOnLimitedConnection: true } as const;
const publicPort = 4_001;
const stunPort = 3_478;

/** As many as have to agree. */
const autoNatServers = 4;

interface Helpers { readonly relay: string; readonly autoNat: readonly string[]; readonly stun: string }

interface Variant {
  /** What follows an IP address. */
  readonly listen: (port: number) => string;
  readonly transport: () => Component;
  readonly isWebrtc: boolean;
}

const security = { streamMuxers: [yamux()], connectionEncrypters: [noise()] };

function nodeBehindNat({ listen, transport, isWebrtc }: Variant, { relay, stun }: Helpers, isServing: boolean): Promise<Libp2p> {
  const own = `/ip4/0.0.0.0/${listen(0)}`;
  const webrtc = isWebrtc ? [webRTC({ rtcConfiguration: { iceServers: [{ urls: [stun] }] } })] : [];
  return createLibp2p({
    ...security,
    addresses: { listen: [own, ...(isServing ? [`${relay}/p2p-circuit`] : []), ...(isWebrtc ? ['/webrtc'] : [])] },
    transports: [transport(), circuitRelayTransport(), ...webrtc],
    services: { identify: identify(), autoNat: autoNAT(), dcutr: dcutr() },
  });
}

const piecesOf = (data: Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> => (data instanceof Uint8Array ? [data] : data);

class EchoStream {
  readonly #stream: Stream;
  #leftBytes = 0;
  #done: (() => void) | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.addEventListener('message', ({ data }) => {
      for (const piece of piecesOf(data)) this.#leftBytes -= piece.byteLength;
      if (this.#leftBytes <= 0) this.#done?.();
    });
  }

  echo(bytes: Uint8Array, withinMs: number): Promise<void> {
    this.#leftBytes = bytes.length;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { reject(new Error('No echo came back.')); }, withinMs);
      this.#done = () => { clearTimeout(timer); resolve(); };
      this.#stream.send(bytes);
    });
  }
}

/** The connections to one peer, of which the best is used. */
class Paths {
  readonly #node: Libp2p;
  readonly #peer: string;
  readonly #streams = new Map<Connection, EchoStream>();
  readonly direct: Promise<void>;

  constructor(node: Libp2p, peer: string) {
    this.#node = node;
    this.#peer = peer;
    this.direct = new Promise((resolve) => {
      if (this.#best()?.limits === undefined && this.#best() !== undefined) { resolve(); return; }
      node.addEventListener('connection:open', ({ detail }) => { if (detail.remotePeer.toString() === peer && detail.limits === undefined) resolve(); });
    });
  }

  #best(): Connection | undefined {
    const all = this.#node.getConnections().filter(({ remotePeer, status }) => remotePeer.toString() === this.#peer && status === 'open');
    return all.find((connection) => connection.limits === undefined) ?? all[0];
  }

  async echo(bytes: Uint8Array): Promise<void> {
    const connection = this.#best();
    if (connection === undefined) throw new Error('There is no connection to the peer.');
    let stream = this.#streams.get(connection);
    if (stream === undefined) {
      stream = new EchoStream(await connection.newStream(protocol, limits));
      this.#streams.set(connection, stream);
    }
    try {
      await stream.echo(bytes, echoWithinMs);
    } catch (error) {
      this.#streams.delete(connection);
      throw error;
    }
  }

  remote(): string { return this.#best()?.remoteAddr.toString() ?? ''; }
}

const echoWithinMs = 3_000;

function libp2p(variant: Variant): Traverser {
  return {
    async help([address = '', ...others]) {
      const publicNode = async (host: string, services: Readonly<Record<string, Component>>): Promise<string> => {
        const listen = `/ip4/${host}/${variant.listen(publicPort)}`;
        // Announced, because nobody is there to prove to it that it is public.
        const addresses = { listen: [listen], announce: [listen] };
        const node = await createLibp2p({ ...security, addresses, transports: [variant.transport()], services: { identify: identify(), ...services } });
        return `${listen}/p2p/${node.peerId.toString()}`;
      };
      const relay = await publicNode(address, { relay: circuitRelayServer() });
      const autoNat: string[] = [];
      for (const host of others.slice(0, autoNatServers)) autoNat.push(await publicNode(host, { autoNat: autoNAT() }));
      await serveStun(address, stunPort);
      return JSON.stringify({ relay, autoNat, stun: `stun:${address}:${stunPort}` } satisfies Helpers);
    },

    async serve(helpers) {
      const known = JSON.parse(helpers) as Helpers;
      const node = await nodeBehindNat(variant, known, true);
      await node.handle(protocol, (stream) => {
        stream.addEventListener('message', ({ data }) => { for (const piece of piecesOf(data)) stream.send(piece); });
      }, limits);
      await reserved(node);
      await askAutoNat(node, known);
      return node.peerId.toString();
    },

    async prepare(text, address) {
      const helpers = JSON.parse(text) as Helpers;
      const node = await nodeBehindNat(variant, helpers, false);
      // It knows its relay, as a program does that has been running for a while.
      await node.dial(multiaddr(helpers.relay));
      await askAutoNat(node, helpers);
      const circuit = `${helpers.relay}/p2p-circuit`;
      return {
        async dial() {
          if (variant.isWebrtc) await node.dial(multiaddr(`${circuit}/webrtc/p2p/${address}`)).catch(() => node.dial(multiaddr(`${circuit}/p2p/${address}`)));
          else await node.dial(multiaddr(`${circuit}/p2p/${address}`));
          return new Paths(node, address);
        },
      };
    },
  };
}

async function reserved(node: Libp2p): Promise<void> {
  for (let waitedMs = 0; waitedMs < reservedWithinMs; waitedMs += pollEveryMs) {
    if (node.getMultiaddrs().some((address) => address.toString().includes('/p2p-circuit'))) return;
    await pause(pollEveryMs);
  }
  throw new Error(`The relay gave no reservation within ${reservedWithinMs / 1_000} s; own addresses: ${node.getMultiaddrs().join(' ')}`);
}

const reservedWithinMs = 15_000;
const pollEveryMs = 50;

/** Identify and AutoNAT go by themselves once there is a connection. */
async function askAutoNat(node: Libp2p, { autoNat }: Helpers): Promise<void> {
  await Promise.all(autoNat.map((address) => node.dial(multiaddr(address))));
  await pause(settleMs);
}

const settleMs = 2_000;

export const libp2pQuic = libp2p({ listen: (port) => `udp/${port}/quic-v1`, transport: quic, isWebrtc: false });
export const libp2pTcp = libp2p({ listen: (port) => `tcp/${port}`, transport: tcp, isWebrtc: false });
export const libp2pWebrtc = libp2p({ listen: (port) => `tcp/${port}`, transport: tcp, isWebrtc: true });
