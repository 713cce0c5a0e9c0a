/** Plain TCP of the kernel, unprotected: what congestion control by itself makes of a link. Which one it is, is set for the namespace (net.ipv4.tcp_congestion_control). */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { connectionOver, serveChannel } from '../peers/channel.ts';
import { ownHost, type Peer } from '../peers/peer.ts';
import { streamChannel } from '../peers/peers/stream-channel.ts';

export const tcpPeer: Peer = {
  async serve() {
    const server = createServer((socket) => { serveChannel(streamChannel(socket, () => undefined)); });
    server.listen(0, ownHost);
    await once(server, 'listening');
    return JSON.stringify({ host: ownHost, port: (server.address() as AddressInfo).port });
  },
  prepare(address) {
    const { host, port } = JSON.parse(address) as { readonly host: string; readonly port: number };
    return Promise.resolve({
      async dial() {
        const socket = connect({ host, port, noDelay: true });
        await once(socket, 'connect');
        const channel = streamChannel(socket, (error) => { throw error; });
        return connectionOver(() => channel, 'on-one-channel');
      },
    });
  },
};
