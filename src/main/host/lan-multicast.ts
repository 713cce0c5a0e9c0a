/**
 * Speaks to everybody in the local networks of this machine, for finding contacts there (engine/path/lan-discovery.ts).
 *
 * One socket of each family listens to the group in all networks, at a port that all programs of this kind share; what is said goes out from one socket for each address, so that the
 * sender's address is the one that is told. Datagrams go no further than the next router. Whatever fails is counted and does no harm: a machine on which nobody can
 * be told anything, or where the port cannot be had, does without neighbours. Sockets are opened anew when the network is another one.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { LanFacts } from '../engine/path/lan-network.ts';
import type { SocketAddress } from '../engine/wire/types.ts';
import { readLanFacts, type LanSources } from './lan-facts.ts';
import type { MainSocket } from './machine-network.ts';

/** Administratively scoped (RFC 2365), and of IPv6 this link's (RFC 4291); the numbers are ours and nobody gave them out. */
export const lanGroups = { ipv4: '239.255.87.80', ipv6: 'ff02::5750:1' } as const;
export const lanPort = 27_487;
const hops = 1;
/** The largest announcement; what is longer is none. */
const datagramMaximumBytes = 1_200;

export interface LanListener {
  /** Where neighbours reach us; its port is told. */
  main(): MainSocket | undefined;
  facts(facts: LanFacts): void;
  datagram(from: SocketAddress, datagram: Uint8Array): void;
}

/** What a driver needs; a simulated machine has none. */
export interface HostLan {
  start(listener: LanListener): void;
  networkChanged(): void;
  announce(fromHost: string, datagram: Uint8Array): void;
  stop(): Promise<void>;
}

export interface LanMulticastOptions {
  readonly log: (level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>) => void;
  /** For tests. */
  readonly port?: number;
  readonly sources?: LanSources;
}

export class LanMulticast implements HostLan {
  readonly #options: LanMulticastOptions;
  #listener: LanListener | undefined;
  #listening: Socket[] = [];
  readonly #speaking = new Map<string, Socket>();
  /** A look at the network that a later one has overtaken ends without effect. */
  #turn = 0;

  constructor(options: LanMulticastOptions) { this.#options = options; }

  start(listener: LanListener): void {
    this.#listener = listener;
    this.networkChanged();
  }

  networkChanged(): void { void this.#look(); }

  announce(fromHost: string, datagram: Uint8Array): void {
    const group = fromHost.includes(':') ? `${lanGroups.ipv6}%${zoneOf(fromHost)}` : lanGroups.ipv4;
    try {
      // Networks come and go: nobody hears it.
      this.#speaking.get(fromHost)?.send(datagram, this.#options.port ?? lanPort, group, () => undefined);
    } catch {
      // The socket closed meanwhile.
    }
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    this.#turn += 1;
    await this.#close();
  }

  async #look(): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#turn += 1;
    const turn = this.#turn;
    // Until it is known which network this is, nothing is said in it: it may be one that is not trusted.
    listener.facts({ port: undefined, interfaces: [], networks: [] });
    const [facts] = await Promise.all([readLanFacts(listener.main(), this.#options.sources), this.#close()]);
    if (turn !== this.#turn) return;
    for (const { host } of facts.interfaces) this.#speak(host, turn);
    for (const family of ['udp4', 'udp6'] as const) {
      const hosts = facts.interfaces.map(({ host }) => host).filter((host) => host.includes(':') === (family === 'udp6'));
      if (hosts.length > 0) this.#listen(family, hosts, listener, turn);
    }
    listener.facts(facts);
  }

  #listen(family: 'udp4' | 'udp6', hosts: readonly string[], listener: LanListener, turn: number): void {
    const socket = createSocket({ type: family, reuseAddr: true, ipv6Only: family === 'udp6' });
    this.#listening.push(socket);
    socket.on('error', (error) => { this.#failed('listen', error); this.#listening = this.#listening.filter((one) => one !== socket); closeQuietly(socket); });
    socket.on('message', (bytes, { address, port }) => {
      if (turn === this.#turn && bytes.length <= datagramMaximumBytes) listener.datagram({ host: address, port }, new Uint8Array(bytes));
    });
    socket.bind({ port: this.#options.port ?? lanPort }, () => {
      for (const host of hosts) {
        try {
          if (family === 'udp4') socket.addMembership(lanGroups.ipv4, host);
          else socket.addMembership(lanGroups.ipv6, `::%${zoneOf(host)}`);
        } catch (error) {
          this.#failed('join', error);
        }
      }
    });
  }

  #speak(host: string, turn: number): void {
    const isIpv6 = host.includes(':');
    const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 });
    const failed = (error: unknown): void => { this.#failed('speak', error); closeQuietly(socket); };
    socket.on('error', failed);
    socket.bind({ address: host, port: 0, exclusive: true }, () => {
      if (turn !== this.#turn) { closeQuietly(socket); return; }
      try {
        socket.setMulticastInterface(isIpv6 ? `::%${zoneOf(host)}` : host);
        socket.setMulticastTTL(hops);
        // Another visor on this machine is a neighbour too.
        socket.setMulticastLoopback(true);
        this.#speaking.set(host, socket);
      } catch (error) {
        failed(error);
      }
    });
  }

  #failed(what: string, error: unknown): void {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
    this.#options.log('info', 'lan-socket-failed', { what, code });
  }

  async #close(): Promise<void> {
    const sockets = [...this.#listening, ...this.#speaking.values()];
    this.#listening = [];
    this.#speaking.clear();
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => {
      try {
        socket.close(() => { resolve(); });
      } catch {
        resolve();
      }
    })));
  }
}

const zoneOf = (host: string): string => host.split('%')[1] ?? '';

function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // Closed already.
  }
}
