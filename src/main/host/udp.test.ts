import { afterEach, describe, expect, it } from 'vitest';
import type { SocketAddress } from '../engine/wire/types.ts';
import { bindUdp, freeDatagram, type UdpSocket } from './udp.ts';

const open: UdpSocket[] = [];
afterEach(async () => { await Promise.all(open.splice(0).map((socket) => socket.close())); });

async function bind(host: string | undefined, port = 0, onDatagram: (from: SocketAddress, datagram: Uint8Array) => void = () => undefined): Promise<UdpSocket> {
  const socket = await bindUdp({ host, port, onDatagram, onBroken: () => undefined });
  open.push(socket);
  return socket;
}

describe('the UDP socket', () => {
  it('carries datagrams between literal addresses, as plain bytes', async () => {
    const heard = Promise.withResolvers<{ from: SocketAddress; datagram: Uint8Array }>();
    const listener = await bind('127.0.0.1', 0, (from, datagram) => { heard.resolve({ from, datagram }); });
    const sender = await bind('127.0.0.1');
    sender.send(listener.address, new Uint8Array([1, 2, 3]));
    const { from, datagram } = await heard.promise;
    expect(from).toEqual(sender.address);
    expect([Object.getPrototypeOf(datagram) === Uint8Array.prototype, [...datagram]]).toEqual([true, [1, 2, 3]]);
    expect(listener.counters).toMatchObject({ receivedDatagrams: 1, receivedBytes: 3 });
  });

  it('says when the memory of a datagram may be used again, and frees that of one that came', async () => {
    const heard = Promise.withResolvers<Uint8Array>();
    const listener = await bind('127.0.0.1', 0, (_from, datagram) => { heard.resolve(datagram); });
    const sender = await bind('127.0.0.1');
    const memory = new Uint8Array(2_000).fill(7);
    expect(sender.send(listener.address, memory)).toBe(true);
    memory.fill(9);
    const datagram = await heard.promise;
    expect([datagram.length, new Set(datagram)]).toEqual([2_000, new Set([7])]);
    freeDatagram(datagram);
    expect(datagram.length).toBe(0);
    // Not where it shares memory with others.
    const part = memory.subarray(0, 10);
    freeDatagram(part);
    expect(part.length).toBe(10);
    await expect.poll(() => sender.counters).toMatchObject({ sentDatagrams: 1, sentBytes: 2_000, sendErrors: 0 });
  });

  it('listens on all addresses and still names IPv4 senders in plain', async () => {
    const heard = Promise.withResolvers<SocketAddress>();
    const answered = Promise.withResolvers<SocketAddress>();
    const listener = await bind(undefined, 0, (from, datagram) => { listener.send(from, datagram); heard.resolve(from); });
    const sender = await bind('127.0.0.1', 0, (from) => { answered.resolve(from); });
    sender.send({ host: '127.0.0.1', port: listener.address.port }, new Uint8Array([1]));
    expect(await heard.promise).toEqual(sender.address);
    expect(await answered.promise).toEqual({ host: '127.0.0.1', port: listener.address.port });
  });

  it('says that a port is taken', async () => {
    const { address } = await bind('127.0.0.1');
    await expect(bind('127.0.0.1', address.port)).rejects.toMatchObject({ code: 'port-taken', message: expect.stringContaining(String(address.port)) as string });
  });

  it('says that an address is not of this machine', async () => {
    await expect(bind('192.0.2.1')).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('counts what cannot be sent instead of throwing', async () => {
    const socket = await bind('127.0.0.1');
    socket.send({ host: '::1', port: 9 }, new Uint8Array([1]));
    socket.send({ host: '127.0.0.1', port: 70_000 }, new Uint8Array([1]));
    expect(socket.counters.sendErrors).toBe(2);
    await socket.close();
    socket.send({ host: '127.0.0.1', port: 9 }, new Uint8Array([1]));
    expect(socket.counters.sendErrors).toBe(2);
  });

  it('reports what the kernel granted as a receive buffer', async () => {
    const socket = await bind('127.0.0.1');
    expect(socket.receiveBufferBytes).toBeGreaterThan(0);
    expect(socket.receiveBufferRefused).toBe(socket.receiveBufferBytes < 4 * 1024 * 1024);
  });
});
