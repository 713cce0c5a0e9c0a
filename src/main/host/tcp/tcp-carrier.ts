/** All of TCP that one driver has: connections to relays where it is a visor, and the place where it takes them where it is a relay. Which is meant, an address says (engine/wire/tcp-address.ts). */
import { toErrorView } from '../../../shared/errors.ts';
import type { SocketAddress } from '../../engine/wire/types.ts';
import { loadTlsIdentity } from './certificate.ts';
import { TcpClient } from './tcp-client.ts';
import { TcpServer } from './tcp-server.ts';

export interface TcpListen {
  /** Undefined: all addresses, IPv6 included. */
  readonly host: string | undefined;
  /** 0: the system chooses. */
  readonly port: number;
  /** Not to start where the port cannot be had; otherwise the relay does without. */
  readonly isRequired: boolean;
}

export interface TcpCarrierOptions {
  readonly listen: TcpListen | undefined;
  /** Where the certificate is kept. */
  readonly directory: string;
  /** It dials relays. */
  readonly connects: boolean;
  readonly log: (level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>) => void;
}

export interface TcpEvents {
  datagram(from: SocketAddress, datagram: Uint8Array): void;
  /** A connection that was made from here has broken. */
  lost(address: SocketAddress): void;
}

/** On the side that is connected to, a number tells connections of the same host from each other. */
const isAccepted = ({ host }: SocketAddress): boolean => host.includes('#');

export class TcpCarrier {
  readonly #options: TcpCarrierOptions;
  #server: TcpServer | undefined;
  #client: TcpClient | undefined;

  constructor(options: TcpCarrierOptions) {
    this.#options = options;
  }

  /** Undefined: it takes no connections. */
  get listenPort(): number | undefined { return this.#server?.port; }

  get counters(): Readonly<Record<string, number>> {
    const named = (prefix: string, counters: Readonly<Record<string, number>> | undefined): [string, number][] => Object.entries(counters ?? {}).map(([name, value]) => [`${prefix}.${name}`, value]);
    return Object.fromEntries([...named('tcp.client', this.#client?.counters), ...named('tcp.server', this.#server?.counters), ['tcp.listenPort', this.listenPort ?? 0]]);
  }

  /** @throws WaypostError when the port is required and taken, or the certificate cannot be kept. */
  async open(events: TcpEvents): Promise<void> {
    const { listen, connects, directory, log } = this.#options;
    if (connects) this.#client = new TcpClient({ onDatagram: (from, datagram) => { events.datagram(from, datagram); }, onLost: (address) => { events.lost(address); } });
    if (listen === undefined) return;
    const server = new TcpServer({ host: listen.host, port: listen.port, identity: await loadTlsIdentity(directory), onDatagram: (from, datagram) => { events.datagram(from, datagram); } });
    try {
      await server.open();
      this.#server = server;
      log('info', 'tcp-listening', { port: server.port ?? 0 });
    } catch (error) {
      if (listen.isRequired) throw error;
      log('warn', 'tcp-listen-failed', { port: listen.port, code: toErrorView(error).code });
    }
  }

  send(to: SocketAddress, datagram: Uint8Array): void {
    if (isAccepted(to)) this.#server?.send(to, datagram);
    else this.#client?.send(to, datagram);
  }

  networkChanged(): void { this.#client?.networkChanged(); }

  async close(): Promise<void> {
    await Promise.all([this.#client?.close(), this.#server?.close()]);
  }
}
