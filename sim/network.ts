/**
 * UDP between machines as bad as it gets: datagrams are lost, late, reordered, doubled, too big for the path, cut off in one or both
 * directions, changed or replayed by strangers, and machines get new addresses while packets to the old ones are still under way.
 */
import { socketAddressKey, type SocketAddress } from '../src/main/engine/wire/types.ts';
import type { EventQueue } from './clock.ts';
import type { SeededRandom } from './random.ts';
import type { Trace } from './trace.ts';

export interface Conditions {
  /** Probability that a datagram is lost. */
  readonly loss: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Probability that a datagram is late by up to `lateMs`: what reorders. */
  readonly late: number;
  readonly lateMs: number;
  readonly duplicate: number;
  /** Larger datagrams vanish; undefined = no limit that matters. */
  readonly mtuBytes: number | undefined;
}

export const calm: Conditions = { loss: 0, delayMs: 8, jitterMs: 4, late: 0, lateMs: 0, duplicate: 0, mtuBytes: undefined };

export interface Endpoint {
  readonly name: string;
  receive(from: SocketAddress, datagram: Uint8Array): void;
}

interface Seen { readonly from: SocketAddress; readonly to: SocketAddress; readonly datagram: Uint8Array }

/** Datagrams that an observer remembers, to replay and change them. */
const rememberedMaximum = 48;
const spoofedHost = '203.0.113.66';

export class Network {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #tap: (from: string, to: string, datagram: Uint8Array) => void;
  readonly #byAddress = new Map<string, Endpoint>();
  readonly #addressOf = new Map<string, SocketAddress>();
  readonly #cuts = new Map<string, number>();
  readonly #remembered: Seen[] = [];
  conditions: Conditions = calm;
  readonly counters = { sent: 0, lost: 0, cut: 0, delivered: 0, injected: 0, sentBytes: 0 };

  constructor(queue: EventQueue, random: SeededRandom, trace: Trace, tap: (from: string, to: string, datagram: Uint8Array) => void) {
    this.#queue = queue;
    this.#random = random;
    this.#trace = trace;
    this.#tap = tap;
  }

  addressOf(name: string): SocketAddress | undefined { return this.#addressOf.get(name); }

  /** Gives the machine that address; its former one is dead from now on. */
  attach(endpoint: Endpoint, address: SocketAddress): void {
    const former = this.#addressOf.get(endpoint.name);
    if (former !== undefined) this.#byAddress.delete(socketAddressKey(former));
    this.#addressOf.set(endpoint.name, address);
    this.#byAddress.set(socketAddressKey(address), endpoint);
  }

  /** Nothing passes from one to the other until `heal`; cuts are counted, so overlapping ones do not heal each other. */
  cut(from: string, to: string): void {
    const key = `${from}>${to}`;
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
  }

  heal(from: string, to: string): void {
    const key = `${from}>${to}`;
    const count = (this.#cuts.get(key) ?? 0) - 1;
    if (count > 0) this.#cuts.set(key, count);
    else this.#cuts.delete(key);
  }

  healAll(): void { this.#cuts.clear(); }

  send(from: string, to: SocketAddress, datagram: Uint8Array): void {
    const source = this.#addressOf.get(from);
    if (source === undefined) return;
    const target = this.#byAddress.get(socketAddressKey(to))?.name ?? 'nobody';
    this.counters.sent += 1;
    this.counters.sentBytes += datagram.length;
    this.#tap(from, target, datagram);
    this.#trace.line(from, `> ${target} ${describe(datagram)}`);
    this.#remember({ from: source, to, datagram });
    if (this.#cuts.has(`${from}>${target}`)) { this.counters.cut += 1; return; }
    const { loss, duplicate, mtuBytes } = this.conditions;
    const copies = this.#random.chance(duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.#random.chance(loss) || (mtuBytes !== undefined && datagram.length > mtuBytes)) { this.counters.lost += 1; continue; }
      this.#deliver(source, to, datagram);
    }
  }

  /** A stranger's work: a datagram seen before, changed, cut, from elsewhere, or plain noise. */
  inject(): void {
    const seen = this.#random.pick(this.#remembered);
    if (seen === undefined) return;
    this.counters.injected += 1;
    const from = this.#random.chance(0.5) ? seen.from : { host: spoofedHost, port: this.#random.integer(1, 65_535) };
    const kind = this.#random.integer(0, 4);
    let bytes: Uint8Array = seen.datagram.slice();
    if (kind === 0) bytes = this.#random.bytes(this.#random.integer(0, 1_200));
    else if (kind === 1) {
      const flips = this.#random.integer(1, 4);
      for (let flip = 0; flip < flips && bytes.length > 0; flip += 1) {
        const at = this.#random.integer(0, bytes.length - 1);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random.integer(0, 7));
      }
    } else if (kind === 2) bytes = bytes.slice(0, this.#random.integer(0, bytes.length));
    else if (kind === 3 && bytes.length > 0) bytes[0] = this.#random.integer(0, 8);
    this.#trace.line('stranger', `> ${seen.to.host} ${describe(bytes)}`);
    this.#deliver(from, seen.to, bytes);
  }

  #deliver(from: SocketAddress, to: SocketAddress, datagram: Uint8Array): void {
    const { delayMs, jitterMs, late, lateMs } = this.conditions;
    const delay = delayMs + this.#random.fraction() * jitterMs + (this.#random.chance(late) ? this.#random.fraction() * lateMs : 0);
    // A copy each: no machine may change what another still holds.
    const copy = datagram.slice();
    this.#queue.after(delay, () => {
      const endpoint = this.#byAddress.get(socketAddressKey(to));
      if (endpoint === undefined) return;
      this.counters.delivered += 1;
      endpoint.receive(from, copy);
    });
  }

  #remember(seen: Seen): void {
    if (this.#remembered.length < rememberedMaximum) this.#remembered.push(seen);
    else if (this.#random.chance(0.1)) this.#remembered[this.#random.integer(0, rememberedMaximum - 1)] = seen;
  }
}

/** Type, size and a few bytes: enough to tell two runs apart. */
function describe(datagram: Uint8Array): string {
  let sum = 0;
  for (let index = 0; index < datagram.length; index += 1) sum = (Math.imul(sum, 31) + (datagram[index] ?? 0)) >>> 0;
  return `type ${String(datagram[0] ?? 0)}, ${String(datagram.length)} bytes, ${sum.toString(16)}`;
}
