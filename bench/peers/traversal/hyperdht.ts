/**
 * HyperDHT through NATs: by public key, over a DHT of as many public nodes as there are addresses. Two ends find each other at a node, tell each other through it how
 * their NATs map, and punch; whom it finds to be random it meets with 256 sockets against a probe in 20 ms. It has no relay unless an application brings one, and
 * none is brought here. All options of both ends are the defaults.
 */
import { once } from 'node:events';
import HyperDHT, { type Bootstrap, type SecretStream } from 'hyperdht';
import type { Traverser } from '../../nat-matrix/traverser.ts';

const bootstrapPort = 49_737;

interface Address { readonly publicKey: string }

async function echo(stream: SecretStream, bytes: Uint8Array): Promise<void> {
  let leftBytes = bytes.length;
  stream.write(bytes);
  while (leftBytes > 0) {
    const [chunk] = await once(stream, 'data') as [Uint8Array];
    leftBytes -= chunk.length;
  }
}

export const hyperdht: Traverser = {
  async help(addresses) {
    const bootstrap: Bootstrap[] = [];
    for (const host of addresses) {
      const node = new HyperDHT({ bootstrap: [...bootstrap], host, port: bootstrapPort, ephemeral: false, firewalled: false });
      await node.fullyBootstrapped();
      if (bootstrap.length < 3) bootstrap.push({ host, port: bootstrapPort });
    }
    return JSON.stringify(bootstrap);
  },

  async serve(helpers) {
    const node = new HyperDHT({ bootstrap: JSON.parse(helpers) as Bootstrap[] });
    await node.fullyBootstrapped();
    const server = node.createServer({}, (stream) => {
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Uint8Array) => { stream.write(chunk); });
    });
    await server.listen();
    return JSON.stringify({ publicKey: Buffer.from(server.publicKey).toString('hex') } satisfies Address);
  },

  async prepare(helpers, address) {
    const { publicKey } = JSON.parse(address) as Address;
    const node = new HyperDHT({ bootstrap: JSON.parse(helpers) as Bootstrap[] });
    await node.fullyBootstrapped();
    return {
      async dial() {
        const stream = node.connect(Buffer.from(publicKey, 'hex'));
        let failure: Error | undefined;
        stream.on('error', (error: Error) => { failure = error; });
        if (!await stream.opened) {
          await new Promise((resolve) => { setImmediate(resolve); });
          throw failure ?? new Error('HyperDHT could not connect to the key.');
        }
        return {
          echo: (bytes) => echo(stream, bytes),
          remote: () => `${stream.rawStream.remoteHost}:${stream.rawStream.remotePort}`,
          // It opens only when it is.
          direct: Promise.resolve(),
        };
      },
    };
  },
};
