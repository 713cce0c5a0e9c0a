/**
 * A small network for tests of the session core: endpoints with a virtual clock, latency, and a hook that sees every datagram and may drop,
 * change, delay or copy it. Deterministic: all randomness comes from one seed. It also keeps the books that the rules are about - for each
 * side and address the bytes sent there and the bytes that came from there.
 */
import { createCertificate } from '../wire/certificate.ts';
import { toHex } from '../wire/bytes.ts';
import { encodeResponse, requestHeaderBytes, responseHeaderBytes } from '../wire/frame.ts';
import { identityPublicKey } from '../wire/identity.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { SessionTable } from './sessions.ts';
import { socketAddressKey, type Instant, type SocketAddress } from '../wire/types.ts';
import type { Crypto, KeyPair, RandomBytes } from '../crypto.ts';
import type { DialOptions, SessionConfiguration, SessionId, SessionOutput, Sessions, SessionView } from './types.ts';

/** Wall clock at monotonic 0: certificates of the tests are valid around it. */
const wallStartMs = 1_800_000_000_000;
const latencyMs = 20;
/** More steps than any test needs between two instants: a core that arms its timer in the past would go on for ever. */
const stepsMaximum = 2_000_000;

export type Event = Exclude<SessionOutput, { kind: 'transmit' }> & { readonly atMs: number };
export interface Packet { readonly from: SocketAddress; readonly to: SocketAddress; readonly datagram: Uint8Array; readonly atMs: number; readonly type: number }
/** What becomes of a packet: undefined lets it pass, an empty list drops it. */
export type Hook = (packet: Packet) => readonly { readonly datagram?: Uint8Array; readonly from?: SocketAddress; readonly to?: SocketAddress; readonly delayMs?: number }[] | undefined;

interface Queued { readonly atMs: number; readonly order: number; readonly from: SocketAddress; readonly to: SocketAddress; readonly datagram: Uint8Array }

export interface Person { readonly identity: string; readonly staticKeys: KeyPair; readonly certificate: Uint8Array; readonly resetSecret: Uint8Array }

export function seededRandom(seed: number): RandomBytes {
  let state = (seed ^ 0x9e37_79b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) & 0xff;
  };
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, next);
}

