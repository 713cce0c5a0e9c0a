/**
 * Connections to relays over TCP, for networks that let no UDP pass. The engine sends to a place (`tcp/` address); the connection is made with the first datagram, and ends when nothing has
 * been sent for a while. One that breaks is made anew with the next datagram, after a pause that grows while it keeps breaking; the engine is told, and asks whether its session is still there.
 *
 * The relay's certificate is not checked: there is nothing to check it against, and nothing depends on it. What is inside are the datagrams that would go over UDP in the open, and the Noise
 * handshake in them proves who answers. TLS is there for the middleboxes on the way.
 */
import { connect, type TLSSocket } from 'node:tls';
import { hostOfTcp } from '../../engine/wire/tcp-address.ts';
import { socketAddressKey, type SocketAddress } from '../../engine/wire/types.ts';
import { FramedConnection, newTcpCounters, WriteBudget, type TcpCounters } from './framed-connection.ts';

export interface TcpClientLimits {
  readonly connectTimeoutMs: number;
  /** Longer than the longest pause between two beats of a session that lives (two minutes and a fifth): a relay can say nothing over a connection that is gone. */
  readonly idleMs: number;
  readonly pauseFirstMs: number;
  readonly pauseMaximumMs: number;
}

export const tcpClientLimits: TcpClientLimits = { connectTimeoutMs: 8_000, idleMs: 300_000, pauseFirstMs: 250, pauseMaximumMs: 8_000 };
/** Own relays, and as many of recipients as the engine keeps links to. */
const placesMaximum = 96;
/** What waits for a connection to be there, in bytes: some handshakes. */
const waitingMaximumBytes = 32 * 1024;
const budgetBytes = 16 * 1024 * 1024;
/** A connection that lived so long was sound: whoever resets it costs us a reconnect and no growing pause. */
const soundMs = 1_000;
const sweepMs = 5_000;

interface Place {
  readonly address: SocketAddress;
  state: 'paused' | 'connecting' | 'open';
  socket: TLSSocket | undefined;
  connection: FramedConnection | undefined;
  /** What came while there was no connection, oldest first. */
  readonly waiting: Uint8Array[];
  waitingBytes: number;
  timer: NodeJS.Timeout | undefined;
  failures: number;
  openedMs: number;
  /** When the engine last sent something there. */
  usedMs: number;
  /** After a pause. */
  mayConnectMs: number;
}

export interface TcpClientOptions {
  readonly onDatagram: (from: SocketAddress, datagram: Uint8Array) => void;
  /** A connection that stood has broken. */
  readonly onLost: (address: SocketAddress) => void;
  readonly limits?: Partial<TcpClientLimits>;
}

