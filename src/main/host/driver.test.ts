import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nobleCrypto } from '../engine/noble-crypto.ts';
import type { CreateEngine, Engine, EngineOutput } from '../engine/engine-types.ts';
import type { StoreFailure, VisorState } from '../engine/mail/visor-store.ts';
import type { SocketAddress } from '../engine/wire/types.ts';
import { FakeInspection } from './api/fake-inspection.ts';
import { systemClock } from './clock.ts';
import { Driver } from './driver.ts';
import { memoryBlobs } from './driver-testing.ts';
import type { MemoryUse } from '../engine/directed/types.ts';
import { storeError, type EngineStore, type StoreOutcome } from './engine-store.ts';
import { Resolver } from './resolver.ts';
import { bindUdp, type UdpSocket } from './udp.ts';

const emptyState: VisorState = { device: undefined, contacts: [], conversations: [], outbox: [], files: [], published: [], relays: [], invites: [], prekeys: [], peerKeys: [], values: new Map() };

/** An engine that only notes what it is told; a test puts outputs in and says when its timer is due. */
class ScriptedEngine implements Engine {
  readonly inspect = new FakeInspection();
  readonly told: string[] = [];
  readonly handed: Uint8Array[] = [];
  use: MemoryUse = 'kept';
  readonly outputs: EngineOutput[] = [];
  dueInMs: number | undefined;
  handleDatagram(_from: SocketAddress, datagram: Uint8Array): MemoryUse {
    this.told.push(`datagram ${String(datagram.length)}`);
    this.handed.push(datagram);
    return this.use;
  }
  recycle(): void { /* its outputs are kept by nobody */ }
  handleStored(ticket: number): void { this.told.push(`stored ${String(ticket)}`); }
  handleResolved(ticket: number, hosts: readonly string[]): void { this.told.push(`resolved ${String(ticket)} ${hosts.join()}`); }
  handleTimeout(): void { this.told.push('timeout'); this.dueInMs = undefined; }
  networkChanged(): void { this.told.push('network'); }
  confirmClock(): void { this.told.push('clock'); }
  command(ticket: number): void { this.told.push('command'); this.outputs.push({ kind: 'store', ticket: 100 + ticket, store: 'visor', request: { op: 'commit', changes: [] } }); }
  pollOutput(): EngineOutput | undefined {
    const output = this.outputs.shift();
    if (output === undefined) this.told.push('drained');
    return output;
  }
  pollTimeout(): { atMs: number; reason: string } | undefined {
    return this.dueInMs === undefined ? undefined : { atMs: systemClock.now().monotonicMs + this.dueInMs, reason: 'test' };
  }
  stop(): void { this.told.push('stop'); }
}

/** A store that holds requests until the test answers them. */
class HeldStore implements EngineStore {
  readonly held: ((outcome: StoreOutcome<never>) => void)[] = [];
  loads = 0;
  loadFailure: StoreFailure | undefined;
  submit(...[, , done]: [unknown, unknown, (outcome: StoreOutcome<never>) => void]): void { this.held.push(done); }
  load(): Promise<VisorState> {
    this.loads += 1;
    return this.loadFailure === undefined ? Promise.resolve(emptyState) : Promise.reject(storeError(this.loadFailure));
  }
  openMail(): Promise<never> { return Promise.reject(new Error('no relay here')); }
  query(): Promise<never> { return Promise.reject(new Error('no queries here')); }
  close(): Promise<void> { return Promise.resolve(); }
}

const stored: StoreOutcome<never> = { ok: true, result: { applied: true } as never };
const full: StoreOutcome<never> = { ok: false, failure: { code: 'disk-full', message: 'The disk is full.' } };

let engines: ScriptedEngine[];
let store: HeldStore;
let events: string[];
let driver: Driver;
let peer: UdpSocket;

function createDriver(port = 0): Driver {
  const createEngine: CreateEngine = () => {
    const engine = new ScriptedEngine();
    engines.push(engine);
    return engine;
  };
  return new Driver({
    createEngine, store, blobs: memoryBlobs(), clock: systemClock, confirmClock: false, listen: { host: '127.0.0.1', port },
    configuration: { crypto: nobleCrypto, random: (size) => new Uint8Array(size), identitySecret: new Uint8Array(32).fill(1), initialName: '', visor: true, relay: undefined },
    resolver: new Resolver((host) => Promise.resolve(host === 'relay.example' ? ['192.0.2.7'] : [])),
    events: {
      changed: (changes) => { events.push(`changed ${String(changes.length)}`); },
      replaced: () => { events.push('replaced'); },
      log: (_level, event) => { events.push(event); },
    },
  });
}

const current = (): ScriptedEngine => {
  const engine = engines.at(-1);
  if (engine === undefined) throw new Error('no engine was made');
  return engine;
};

beforeEach(async () => {
  engines = [];
  events = [];
  store = new HeldStore();
  driver = createDriver();
  peer = await bindUdp({ host: '127.0.0.1', port: 0, onDatagram: () => undefined, onBroken: () => undefined });
  await driver.start();
});
afterEach(async () => {
  await driver.stop();
  await peer.close();
});

