/**
 * The UDP sockets of one driver: the main one, a relay's second one, and spare ones that a visor's engine asks for to look at the network with. The
 * first two are kept (socket-keeper.ts); a spare one that breaks is gone, and the engine is told. Without a second socket a relay does all
 * its work but answer from another port, so it starts without one where none can be had.
 */
import { toErrorView } from '../../shared/errors.ts';
import { isIP } from 'node:net';
import type { EngineSocket, SpareSocket } from '../engine/path/observation-port.ts';
import { isGuessSocket, type GuessSocket, type SocketAddress } from '../engine/wire/types.ts';
import { SocketKeeper } from './socket-keeper.ts';
import { isTcpAddress } from '../engine/wire/tcp-address.ts';
import type { TcpCarrier } from './tcp/tcp-carrier.ts';
import { bindUdp, type UdpSocket } from './udp.ts';

/** As many as an engine asks for. */
const sparesMaximum = 16;
/** 256 for one attempt at guessing ports, and those that paths came of. */
const guessSocketsMaximum = 512;

type Fields = Readonly<Record<string, string | number>>;

export interface SocketsOptions {
  readonly listen: { readonly host: string | undefined; readonly port: number };
  /** Port of the second socket, 0: the system chooses. Undefined: there is none. */
  readonly secondPort: number | undefined;
  readonly onDatagram: (socket: EngineSocket, from: SocketAddress, datagram: Uint8Array) => void;
  /** Undefined: nothing is carried over TCP. */
  readonly tcp?: TcpCarrier | undefined;
  /** Another socket took the place of a broken main one; its address may be another. */
  readonly onReplaced: () => void;
  /** What became of a spare socket that was asked for, or of the second one after it broke. */
  readonly onBound: (socket: Exclude<EngineSocket, 'main'>, port: number | undefined) => void;
  readonly log: (level: 'info' | 'warn', event: string, fields: Fields) => void;
}

/** While it is being bound, `socket` is undefined. */
interface Spare { socket: UdpSocket | undefined }

export class Sockets {
  readonly #options: SocketsOptions;
  readonly #main: SocketKeeper;
  #second: SocketKeeper | undefined;
  readonly #spares = new Map<SpareSocket | GuessSocket, Spare>();
  readonly #counters = { spareBinds: 0, spareFailures: 0 };

  constructor(options: SocketsOptions) {
    this.#options = options;
    const { listen, log } = options;
    this.#main = new SocketKeeper({ listen, onDatagram: (from, datagram) => { options.onDatagram('main', from, datagram); }, onReplaced: options.onReplaced, log });
  }

  get main(): UdpSocket | undefined { return this.#main.socket; }
  /** Of the second socket; undefined when there is none. */
  get secondPort(): number | undefined { return this.#second?.socket?.address.port; }
  get spareCount(): number { return this.#spares.size; }
  get counters(): Readonly<Record<string, number>> { return { ...this.#main.counters, ...this.#counters, ...this.#options.tcp?.counters }; }

  /** @throws WaypostError when the port of the main socket is taken. */
  async open(): Promise<void> {
    await this.#main.open();
    if (this.#options.secondPort !== undefined) await this.#openSecond(this.#options.secondPort);
  }

  /** True when the datagram's memory may be used again. */
  send(via: EngineSocket, to: SocketAddress, datagram: Uint8Array): boolean {
    if (via === 'main') {
      if (!isTcpAddress(to)) return this.#main.send(to, datagram);
      this.#options.tcp?.send(to, datagram);
      return true;
    }
    if (via === 'second') return this.#second?.send(to, datagram) ?? true;
    return this.#spares.get(via)?.socket?.send(to, datagram) ?? true;
  }

  bind(name: SpareSocket): void { this.#bind(name, this.#options.listen.host, sparesMaximum); }

  /** Of IPv4 alone: how far a datagram goes can be said for that. */
  bindGuess(name: GuessSocket, firstHops: number): void {
    const { host } = this.#options.listen;
    this.#bind(name, host !== undefined && isIP(host) === 4 ? host : '0.0.0.0', guessSocketsMaximum, firstHops);
  }

  #bind(name: SpareSocket | GuessSocket, host: string | undefined, most: number, firstHops?: number): void {
    const { onDatagram, onBound, log } = this.#options;
    const failed = (code: string): void => {
      this.#counters.spareFailures += 1;
      log('warn', 'spare-socket-failed', { code });
      onBound(name, undefined);
    };
    const alike = [...this.#spares.keys()].filter((other) => isGuessSocket(other) === isGuessSocket(name)).length;
    if (alike >= most || this.#spares.has(name)) { failed('too-many'); return; }
    const spare: Spare = { socket: undefined };
    this.#spares.set(name, spare);
    // It may have been given up before it is there.
    const isWanted = (): boolean => this.#spares.get(name) === spare;
    const gone = (code: string): void => {
      if (!isWanted()) return;
      this.#spares.delete(name);
      failed(code);
    };
    bindUdp({ host, port: 0, ...(firstHops === undefined ? {} : { firstHops }), onDatagram: (from, datagram) => { if (isWanted()) onDatagram(name, from, datagram); }, onBroken: gone }).then((socket) => {
      if (!isWanted()) {
        void socket.close();
        return;
      }
      spare.socket = socket;
      this.#counters.spareBinds += 1;
      onBound(name, socket.address.port);
    }, (error: unknown) => { gone(toErrorView(error).code); });
  }

  unbind(name: SpareSocket | GuessSocket): void {
    const spare = this.#spares.get(name);
    this.#spares.delete(name);
    void spare?.socket?.close();
  }

  /** A new engine knows nothing of those that an earlier one asked for. */
  unbindAll(): void {
    for (const name of [...this.#spares.keys()]) this.unbind(name);
  }

  /** From now on a broken socket is not replaced any more; sound ones go on sending until `close`. */
  leaveAlone(): void {
    this.#main.leaveAlone();
    this.#second?.leaveAlone();
  }

  async close(): Promise<void> {
    const spares = [...this.#spares.values()];
    this.#spares.clear();
    await Promise.all([this.#main.close(), this.#options.tcp?.close(), this.#second?.close(), ...spares.map(({ socket }) => socket?.close())]);
  }

  async #openSecond(port: number): Promise<void> {
    const { listen, onDatagram, onBound, log } = this.#options;
    const second = new SocketKeeper({
      listen: { host: listen.host, port },
      onDatagram: (from, datagram) => { onDatagram('second', from, datagram); },
      onReplaced: () => { onBound('second', second.socket?.address.port); },
      // Until then the relay says that it has none, for silence would be taken for a filter on the way.
      onBroken: () => { onBound('second', undefined); },
      log: (level, event, fields) => { log(level, event, { ...fields, socket: 'second' }); },
    });
    try {
      await second.open();
      this.#second = second;
    } catch (error) {
      log('warn', 'second-socket-failed', { port, code: toErrorView(error).code });
    }
  }
}