export function createPerson(seed: number, crypto: Crypto = nobleCrypto): Person {
  const random = seededRandom(seed * 7_919 + 1);
  const identitySecret = random(32);
  const secretKey = random(32);
  const staticKeys = { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
  const certificate = createCertificate({
    identitySecret, deviceId: toHex(random(16)), x25519: staticKeys.publicKey, ed25519: crypto.ed25519PublicKey(random(32)),
    notBeforeSeconds: wallStartMs / 1_000 - 86_400, notAfterSeconds: wallStartMs / 1_000 + 365 * 86_400,
  });
  return { identity: identityPublicKey(identitySecret), staticKeys, certificate: certificate.bytes, resetSecret: random(32) };
}

export class Node {
  readonly name: string;
  readonly person: Person;
  readonly net: Net;
  address: SocketAddress;
  sessions: SessionTable;
  configuration: SessionConfiguration;
  isDown = false;
  readonly events: Event[] = [];
  /** By address: bytes that this node sent there and received from there. */
  readonly sentTo = new Map<string, number>();
  readonly receivedFrom = new Map<string, number>();

  constructor(net: Net, name: string, person: Person, address: SocketAddress, configuration: SessionConfiguration) {
    this.net = net;
    this.name = name;
    this.person = person;
    this.address = address;
    this.configuration = configuration;
    this.sessions = new SessionTable(configuration);
  }

  dial(to: Node, options: Partial<DialOptions> = {}): SessionId {
    const id = this.sessions.dial({ address: to.address, identity: to.person.identity, remoteStatic: to.person.staticKeys.publicKey, anonymous: false, ...options }, this.net.now);
    this.drain();
    return id;
  }

  send(sessionId: SessionId, frame: Uint8Array): boolean {
    const sent = this.sessions.send(sessionId, frame, this.net.now);
    this.drain();
    return sent;
  }

  /** Does something with the sessions at the present instant and lets the results out. */
  act(change: (sessions: Sessions, now: Instant) => void): void {
    change(this.sessions, this.net.now);
    this.drain();
  }

  /** Hands over a datagram without the network between, as if it had just come. */
  receive(from: SocketAddress, datagram: Uint8Array): void {
    if (this.isDown) return;
    const key = socketAddressKey(from);
    this.receivedFrom.set(key, (this.receivedFrom.get(key) ?? 0) + datagram.length);
    this.sessions.handleDatagram(from, datagram, this.net.now);
    this.drain();
  }

  /** The process died without a goodbye and another one started with the same keys and reset secret. */
  restart(change: Partial<SessionConfiguration> = {}): void {
    this.configuration = { ...this.configuration, bootId: this.configuration.random(8), ...change };
    this.sessions = new SessionTable(this.configuration);
    this.isDown = false;
  }

  of<K extends Event['kind']>(kind: K): Extract<Event, { kind: K }>[] {
    return this.events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind);
  }

  get frames(): string[] { return this.of('frame').map((event) => new TextDecoder().decode(event.frame.subarray(event.frame[0] === 1 ? requestHeaderBytes : responseHeaderBytes))); }
  /** Sessions that were announced here and have not been closed. */
  get live(): SessionView[] {
    const ids = new Set(this.of('established').map((event) => event.session.id));
    return [...ids].map((id) => this.sessions.view(id)).filter((view) => view !== undefined);
  }

  /** The one live session. */
  get only(): SessionView {
    const [session, second] = this.live;
    if (session === undefined || second !== undefined) throw new Error(`${this.name} has ${String(this.live.length)} sessions`);
    return session;
  }

  drops(): Record<string, number> { return Object.fromEntries(Object.entries(this.sessions.dropCounters).filter(([, count]) => count > 0)); }

  drain(): void {
    for (let output = this.sessions.pollOutput(); output !== undefined; output = this.sessions.pollOutput()) {
      if (output.kind !== 'transmit') { this.events.push({ ...output, atMs: this.net.ms }); continue; }
      const key = socketAddressKey(output.to);
      this.sentTo.set(key, (this.sentTo.get(key) ?? 0) + output.datagram.length);
      this.net.transmit(this.address, output.to, output.datagram.slice());
      // As a host does when the kernel has taken it: the next datagram is written there.
      this.sessions.recycle(output.datagram);
    }
  }
}

export class Net {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly nodes: Node[] = [];
  /** Everything that was sent, before the hook. */
  readonly log: Packet[] = [];
  hook: Hook | undefined;
  latency: () => number = () => latencyMs;
  keepLog = true;
  ms = 1_000;
  readonly #queue: Queued[] = [];
  #order = 0;

  constructor(seed = 1, crypto: Crypto = nobleCrypto) {
    this.crypto = crypto;
    this.random = seededRandom(seed);
  }

  get now(): Instant { return { monotonicMs: this.ms, wallMs: wallStartMs + this.ms }; }

  add(name: string, change: Partial<SessionConfiguration> & { readonly person?: Person } = {}): Node {
    const { person = createPerson(this.nodes.length + 1, this.crypto), ...rest } = change;
    const address = { host: `10.0.0.${String(this.nodes.length + 1)}`, port: 4_000 };
    const node = new Node(this, name, person, address, {
      crypto: this.crypto, random: this.random, staticKeys: person.staticKeys, certificate: person.certificate, capabilities: [`is.${name}`], bootId: this.random(8),
      resetSecret: person.resetSecret, listening: true, ...rest,
    });
    this.nodes.push(node);
    return node;
  }

