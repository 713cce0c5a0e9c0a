/** Draws inputs: what is sent, and from where. Seeded, but for keys and indices, which the relay and the peers choose anew each time. */
import type { Socket } from 'node:dgram';
import { SeededRandom } from '../../sim/random.ts';
import type { Crypto, RandomBytes } from '../../src/main/engine/crypto.ts';
import { genuinePayload, transport } from './handshake-bytes.ts';
import { closeFrame, hostileFrame, hostilePayload } from './hostile-frames.ts';
import { hostileObserve } from './hostile-observe.ts';
import type { HostilePeer } from './hostile-peer.ts';
import { mutate, mutationKinds, type MutationKind } from './mutations.ts';

export type InputKind = MutationKind | 'spoofed-index' | 'handshake' | 'observe' | 'frame' | 'close';

export interface Input {
  readonly kind: InputKind;
  readonly datagram: Uint8Array;
  readonly from: Socket;
}

export interface Sources {
  /** Datagrams that genuine visors sent to the relay. */
  readonly fromVisors: readonly Uint8Array[];
  /** What the relay answered: nothing that it ever expects to receive. */
  readonly fromRelay: readonly Uint8Array[];
  readonly genuineSockets: readonly Socket[];
  readonly strangers: readonly Socket[];
  readonly peers: readonly HostilePeer[];
  readonly crypto: Crypto;
  readonly relayPort: number;
}

/** Shares of all inputs, in thousandths; what remains is mutated datagrams. */
const frameShare = 200;
const closeShare = 2;
const handshakeShare = 30;
const spoofedShare = 80;
const observeShare = 60;
/** A counter far ahead moves the replay window. */
const skipMaximum = 5_000;

export class Generator {
  readonly #random: SeededRandom;
  readonly #system: RandomBytes;
  readonly #sources: Sources;
  readonly #counts = new Map<InputKind, number>();

  constructor(seed: string, system: RandomBytes, sources: Sources) {
    this.#random = new SeededRandom(seed);
    this.#system = system;
    this.#sources = sources;
  }

  get counts(): ReadonlyMap<InputKind, number> { return this.#counts; }

  next(): Input {
    const input = this.#draw(this.#random.integer(0, 999));
    this.#counts.set(input.kind, (this.#counts.get(input.kind) ?? 0) + 1);
    return input;
  }

  #draw(share: number): Input {
    const random = this.#random;
    const peer = random.pick(this.#sources.peers.filter(({ isUp }) => isUp));
    if (peer !== undefined) {
      if (share < frameShare) {
        const skip = random.chance(0.01) ? random.integer(1, skipMaximum) : 0;
        return { kind: 'frame', datagram: peer.seal(hostileFrame(random, peer, this.#sources.fromVisors), skip), from: peer.socket };
      }
      if (share < frameShare + closeShare) {
        const datagram = peer.seal(closeFrame(random));
        peer.hangUp();
        return { kind: 'close', datagram, from: peer.socket };
      }
      if (share < frameShare + closeShare + handshakeShare) {
        const payload = hostilePayload(random, genuinePayload(this.#system, peer.certificate));
        return { kind: 'handshake', datagram: peer.handshakeWith(payload, random.chance(0.8) ? 'IK' : 'XX'), from: peer.socket };
      }
      if (share < frameShare + closeShare + handshakeShare + spoofedShare) {
        const counter = random.chance(0.5) ? peer.counter + random.integer(0, 10) : random.u32() * 1_000;
        return { kind: 'spoofed-index', datagram: transport(peer.remoteIndex, counter, random.bytes(random.integer(16, 1_100))), from: this.#socket() };
      }
    }
    if (share >= 1_000 - observeShare) {
      const { crypto, relayPort, peers } = this.#sources;
      const datagram = hostileObserve(random, crypto, peers.flatMap(({ tickets }) => tickets), relayPort);
      return { kind: 'observe', datagram, from: random.chance(0.5) ? this.#socket() : peer?.socket ?? this.#socket() };
    }
    const { fromVisors, fromRelay } = this.#sources;
    const pool = random.chance(0.8) ? fromVisors : fromRelay;
    const kind = random.pick(mutationKinds) ?? 'random';
    const genuine = random.pick(pool) ?? new Uint8Array(0);
    return { kind, datagram: mutate(random, kind, genuine, random.pick(pool) ?? genuine), from: this.#socket() };
  }

  /** Mostly from nowhere known, sometimes from the address of a genuine visor. */
  #socket(): Socket {
    const { genuineSockets, strangers, peers } = this.#sources;
    const socket = this.#random.chance(0.2) ? this.#random.pick(genuineSockets) : this.#random.pick(strangers);
    if (socket !== undefined) return socket;
    const [peer] = peers;
    if (peer === undefined) throw new Error('a generator needs sockets');
    return peer.socket;
  }
}
