/**
 * HyperDHT: a connection to a public key, found through a DHT and carried by UDX (reliable UDP with congestion control) under a Noise secret
 * stream. The DHT is a network of its own on this machine; nothing outside is asked. The connection itself is direct. A dial by public key
 * always looks the key up, so that is part of opening; joining the DHT is not. Addresses of the machine's other interfaces are left out.
 */
import HyperDHT, { type Bootstrap } from 'hyperdht';
import createTestnet from 'hyperdht/testnet.js';
import { connectionOver, serveChannel } from '../channel.ts';
import { streamChannel } from './stream-channel.ts';
import { ownHost as host, type Peer } from '../peer.ts';

/** Enough that a look-up takes more than one question, as few as the authors' own tests use. */
const networkNodes = 3;

interface Address { readonly bootstrap: readonly Bootstrap[]; readonly publicKey: string }

export const hyperdht: Peer = {
  async serve() {
    const { bootstrap } = await createTestnet(networkNodes, { host });
    // Open to all, as on a host with an address of its own: punching holes on a loopback device works only sometimes.
    const node = new HyperDHT({ bootstrap, host, ephemeral: false, firewalled: false });
    await node.fullyBootstrapped();
    const server = node.createServer({ shareLocalAddress: false }, (stream) => { serveChannel(streamChannel(stream, () => undefined)); });
    await server.listen();
    return JSON.stringify({ bootstrap, publicKey: Buffer.from(server.publicKey).toString('hex') } satisfies Address);
  },

  async prepare(address) {
    const { bootstrap, publicKey } = JSON.parse(address) as Address;
    const key = Buffer.from(publicKey, 'hex');
    const node = new HyperDHT({ bootstrap, host });
    await node.fullyBootstrapped();
    return {
      async dial() {
        const stream = node.connect(key, { localConnection: false });
        const channel = streamChannel(stream, (error) => { throw error; });
        if (!await stream.opened) throw new Error('HyperDHT could not connect to the key.');
        if (stream.rawStream.remoteHost !== bootstrap[0]?.host) throw new Error(`HyperDHT did not connect directly but to ${stream.rawStream.remoteHost}.`);
        return connectionOver(() => channel, 'on-one-channel');
      },
    };
  },
};
