/** A UDP socket that breaks under a running engine: another takes its place, traffic goes on, and it can be seen that it happened. */
import type * as Datagrams from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine, EngineOutput } from '../engine/engine-types.ts';
import type { VisorState } from '../engine/mail/visor-store.ts';
import { nobleCrypto } from '../engine/noble-crypto.ts';
import type { SocketAddress } from '../engine/wire/types.ts';
import { FakeInspection } from './api/fake-inspection.ts';
import { systemClock } from './clock.ts';
import { Driver } from './driver.ts';
import { memoryBlobs } from './driver-testing.ts';
import { madeSockets } from './made-sockets-testing.ts';
import { bindUdp, type UdpSocket } from './udp.ts';

vi.mock('node:dgram', async (original) => (await import('./made-sockets-testing.ts')).recordingSockets(await original<typeof Datagrams>()));

const patience = { timeout: 10_000 };
const loopback = '127.0.0.1';
const emptyState: VisorState = { device: undefined, contacts: [], conversations: [], outbox: [], files: [], published: [], relays: [], invites: [], prekeys: [], peerKeys: [], values: new Map() };

/** Sends each datagram back, and notes what it is told. */
class EchoingEngine implements Engine {
  readonly inspect = new FakeInspection();
  readonly outputs: EngineOutput[] = [];
  networkChanges = 0;
  handleDatagram(from: SocketAddress, datagram: Uint8Array): 'kept' { this.outputs.push({ kind: 'transmit', to: from, datagram }); return 'kept'; }
  networkChanged(): void { this.networkChanges += 1; }
  pollOutput(): EngineOutput | undefined { return this.outputs.shift(); }
  pollTimeout(): undefined { return undefined; }
  recycle(): void { /* each has memory of its own */ }
  handleStored(): void { /* nothing is stored */ }
  handleResolved(): void { /* nothing is asked */ }
  handleTimeout(): void { /* there is no timer */ }
  confirmClock(): void { /* there is no mail */ }
  command(): void { /* there are none */ }
  stop(): void { /* nothing to say */ }
}

let engine: EchoingEngine;
let logged: { event: string; fields: Readonly<Record<string, string | number>> }[];
let drivers: Driver[];
let peer: UdpSocket;
let heard: number[];

async function start(port = 0): Promise<Driver> {
  const driver = new Driver({
    createEngine: () => engine, blobs: memoryBlobs(), clock: systemClock, confirmClock: false, listen: { host: loopback, port },
    store: {
      submit: () => { throw new Error('nothing is stored'); }, load: () => Promise.resolve(emptyState), openMail: () => Promise.reject(new Error('no relay here')),
      query: () => Promise.reject(new Error('no queries here')), close: () => Promise.resolve(),
    },
    configuration: { crypto: nobleCrypto, random: (size) => new Uint8Array(size), identitySecret: new Uint8Array(32).fill(1), initialName: '', visor: true, relay: undefined },
    events: { changed: () => undefined, replaced: () => undefined, log: (_level, event, fields) => { logged.push({ event, fields }); } },
  });
  drivers.push(driver);
  await driver.start();
  return driver;
}

const addressOf = (driver: Driver): SocketAddress => {
  if (driver.socket === undefined) throw new Error('no socket');
  return driver.socket.address;
};
/** As when the kernel reports an error on it; the last one made is the driver's. */
const breakSocket = (): void => { madeSockets.at(-1)?.emit('error', Object.assign(new Error('broken'), { code: 'ENETDOWN' })); };
const eventsOf = (): string[] => logged.map((entry) => entry.event);
const ask = async (driver: Driver, size: number): Promise<void> => {
  peer.send(addressOf(driver), new Uint8Array(size));
  await expect.poll(() => heard, patience).toContain(size);
};

beforeEach(async () => {
  engine = new EchoingEngine();
  logged = [];
  drivers = [];
  heard = [];
  peer = await bindUdp({ host: loopback, port: 0, onDatagram: (_from, datagram) => { heard.push(datagram.length); }, onBroken: () => undefined });
});
afterEach(async () => {
  await Promise.all(drivers.map((driver) => driver.stop()));
  await peer.close();
});

