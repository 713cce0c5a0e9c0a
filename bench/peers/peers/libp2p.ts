/** What both kinds of libp2p share: a node without discovery or other services, and its streams as channels. Limits are the defaults but for the number of streams. */
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Component, type Stream, type StreamLimits } from 'libp2p';
import { connectionOver, serveChannel, type Channel } from '../channel.ts';
import { transfersUnderWay, type Peer } from '../peer.ts';

const protocol = '/waypost-bench/1';
/** Twice as many as are used at once: a stream counts until both sides have closed it. */
const limits: StreamLimits = { maxInboundStreams: 4 * transfersUnderWay, maxOutboundStreams: 4 * transfersUnderWay };

export interface Libp2pParts {
  readonly listen: string;
  readonly transports: readonly Component[];
  readonly streamMuxers?: readonly Component[];
  readonly connectionEncrypters?: readonly Component[];
}

export function libp2pPeer({ listen, ...parts }: Libp2pParts): Peer {
  return {
    async serve() {
      const node = await createLibp2p({ ...parts, addresses: { listen: [listen] } });
      await node.handle(protocol, (stream) => { serveChannel(channelOf(stream)); }, limits);
      const address = node.getMultiaddrs()[0];
      if (address === undefined) throw new Error(`libp2p does not listen on ${listen}.`);
      return address.toString();
    },

    async prepare(address) {
      const node = await createLibp2p({ ...parts, addresses: { listen: [] } });
      return {
        async dial() {
          const connection = await node.dial(multiaddr(address));
          return connectionOver(async () => channelOf(await connection.newStream(protocol, limits)), 'a-channel-each');
        },
      };
    },
  };
}

function channelOf(stream: Stream): Channel {
  return {
    send: (bytes) => stream.send(bytes),
    // Not `stream.onDrain()`: after its first use it resolves at once, and nothing holds the sender back any more.
    drained: () => new Promise((resolve) => { stream.addEventListener('drain', () => { resolve(); }, { once: true }); }),
    onData(handler) {
      stream.addEventListener('message', ({ data }) => {
        if (data instanceof Uint8Array) handler(data);
        else for (const piece of data) handler(piece);
      });
    },
    pause() { stream.pause(); },
    // Closing fails when the other side went away first, which is no matter to a stream that is done.
    end() { stream.close().catch(() => undefined); },
  };
}
