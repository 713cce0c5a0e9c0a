/**
 * A network of session cores in memory for tests: simulated clock, latency, loss and forgery under the test's control, a seeded random
 * generator. Runs minutes of protocol in milliseconds and always the same way.
 */
import type { Crypto, KeyPair, RandomBytes } from '../crypto.ts';
import { generateKeyPair } from '../noise/index.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { createCertificate } from '../wire/certificate.ts';
import { toHex } from '../wire/bytes.ts';
import { encodeRequest, encodeResponse } from '../wire/frame.ts';
import { socketAddressKey } from '../wire/types.ts';
import type { DeviceCertificate, Instant, SocketAddress } from '../wire/types.ts';
import { SessionCore } from './sessions.ts';
import type { SessionConfiguration, SessionId, SessionLimits, SessionOutput } from './types.ts';

const wallStartMs = 1_700_000_000_000;
const yearSeconds = 365 * 86_400;

/**
 * The reference primitives with a memory for the curve, which is nearly all of their time: seeded tests make the same keys again and again.
 */
function rememberingCrypto(crypto: Crypto): Crypto {
  const shared = new Map<string, Uint8Array | undefined>();
  const publicKeys = new Map<string, Uint8Array>();
  return {
    ...crypto,
    x25519(secretKey, publicKey) {
      const key = toHex(secretKey) + toHex(publicKey);
      if (!shared.has(key)) shared.set(key, crypto.x25519(secretKey, publicKey));
      return shared.get(key)?.slice();
    },
    x25519PublicKey(secretKey) {
      const key = toHex(secretKey);
      const known = publicKeys.get(key) ?? crypto.x25519PublicKey(secretKey);
      publicKeys.set(key, known);
      return known.slice();
    },
  };
}
export const testCrypto: Crypto = rememberingCrypto(nobleCrypto);

