/** The measuring server: four sockets, on two addresses and two ports each, and a small download over TCP. */
import { createServer } from 'node:net';
import { open, parse, say, textOf } from './probe-datagrams.ts';

/** What is fetched over TCP. */
export const bulkBytes = 512 * 1_024;

export async function serve(addresses: readonly string[], firstPort: number): Promise<void> {
  const places = addresses.flatMap((address) => [firstPort, firstPort + 1].map((port) => ({ address, port })));
  const sockets = await Promise.all(places.map(async (place) => ({ ...place, socket: await open(place.port, place.address) })));
  const names = new Map<string, string>();
  for (const own of sockets) {
    own.socket.on('message', (datagram, from) => {
      const { id, reply = '', name, peer } = parse(datagram);
      if (id === undefined) return;
      const isOtherAddress = ['address', 'both'].includes(reply);
      const isOtherPort = ['port', 'both'].includes(reply);
      if (name !== undefined) names.set(name, textOf(from));
      const known = peer === undefined ? undefined : names.get(peer);
      const via = sockets.find(({ address, port }) => (address !== own.address) === isOtherAddress && (port !== own.port) === isOtherPort);
      if (via !== undefined) say(via.socket, { id, mapped: textOf(from), ...(known === undefined ? {} : { peer: known }) }, from);
    });
  }
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(Buffer.alloc(bulkBytes));
  });
  server.listen(firstPort, addresses[0], () => { process.stdout.write('serving\n'); });
}
