/** The sockets of one driver: which one a datagram came to and goes from, and what becomes of those that cannot be had or break. */
import type * as Datagrams from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SpareSocket } from '../engine/path/observation-port.ts';
import type { SocketAddress } from '../engine/wire/types.ts';
import { madeSockets } from './made-sockets-testing.ts';
import { Sockets } from './sockets.ts';
import { bindUdp, type UdpSocket } from './udp.ts';

vi.mock('node:dgram', async (original) => (await import('./made-sockets-testing.ts')).recordingSockets(await original<typeof Datagrams>()));

const patience = { timeout: 10_000 };
const host = '127.0.0.1';
let open: Sockets[];
let peer: UdpSocket;
/** Source ports and sizes of what the peer got. */
let heard: [number, number][];
/** Socket and size of what came in here. */
let came: [string, number][];
let bound: [string, number | undefined][];
let logged: [string, Readonly<Record<string, string | number>>][];

async function start(secondPort: number | undefined): Promise<Sockets> {
  const sockets = new Sockets({
    listen: { host, port: 0 }, secondPort,
    onDatagram: (socket, _from, datagram) => { came.push([socket, datagram.length]); },
    onReplaced: () => undefined,
    onBound: (socket, port) => { bound.push([socket, port]); },
    log: (_level, event, fields) => { logged.push([event, fields]); },
  });
  open.push(sockets);
  await sockets.open();
  return sockets;
}
const mainAddress = (sockets: Sockets): SocketAddress => sockets.main?.address ?? { host, port: 0 };
const spareName = (number: number): SpareSocket => `spare-${number}`;

beforeEach(async () => {
  [open, heard, came, bound, logged] = [[], [], [], [], []];
  peer = await bindUdp({ host, port: 0, onDatagram: (from, datagram) => { heard.push([from.port, datagram.length]); }, onBroken: () => undefined });
});
afterEach(async () => {
  await Promise.all(open.map((sockets) => sockets.close()));
  await peer.close();
});

describe('the sockets of a driver', () => {
  it('are told apart in both directions', async () => {
    const sockets = await start(0);
    sockets.bind('spare-1');
    await expect.poll(() => bound, patience).toHaveLength(1);
    const ports = { main: mainAddress(sockets).port, second: sockets.secondPort ?? 0, spare: bound[0]?.[1] ?? 0 };
    expect(new Set(Object.values(ports)).size).toBe(3);
    for (const [via, size] of [['main', 5], ['second', 6], ['spare-1', 7]] as const) sockets.send(via, peer.address, new Uint8Array(size));
    await expect.poll(() => heard, patience).toHaveLength(3);
    expect(new Map(heard)).toEqual(new Map([[ports.main, 5], [ports.second, 6], [ports.spare, 7]]));
    for (const [port, size] of [[ports.main, 8], [ports.second, 9], [ports.spare, 10]] as const) peer.send({ host, port }, new Uint8Array(size));
    await expect.poll(() => came, patience).toHaveLength(3);
    expect(new Map(came)).toEqual(new Map([['main', 8], ['second', 9], ['spare-1', 10]]));
  });

  it('do without the second one where its port is taken, and say so', async () => {
    const sockets = await start(peer.address.port);
    expect([sockets.secondPort, logged]).toEqual([undefined, [['second-socket-failed', { port: peer.address.port, code: 'port-taken' }]]]);
    expect(sockets.send('second', peer.address, new Uint8Array(3))).toBe(true);
    sockets.send('main', peer.address, new Uint8Array(4));
    await expect.poll(() => heard, patience).toEqual([[mainAddress(sockets).port, 4]]);
    expect((await start(undefined)).secondPort).toBeUndefined();
  });

  it('replace the second one when it breaks, and tell its port', async () => {
    const sockets = await start(0);
    const port = sockets.secondPort;
    madeSockets.at(-1)?.emit('error', Object.assign(new Error('broken'), { code: 'ENETDOWN' }));
    expect(bound).toEqual([['second', undefined]]);
    await expect.poll(() => bound, patience).toEqual([['second', undefined], ['second', port]]);
    expect(logged).toEqual([['socket-broken', { reason: 'ENETDOWN', socket: 'second' }], ['socket-rebound', { port, attempt: 1, socket: 'second' }]]);
  });

  it('are 16 spare ones at most, and tell of one that breaks', async () => {
    const sockets = await start(undefined);
    for (let number = 1; number <= 17; number += 1) sockets.bind(spareName(number));
    expect(bound).toEqual([['spare-17', undefined]]);
    await expect.poll(() => bound, patience).toHaveLength(17);
    madeSockets.at(-1)?.emit('error', Object.assign(new Error('broken'), { code: 'ENETDOWN' }));
    expect(bound.at(-1)).toEqual(['spare-16', undefined]);
    expect([sockets.spareCount, sockets.counters]).toMatchObject([15, { spareBinds: 16, spareFailures: 2 }]);
    expect(logged).toEqual([['spare-socket-failed', { code: 'too-many' }], ['spare-socket-failed', { code: 'ENETDOWN' }]]);
  });

  it('are many for guesses, of IPv4, apart from the spare ones; the first datagram of each goes as far as was said, the next as far as ever', async () => {
    const sockets = await start(undefined);
    const made = madeSockets.length;
    for (let number = 1; number <= 300; number += 1) sockets.bindGuess(`guess-${number}`, 5);
    sockets.bind('spare-1');
    await expect.poll(() => bound, patience).toHaveLength(301);
    expect(bound.every(([, port]) => port !== undefined)).toBe(true);
    expect(madeSockets.slice(made).every((socket) => socket.address().family === 'IPv4')).toBe(true);
    const hops: number[] = [];
    const [first] = madeSockets.slice(made);
    if (first === undefined) throw new Error('there is a socket');
    const { setTTL } = first;
    first.setTTL = (ttl) => { hops.push(ttl); return setTTL.call(first, ttl); };
    for (const size of [11, 12]) sockets.send('guess-1', peer.address, new Uint8Array(size));
    await expect.poll(() => heard.map(([, size]) => size), patience).toEqual([11, 12]);
    expect(hops).toEqual([64]);
    for (let number = 301; number <= 513; number += 1) sockets.bindGuess(`guess-${number}`, 5);
    await expect.poll(() => bound, patience).toHaveLength(514);
    expect(bound.filter(([, port]) => port === undefined)).toEqual([['guess-513', undefined]]);
    sockets.unbindAll();
    expect(sockets.spareCount).toBe(0);
  });

  it('are closed when they are given up, also before they are there', async () => {
    const sockets = await start(undefined);
    sockets.bind('spare-1');
    await expect.poll(() => bound, patience).toHaveLength(1);
    const port = bound[0]?.[1] ?? 0;
    sockets.bind('spare-2');
    sockets.unbindAll();
    expect(sockets.spareCount).toBe(0);
    // The port can be had again, so nothing holds it.
    await expect.poll(() => bindUdp({ host, port, onDatagram: () => undefined, onBroken: () => undefined }).then((socket) => socket.close().then(() => 'free'), () => 'taken'), patience).toBe('free');
    peer.send({ host, port }, new Uint8Array(3));
    sockets.send('spare-1', peer.address, new Uint8Array(3));
    sockets.send('main', peer.address, new Uint8Array(4));
    await expect.poll(() => heard, patience).toEqual([[mainAddress(sockets).port, 4]]);
    expect([bound.length, came]).toEqual([1, []]);
  });
});
