/**
 * Relays' and a visor's sides of observing on a wire without engines: each side at its addresses, sessions reduced to the answer of one
 * verb, the network to a list that a test may change. For tests only.
 */
import { nobleCrypto } from '../noble-crypto.ts';
import { seededRandom } from '../session/testing.ts';
import { decodeObserve } from './observe-codec.ts';
import { Observer } from './observer.ts';
import { observeCapability, Observing } from './observing.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { Instant, Negative, SocketAddress } from '../wire/types.ts';
import { isGuessSocket } from '../wire/types.ts';
import type { EngineSocket, NetworkAnswer, NetworkCheck, NetworkRequest, OwnRelay, PrepareOutcome, SpareSocket } from './observation-port.ts';
import type { ConnectedRelay } from './observing.ts';
import type { Observation } from './types.ts';

export interface Sent { readonly from: SocketAddress; readonly to: SocketAddress; readonly datagram: Uint8Array }
const wallStartMs = 1_800_000_000_000;
export const secondPort = 7_401;
const mainPort = 7_400;

/** Hears and does nothing else. */
export class ListeningCheck implements NetworkCheck {
  readonly observations: Observation[] = [];
  readonly bindings: [SpareSocket, number | undefined][] = [];
  readonly changes: string[] = [];
  readonly marks: SpareSocket[] = [];
  readonly answers: NetworkAnswer[] = [];
  readonly last = undefined;
  observed(observation: Observation): void { this.observations.push(observation); }
  bound(socket: SpareSocket, port: number | undefined): void { this.bindings.push([socket, port]); }
  marked(at: SpareSocket): void { this.marks.push(at); }
  answered(answer: NetworkAnswer): void { this.answers.push(answer); }
  run(): void { /* a test asks itself */ }
  relaysChanged(): void { this.changes.push('relays'); }
  networkChanged(): void { this.changes.push('network'); }
  handleTimeout(): void { /* it waits for nothing */ }
  pollTimeout(): undefined { return undefined; }
}

export class TestRelay {
  readonly world: TestPaths;
  readonly host: string;
  readonly observer: Observer;
  readonly counters = new Map<string, number>();
  /** Where sessions are seen, by id. */
  readonly sessions = new Map<number, SocketAddress>();
  capabilities: readonly string[] = [observeCapability];

  constructor(world: TestPaths, host: string, seed: number) {
    this.world = world;
    this.host = host;
    this.observer = new Observer({
      crypto: nobleCrypto, random: seededRandom(seed), addressOf: (sessionId) => this.sessions.get(sessionId),
      transmit: (via, to, datagram) => { world.wire.push({ from: this.addressOf(via), to, datagram }); },
      count: (counter) => { this.counters.set(counter, (this.counters.get(counter) ?? 0) + 1); },
    }, secondPort);
  }

  get address(): SocketAddress { return this.addressOf('main'); }
  addressOf(via: EngineSocket): SocketAddress { return { host: this.host, port: via === 'second' ? secondPort : mainPort }; }
  count(counter: string): number { return this.counters.get(counter) ?? 0; }

  receive(to: SocketAddress, from: SocketAddress, datagram: Uint8Array): void {
    const decoded = decodeObserve(datagram);
    const via = to.port === secondPort ? 'second' : 'main';
    if (decoded?.type === 'probe') this.observer.probe(via, from, decoded, this.world.now);
    else if (decoded?.type === 'request') this.observer.request(via, from, decoded, this.world.now);
  }

  /** The answer to `observe` in that session: the ticket's bytes, or why there is none. */
  ticket(sessionId: number): Uint8Array | Negative {
    let result: Uint8Array | Negative = { code: 'gone', retryAfterSeconds: 0, detail: 0 };
    this.observer.ticketWanted(sessionId, { respond: (payload) => { result = payload; }, respondMany: () => undefined, refuse: (negative) => { result = negative; } }, this.world.now);
    return result;
  }
}

export class TestPaths {
  ms = 1_000;
  readonly wire: Sent[] = [];
  /** All that was ever on the wire. */
  readonly log: Sent[] = [];
  readonly relays: TestRelay[] = [];
  readonly check = new ListeningCheck();
  readonly observing: Observing;
  readonly counters = new Map<string, number>();
  readonly asks: string[] = [];
  readonly requests: NetworkRequest[] = [];
  reports = 0;
  isSparing = false;
  /** What outlasts a restart. */
  readonly values = new Map<string, string>();
  /** Known, and not connected. */
  readonly absent: OwnRelay[] = [];
  /** Where the visor's sockets are seen from: 203.0.113.5 and the port given here. */
  readonly ports = new Map<EngineSocket, number>([['main', 40_000]]);
  /** What becomes of a datagram; an empty list drops it. */
  hook: (sent: Sent) => readonly Sent[] = (sent) => [sent];
  /** How the visor's requests end instead. */
  outcome: RequestOutcome | undefined;
  /** Requests wait until `answerRequests`. */
  holdRequests = false;
  readonly #held: (() => void)[] = [];