/** Repeatable bytes (xorshift32). */
export function seededRandom(seed: number): RandomBytes {
  let state = (seed ^ 0x9e37_79b9) | 1;
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

export interface Person { readonly staticKeys: KeyPair; readonly certificate: DeviceCertificate }

export function newPerson(crypto: Crypto, random: RandomBytes): Person {
  const staticKeys = generateKeyPair(crypto, random);
  const identitySecret = random(32);
  identitySecret[0] = 1;
  const from = Math.floor(wallStartMs / 1_000) - 3_600;
  const certificate = createCertificate({
    identitySecret, deviceId: toHex(random(16)), x25519: staticKeys.publicKey, ed25519: crypto.ed25519PublicKey(random(32)), notBeforeSeconds: from, notAfterSeconds: from + yearSeconds,
  });
  return { staticKeys, certificate };
}

export interface Packet { readonly from: SocketAddress; readonly to: SocketAddress; readonly datagram: Uint8Array; readonly number: number }

export class Endpoint {
  readonly person: Person;
  readonly #network: Network;
  readonly #options: Partial<SessionConfiguration>;
  readonly #resetSecret: Uint8Array;
  address: SocketAddress;
  sessions: SessionCore;
  /** Everything but transmissions. */
  events: SessionOutput[] = [];
  running = true;

  constructor(network: Network, address: SocketAddress, person: Person, options: Partial<SessionConfiguration>) {
    this.#network = network;
    this.#options = options;
    this.#resetSecret = network.random(32);
    this.address = address;
    this.person = person;
    this.sessions = this.#start();
  }

  get identity(): string { return this.person.certificate.identity; }
  /** New process, same keys: nothing is said to anybody. */
  restart(): void { this.sessions = this.#start(); this.events = []; }

  dial(to: Endpoint, options: { readonly known?: boolean; readonly anonymous?: boolean; readonly identity?: string } = {}): SessionId {
    const remoteStatic = options.known === false ? undefined : to.person.staticKeys.publicKey;
    const id = this.sessions.dial({ address: to.address, identity: options.identity ?? to.identity, remoteStatic, anonymous: options.anonymous ?? false }, this.#network.now);
    this.#network.collect();
    return id;
  }

  send(id: SessionId, frame: Uint8Array): boolean {
    const sent = this.sessions.send(id, frame, this.#network.now);
    this.#network.collect();
    return sent;
  }

  count(kind: SessionOutput['kind']): number { return this.events.filter((event) => event.kind === kind).length; }
  frames(): Uint8Array[] { return this.events.flatMap((event) => (event.kind === 'frame' ? [event.frame] : [])); }
  /** The one session that the test expects here. */
  onlyId(): SessionId {
    const established = this.events.findLast((event) => event.kind === 'established' || event.kind === 'restarted');
    if (established?.kind !== 'established' && established?.kind !== 'restarted') throw new Error('nothing is established here');
    return established.session.id;
  }

  #start(): SessionCore {
    const { crypto, random } = this.#network;
    return new SessionCore({
      crypto, random, staticKeys: this.person.staticKeys, certificate: this.person.certificate.bytes, capabilities: ['mail', 'pull'],
      bootId: random(8), resetSecret: this.#resetSecret, listening: true, ...this.#options,
    });
  }
}

export class Network {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly endpoints: Endpoint[] = [];
  /** Everything ever sent, for replays and sums. */
  readonly log: Packet[] = [];
  nowMs = 1_000;
  /** Undefined loses the packet; may change it. */
  tamper: (packet: Packet) => Uint8Array | undefined = (packet) => packet.datagram;
  latencyMs: (packet: Packet) => number = () => 20;
  #queue: { readonly atMs: number; readonly packet: Packet }[] = [];

  constructor(crypto: Crypto = testCrypto, seed = 1) {
    this.crypto = crypto;
    this.random = seededRandom(seed);
  }

  get now(): Instant { return { monotonicMs: this.nowMs, wallMs: wallStartMs + this.nowMs }; }

  add(options: Partial<SessionConfiguration> & { readonly limits?: Partial<SessionLimits> } = {}, person = newPerson(this.crypto, this.random)): Endpoint {
    const endpoint = new Endpoint(this, { host: `10.0.0.${String(this.endpoints.length + 1)}`, port: 4_000 }, person, options);
    this.endpoints.push(endpoint);
    return endpoint;
  }

  /** Moves outputs of all endpoints onto the wire and into `events`. */
  collect(): void {
    for (const endpoint of this.endpoints) {
      for (let output = endpoint.sessions.pollOutput(); output !== undefined; output = endpoint.sessions.pollOutput()) {
        if (output.kind === 'transmit') this.post(endpoint.address, output.to, output.datagram);
        else endpoint.events.push(output);
      }
    }
  }

  /** Also for forged packets: `from` is whatever the test says. */
  post(from: SocketAddress, to: SocketAddress, datagram: Uint8Array): void {
    const packet = { from, to, datagram, number: this.log.length };
    this.log.push(packet);
    const tampered = this.tamper(packet);
    if (tampered !== undefined) this.#queue.push({ atMs: this.nowMs + this.latencyMs(packet), packet: { ...packet, datagram: tampered } });
  }

  /** Hands a datagram over at once. */
  inject(to: Endpoint, from: SocketAddress, datagram: Uint8Array): void {
    to.sessions.handleDatagram(from, datagram, this.now);
    this.collect();
  }

  runFor(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let round = 0; ; round += 1) {
      if (round > 1_000_000) throw new Error('the network does not come to rest');
      this.collect();
      this.#queue.sort((left, right) => left.atMs - right.atMs || left.packet.number - right.packet.number);
      const packetMs = this.#queue[0]?.atMs ?? Infinity;
      const timers = this.endpoints.filter((endpoint) => endpoint.running).map((endpoint) => ({ endpoint, atMs: endpoint.sessions.pollTimeout()?.atMs ?? Infinity }));
      const timer = timers.reduce<(typeof timers)[number] | undefined>((best, other) => (best === undefined || other.atMs < best.atMs ? other : best), undefined);
      const nextMs = Math.min(packetMs, timer?.atMs ?? Infinity);
      if (nextMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (packetMs <= nextMs) {
        const delivery = this.#queue.shift()?.packet;
        const target = this.endpoints.find((endpoint) => endpoint.running && delivery !== undefined && socketAddressKey(endpoint.address) === socketAddressKey(delivery.to));
        if (delivery !== undefined) target?.sessions.handleDatagram(delivery.from, delivery.datagram, this.now);
      } else {
        timer?.endpoint.sessions.handleTimeout(this.now);
      }
    }
    this.nowMs = endMs;
  }

  /** Bytes sent from one address to another. */
  bytesBetween(from: SocketAddress, to: SocketAddress): number {
    const sum = (total: number, packet: Packet): number => total + packet.datagram.length;
    return this.log.filter((packet) => socketAddressKey(packet.from) === socketAddressKey(from) && socketAddressKey(packet.to) === socketAddressKey(to)).reduce(sum, 0);
  }
}

/** A request of the layers above: `pull`-like in that it expects an answer. */
export const requestFrame = (fill: number): Uint8Array => encodeRequest(new Uint8Array(16).fill(fill), { verb: 'refusals' });
export const responseFrame = (fill: number, sizeBytes: number): Uint8Array => encodeResponse(new Uint8Array(16).fill(fill), 0, true, new Uint8Array(sizeBytes));
