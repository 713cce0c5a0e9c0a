/**
 * The ceiling: datagrams of 1,200 bytes through Node's own UDP sockets, unencrypted, unconfirmed, sent as fast as they go. What the receiver
 * does not take in time is lost, and only what it received counts. What is built on these sockets can hardly be faster; libraries with sockets of
 * their own can, since they hand several datagrams to the kernel at once.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Peer } from '../peer.ts';

const host = '127.0.0.1';
const datagramBytes = 1_200;
const receiveBufferBytes = 4 * 1_048_576;
/** Sent before the sender looks at its other events. */
const burstDatagrams = 64;
/** The one message that is not echoed. */
const bulkRequestBytes = 1;

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  socket.setRecvBufferSize(receiveBufferBytes);
  return socket;
}

/** Connected sockets spare the kernel looking up the destination of each datagram, and Node the parsing of its address. */
async function connected(port: number): Promise<Socket> {
  const socket = await bound();
  socket.connect(port, host);
  await once(socket, 'connect');
  return socket;
}

async function blast(port: number): Promise<never> {
  const socket = await connected(port);
  // Refusals arrive here after the receiver has ended; the process is ended too.
  socket.on('error', () => undefined);
  const datagram = new Uint8Array(datagramBytes).fill(7);
  for (;;) {
    for (let sent = 1; sent < burstDatagrams; sent += 1) socket.send(datagram);
    await new Promise<void>((resolve) => { socket.send(datagram, () => { resolve(); }); });
    // A callback may come without a turn of the loop; the process must stay able to end.
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

export const dgram: Peer = {
  async serve() {
    const socket = await bound();
    socket.on('message', (message, from) => {
      if (message.length === bulkRequestBytes) void blast(from.port);
      else socket.send(message, from.port, from.address);
    });
    return String(socket.address().port);
  },

  prepare(address) {
    return Promise.resolve({
      async dial() {
        const port = Number(address);
        const socket = await connected(port);
        let answered: (() => void) | undefined;
        socket.on('message', () => { answered?.(); });
        return {
          async bulk(received) {
            // The burst comes from another port: this socket is not connected to it.
            const receiver = await bound();
            receiver.on('message', (message) => { received(message.length); });
            receiver.send(new Uint8Array(bulkRequestBytes), port, host);
          },
          echo(message) {
            return new Promise((resolve) => {
              answered = resolve;
              socket.send(message);
            });
          },
          transfer: undefined,
          stopReading: undefined,
        };
      },
    });
  },
};
