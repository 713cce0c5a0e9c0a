/**
 * What happens when a relay that thousands are connected to is started anew: when they come back, and how many at a time. Real session cores on both sides in simulated time,
 * with latencies between 10 and 60 ms and the limits that a relay has. Nothing is measured in real time, so the figures are the same on every machine.
 */
import { createSessions } from '../src/main/engine/session/sessions.ts';
import { crypto, newPerson, type Person } from './endpoint.ts';
import { seededRandom } from '../src/main/engine/session/testing.ts';
import type { SessionConfiguration, SessionLimits, Sessions } from '../src/main/engine/session/types.ts';
import type { Instant, SocketAddress } from '../src/main/engine/wire/types.ts';
import type { Figure } from './run.ts';

const relayAddress: SocketAddress = { host: '192.0.2.1', port: 7_400 };
const wallStartMs = Date.now();
const latencyMinimumMs = 10;
const latencySpreadMs = 50;
export const binMs = 100;
const handshake1Type = 1;
const cookieType = 5;
/** While all connect for the first time: that is not what is looked at. */
const unlimited: SessionLimits = { sessions: 100_000, pendingHandshakes: 100_000, cookieThresholdPerSecond: 1_000_000, certificateChecksPerSecond: 1_000_000 };

export interface RestartOptions {
  readonly clients: number;
  /** Goodbye first, or a crash. */
  readonly ending: 'goodbye' | 'crash';
  readonly downMs: number;
  readonly limits?: Partial<SessionLimits>;
  readonly learnedPauseMs?: number;
}

export interface RestartOutcome {
  /** From when the relay is there again until the last one has a session. */
  readonly allBackMs: number;
  readonly halfBackMs: number;
  /** Of the first handshake of each after that, the largest share in 100 ms. */
  readonly largestBinShare: number;
  /** Handshakes that each client sent, those repeated with a cookie and those while it was down too. */
  readonly handshakesPerClient: number;
  readonly cookies: number;
  readonly budgetDrops: number;
}

interface Client { readonly sessions: Sessions; readonly address: SocketAddress; armedMs: number }
interface Due { readonly atMs: number; readonly order: number; readonly run: () => void }

/** Earliest first. */
class Agenda {
  readonly #heap: Due[] = [];
  #order = 0;

  add(atMs: number, run: () => void): void {
    this.#order += 1;
    const heap = this.#heap;
    heap.push({ atMs, order: this.#order, run });
    for (let at = heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, parent)) return;
      at = parent;
    }
  }

  get nextMs(): number { return this.#heap[0]?.atMs ?? Infinity; }

  take(): Due | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const child = right < heap.length && this.#isEarlier(right, left) ? right : left;
      if (child >= heap.length || !this.#swapIfEarlier(child, at)) return top;
      at = child;
    }
  }

  #isEarlier(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    return one !== undefined && (other === undefined || one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order));
  }

  #swapIfEarlier(at: number, parent: number): boolean {
    const [one, other] = [this.#heap[at], this.#heap[parent]];
    if (one === undefined || other === undefined || !this.#isEarlier(at, parent)) return false;
    this.#heap[parent] = one;
    this.#heap[at] = other;
    return true;
  }
}

class Crowd {
  readonly #random = seededRandom(7);
  readonly #person = newPerson();
  readonly #resetSecret = seededRandom(8)(32);
  readonly #agenda = new Agenda();
  readonly #clients: Client[] = [];
  readonly #byAddress = new Map<string, Client>();
  readonly #options: RestartOptions;
  #relay: Sessions;
  #isDown = false;
  #relayArmedMs = Infinity;
  #ms = 1_000;
  #upMs = Infinity;
  cookies = 0;
  handshakes = 0;
  readonly firstMs = new Map<string, number>();

  constructor(options: RestartOptions) {
    this.#options = options;
    this.#relay = this.#newRelay(unlimited);
    for (let index = 0; index < options.clients; index += 1) this.#addClient(newPerson(), index);
  }