export class TcpClient {
  readonly #options: TcpClientOptions;
  readonly #limits: TcpClientLimits;
  readonly #places = new Map<string, Place>();
  readonly #budget = new WriteBudget(budgetBytes);
  readonly #traffic = newTcpCounters();
  readonly #counters = { connects: 0, connected: 0, failed: 0, lost: 0 };
  #sweep: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: TcpClientOptions) {
    this.#options = options;
    this.#limits = { ...tcpClientLimits, ...options.limits };
  }

  get openCount(): number { return [...this.#places.values()].filter(({ state }) => state === 'open').length; }
  get counters(): Readonly<TcpCounters & Record<string, number>> { return { ...this.#traffic, ...this.#counters, open: this.openCount }; }

  /** The datagram's memory may be used again afterwards. */
  send(to: SocketAddress, datagram: Uint8Array): void {
    if (this.#isClosed) return;
    const place = this.#placeAt(to);
    if (place === undefined) { this.#traffic.dropped += 1; return; }
    place.usedMs = performance.now();
    if (place.connection !== undefined) { place.connection.send(datagram); return; }
    this.#wait(place, datagram);
    if (place.state === 'paused' && place.timer === undefined) this.#connectLater(place);
  }

  /** What was made in another network is of no use in this one, and would take minutes to find that out. Nobody is told: the engine asks everybody anew by itself. */
  networkChanged(): void {
    for (const place of [...this.#places.values()]) this.#drop(place);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    const ended = [...this.#places.values()].map((place) => farewell(place));
    for (const place of this.#places.values()) clearTimeout(place.timer);
    this.#places.clear();
    return Promise.all(ended).then(() => undefined);
  }

  #placeAt(address: SocketAddress): Place | undefined {
    const key = socketAddressKey(address);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    if (this.#places.size >= placesMaximum) return undefined;
    const place: Place = {
      address, state: 'paused', socket: undefined, connection: undefined, waiting: [], waitingBytes: 0, timer: undefined, failures: 0, openedMs: 0, usedMs: performance.now(), mayConnectMs: 0,
    };
    this.#places.set(key, place);
    if (this.#sweep === undefined) {
      this.#sweep = setInterval(() => { this.#endIdle(performance.now()); }, sweepMs);
      this.#sweep.unref();
    }
    return place;
  }

  #wait(place: Place, datagram: Uint8Array): void {
    if (place.waitingBytes + datagram.length > waitingMaximumBytes) { this.#traffic.dropped += 1; return; }
    place.waiting.push(datagram.slice());
    place.waitingBytes += datagram.length;
  }

  #connectLater(place: Place): void {
    const pauseMs = place.mayConnectMs - performance.now();
    if (pauseMs <= 0) { this.#connect(place); return; }
    place.timer = setTimeout(() => {
      place.timer = undefined;
      if (place.state === 'paused') this.#connect(place);
    }, pauseMs);
  }

  #connect(place: Place): void {
    this.#counters.connects += 1;
    place.state = 'connecting';
    const socket = connect({ host: hostOfTcp(place.address.host), port: place.address.port, minVersion: 'TLSv1.3', rejectUnauthorized: false });
    place.socket = socket;
    place.timer = setTimeout(() => { socket.destroy(); }, this.#limits.connectTimeoutMs);
    socket.on('error', () => undefined);
    socket.once('secureConnect', () => { this.#opened(place, socket); });
    socket.once('close', () => { this.#closed(place, socket); });
  }

  #opened(place: Place, socket: TLSSocket): void {
    if (place.socket !== socket) return;
    clearTimeout(place.timer);
    place.timer = undefined;
    place.state = 'open';
    place.openedMs = performance.now();
    this.#counters.connected += 1;
    const connection = new FramedConnection({ socket, budget: this.#budget, counters: this.#traffic, onDatagram: (datagram) => { this.#options.onDatagram(place.address, datagram); } });
    place.connection = connection;
    for (const datagram of place.waiting.splice(0)) connection.send(datagram);
    place.waitingBytes = 0;
  }

  #closed(place: Place, socket: TLSSocket): void {
    if (place.socket !== socket) return;
    const nowMs = performance.now();
    const wasOpen = place.state === 'open';
    clearTimeout(place.timer);
    place.timer = undefined;
    place.state = 'paused';
    place.socket = undefined;
    place.connection = undefined;
    // A handshake that nobody took is old by the time that there is somebody.
    place.waiting.length = 0;
    place.waitingBytes = 0;
    if (wasOpen && nowMs - place.openedMs >= soundMs) place.failures = 0;
    place.mayConnectMs = nowMs + Math.min(this.#limits.pauseMaximumMs, this.#limits.pauseFirstMs * 2 ** Math.min(place.failures, 10));
    place.failures += 1;
    this.#counters[wasOpen ? 'lost' : 'failed'] += 1;
    if (wasOpen) this.#options.onLost(place.address);
  }

  #endIdle(nowMs: number): void {
    for (const place of [...this.#places.values()]) if (nowMs - place.usedMs >= this.#limits.idleMs) this.#drop(place);
    if (this.#places.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #drop(place: Place): void {
    this.#places.delete(socketAddressKey(place.address));
    clearTimeout(place.timer);
    const { socket } = place;
    place.socket = undefined;
    place.connection = undefined;
    socket?.destroy();
  }
}

/** What was sent last, such as the goodbye of a session, is to go out; but nobody waits long for it. */
const farewellMs = 300;

function farewell({ socket, state }: Place): Promise<void> {
  if (socket === undefined) return Promise.resolve();
  if (state !== 'open') {
    socket.destroy();
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => { socket.destroy(); }, farewellMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.end();
    socket.resume();
    // The relay need not say goodbye too.
    socket.once('finish', () => { socket.destroy(); });
  });
}
