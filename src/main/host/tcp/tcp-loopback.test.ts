/** Both sides of TCP with real sockets: what goes through, and what strangers can do. */
import { connect as connectPlain, createServer, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { tcpAddress } from '../../engine/wire/tcp-address.ts';
import type { SocketAddress } from '../../engine/wire/types.ts';
import { createTlsIdentity } from './certificate.ts';
import { encodeFrame, frameDatagramMaximumBytes } from './framing.ts';
import { TcpClient, type TcpClientOptions } from './tcp-client.ts';
import { TcpServer, type TcpServerLimits } from './tcp-server.ts';

const host = '127.0.0.1';
const patience = { timeout: 10_000 };
const identity = createTlsIdentity();
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => { for (const close of closers.splice(0).reverse()) await close(); });

interface Heard { readonly from: SocketAddress; readonly datagram: Uint8Array }
interface Serving { readonly server: TcpServer; readonly heard: Heard[]; readonly at: SocketAddress; readonly port: number }

async function serve(limits: Partial<TcpServerLimits> = {}): Promise<Serving> {
  const heard: Heard[] = [];
  const server = new TcpServer({ host, port: 0, identity, limits, onDatagram: (from, datagram) => { heard.push({ from, datagram }); } });
  await server.open();
  closers.push(() => server.close());
  const port = server.port ?? 0;
  return { server, heard, at: tcpAddress(host, port), port };
}

function client(options: Partial<TcpClientOptions> = {}): { readonly client: TcpClient; readonly heard: Heard[]; readonly lost: SocketAddress[] } {
  const heard: Heard[] = [];
  const lost: SocketAddress[] = [];
  const made = new TcpClient({ onDatagram: (from, datagram) => { heard.push({ from, datagram }); }, onLost: (address) => { lost.push(address); }, ...options });
  closers.push(() => made.close());
  return { client: made, heard, lost };
}

/** Somebody who speaks TLS as they like. */
async function stranger(port: number): Promise<TLSSocket> {
  const socket = connectTls({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
  socket.on('error', () => undefined);
  closers.push(() => { socket.destroy(); });
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('close', reject);
  });
  return socket;
}

/** Between the two: passes bytes on, and can cut them off. */
async function between(port: number): Promise<{ readonly port: number; readonly pairs: (readonly [Socket, Socket])[]; passBytes: number }> {
  const state = { port: 0, pairs: [] as (readonly [Socket, Socket])[], passBytes: Infinity };
  const server = createServer((inner) => {
    const outer = connectPlain(port, host);
    let passedBytes = 0;
    state.pairs.push([inner, outer]);
    for (const [one, other] of [[inner, outer], [outer, inner]] as const) {
      one.on('error', () => undefined);
      one.on('close', () => { other.destroy(); });
      one.on('data', (chunk: Buffer) => {
        passedBytes += one === inner ? chunk.length : 0;
        if (passedBytes <= state.passBytes) { other.write(chunk); return; }
        // In the middle of whatever it is.
        other.write(chunk.subarray(0, chunk.length >> 1), () => { inner.resetAndDestroy(); outer.resetAndDestroy(); });
      });
    }
  });
  await new Promise<void>((resolve) => { server.listen(0, host, resolve); });
  closers.push(() => { for (const pair of state.pairs) for (const socket of pair) socket.destroy(); server.close(); });
  const address = server.address();
  state.port = typeof address === 'object' && address !== null ? address.port : 0;
  return state;
}

const numbered = (number: number, sizeBytes = 100): Uint8Array => new Uint8Array(sizeBytes).fill(number);

