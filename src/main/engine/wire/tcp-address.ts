/**
 * Addresses of connections that carry datagrams over TCP, wherever an address is wanted. `tcp/` before the other side's literal address: on the side that connects it stands for "the
 * connection to that place", which is made when something is sent there; on the side that is connected to, a number follows, since a place may have several.
 */
import type { SocketAddress } from './types.ts';

/** No host name has such a beginning, so that no datagram of UDP can come from one. */
const prefix = 'tcp/';
/** In no literal address. */
const numberMark = '#';

/** As the connecting side writes it. */
export const tcpAddress = (host: string, port: number): SocketAddress => ({ host: `${prefix}${host}`, port });

/** As the side writes it that was connected to. @param connection differs from that of every other connection */
export const acceptedTcpAddress = (host: string, port: number, connection: number): SocketAddress => ({ host: `${prefix}${host}${numberMark}${String(connection)}`, port });

export const isTcpAddress = (address: SocketAddress): boolean => address.host.startsWith(prefix);

/** The literal address of the other side; any other host as it is. */
export function hostOfTcp(host: string): string {
  if (!host.startsWith(prefix)) return host;
  const end = host.indexOf(numberMark);
  return host.slice(prefix.length, end < 0 ? undefined : end);
}