describe('a UDP socket that breaks', () => {
  it('is replaced at the same port, and traffic goes on, counted from where it was', async () => {
    const driver = await start();
    const before = addressOf(driver);
    await ask(driver, 5);
    breakSocket();
    expect(driver.counters).toMatchObject({ socketFailures: 1, socketRebinds: 0 });
    expect(logged).toEqual([{ event: 'socket-broken', fields: { reason: 'ENETDOWN' } }]);
    // What the engine sends meanwhile is lost like any datagram.
    engine.outputs.push({ kind: 'transmit', to: peer.address, datagram: new Uint8Array(6) });
    driver.networkChanged();
    await expect.poll(() => driver.counters, patience).toMatchObject({ socketRebinds: 1 });
    expect(addressOf(driver)).toEqual(before);
    expect(logged.at(-1)).toEqual({ event: 'socket-rebound', fields: { port: before.port, attempt: 1 } });
    await ask(driver, 7);
    expect(heard).toEqual([5, 7]);
    expect(driver.socket?.counters).toMatchObject({ receivedDatagrams: 2, receivedBytes: 12, sentDatagrams: 2, sentBytes: 12 });
  });

  it('makes the engine prove its paths anew once the new one is there', async () => {
    const driver = await start();
    breakSocket();
    expect(engine.networkChanges).toBe(0);
    await expect.poll(() => engine.networkChanges, patience).toBe(1);
    expect(driver.counters).toMatchObject({ networkChanges: 1 });
  });

  it('is replaced each time', async () => {
    const driver = await start();
    for (const times of [1, 2]) {
      breakSocket();
      await expect.poll(() => driver.counters, patience).toMatchObject({ socketFailures: times, socketRebinds: times });
      await ask(driver, 10 + times);
    }
  });

  it('is replaced at another port where its own is taken and nobody chose it', async () => {
    const driver = await start();
    const before = addressOf(driver);
    breakSocket();
    const other = await bindUdp({ host: loopback, port: before.port, onDatagram: () => undefined, onBroken: () => undefined });
    await expect.poll(() => driver.counters, patience).toMatchObject({ socketRebinds: 1 });
    expect(addressOf(driver).port).not.toBe(before.port);
    expect(eventsOf()).toEqual(['socket-broken', 'rebind-failed', 'socket-rebound']);
    expect(logged[1]?.fields).toEqual({ code: 'port-taken' });
    await ask(driver, 8);
    await other.close();
  });

  it('waits for its port where that was chosen, and says once that it does', async () => {
    const chosen = await bindUdp({ host: loopback, port: 0, onDatagram: () => undefined, onBroken: () => undefined });
    await chosen.close();
    const driver = await start(chosen.address.port);
    breakSocket();
    const other = await bindUdp({ host: loopback, port: chosen.address.port, onDatagram: () => undefined, onBroken: () => undefined });
    const socketsBefore = madeSockets.length;
    await expect.poll(() => madeSockets.length, patience).toBeGreaterThanOrEqual(socketsBefore + 2);
    await other.close();
    await expect.poll(() => driver.counters, patience).toMatchObject({ socketRebinds: 1 });
    expect(addressOf(driver).port).toBe(chosen.address.port);
    expect(eventsOf()).toEqual(['socket-broken', 'rebind-failed', 'socket-rebound']);
    await ask(driver, 9);
  });

  it('is not replaced after the end', async () => {
    const driver = await start();
    breakSocket();
    const sockets = madeSockets.length;
    await driver.stop();
    await expect(bindUdp({ host: loopback, port: addressOf(driver).port, onDatagram: () => undefined, onBroken: () => undefined }).then((socket) => socket.close())).resolves.toBeUndefined();
    expect([madeSockets.length, driver.counters['socketRebinds']]).toEqual([sockets + 1, 0]);
  });
});
