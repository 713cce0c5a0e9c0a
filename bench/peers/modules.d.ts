/**
 * As much of the installed packages as the benchmark uses. They are declared here because the project is checked and linted without them
 * (`npm ci` at the root does not install them), and because HyperDHT comes without types.
 */

declare module 'hyperdht' {
  import type { Duplex } from 'node:stream';
  export interface SecretStream extends Duplex {
    /** Resolves when the handshake is done: true, or false when the stream ended before. */
    readonly opened: Promise<boolean>;
    readonly rawStream: { readonly remoteHost: string; readonly remotePort: number };
  }
  export interface Bootstrap { readonly host: string; readonly port: number }
  export interface Server {
    readonly publicKey: Uint8Array;
    listen(): Promise<void>;
  }
  export default class HyperDHT {
    constructor(options: { readonly bootstrap: readonly Bootstrap[]; readonly host?: string; readonly port?: number; readonly ephemeral?: boolean; readonly firewalled?: boolean });
    fullyBootstrapped(): Promise<void>;
    createServer(options: { readonly shareLocalAddress?: boolean }, onConnection: (stream: SecretStream) => void): Server;
    connect(publicKey: Uint8Array, options?: { readonly localConnection: boolean }): SecretStream;
  }
}

declare module 'hyperdht/testnet.js' {
  import type { Bootstrap } from 'hyperdht';
  export default function createTestnet(sizeNodes: number, options: { readonly host: string }): Promise<{ readonly bootstrap: readonly Bootstrap[] }>;
}

declare module '@multiformats/multiaddr' {
  export interface Multiaddr { toString(): string }
  export function multiaddr(text: string): Multiaddr;
}

declare module 'libp2p' {
  import type { Multiaddr } from '@multiformats/multiaddr';
  /** A part of a node, to be handed on and not looked into. */
  export type Component = (components: never) => unknown;
  export interface Stream {
    send(bytes: Uint8Array): boolean;
    addEventListener(type: 'drain', listener: () => void, options: { readonly once: true }): void;
    close(): Promise<void>;
    pause(): void;
    /** What came is one piece, or a list of pieces that iterates over them. */
    addEventListener(type: 'message', listener: (event: { readonly data: Uint8Array | Iterable<Uint8Array> }) => void): void;
  }
  export interface StreamLimits {
    readonly maxInboundStreams?: number;
    readonly maxOutboundStreams?: number;
    /** Also over a connection through a relay, which is limited in time and bytes. */
    readonly runOnLimitedConnection?: boolean;
  }
  export interface PeerId { toString(): string; equals(other: PeerId): boolean }
  export interface Connection {
    readonly remotePeer: PeerId;
    readonly remoteAddr: Multiaddr;
    /** Of a connection through a relay; undefined for a direct one. */
    readonly limits?: object;
    readonly status: string;
    newStream(protocol: string, limits: StreamLimits): Promise<Stream>;
  }
  export interface Libp2p {
    readonly peerId: PeerId;
    getMultiaddrs(): readonly Multiaddr[];
    getConnections(): readonly Connection[];
    handle(protocol: string, handler: (stream: Stream) => void, limits: StreamLimits): Promise<void>;
    dial(address: Multiaddr): Promise<Connection>;
    addEventListener(type: 'connection:open', listener: (event: { readonly detail: Connection }) => void): void;
  }
  export function createLibp2p(options: {
    readonly addresses: { readonly listen: readonly string[]; readonly announce?: readonly string[] };
    readonly services?: Readonly<Record<string, Component>>;
    readonly transports: readonly Component[];
    readonly streamMuxers?: readonly Component[];
    readonly connectionEncrypters?: readonly Component[];
  }): Promise<Libp2p>;
}

declare module '@libp2p/tcp' {
  import type { Component } from 'libp2p';
  export function tcp(): Component;
}

declare module '@libp2p/noise' {
  import type { Component } from 'libp2p';
  export function noise(): Component;
}

declare module '@libp2p/yamux' {
  import type { Component } from 'libp2p';
  export function yamux(): Component;
}

declare module '@chainsafe/libp2p-quic' {
  import type { Component } from 'libp2p';
  export function quic(): Component;
}

declare module '@libp2p/identify' {
  import type { Component } from 'libp2p';
  export function identify(): Component;
}

declare module '@libp2p/autonat' {
  import type { Component } from 'libp2p';
  export function autoNAT(): Component;
}

declare module '@libp2p/dcutr' {
  import type { Component } from 'libp2p';
  export function dcutr(): Component;
}

declare module '@libp2p/circuit-relay-v2' {
  import type { Component } from 'libp2p';
  export function circuitRelayTransport(): Component;
  export function circuitRelayServer(): Component;
}

declare module '@libp2p/webrtc' {
  import type { Component } from 'libp2p';
  export function webRTC(options: { readonly rtcConfiguration: { readonly iceServers: readonly { readonly urls: readonly string[] }[] } }): Component;
}

declare module 'selfsigned' {
  export interface Extension { readonly name: 'subjectAltName'; readonly altNames: readonly { readonly type: 2; readonly value: string }[] }
  export function generate(
    attributes: readonly { readonly name: string; readonly value: string }[],
    options: { readonly keyType: 'ec'; readonly curve: 'P-256'; readonly algorithm: 'sha256'; readonly extensions: readonly Extension[] },
  ): Promise<{ readonly private: string; readonly cert: string }>;
}
