/** Two relays and a visor with real sockets on loopback: all ways of asking how one is seen, and a relay without a second port. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NetworkCheck, ObservationPort, Probe, SpareSocket } from '../engine/path/observation-port.ts';
import type { Observation } from '../engine/path/types.ts';
import { createEngine } from '../engine/engine.ts';
import { systemClock } from './clock.ts';
import { chooseCrypto, createRandomBytes } from './crypto.ts';
import { Driver } from './driver.ts';
import type { DriverOptions } from './driver-options.ts';
import { memoryBlobs, memoryEngineStore } from './driver-testing.ts';
import { createIdentitySecret } from './identity-setup.ts';

const patience = { timeout: 10_000 };
const host = '127.0.0.1';
const { crypto } = chooseCrypto();

class FakeCheck implements NetworkCheck {
  readonly port: ObservationPort;
  readonly observations: Observation[] = [];
  readonly bindings: [SpareSocket, number | undefined][] = [];
  act: () => void = () => undefined;
  readonly last = undefined;
  constructor(port: ObservationPort) { this.port = port; }
  observed(observation: Observation): void { this.observations.push(observation); }
  bound(socket: SpareSocket, port: number | undefined): void { this.bindings.push([socket, port]); }
  relaysChanged(): void { /* looked at by polling */ }
  networkChanged(): void { this.act(); }
  marked(): void { /* nothing is marked */ }
  answered(): void { /* it asks nothing */ }
  run(): void { /* a test asks itself */ }
  handleTimeout(): void { /* it waits for nothing */ }
  pollTimeout(): undefined { return undefined; }
}

let drivers: Driver[];
let check: FakeCheck;
let first: Driver;
let second: Driver;
let visor: Driver;
let logged: string[];

async function start(change: Pick<DriverOptions['configuration'], 'visor' | 'relay' | 'createNetworkCheck'>, secondPort?: number): Promise<Driver> {
  const driver = new Driver({
    createEngine, store: memoryEngineStore(), blobs: memoryBlobs(), clock: systemClock, confirmClock: false, listen: { host, port: 0 }, secondPort,
    configuration: { crypto, random: createRandomBytes(), identitySecret: createIdentitySecret(), initialName: 'Ann', ...change },
    events: { changed: () => undefined, replaced: () => undefined, log: (_level, event) => { logged.push(event); } },
  });
  drivers.push(driver);
  await driver.start();
  return driver;
}
const startRelay = (secondPort?: number): Promise<Driver> => start({ visor: false, relay: { registration: 'open' } }, secondPort);
const portOf = (driver: Driver): number => driver.socket?.address.port ?? 0;
const keyOf = (driver: Driver): string => driver.inspect?.publicKey ?? '';

/** Inside an input of the engine, as checks do it: a changed network is the one that a test can make. */
function within(run: () => void): void {
  check.act = run;
  visor.networkChanged();
  check.act = () => undefined;
}

async function prepare(relay: Driver): Promise<string> {
  const done = Promise.withResolvers<string>();
  within(() => { check.port.prepare(keyOf(relay), 8, systemClock.now(), (outcome) => { done.resolve(outcome.kind); }); });
  return done.promise;
}

beforeEach(async () => {
  drivers = [];
  logged = [];
  [first, second] = [await startRelay(0), await startRelay()];
  visor = await start({ visor: true, relay: undefined, createNetworkCheck: (port) => { check = new FakeCheck(port); return check; } });
  for (const relay of [first, second]) await visor.command({ name: 'add-relay', hint: { publicKey: keyOf(relay), host, port: portOf(relay) }, role: 'own' });
  await expect.poll(() => check.port.observers().length, patience).toBe(2);
});
afterEach(async () => { await Promise.all(drivers.map((driver) => driver.stop())); });

describe('observing over real sockets', () => {
  it('tells from where each socket is seen, and what answers reach it', async () => {
    // Each change of the network forgets the tickets, so both are asked for in one.
    const ready: string[] = [];
    within(() => { for (const relay of [first, second]) check.port.prepare(keyOf(relay), 8, systemClock.now(), (outcome) => { ready.push(outcome.kind); }); });
    await expect.poll(() => ready, patience).toEqual(['ready', 'ready']);
    const spare = check.port.bindSpare();
    if (spare === undefined) throw new Error('no socket');
    // A command that changes nothing lets the driver see what is to be done.
    await visor.command({ name: 'retry-all' });
    await expect.poll(() => check.bindings, patience).toHaveLength(1);
    const sparePort = check.bindings[0]?.[1];
    const asks: readonly Omit<Probe, 'relay'>[] = [
      { socket: 'main', port: 'main', answerFrom: 'asked' }, { socket: 'main', port: 'second', answerFrom: 'asked' }, { socket: 'main', port: 'main', answerFrom: 'other-port' },
      { socket: 'main', port: 'main', answerFrom: 'other-relay', otherRelay: keyOf(second) }, { socket: spare, port: 'main', answerFrom: 'asked' }, { socket: spare, port: 'main', answerFrom: 'other-port' },
    ];
    for (const ask of asks) expect(check.port.probe({ ...ask, relay: keyOf(first) }, systemClock.now())).toBe('sent');
    await visor.command({ name: 'retry-all' });
    await expect.poll(() => check.observations, patience).toHaveLength(asks.length);
    const told = check.observations.map(({ socket, answerFrom, asked, from, seen }) => `${socket} ${answerFrom} ${asked.port} ${from.port} ${seen.host}:${seen.port}`);
    const [main, other, its] = [portOf(first), first.secondPort ?? 0, portOf(visor)];
    expect(new Set(told)).toEqual(new Set([
      `main asked ${main} ${main} ${host}:${its}`, `main asked ${other} ${other} ${host}:${its}`, `main other-port ${main} ${other} ${host}:${its}`,
      `main other-relay ${main} ${portOf(second)} ${host}:${its}`, `${spare} asked ${main} ${main} ${host}:${String(sparePort)}`, `${spare} other-port ${main} ${other} ${host}:${String(sparePort)}`,
    ]));
    expect(check.observations.every(({ roundTripMs }) => roundTripMs >= 0)).toBe(true);
  });

  it('works with a relay that has no second port, as far as that goes', async () => {
    expect([second.secondPort, await prepare(second)]).toEqual([undefined, 'ready']);
    const probe = { socket: 'main', relay: keyOf(second), port: 'main' } as const;
    expect(check.port.probe({ ...probe, answerFrom: 'other-port' }, systemClock.now())).toBe('no-second-port');
    expect(check.port.probe({ ...probe, answerFrom: 'asked' }, systemClock.now())).toBe('sent');
    await visor.command({ name: 'retry-all' });
    await expect.poll(() => check.observations, patience).toMatchObject([{ from: { host, port: portOf(second) } }]);
  });

  it('closes spare sockets that are not wanted any more', async () => {
    const names = [1, 2, 3].map(() => check.port.bindSpare());
    await visor.command({ name: 'retry-all' });
    await expect.poll(() => check.bindings, patience).toHaveLength(3);
    for (const name of names) if (name !== undefined) check.port.unbindSpare(name);
    await visor.command({ name: 'retry-all' });
    expect(visor.counters).toMatchObject({ spareBinds: 3, spareFailures: 0 });
    expect(logged).not.toContain('spare-socket-failed');
  });
});
