/** TLS 1.3 over TCP as Node has it: one connection, one stream. The certificate is made at the start and is the only one that is trusted. */
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { generate } from 'selfsigned';
import { connectionOver, serveChannel } from '../channel.ts';
import { streamChannel } from './stream-channel.ts';
import type { Peer } from '../peer.ts';

const host = '127.0.0.1';
/** The certificate is for a name, since IP addresses in certificates are checked by other rules. */
const serverName = 'localhost';

interface Address { readonly port: number; readonly certificate: string }

export const tls: Peer = {
  async serve() {
    const { private: key, cert } = await generate([{ name: 'commonName', value: serverName }], {
      keyType: 'ec', curve: 'P-256', algorithm: 'sha256', extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: serverName }] }],
    });
    const server = createServer({ key, cert, minVersion: 'TLSv1.3' }, (socket) => {
      socket.setNoDelay(true);
      serveChannel(streamChannel(socket, () => undefined));
    });
    server.listen(0, host);
    await once(server, 'listening');
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
    return JSON.stringify({ port: bound.port, certificate: cert } satisfies Address);
  },

  prepare(address) {
    const { port, certificate } = JSON.parse(address) as Address;
    return Promise.resolve({
      async dial() {
        const socket = connect({ host, port, ca: certificate, servername: serverName, minVersion: 'TLSv1.3' });
        await once(socket, 'secureConnect');
        socket.setNoDelay(true);
        const channel = streamChannel(socket, (error) => { throw error; });
        return connectionOver(() => channel, 'on-one-channel');
      },
    });
  },
};