  constructor() {
    this.observing = new Observing({
      crypto: nobleCrypto, random: seededRandom(99),
      request: (sessionId, body, options) => {
        this.asks.push(body.verb);
        const answer = (): void => { options.done(this.outcome ?? this.#outcomeOf(sessionId), this.now); };
        if (this.holdRequests) this.#held.push(answer);
        else answer();
      },
      relays: () => this.relays.map((relay, index): ConnectedRelay => ({ relay: relay.host, sessionId: index, address: relay.address, capabilities: relay.capabilities })),
      ownRelays: () => [...this.relays.map(({ host, address }): OwnRelay => ({ relay: host, name: host, address, isConnected: true, roundTripMs: 30 })), ...this.absent],
      ask: (request) => { this.requests.push(request); },
      reported: () => { this.reports += 1; },
      isSparing: () => this.isSparing,
      recall: (key) => this.values.get(key),
      remember: (key, value) => { this.values.set(key, value); },
      transmit: (via, to, datagram) => { this.wire.push({ from: this.visorAddress(via), to, datagram }); },
      bind: (socket) => { this.asks.push(`bind ${socket}`); },
      unbind: (socket) => { this.asks.push(`unbind ${socket}`); },
      count: (counter) => { this.counters.set(counter, (this.counters.get(counter) ?? 0) + 1); },
    });
    this.observing.check = this.check;
  }

  get now(): Instant { return { monotonicMs: this.ms, wallMs: wallStartMs + this.ms }; }
  count(counter: string): number { return this.counters.get(counter) ?? 0; }
  visorAddress(socket: EngineSocket): SocketAddress { return { host: '203.0.113.5', port: this.ports.get(socket) ?? 1 }; }

  relay(host: string): TestRelay {
    const relay = new TestRelay(this, host, this.relays.length + 1);
    relay.sessions.set(this.relays.length, this.visorAddress('main'));
    this.relays.push(relay);
    return relay;
  }

  answerRequests(): void { for (const answer of this.#held.splice(0)) answer(); }

  prepare(relay: TestRelay, probes = 1): PrepareOutcome {
    let result: PrepareOutcome | undefined;
    this.observing.prepare(relay.host, probes, this.now, (outcome) => { result = outcome; });
    if (result === undefined) throw new Error('not prepared at once');
    return result;
  }

  spare(port: number): SpareSocket {
    const socket = this.observing.bindSpare();
    if (socket === undefined) throw new Error('no more sockets');
    this.ports.set(socket, port);
    this.observing.handleBound(socket, port, this.now);
    return socket;
  }

  /** Delivers until nothing is on the way. */
  run(): void {
    for (let sent = this.wire.shift(); sent !== undefined; sent = this.wire.shift()) {
      this.log.push(sent);
      for (const { from, to, datagram } of this.hook(sent)) this.deliver(from, to, datagram);
    }
  }

  deliver(from: SocketAddress, to: SocketAddress, datagram: Uint8Array): void {
    const relay = this.relays.find(({ host }) => host === to.host);
    if (relay !== undefined) { relay.receive(to, from, datagram); return; }
    for (const [socket, port] of this.ports) {
      const decoded = to.port === port && to.host === this.visorAddress(socket).host ? decodeObserve(datagram) : undefined;
      if (socket === 'second' || isGuessSocket(socket)) continue;
      if (decoded?.type === 'mark') this.observing.markArrived(socket, decoded.nonce, this.now);
      if (decoded?.type === 'pass-answer') this.observing.passAnswer(socket, from, decoded, this.now);
      if (decoded?.type === 'answer' || decoded?.type === 'passed-answer') this.observing.answer(socket, from, decoded, this.now);
    }
  }

  #outcomeOf(index: number): RequestOutcome {
    const result = this.relays[index]?.ticket(index);
    if (result === undefined) return { kind: 'timed-out' };
    return result instanceof Uint8Array ? { kind: 'answered', payloads: [result] } : { kind: 'negative', negative: result };
  }
}
