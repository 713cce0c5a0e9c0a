/**
 * Keeps one UDP socket for as long as the driver runs: binds it, and when it breaks puts another in its place and counts that. What is sent
 * while there is none is lost, like any datagram.
 */
import { toErrorView } from '../../shared/errors.ts';
import type { SocketAddress } from '../engine/wire/types.ts';
import { bindUdp, type UdpCounters, type UdpSocket } from './udp.ts';

const rebindMs = 1_000;

export interface SocketKeeperOptions {
  /** Port 0 lets the system choose. Without a host: all addresses, IPv6 included. */
  readonly listen: { readonly host: string | undefined; readonly port: number };
  readonly onDatagram: (from: SocketAddress, datagram: Uint8Array) => void;
  /** Another socket took the place of a broken one; its address may be another. */
  readonly onReplaced: () => void;
  /** It broke; `onReplaced` follows when there is another one. */
  readonly onBroken?: () => void;
  readonly log: (level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>) => void;
}

export class SocketKeeper {
  readonly #options: SocketKeeperOptions;
  #socket: UdpSocket | undefined;
  #rebindTimer: NodeJS.Timeout | undefined;
  #isLeftAlone = false;
  readonly #counters = { socketFailures: 0, socketRebinds: 0 };

  constructor(options: SocketKeeperOptions) {
    this.#options = options;
  }

  /** The present one, or the broken one until another has taken its place; undefined before `open`. */
  get socket(): UdpSocket | undefined { return this.#socket; }
  get counters(): Readonly<{ socketFailures: number; socketRebinds: number }> { return this.#counters; }

  /** @throws WaypostError when the port is taken. */
  async open(): Promise<void> {
    this.#socket = await this.#bind(this.#options.listen.port);
  }

  /** True when the datagram's memory may be used again. */
  send(to: SocketAddress, datagram: Uint8Array): boolean { return this.#socket?.send(to, datagram) ?? true; }

  /** From now on a broken socket is not replaced any more; a sound one goes on sending until `close`. */
  leaveAlone(): void {
    this.#isLeftAlone = true;
    clearTimeout(this.#rebindTimer);
  }

  async close(): Promise<void> {
    this.leaveAlone();
    await this.#socket?.close();
  }

  #bind(port: number, counters?: UdpCounters): Promise<UdpSocket> {
    const { listen, onDatagram, onBroken, log } = this.#options;
    return bindUdp({
      host: listen.host,
      port,
      ...(counters === undefined ? {} : { counters }),
      onDatagram,
      onBroken: (reason) => {
        this.#counters.socketFailures += 1;
        log('warn', 'socket-broken', { reason });
        onBroken?.();
        this.#rebind(1);
      },
    });
  }

  /** The same port again, for others know it, unless another program has it now and nobody chose it. */
  #rebind(attempt: number): void {
    this.#rebindTimer = setTimeout(() => {
      const broken = this.#socket;
      if (this.#isLeftAlone || broken === undefined) return;
      const { listen, log, onReplaced } = this.#options;
      const isChosen = listen.port !== 0;
      this.#bind(isChosen || attempt === 1 ? broken.address.port : 0, broken.counters).then((socket) => {
        if (this.#isLeftAlone) {
          void socket.close();
          return;
        }
        this.#socket = socket;
        this.#counters.socketRebinds += 1;
        log('info', 'socket-rebound', { port: socket.address.port, attempt });
        onReplaced();
      }, (error: unknown) => {
        // Once and not every second: it may take until somebody stops the other program.
        if (attempt === 1) log('warn', 'rebind-failed', { code: toErrorView(error).code });
        this.#rebind(attempt + 1);
      });
    }, rebindMs);
  }
}