  transmit(from: SocketAddress, to: SocketAddress, datagram: Uint8Array): void {
    const packet: Packet = { from, to, datagram, atMs: this.ms, type: datagram[0] ?? -1 };
    if (this.keepLog) this.log.push(packet);
    const fates = this.hook?.(packet) ?? [{}];
    for (const fate of fates) this.inject(fate.from ?? from, fate.to ?? to, fate.datagram ?? datagram, (fate.delayMs ?? 0) + this.latency());
  }

  /** Puts a datagram on the way, past the hook. */
  inject(from: SocketAddress, to: SocketAddress, datagram: Uint8Array, afterMs = 0): void {
    // Each delivery is memory of its own: a receiver decrypts a datagram where it lies.
    this.#queue.push({ atMs: this.ms + afterMs, order: this.#order, from, to, datagram: datagram.slice() });
    this.#order += 1;
  }

  /** Lets so much time pass. */
  run(durationMs: number): void {
    const endMs = this.ms + durationMs;
    for (let steps = 0; ; steps += 1) {
      if (steps > stepsMaximum) throw new Error('the network does not come to rest');
      const packet = this.#earliest();
      const timers = this.nodes.filter((node) => !node.isDown).map((node) => ({ node, atMs: node.sessions.pollTimeout()?.atMs ?? Number.POSITIVE_INFINITY }));
      const timer = timers.reduce<typeof timers[number] | undefined>((best, one) => (best === undefined || one.atMs < best.atMs ? one : best), undefined);
      const nextMs = Math.min(packet?.atMs ?? Number.POSITIVE_INFINITY, timer?.atMs ?? Number.POSITIVE_INFINITY);
      if (nextMs > endMs) break;
      this.ms = Math.max(this.ms, nextMs);
      if (packet !== undefined && packet.atMs <= nextMs) {
        this.#queue.splice(this.#queue.indexOf(packet), 1);
        this.nodes.find((node) => socketAddressKey(node.address) === socketAddressKey(packet.to))?.receive(packet.from, packet.datagram);
      } else if (timer !== undefined) {
        timer.node.sessions.handleTimeout(this.now);
        timer.node.drain();
      }
    }
    this.ms = endMs;
  }

  #earliest(): Queued | undefined {
    let best: Queued | undefined;
    for (const one of this.#queue) if (best === undefined || one.atMs < best.atMs || (one.atMs === best.atMs && one.order < best.order)) best = one;
    return best;
  }
}

/** A frame for the layers above: a request with a verb that the session core does not answer, and a text. */
export function textFrame(text: string, random: RandomBytes): Uint8Array {
  const body = new TextEncoder().encode(text);
  const frame = new Uint8Array(18 + body.length);
  frame.set([1, 14]);
  frame.set(random(16), 2);
  frame.set(body, 18);
  return frame;
}

/** A whole, final answer with a text: nothing is expected back. */
export function answerFrame(text: string, random: RandomBytes): Uint8Array {
  return encodeResponse(random(16), 0, true, new TextEncoder().encode(text));
}

/** A visor that dials and a relay that listens. */
export interface Pair { readonly net: Net; readonly visor: Node; readonly relay: Node }

export function createPair(seed = 1, crypto: Crypto = nobleCrypto, change: { readonly visor?: Partial<SessionConfiguration>; readonly relay?: Partial<SessionConfiguration> } = {}): Pair {
  const net = new Net(seed, crypto);
  return { net, visor: net.add('visor', { listening: false, ...change.visor }), relay: net.add('relay', change.relay) };
}

/** A pair with a session that stands and is at rest. */
export function connectedPair(seed = 1, crypto: Crypto = nobleCrypto, options: Partial<DialOptions> = {}): Pair & { readonly id: SessionId } {
  const pair = createPair(seed, crypto);
  const id = pair.visor.dial(pair.relay, options);
  pair.net.run(500);
  return { ...pair, id };
}
