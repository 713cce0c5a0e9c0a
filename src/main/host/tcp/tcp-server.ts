/**
 * Where a relay takes datagrams over TCP: TLS 1.3, because that is what networks let out which let nothing else out, and inside it frames (framing.ts). It knows nothing of who connects.
 *
 * Strangers can make it hold a bounded number of connections and nothing more. A connection to which the engine sends something of a session belongs to somebody who has proved who they are;
 * any other one ends after a few seconds, and the oldest of them at once where there is no more room. One neighbourhood has a share only, and a site of many neighbourhoods too (neighbourhoods.ts): whoever has a session need not have said who they are,
 * so that one site could hold all places with sessions.
 */
import { createServer as createTcpServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { WaypostError } from '../../../shared/errors.ts';
import { acceptedTcpAddress } from '../../engine/wire/tcp-address.ts';
import type { SocketAddress } from '../../engine/wire/types.ts';
import type { TlsIdentity } from './certificate.ts';
import { FramedConnection, newTcpCounters, WriteBudget, type TcpCounters } from './framed-connection.ts';
import { neighbourhoodOf, Neighbourhoods, siteOf } from './neighbourhoods.ts';

export interface TcpServerLimits {
  /** In all. */
  readonly connections: number;
  /** Of one IPv4 address, behind which an office may be, or of one IPv6 network (/64). */
  readonly connectionsOfOne: number;
  /** Of all in one /24 of IPv4, or one /48 of IPv6. */
  readonly connectionsOfSite: number;
  /** TLS handshakes under way; each costs a signature. */
  readonly handshakes: number;
  /** One that is not over by then makes room for others: it takes two round trips. */
  readonly slowHandshakeMs: number;
  /** A connection that is not used by a session by then is ended. */
  readonly unusedMs: number;
  /** One that is used and says nothing for so long: visors say something every two minutes at the latest. */
  readonly idleMs: number;
  /** What waits to be read by all of them together. */
  readonly waitingBytes: number;
}

export const tcpServerLimits: TcpServerLimits = { connections: 4_096, connectionsOfOne: 64, connectionsOfSite: 512, handshakes: 256, slowHandshakeMs: 2_000, unusedMs: 15_000, idleMs: 300_000, waitingBytes: 64 * 1024 * 1024 };
const handshakeTimeoutMs = 10_000;
const sweepMs = 5_000;
/** First byte of a datagram that belongs to a session (docs/protocol.md, section 1). */
const transportType = 4;
const mappedPrefix = '::ffff:';

interface Accepted {
  readonly raw: Socket;
  /** Where it comes from. */
  readonly from: string;
  readonly neighbourhood: string;
  readonly sinceMs: number;
  readonly ends: string;
  connection: FramedConnection | undefined;
  heardMs: number;
  isUsed: boolean;
}

export interface TcpServerOptions {
  /** Undefined: all addresses, IPv6 included. */
  readonly host: string | undefined;
  readonly port: number;
  readonly identity: TlsIdentity;
  readonly onDatagram: (from: SocketAddress, datagram: Uint8Array) => void;
  readonly limits?: Partial<TcpServerLimits>;
}

export class TcpServer {
  readonly #options: TcpServerOptions;
  readonly #limits: TcpServerLimits;
  readonly #listener: NetServer;
  readonly #tls: TlsServer;
  readonly #budget: WriteBudget;
  /** By the host part of their addresses; oldest first. */
  readonly #accepted = new Map<string, Accepted>();
  readonly #byRaw = new Map<string, { readonly address: SocketAddress; readonly accepted: Accepted }>();
  readonly #neighbourhoods: Neighbourhoods;
  readonly #traffic = newTcpCounters();
  readonly #counters = { accepted: 0, turnedAway: 0, turnedAwayOfOne: 0, turnedAwayOfSite: 0, evicted: 0, unused: 0, idle: 0 };
  #handshakes = 0;
  #nextNumber = 1;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: TcpServerOptions) {
    this.#options = options;
    this.#limits = { ...tcpServerLimits, ...options.limits };
    this.#budget = new WriteBudget(this.#limits.waitingBytes);
    this.#neighbourhoods = new Neighbourhoods(this.#limits);
    this.#tls = createTlsServer({ key: options.identity.key, cert: options.identity.certificate, minVersion: 'TLSv1.3', handshakeTimeout: handshakeTimeoutMs });
    // Whatever goes wrong before a connection is there: it ends, and 'close' of the socket below tells.
    this.#tls.on('tlsClientError', () => undefined);
    this.#tls.on('secureConnection', (socket: TLSSocket) => { this.#secured(socket); });
    // It is handed connections that were let in; by itself it would take all.
    this.#listener = createTcpServer((socket) => { this.#admit(socket); });
  }

  /** @throws WaypostError `port-taken` when it cannot be had. */
  async open(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', (error) => { reject(listenError(error, this.#options)); });
      this.#listener.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) }, resolve);
    });
    this.#listener.removeAllListeners('error');
    // The kernel has no file for another connection: those that are there go on.
    this.#listener.on('error', () => { this.#counters.turnedAway += 1; });
    this.#sweep = setInterval(() => { this.#endUnused(performance.now()); }, sweepMs);
    this.#sweep.unref();
  }

  /** Undefined before `open`. */
  get port(): number | undefined {
    const address = this.#listener.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  get connectionCount(): number { return this.#accepted.size; }
  get handshakeCount(): number { return this.#handshakes; }
  get neighbourhoodCount(): number { return this.#neighbourhoods.size; }
  get waitingBytes(): number { return this.#budget.waitingBytes; }
  get counters(): Readonly<TcpCounters & Record<string, number>> { return { ...this.#traffic, ...this.#counters, connections: this.#accepted.size }; }

  send(to: SocketAddress, datagram: Uint8Array): void {
    const accepted = this.#accepted.get(to.host);
    if (accepted?.connection === undefined) return;
    if (datagram[0] === transportType) accepted.isUsed = true;
    accepted.connection.send(datagram);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    const closed = new Promise<void>((resolve) => { this.#listener.close(() => { resolve(); }); });
    for (const [host, accepted] of [...this.#accepted]) this.#end(host, accepted);
    await closed;
  }

  #admit(raw: Socket): void {
    const { remoteAddress, remotePort } = raw;
    raw.on('error', () => undefined);
    if (remoteAddress === undefined || remotePort === undefined) { raw.destroy(); return; }
    const host = remoteAddress.startsWith(mappedPrefix) ? remoteAddress.slice(mappedPrefix.length) : remoteAddress;
    if (!this.#hasRoom(host)) {
      this.#counters.turnedAway += 1;
      raw.resetAndDestroy();
      return;
    }
    const address = acceptedTcpAddress(host, remotePort, this.#nextNumber);
    this.#nextNumber += 1;
    const nowMs = performance.now();
    const accepted: Accepted = { raw, from: host, neighbourhood: neighbourhoodOf(host), sinceMs: nowMs, ends: endsOf(raw), connection: undefined, heardMs: nowMs, isUsed: false };
    this.#accepted.set(address.host, accepted);
    this.#neighbourhoods.add(host);
    this.#counters.accepted += 1;
    this.#handshakes += 1;
    this.#byRaw.set(accepted.ends, { address, accepted });
    raw.once('close', () => { this.#forget(address.host, accepted); });
    this.#tls.emit('connection', raw);
  }

  /** The handshake of TLS is over. */
  #secured(socket: TLSSocket): void {
    const found = this.#byRaw.get(endsOf(socket));
    if (found === undefined || found.accepted.connection !== undefined) { socket.destroy(); return; }
    const { address, accepted } = found;
    this.#handshakes -= 1;
    accepted.connection = new FramedConnection({
      socket, budget: this.#budget, counters: this.#traffic,
      onDatagram: (datagram) => {
        accepted.heardMs = performance.now();
        this.#options.onDatagram(address, datagram);
      },
    });
  }

  /** Counts why, where a share is used up. */
  #hasRoom(from: string): boolean {
    const full = this.#neighbourhoods.full(from);
    if (full === 'one') { this.#counters.turnedAwayOfOne += 1; return false; }
    // Those of a site need not know each other: who has proved nothing makes room there as well.
    if (full === 'site' && !this.#evictUnused(siteOf(from))) { this.#counters.turnedAwayOfSite += 1; return false; }
    if (this.#handshakes >= this.#limits.handshakes && !this.#evictHandshake(neighbourhoodOf(from))) return false;
    return this.#accepted.size < this.#limits.connections || this.#evictUnused(undefined);
  }

  /** The oldest, of that site or of all. */
  #evictUnused(site: string | undefined): boolean {
    for (const [host, accepted] of this.#accepted) {
      if (accepted.isUsed || (site !== undefined && siteOf(accepted.from) !== site)) continue;
      this.#counters.evicted += 1;
      this.#end(host, accepted);
      return true;
    }
    return false;
  }

  /** Whoever begins handshakes and ends none has no place for long, and no more of them than others: four machines could keep everybody out otherwise. Those who come all at once, after a restart, do not push each other out. */
  #evictHandshake(newcomer: string): boolean {
    const underWay = [...this.#accepted].filter(([, { connection }]) => connection === undefined);
    const counts = new Map<string, number>();
    for (const [, { neighbourhood }] of underWay) counts.set(neighbourhood, (counts.get(neighbourhood) ?? 0) + 1);
    const countOf = (neighbourhood: string): number => counts.get(neighbourhood) ?? 0;
    const most = Math.max(0, ...counts.values());
    const [oldest] = underWay;
    const isSlow = oldest !== undefined && performance.now() - oldest[1].sinceMs >= this.#limits.slowHandshakeMs;
    const found = isSlow ? oldest : most > countOf(newcomer) + 1 ? underWay.find(([, { neighbourhood }]) => countOf(neighbourhood) === most) : undefined;
    if (found === undefined) return false;
    this.#counters.evicted += 1;
    this.#end(...found);
    return true;
  }

  #endUnused(nowMs: number): void {
    for (const [host, accepted] of this.#accepted) {
      const isUnused = !accepted.isUsed && nowMs - accepted.sinceMs >= this.#limits.unusedMs;
      const isIdle = nowMs - accepted.heardMs >= this.#limits.idleMs;
      if (!isUnused && !isIdle) continue;
      this.#counters[isUnused ? 'unused' : 'idle'] += 1;
      this.#end(host, accepted);
    }
  }

  /** At once, without the goodbyes of TLS: whoever does not read would keep it for ever. */
  #end(host: string, accepted: Accepted): void {
    accepted.raw.resetAndDestroy();
    this.#forget(host, accepted);
  }

  #forget(host: string, accepted: Accepted): void {
    if (this.#accepted.get(host) !== accepted) return;
    this.#accepted.delete(host);
    this.#byRaw.delete(accepted.ends);
    if (accepted.connection === undefined) this.#handshakes -= 1;
    this.#neighbourhoods.remove(accepted.from);
  }
}

/** The same for a connection and for the TLS in it, and for no two that are there at once. */
const endsOf = ({ remoteAddress, remotePort, localAddress }: Socket): string => `${remoteAddress ?? ''} ${String(remotePort)} ${localAddress ?? ''}`;

function listenError(error: Error & { readonly code?: string }, { host, port }: TcpServerOptions): WaypostError {
  const where = `${host ?? 'any address'}, TCP port ${String(port)}`;
  switch (error.code) {
    case 'EADDRINUSE': return new WaypostError('port-taken', `Another program already uses ${where}. Choose another port with --tcp-listen, or stop that program.`, { cause: error });
    case 'EACCES': case 'EPERM': return new WaypostError('port-taken', `This system does not let Waypost listen on ${where}. Ports below 1024 need a right of their own: on Linux, CAP_NET_BIND_SERVICE.`, { cause: error });
    case 'EADDRNOTAVAIL': return new WaypostError('invalid-argument', `This machine has no address ${host ?? ''}. Listen on one that it has, or on 0.0.0.0 for all.`, { cause: error });
    default: return new WaypostError('internal', `The TCP socket could not be opened on ${where} (${error.code ?? 'unknown reason'}).`, { cause: error });
  }
}
