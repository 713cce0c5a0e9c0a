/**
 * A bad link between visors and their relay: UDP through this process, with a lane for each visor by the port it sends from. A lane loses datagrams
 * by a seed, delays them, has a rate and a queue, cuts off what is too long for it, can be cut, and can change the address that the relay sees.
 * What crosses it is counted, so that work done twice shows.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { platform } from 'node:os';
import type { SeededRandom } from '../../sim/random.ts';

const host = '127.0.0.1';
/** All of 127.0.0.0/8 is this machine on Linux; elsewhere another port has to do. */
const otherHost = platform() === 'linux' ? '127.0.0.2' : host;
const bufferBytes = 4 * 1_048_576;
/** What waits for a link longer than that is dropped, as routers do. */
const queueMaximumMs = 100;

export interface Impairment {
  /** Share of the datagrams that is lost, each way. */
  readonly loss: number;
  readonly delayMs: number;
  /** Each way; undefined: without limit. */
  readonly bitsPerSecond: number | undefined;
  /** Longer datagrams do not pass. */
  readonly datagramMaximumBytes: number;
}

export interface Crossed { datagrams: number; bytes: number; lost: number; tooLong: number; queueFull: number; whileCut: number }

/** One way of a lane. */
export class Way {
  readonly crossed: Crossed = { datagrams: 0, bytes: 0, lost: 0, tooLong: 0, queueFull: 0, whileCut: 0 };
  readonly #impairment: Impairment;
  readonly #random: SeededRandom;
  readonly #send: (datagram: Uint8Array) => void;
  readonly #queue: { readonly dueMs: number; readonly datagram: Uint8Array }[] = [];
  #head = 0;
  #freeAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(impairment: Impairment, random: SeededRandom, send: (datagram: Uint8Array) => void) {
    this.#impairment = impairment;
    this.#random = random;
    this.#send = send;
  }

  take(datagram: Uint8Array, isCut: boolean): void {
    const { loss, delayMs, bitsPerSecond, datagramMaximumBytes } = this.#impairment;
    if (isCut) { this.crossed.whileCut += 1; return; }
    if (datagram.length > datagramMaximumBytes) { this.crossed.tooLong += 1; return; }
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs);
    if (this.#freeAtMs - nowMs > queueMaximumMs) { this.crossed.queueFull += 1; return; }
    if (bitsPerSecond !== undefined) this.#freeAtMs += datagram.length * 8_000 / bitsPerSecond;
    this.crossed.datagrams += 1;
    this.crossed.bytes += datagram.length;
    // Lost behind the queue: it took its time on the link all the same.
    if (this.#random.chance(loss)) { this.crossed.lost += 1; return; }
    this.#queue.push({ dueMs: this.#freeAtMs + delayMs, datagram });
    this.#arm(nowMs);
  }

  close(): void { clearTimeout(this.#timer); }

  #arm(nowMs: number): void {
    const next = this.#queue[this.#head];
    if (next === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#drain();
    }, Math.max(1, next.dueMs - nowMs));
  }

  #drain(): void {
    const nowMs = performance.now();
    for (let next = this.#queue[this.#head]; next !== undefined && next.dueMs <= nowMs; next = this.#queue[this.#head]) {
      this.#head += 1;
      this.#send(next.datagram);
    }
    if (this.#head > 1_024 || this.#head === this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    this.#arm(nowMs);
  }
}

export class Lane {
  readonly visorPort: number;
  readonly up: Way;
  readonly down: Way;
  readonly #relayPort: number;
  #socket: Socket;
  /** Addresses that the visor had: what still comes there is lost. */
  readonly #left: Socket[] = [];
  #isCut = false;

  constructor(visorPort: number, relayPort: number, impairment: Impairment, random: SeededRandom, toVisor: (datagram: Uint8Array) => void) {
    this.visorPort = visorPort;
    this.#relayPort = relayPort;
    this.up = new Way(impairment, random.fork('up'), (datagram) => { this.#socket.send(datagram, this.#relayPort, host); });
    this.down = new Way(impairment, random.fork('down'), toVisor);
    this.#socket = this.#open(host);
  }

  takeUp(datagram: Uint8Array): void { this.up.take(datagram, this.#isCut); }

  set isCut(isCut: boolean) { this.#isCut = isCut; }

  /** From now on the relay sees this visor come from somewhere else, and what it sends to the old place is lost. */
  changeAddress(): void {
    this.#left.push(this.#socket);
    this.#socket = this.#open(otherHost);
  }

  close(): void {
    for (const way of [this.up, this.down]) way.close();
    for (const socket of [this.#socket, ...this.#left]) socket.close();
  }

  #open(own: string): Socket {
    const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes, sendBufferSize: bufferBytes, lookup: literal });
    socket.bind(0, own);
    socket.on('message', (bytes) => { if (socket === this.#socket) this.down.take(bytes, this.#isCut); });
    return socket;
  }
}

const literal = (name: string, _options: unknown, callback: (error: null, address: string, family: number) => void): void => { callback(null, name, 4); };

export class ImpairedProxy {
  readonly #front = createSocket({ type: 'udp4', recvBufferSize: bufferBytes, sendBufferSize: bufferBytes, lookup: literal });
  readonly #impairment: Impairment;
  readonly #random: SeededRandom;
  readonly #lanes = new Map<number, Lane>();

  constructor(impairment: Impairment, random: SeededRandom) {
    this.#impairment = impairment;
    this.#random = random;
  }

  /** The port that visors take for the relay's. */
  async listen(): Promise<number> {
    this.#front.on('message', (bytes, from) => { this.#lanes.get(from.port)?.takeUp(bytes); });
    // Nothing has to be looked up: it listens before `bind` returns.
    const listening = once(this.#front, 'listening');
    this.#front.bind(0, host);
    await listening;
    return this.#front.address().port;
  }

  /** For the visor that sends from this port; others are not let through. */
  lane(visorPort: number, relayPort: number): Lane {
    const lane = new Lane(visorPort, relayPort, this.#impairment, this.#random.fork(`lane ${this.#lanes.size}`), (datagram) => { this.#front.send(datagram, visorPort, host); });
    this.#lanes.set(visorPort, lane);
    return lane;
  }

  close(): void {
    this.#front.close();
    for (const lane of this.#lanes.values()) lane.close();
  }
}

/** A port that was free a moment ago, for a process that is to have the same one each time it is started. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
