/**
 * One UDP socket: binds it, gives it a receive buffer large enough for bursts, and reports what the kernel refused. It hands over
 * datagrams with literal addresses and takes the same; it knows nothing of what is in them.
 *
 * Without a host it listens on both IPv6 and IPv4 (a dual-stack socket); where the machine has no IPv6, on IPv4 alone. IPv4 addresses are
 * plain to the engine although the dual-stack socket writes them as `::ffff:a.b.c.d`.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { WaypostError } from '../../shared/errors.ts';
import type { SocketAddress } from '../engine/wire/types.ts';

/** Some 3,400 datagrams: 30 ms of a gigabit. Linux grants at most net.core.rmem_max and doubles what it grants for its own bookkeeping. */
const receiveBufferWantedBytes = 4 * 1024 * 1024;
/** What may wait in libuv when the kernel's buffer is full; beyond it datagrams are dropped here, like at a router. */
const sendQueueMaximumBytes = 4 * 1024 * 1024;
/** What systems give a datagram (RFC 1700: 64; the few that give more lose nothing). */
const hopsUsual = 64;
const mappedPrefix = '::ffff:';

export interface UdpCounters {
  readonly sentDatagrams: number;
  readonly sentBytes: number;
  readonly receivedDatagrams: number;
  readonly receivedBytes: number;
  /** Refused by the kernel (no route, too long, not permitted). */
  readonly sendErrors: number;
  /** Dropped here because the kernel did not take them fast enough. */
  readonly sendDropped: number;
}

export interface UdpSocket {
  /** Where it listens; `host` is `0.0.0.0` or `::` for all interfaces. */
  readonly address: SocketAddress;
  /** Whether IPv6 destinations can be reached from this socket. */
  readonly reachesIpv6: boolean;
  readonly receiveBufferBytes: number;
  /** Set when the kernel granted less than was wanted: it then drops datagrams in bursts. */
  readonly receiveBufferRefused: boolean;
  readonly counters: UdpCounters;
  /** True when the kernel has taken (or refused) the datagram, so that its memory may be used again; false while it waits here. */
  send(to: SocketAddress, datagram: Uint8Array): boolean;
  close(): Promise<void>;
}

export interface UdpOptions {
  /** Literal address to listen on; undefined means all, IPv6 included. */
  readonly host: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly onDatagram: (from: SocketAddress, datagram: Uint8Array) => void;
  /** The socket broke after it was bound; it is closed already. */
  readonly onBroken: (reason: string) => void;
  /** The first datagram goes so many hops far, all others as far as the system has it. For sockets of IPv4: of IPv4 through one of IPv6 it says nothing. */
  readonly firstHops?: number;
  /** Of the socket that this one replaces: it goes on counting from there. */
  readonly counters?: UdpCounters;
}

/**
 * Frees the memory of a datagram that came, of which nobody has a view. Without this it lies about until the garbage collector runs, each datagram
 * touches new pages, and thousands of large ones drive full collections: receiving 32 KiB costs half as much so (bench/RESULTS.md).
 */