describe('datagrams over TCP', () => {
  it('go both ways, with the addresses by which each side knows the other', async () => {
    const { server, heard, at } = await serve();
    const { client: visor, heard: answers } = client();
    for (const size of [1, 100, 1_200, frameDatagramMaximumBytes]) visor.send(at, numbered(4, size));
    await expect.poll(() => heard.length, patience).toBe(4);
    expect(heard.map(({ datagram }) => datagram.length)).toEqual([1, 100, 1_200, frameDatagramMaximumBytes]);
    const [first] = heard;
    expect(first?.from.host).toBe(`tcp/${host}#1`);
    if (first !== undefined) server.send(first.from, numbered(4, 1_173));
    await expect.poll(() => answers, patience).toEqual([{ from: at, datagram: numbered(4, 1_173) }]);
    expect([server.connectionCount, visor.openCount]).toEqual([1, 1]);
  });

  it('do not go where they are too long, and nothing else suffers', async () => {
    const { heard, at } = await serve();
    const { client: visor } = client();
    visor.send(at, numbered(1));
    await expect.poll(() => heard.length, patience).toBe(1);
    visor.send(at, numbered(2, frameDatagramMaximumBytes + 1));
    visor.send(at, numbered(3));
    await expect.poll(() => heard.map(({ datagram }) => datagram[0]), patience).toEqual([1, 3]);
    expect(visor.counters.refused).toBe(1);
  });

  it('go on after each reset, also in the middle of a frame, on another connection', async () => {
    const { server, heard, port } = await serve();
    const middle = await between(port);
    const { client: visor, lost } = client({ limits: { pauseFirstMs: 5, pauseMaximumMs: 20 } });
    const at = tcpAddress(host, middle.port);
    for (let round = 1; round <= 5; round += 1) {
      // A reset may take what was under way: the layer above sends it again.
      await expect.poll(() => { visor.send(at, numbered(round)); return heard.at(-1)?.datagram[0]; }, patience).toBe(round);
      middle.passBytes = 0;
      await expect.poll(() => { visor.send(at, numbered(200, 1_400)); return lost.length; }, patience).toBe(round);
      middle.passBytes = Infinity;
    }
    expect(heard.every(({ datagram }) => datagram.every((byte) => byte === datagram[0]))).toBe(true);
    await expect.poll(() => server.connectionCount, patience).toBe(0);
    expect(server.counters.malformed).toBe(0);
  });

  it('are dropped and counted where nobody reads, and memory stays bounded', async () => {
    const { server, heard, port } = await serve({ waitingBytes: 300_000 });
    const lazy = [await stranger(port), await stranger(port), await stranger(port)];
    for (const socket of lazy) socket.write(encodeFrame(numbered(4)) ?? '');
    await expect.poll(() => heard.length, patience).toBe(3);
    for (const socket of lazy) socket.pause();
    // More than the kernel takes for three of them.
    for (let round = 0; round < 400; round += 1) {
      for (const { from } of heard) for (let count = 0; count < 60; count += 1) server.send(from, numbered(4, 1_200));
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    expect(server.counters.dropped).toBeGreaterThan(0);
    expect(server.waitingBytes).toBeLessThanOrEqual(300_000);
    for (const socket of lazy) socket.destroy();
    await expect.poll(() => [server.connectionCount, server.waitingBytes], patience).toEqual([0, 0]);
  });

  it('to a place where nobody is are lost, and it is tried again with pauses', async () => {
    const { client: visor, lost } = client({ limits: { pauseFirstMs: 20, pauseMaximumMs: 40 } });
    const gone = await serve();
    await gone.server.close();
    for (let count = 0; count < 50; count += 1) {
      visor.send(gone.at, numbered(1));
      await new Promise((resolve) => { setTimeout(resolve, 2); });
    }
    expect(visor.counters.connects).toBeGreaterThan(1);
    expect(visor.counters.connects).toBeLessThan(12);
    expect(lost).toEqual([]);
  });

  it('need a connection anew after a change of network', async () => {
    const { server, heard, at } = await serve();
    const { client: visor, lost } = client();
    visor.send(at, numbered(1));
    await expect.poll(() => heard.length, patience).toBe(1);
    visor.networkChanged();
    visor.send(at, numbered(2));
    await expect.poll(() => heard.map(({ from }) => from.host), patience).toEqual([`tcp/${host}#1`, `tcp/${host}#2`]);
    await expect.poll(() => server.connectionCount, patience).toBe(1);
    expect(lost).toEqual([]);
  });

  it('that were sent last go out before it ends', async () => {
    const { heard, at } = await serve();
    const { client: visor } = client();
    visor.send(at, numbered(1));
    await expect.poll(() => heard.length, patience).toBe(1);
    visor.send(at, numbered(9));
    await visor.close();
    await expect.poll(() => heard.at(-1)?.datagram[0], patience).toBe(9);
  });
});

describe('strangers', () => {
  it('who send what is no frame are cut off', async () => {
    const { server, heard, port } = await serve();
    for (const bytes of [[0, 0], [0xff, 0xff, 1, 2, 3], [...new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')]]) {
      const socket = await stranger(port);
      const closed = new Promise((resolve) => { socket.once('close', resolve); });
      socket.write(Uint8Array.from(bytes));
      await closed;
    }
    expect([server.counters.malformed, heard]).toEqual([3, []]);
    await expect.poll(() => server.connectionCount, patience).toBe(0);
  });

  it('who speak no TLS, or an old one, get nowhere', async () => {
    const { server, heard, port } = await serve();
    const plain = connectPlain(port, host);
    plain.on('error', () => undefined);
    const closed = new Promise((resolve) => { plain.once('close', resolve); });
    plain.write('GET / HTTP/1.1\r\n\r\n');
    const old = connectTls({ host, port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    const refused = await new Promise<Error>((resolve) => { old.once('error', resolve); });
    expect(refused.message).toContain('alert protocol version');
    await closed;
    await expect.poll(() => server.connectionCount, patience).toBe(0);
    expect(heard).toEqual([]);
  });

  it('have a share of the connections each, and all together what there is', async () => {
    const { server, port } = await serve({ connectionsOfOne: 3, connections: 100 });
    await Promise.all([stranger(port), stranger(port), stranger(port)]);
    await expect(stranger(port)).rejects.toBeDefined();
    expect([server.connectionCount, server.counters['turnedAway'], server.counters['turnedAwayOfOne']]).toEqual([3, 1, 1]);
  });

  it('have a share with all of their site, in which those with a session stay, and others make room', async () => {
    const { server, heard, at, port } = await serve({ connectionsOfSite: 3, connections: 100 });
    const { client: visor, lost } = client();
    visor.send(at, numbered(4));
    await expect.poll(() => heard.length, patience).toBe(1);
    for (const { from } of heard) server.send(from, numbered(4));
    for (let count = 0; count < 5; count += 1) await stranger(port);
    expect([server.connectionCount, server.counters['evicted'], lost]).toEqual([3, 3, []]);
  });

  it('are turned away and counted when their site has its share of sessions', async () => {
    const { server, heard, at, port } = await serve({ connectionsOfSite: 2, connections: 100 });
    for (const visor of [client().client, client().client]) visor.send(at, numbered(4));
    await expect.poll(() => heard.length, patience).toBe(2);
    for (const { from } of heard) server.send(from, numbered(4));
    await expect(stranger(port)).rejects.toBeDefined();
    expect([server.connectionCount, server.counters['turnedAway'], server.counters['turnedAwayOfSite'], server.counters['evicted']]).toEqual([2, 1, 1, 0]);
  });

  it('make room for others, and those with a session stay', async () => {
    const { server, heard, at, port } = await serve({ connections: 4 });
    const { client: visor, lost } = client();
    visor.send(at, numbered(4));
    await expect.poll(() => heard.length, patience).toBe(1);
    const [first] = heard;
    if (first !== undefined) server.send(first.from, numbered(4));
    const others = [];
    for (let count = 0; count < 10; count += 1) others.push(await stranger(port));
    expect([server.connectionCount, server.counters['evicted'], lost]).toEqual([4, 7, []]);
    visor.send(at, numbered(5));
    await expect.poll(() => heard.at(-1)?.datagram[0], patience).toBe(5);
  });

  /** Begin a handshake and never go on. */
  async function stall(port: number, count: number, localAddress: string): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const socket = connectPlain({ port, host, localAddress });
      socket.on('error', () => undefined);
      closers.push(() => { socket.destroy(); });
      await new Promise((resolve) => { socket.once('connect', resolve); });
    }
  }

  it('who begin handshakes and end none keep nobody out', async () => {
    const { server, port } = await serve({ handshakes: 4, slowHandshakeMs: 30 });
    await stall(port, 4, host);
    await expect.poll(() => server.handshakeCount, patience).toBe(4);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    await stranger(port);
    expect([server.counters['evicted'], server.counters['turnedAway']]).toEqual([1, 0]);
  });

  // Elsewhere a machine has one address of loopback.
  it.runIf(process.platform === 'linux')('who begin more handshakes than others make room for them at once', async () => {
    const { server, port } = await serve({ handshakes: 4, slowHandshakeMs: 60_000 });
    await stall(port, 4, '127.0.0.2');
    await expect.poll(() => server.handshakeCount, patience).toBe(4);
    await stranger(port);
    expect(server.counters['evicted']).toBe(1);
    // One of each pushes out nobody.
    const { server: fair, port: fairPort } = await serve({ handshakes: 4, slowHandshakeMs: 60_000 });
    for (const localAddress of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']) await stall(fairPort, 1, localAddress);
    await expect.poll(() => fair.handshakeCount, patience).toBe(4);
    await expect(stranger(fairPort)).rejects.toBeDefined();
    expect(fair.counters['evicted']).toBe(0);
  });

  it('ten thousand at once of them hold no more than is allowed, and leave nothing behind', async () => {
    const { server, heard, port } = await serve({ connections: 200, connectionsOfOne: 200, handshakes: 50, unusedMs: 500 });
    let most = 0;
    for (let round = 0; round < 100; round += 1) {
      const sockets = Array.from({ length: 100 }, (_, index) => {
        const socket = connectPlain(port, host);
        socket.on('error', () => undefined);
        socket.write(Uint8Array.from({ length: 40 + index }, (_none, position) => (position * 31 + index * 7 + round) & 0xff));
        return socket;
      });
      await Promise.all(sockets.map((socket) => new Promise((resolve) => { socket.once('connect', resolve); socket.once('close', resolve); })));
      most = Math.max(most, server.connectionCount);
      for (const socket of sockets) socket.destroy();
    }
    expect(most).toBeLessThanOrEqual(200);
    await expect.poll(() => [server.connectionCount, server.handshakeCount, server.neighbourhoodCount], patience).toEqual([0, 0, 0]);
    const { client: visor } = client();
    visor.send(tcpAddress(host, port), numbered(1));
    await expect.poll(() => heard.length, patience).toBe(1);
  }, 60_000);
});