describe('the driver', () => {
  it('hands datagrams to the engine and sends what it gives back', async () => {
    const heard = Promise.withResolvers<number>();
    const listener = await bindUdp({ host: '127.0.0.1', port: 0, onDatagram: (_from, datagram) => { heard.resolve(datagram.length); }, onBroken: () => undefined });
    current().outputs.push({ kind: 'transmit', to: listener.address, datagram: new Uint8Array(9) });
    const target = driver.socket?.address;
    if (target === undefined) throw new Error('no socket');
    peer.send(target, new Uint8Array(5));
    expect(await heard.promise).toBe(9);
    expect(current().told).toContain('datagram 5');
    await listener.close();
  });

  it('hands over all that a turn brings before the engine acts on leaves, and frees them then', async () => {
    const engine = current();
    engine.use = 'until-flush';
    const target = driver.socket?.address;
    if (target === undefined) throw new Error('no socket');
    engine.told.length = 0;
    for (const sizeBytes of [1_001, 1_002, 1_003]) peer.send(target, new Uint8Array(sizeBytes));
    await expect.poll(() => engine.told.at(-1)).toBe('drained');
    await expect.poll(() => engine.handed.map((datagram) => datagram.buffer.byteLength)).toEqual([0, 0, 0]);
    // Not one drain for each, and none before the first datagram.
    expect(engine.told[0]).toBe('datagram 1001');
    expect(engine.told.filter((line) => line.startsWith('datagram'))).toHaveLength(3);
  });

  it.each([['none', 0], ['kept', 700]] as const)('gives the memory of a datagram back when the engine uses %s of it', async (use, sizeBytes) => {
    const engine = current();
    engine.use = use;
    const target = driver.socket?.address;
    if (target === undefined) throw new Error('no socket');
    peer.send(target, new Uint8Array(700));
    await expect.poll(() => engine.handed.length).toBe(1);
    expect(engine.handed[0]?.length).toBe(sizeBytes);
  });

  it('wakes the engine when its timer is due', async () => {
    current().dueInMs = 20;
    driver.networkChanged();
    await expect.poll(() => current().told).toContain('timeout');
  });

  it('lets the engine act on all results of one batch together', async () => {
    const engine = current();
    for (const ticket of [1, 2, 3]) engine.outputs.push({ kind: 'store', ticket, store: 'visor', request: { op: 'commit', changes: [] } });
    driver.networkChanged();
    engine.told.length = 0;
    for (const done of store.held.splice(0)) done(stored);
    await Promise.resolve();
    expect(engine.told).toEqual(['stored 1', 'stored 2', 'stored 3', 'drained']);
  });

  it('answers a question for addresses', async () => {
    current().outputs.push({ kind: 'resolve', ticket: 4, host: 'relay.example' });
    driver.networkChanged();
    await expect.poll(() => current().told).toContain('resolved 4 192.0.2.7');
  });

  it('passes the engine\'s answer to the one who gave the command', async () => {
    const engine = current();
    const accepted = driver.command({ name: 'retry-all' });
    engine.outputs.push({ kind: 'reply', ticket: 1, reply: { ok: false, code: 'blocked', message: 'They are blocked.' } });
    driver.networkChanged();
    await expect(accepted).rejects.toMatchObject({ code: 'blocked', message: 'They are blocked.' });
  });

  it('throws the engine away when a commit fails, tells who waits, and goes on from the store', async () => {
    const first = current();
    const command = driver.command({ name: 'retry-all' });
    command.catch(() => undefined);
    first.outputs.push({ kind: 'changed', changes: [{ kind: 'identity' }] });
    for (const done of store.held.splice(0)) done(full);
    await expect(command).rejects.toMatchObject({ code: 'disk-full' });
    expect(driver.inspect).toBeUndefined();
    expect(driver.storageFailure).toMatchObject({ code: 'disk-full' });
    await expect(driver.command({ name: 'retry-all' })).rejects.toMatchObject({ code: 'disk-full' });
    expect(events).toEqual(['storage-failed', 'replaced']);
    await expect.poll(() => engines.length, { timeout: 5_000 }).toBe(2);
    await expect.poll(() => driver.storageFailure).toBeUndefined();
    expect([store.loads, events.at(-1)]).toEqual([2, 'replaced']);
    // Whatever the old engine still had to say is not said.
    expect(events.some((event) => event.startsWith('changed'))).toBe(false);
    expect(first.told).not.toContain('stop');
  });

  it('drops answers that were meant for an engine that is gone', async () => {
    const first = current();
    for (const ticket of [1, 2]) first.outputs.push({ kind: 'store', ticket, store: 'visor', request: { op: 'commit', changes: [] } });
    driver.networkChanged();
    const [one, two] = store.held.splice(0);
    one?.(full);
    two?.(stored);
    expect(first.told.some((told) => told.startsWith('stored'))).toBe(false);
    await expect.poll(() => engines.length, { timeout: 5_000 }).toBe(2);
    expect(current().told.some((told) => told.startsWith('stored'))).toBe(false);
  });

  it('does not start on a port that is taken, nor on a store that does not open', async () => {
    await expect(createDriver(peer.address.port).start()).rejects.toMatchObject({ code: 'port-taken' });
    store.loadFailure = { code: 'database-newer', message: 'newer' };
    await expect(createDriver().start()).rejects.toMatchObject({ code: 'database-newer' });
  });

  it('stops once, with a goodbye', async () => {
    await driver.stop();
    await driver.stop();
    expect(current().told.filter((told) => told === 'stop')).toHaveLength(1);
    await expect(driver.command({ name: 'retry-all' })).rejects.toMatchObject({ code: 'not-running' });
  });
});
