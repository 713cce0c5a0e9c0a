/** The whole way of a check with real sockets, as far as loopback goes: a command, what the host is asked, and the report. */
import { afterEach, describe, expect, it } from 'vitest';
import { notChecked } from '../../shared/network-report.ts';
import type { NetworkRequest } from '../engine/path/observation-port.ts';
import { createNetworkChecks } from '../engine/path/network-checks.ts';
import { createEngine } from '../engine/engine.ts';
import { systemClock } from './clock.ts';
import { chooseCrypto, createRandomBytes } from './crypto.ts';
import { Driver } from './driver.ts';
import type { DriverOptions } from './driver-options.ts';
import { memoryBlobs, memoryEngineStore } from './driver-testing.ts';
import { createIdentitySecret } from './identity-setup.ts';
import type { HostNetwork } from './machine-network.ts';

const host = '127.0.0.1';
const { crypto } = chooseCrypto();
const drivers: Driver[] = [];
afterEach(async () => { for (const driver of drivers.splice(0)) await driver.stop(); });

async function start(configuration: Pick<DriverOptions['configuration'], 'visor' | 'relay' | 'createNetworkCheck'>, network?: HostNetwork): Promise<Driver> {
  const driver = new Driver({
    createEngine, store: memoryEngineStore(), blobs: memoryBlobs(), clock: systemClock, confirmClock: false, listen: { host, port: 0 }, secondPort: configuration.relay === undefined ? undefined : 0,
    configuration: { crypto, random: createRandomBytes(), identitySecret: createIdentitySecret(), initialName: 'Ann', ...configuration },
    events: { changed: () => undefined, replaced: () => undefined, log: () => undefined },
    ...(network === undefined ? {} : { network }),
  });
  drivers.push(driver);
  await driver.start();
  return driver;
}

describe('a check over a driver', () => {
  it('asks the host once for all who want it, is kept, and ends with the driver', async () => {
    const asked: NetworkRequest['kind'][] = [];
    let stops = 0;
    let changes = 0;
    const network: HostNetwork = {
      ask: (request, main, answered) => {
        asked.push(request.kind);
        if (request.kind === 'interfaces') answered({ kind: 'interfaces', check: request.check, localHosts: ['10.0.0.5'], mainPorts: { ipv4: main?.address.port ?? 0 } });
        if (request.kind === 'port-control') queueMicrotask(() => { answered({ kind: 'port-control', check: request.check, result: { outcome: 'refused' } }); });
      },
      networkChanged: () => { changes += 1; },
      stop: () => { stops += 1; return Promise.resolve(); },
    };
    const relay = await start({ visor: false, relay: { registration: 'open' } });
    const visor = await start({ visor: true, relay: undefined, createNetworkCheck: createNetworkChecks }, network);
    await visor.command({ name: 'add-relay', hint: { publicKey: relay.inspect?.publicKey ?? '', host, port: relay.socket?.address.port ?? 0 }, role: 'own' });
    await expect.poll(() => visor.inspect?.connection.kind, { timeout: 10_000 }).toBe('online');
    const [first, second] = await Promise.all([visor.command({ name: 'check-network' }), visor.command({ name: 'check-network' })]);
    expect(second).toEqual(first);
    expect(asked).toEqual(['interfaces', 'port-control']);
    // The only relay is on this machine, so nothing is said of what is outside.
    expect([first.report.families.ipv4.mapping, first.report.captivePortal]).toEqual([notChecked('no-relay'), notChecked('no-relay')]);
    expect(first.report.portControl).toMatchObject({ value: 'refused' });
    expect(visor.inspect?.network).toEqual(first);
    visor.networkChanged();
    expect([visor.inspect?.network, changes]).toEqual([undefined, 1]);
    await visor.stop();
    expect(stops).toBe(1);
  });

  it('is refused where nobody checks', async () => {
    const visor = await start({ visor: true, relay: undefined });
    await expect(visor.command({ name: 'check-network' })).rejects.toMatchObject({ code: 'refused' });
  });
});
