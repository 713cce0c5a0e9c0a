/**
 * `lab-flood.ts TARGET PORT PER_SECOND SECONDS SOURCE[:PORT]...`: sends forged datagrams at a steady rate, from these addresses in turn, and prints how many went out. They are what
 * somebody sends who knows the layout of datagrams and no key: sessions that do not exist, beginnings and ends of handshakes, answers to nothing, cookies, resets, noise.
 */
import { createSocket, type Socket } from 'node:dgram';
import { randomBytes } from 'node:crypto';

const stepMs = 2;
const ringDatagrams = 2_048;
/** Of each type: transports most, since those have to be looked up and proved one by one. */
const types = [4, 4, 4, 4, 4, 4, 4, 4, 1, 2, 3, 5, 6, 7, 8, 9, 10, 255] as const;
const handshakeBytes = 1_200;
const probeBytes = 128;
const resetBytes = 21;
const otherMaximumBytes = 1_200;
const otherMinimumBytes = 30;

function forged(index: number): Uint8Array {
  const type = types[index % types.length] ?? 0;
  const sizeBytes = type === 1 ? handshakeBytes : type === 5 || type === 6 ? resetBytes : type === 7 ? probeBytes : otherMinimumBytes + (index * 7_919) % (otherMaximumBytes - otherMinimumBytes);
  const datagram = new Uint8Array(randomBytes(sizeBytes));
  datagram[0] = type;
  // Small indexes and counters exist.
  if (type === 4) datagram.fill(0, 1, 4).fill(0, 5, 12);
  if (type === 1) { datagram[1] = 1 + index % 2; datagram[22] = 1; datagram[23] = 1; }
  return datagram;
}

/** Addresses are literal: the usual lookup would take a turn of the loop for each datagram. */
function bound(source: string): Promise<Socket> {
  const [address = '', port = '0'] = source.split(':');
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, callback) => { callback(null, host, 4); } });
    socket.once('error', reject);
    socket.bind({ address, port: Number(port) }, () => {
      socket.off('error', reject);
      // Nobody answers for a port that was closed meanwhile; the flood goes on.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

const [target = '', port = '', perSecond = '', seconds = '', ...sources] = process.argv.slice(2);
const ring = Array.from({ length: ringDatagrams }, (_, index) => forged(index));
const sockets = await Promise.all(sources.map(bound));
const [rate, durationMs, targetPort] = [Number(perSecond) / 1_000, Number(seconds) * 1_000, Number(port)];
const startedMs = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const elapsedMs = Math.min(performance.now() - startedMs, durationMs);
  for (; sent < elapsedMs * rate; sent += 1) sockets[sent % sockets.length]?.send(ring[sent % ringDatagrams] ?? new Uint8Array(1), targetPort, target);
  if (elapsedMs < durationMs) return;
  clearInterval(timer);
  for (const socket of sockets) socket.close();
  process.stdout.write(`${String(sent)}\n`);
}, stepMs);