export function freeDatagram(datagram: Uint8Array): void {
  const { buffer } = datagram;
  // Short ones may share memory that is not theirs alone.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === datagram.length) buffer.transfer(0);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

function bindError(error: unknown, options: UdpOptions): WaypostError {
  const where = `${options.host ?? 'any address'}, UDP port ${options.port}`;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new WaypostError('port-taken', `Another program already uses ${where}. Choose another port, or stop that program.`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new WaypostError('port-taken', `This system does not let Waypost listen on ${where}. Choose a port above 1023.`, { cause: error });
    case 'EADDRNOTAVAIL':
      return new WaypostError('invalid-argument', `This machine has no address ${options.host ?? ''}. Listen on one that it has, or on 0.0.0.0 for all.`, { cause: error });
    default:
      return new WaypostError('internal', `The UDP socket could not be opened on ${where} (${errorCode(error)}).`, { cause: error });
  }
}

type Family = 'udp4' | 'udp6';

/** Addresses are literal: the usual lookup would put every datagram through another turn of the loop. */
const literalLookup = (family: Family) => (host: string, _options: unknown, callback: (error: null, address: string, family: number) => void): void => {
  callback(null, host, family === 'udp6' ? 6 : 4);
};

function bindFamily(family: Family, host: string, options: UdpOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: family, ipv6Only: false, lookup: literalLookup(family) });
    const failed = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('error', failed);
    socket.bind({ address: host, port: options.port, exclusive: true }, () => {
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

async function bindSocket(options: UdpOptions): Promise<{ socket: Socket; family: Family }> {
  try {
    if (options.host !== undefined) {
      const family = isIP(options.host) === 6 ? 'udp6' : 'udp4';
      return { socket: await bindFamily(family, options.host, options), family };
    }
    try {
      return { socket: await bindFamily('udp6', '::', options), family: 'udp6' };
    } catch (error) {
      if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL', 'EPROTONOSUPPORT'].includes(errorCode(error))) throw error;
      return { socket: await bindFamily('udp4', '0.0.0.0', options), family: 'udp4' };
    }
  } catch (error) {
    throw bindError(error, options);
  }
}

function growReceiveBuffer(socket: Socket): number {
  try {
    socket.setRecvBufferSize(receiveBufferWantedBytes);
  } catch {
    // Some systems refuse instead of granting less; what there is stays.
  }
  try {
    return socket.getRecvBufferSize();
  } catch {
    return 0;
  }
}

/** False: the system does not let us; datagrams then go as far as ever. */
function setHops(socket: Socket, hops: number): boolean {
  try {
    socket.setTTL(hops);
    return true;
  } catch {
    return false;
  }
}

/** Datagrams come in rows from the same sender: its address is made once for the row, and the engine then sees that it is the same. */
class SenderMemo {
  #text = '';
  #address: SocketAddress = { host: '', port: 0 };

  addressOf(text: string, port: number): SocketAddress {
    if (text !== this.#text || port !== this.#address.port) {
      this.#text = text;
      this.#address = { host: text.startsWith(mappedPrefix) ? text.slice(mappedPrefix.length) : text, port };
    }
    return this.#address;
  }
}

/** The last destination in the way in which the socket wants it written. */
class HostMemo {
  readonly #family: Family;
  #host = '';
  #written: string | undefined;

  constructor(family: Family) { this.#family = family; }

  /** Undefined for an address of the family that the socket does not reach. */
  written(host: string): string | undefined {
    if (host === this.#host) return this.#written;
    const isIpv4 = !host.includes(':');
    this.#host = host;
    this.#written = this.#family === 'udp4' ? (isIpv4 ? host : undefined) : isIpv4 ? `${mappedPrefix}${host}` : host;
    return this.#written;
  }
}

/** @throws WaypostError `port-taken` or `invalid-argument` with a sentence that says what to do. */
export async function bindUdp(options: UdpOptions): Promise<UdpSocket> {
  const { socket, family } = await bindSocket(options);
  const receiveBufferBytes = growReceiveBuffer(socket);
  const counters = { sentDatagrams: 0, sentBytes: 0, receivedDatagrams: 0, receivedBytes: 0, sendErrors: 0, sendDropped: 0, ...options.counters };
  let isOpen = true;

  const close = (): Promise<void> => {
    if (!isOpen) return Promise.resolve();
    isOpen = false;
    return new Promise((resolve) => socket.close(() => { resolve(); }));
  };

  const senders = new SenderMemo();
  socket.on('message', (bytes, remote) => {
    counters.receivedDatagrams += 1;
    counters.receivedBytes += bytes.length;
    // Node gives each datagram memory of its own, so the view may be kept; the engine is promised a plain Uint8Array.
    options.onDatagram(senders.addressOf(remote.address, remote.port), new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });
  socket.on('error', (error) => {
    if (!isOpen) return;
    void close();
    options.onBroken(errorCode(error));
  });

  /** One for all datagrams: a closure for each costs as much as the rest of a send outside the kernel. */
  const sent = (error: Error | null, sizeBytes: number): void => {
    if (error === null) {
      counters.sentDatagrams += 1;
      counters.sentBytes += sizeBytes;
    } else {
      counters.sendErrors += 1;
    }
  };
  const hosts = new HostMemo(family);
  let isNearSighted = options.firstHops !== undefined && family === 'udp4' && setHops(socket, options.firstHops);
  let queuedBytes = 0;
  const bound = socket.address();
  return {
    address: { host: bound.address, port: bound.port },
    reachesIpv6: family === 'udp6',
    receiveBufferBytes,
    receiveBufferRefused: receiveBufferBytes < receiveBufferWantedBytes,
    counters,
    send(to, datagram) {
      if (!isOpen) return true;
      const host = hosts.written(to.host);
      if (host === undefined) {
        counters.sendErrors += 1;
        return true;
      }
      if (queuedBytes > sendQueueMaximumBytes) {
        queuedBytes = socket.getSendQueueSize();
        if (queuedBytes > sendQueueMaximumBytes) {
          counters.sendDropped += 1;
          return true;
        }
      }
      try {
        socket.send(datagram, to.port, host, sent);
        // The kernel has taken it by now, unless its buffer was full: then it goes farther than it should, which does no harm.
        if (isNearSighted) {
          setHops(socket, hopsUsual);
          isNearSighted = false;
        }
      } catch {
        // An address or port that is none, or a socket that closed meanwhile: lost like any datagram.
        counters.sendErrors += 1;
      }
      queuedBytes = socket.getSendQueueSize();
      return queuedBytes === 0;
    },
    close,
  };
}
