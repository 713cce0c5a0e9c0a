/** Sockets in the order in which they were made, so that a test can break one as the kernel would. For `vi.mock('node:dgram', ...)`. */
import type * as Datagrams from 'node:dgram';
import type { Socket, SocketOptions } from 'node:dgram';

export const madeSockets: Socket[] = [];

export function recordingSockets(dgram: typeof Datagrams): object {
  const createSocket = (options: SocketOptions): Socket => {
    const socket = dgram.createSocket(options);
    madeSockets.push(socket);
    return socket;
  };
  return { ...dgram, createSocket };
}