  get relay(): Sessions { return this.#relay; }
  get #now(): Instant { return { monotonicMs: this.#ms, wallMs: wallStartMs + this.#ms }; }
  get connected(): number { return this.#relay.establishedCount; }

  run(untilMs: number, isOver: () => boolean = () => false): void {
    while (this.#agenda.nextMs <= untilMs && !isOver()) {
      const due = this.#agenda.take();
      if (due === undefined) break;
      this.#ms = Math.max(this.#ms, due.atMs);
      due.run();
    }
    if (!isOver()) this.#ms = untilMs;
  }

  get ms(): number { return this.#ms; }

  stopRelay(): void {
    if (this.#options.ending === 'goodbye') this.#relay.closeAll(this.#now);
    this.#drainRelay();
    this.#isDown = true;
    this.handshakes = 0;
  }

  startRelay(): void {
    this.#relay = this.#newRelay(this.#options.limits);
    this.#isDown = false;
    this.#relayArmedMs = Infinity;
    this.#upMs = this.#ms;
  }

  #newRelay(limits: Partial<SessionLimits> | undefined): Sessions {
    return createSessions(this.#configuration(this.#person, { listening: true, resetSecret: this.#resetSecret, capabilities: ['beat'], ...(limits === undefined ? {} : { limits }) }));
  }

  #configuration(person: Person, change: Partial<SessionConfiguration>): SessionConfiguration {
    return { crypto, random: this.#random, staticKeys: person.staticKeys, certificate: person.certificate.bytes, capabilities: [], bootId: this.#random(8), resetSecret: this.#random(32), listening: false, ...change };
  }

  #addClient(person: Person, index: number): void {
    const { learnedPauseMs } = this.#options;
    const address = { host: `10.${String(index >> 16)}.${String((index >> 8) & 255)}.${String(index & 255)}`, port: 4_000 };
    const client: Client = { sessions: createSessions(this.#configuration(person, learnedPauseMs === undefined ? {} : { learnedPauseMs: () => learnedPauseMs })), address, armedMs: Infinity };
    this.#clients.push(client);
    this.#byAddress.set(address.host, client);
    this.#agenda.add(this.#ms + index % 30_000, () => {
      client.sessions.dial({ address: relayAddress, identity: this.#person.publicKey, remoteStatic: this.#person.staticKeys.publicKey, anonymous: false }, this.#now);
      this.#drainClient(client);
    });
  }

  get #latencyMs(): number { return latencyMinimumMs + (this.#random(1)[0] ?? 0) / 256 * latencySpreadMs; }

  #drainClient(client: Client): void {
    for (let output = client.sessions.pollOutput(); output !== undefined; output = client.sessions.pollOutput()) {
      if (output.kind !== 'transmit') continue;
      const datagram = output.datagram.slice();
      client.sessions.recycle(output.datagram);
      if (datagram[0] === handshake1Type) this.handshakes += 1;
      this.#agenda.add(this.#ms + this.#latencyMs, () => { this.#toRelay(client, datagram); });
    }
    const atMs = client.sessions.pollTimeout()?.atMs ?? Infinity;
    if (atMs >= client.armedMs) return;
    client.armedMs = atMs;
    this.#agenda.add(atMs, () => { this.#wake(client, atMs); });
  }

  #wake(client: Client, atMs: number): void {
    if (client.armedMs !== atMs) return;
    client.armedMs = Infinity;
    client.sessions.handleTimeout(this.#now);
    this.#drainClient(client);
  }

  #toRelay(client: Client, datagram: Uint8Array): void {
    if (this.#isDown) return;
    if (datagram[0] === handshake1Type && this.#ms >= this.#upMs && !this.firstMs.has(client.address.host)) this.firstMs.set(client.address.host, this.#ms - this.#upMs);
    this.#relay.handleDatagram(client.address, datagram, this.#now);
    this.#drainRelay();
  }

  #drainRelay(): void {
    for (let output = this.#relay.pollOutput(); output !== undefined; output = this.#relay.pollOutput()) {
      if (output.kind !== 'transmit') continue;
      const client = this.#byAddress.get(output.to.host);
      const datagram = output.datagram.slice();
      this.#relay.recycle(output.datagram);
      if (datagram[0] === cookieType) this.cookies += 1;
      if (client !== undefined) this.#agenda.add(this.#ms + this.#latencyMs, () => { client.sessions.handleDatagram(relayAddress, datagram, this.#now); this.#drainClient(client); });
    }
    const atMs = this.#relay.pollTimeout()?.atMs ?? Infinity;
    if (atMs >= this.#relayArmedMs) return;
    this.#relayArmedMs = atMs;
    const relay = this.#relay;
    this.#agenda.add(atMs, () => {
      if (relay !== this.#relay || this.#isDown || this.#relayArmedMs !== atMs) return;
      this.#relayArmedMs = Infinity;
      relay.handleTimeout(this.#now);
      this.#drainRelay();
    });
  }
}

/** All connect, are quiet for a minute, lose their relay, and come back. @throws Error when not all come. */
export function restartRelay(options: RestartOptions): RestartOutcome {
  const crowd = new Crowd(options);
  crowd.run(100_000);
  if (crowd.connected !== options.clients) throw new Error(`only ${String(crowd.connected)} of ${String(options.clients)} were connected at first`);
  crowd.stopRelay();
  crowd.run(100_000 + options.downMs);
  crowd.startRelay();
  const upMs = crowd.ms;
  let halfBackMs = Infinity;
  crowd.run(upMs + 600_000, () => {
    if (crowd.connected >= options.clients / 2) halfBackMs = Math.min(halfBackMs, crowd.ms - upMs);
    return crowd.connected === options.clients;
  });
  if (crowd.connected !== options.clients) throw new Error(`only ${String(crowd.connected)} of ${String(options.clients)} came back within ten minutes`);
  const bins = new Map<number, number>();
  for (const ms of crowd.firstMs.values()) bins.set(Math.floor(ms / binMs), (bins.get(Math.floor(ms / binMs)) ?? 0) + 1);
  return {
    allBackMs: crowd.ms - upMs, halfBackMs, largestBinShare: Math.max(...bins.values()) / options.clients, handshakesPerClient: crowd.handshakes / options.clients,
    cookies: crowd.cookies, budgetDrops: crowd.relay.dropCounters['certificate-budget'],
  };
}

export function relayRestart(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [name, options] of [
    ['after a goodbye', { clients: 10_000, ending: 'goodbye', downMs: 2_000 }], ['after a crash', { clients: 10_000, ending: 'crash', downMs: 2_000 }],
  ] as const satisfies readonly (readonly [string, RestartOptions])[]) {
    const outcome = restartRelay(options);
    figures.push(
      { name: `10,000 clients ${name}: all are back after`, value: outcome.allBackMs / 1_000, unit: 's of simulated time', aim: 'under 90' },
      { name: `10,000 clients ${name}: most handshakes that first come in 100 ms`, value: outcome.largestBinShare * 100, unit: '%', aim: 'under 5' },
      { name: `10,000 clients ${name}: handshakes sent for each, those with cookies too`, value: outcome.handshakesPerClient, unit: '', aim: 'under 25' },
    );
  }
  return Promise.resolve(figures);
}
