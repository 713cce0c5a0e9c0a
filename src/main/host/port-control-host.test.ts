/** The client with real sockets, at a gateway on loopback that only the port distinguishes from none: so what is tested here is the way to it. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { PortControlHost, upnpReport, type PortControlReport } from './port-control-host.ts';
import type { GatewayFinding } from './gateway.ts';

const mainPort = 41_000;
const gatewayAt = (localAddress: string): GatewayFinding => ({ state: 'known', gateways: [{ family: 'ipv4', address: '127.0.0.1', localAddress }] });

function begin(find: () => Promise<GatewayFinding>): { readonly host: PortControlHost; readonly reports: PortControlReport[] } {
  const reports: PortControlReport[] = [];
  const host = new PortControlHost({ clock: systemClock, random: randomBytes, onChange: (report) => { reports.push(report); }, findGateways: find });
  return { host, reports };
}

describe('a way to the gateway', () => {
  test('is bound, asked over, and given up at the end', async () => {
    const { host, reports } = begin(() => Promise.resolve(gatewayAt('127.0.0.1')));
    await host.start(mainPort);
    expect(host.report.kind).toBe('checking');
    await host.networkChanged();
    await host.stop();
    expect(host.report.kind).toBe('idle');
    expect(reports.map(({ kind }) => kind)).toEqual(['checking', 'idle']);
    await host.networkChanged();
    expect(reports).toHaveLength(2);
  });

  test.each([
    ['the system does not tell', { state: 'not-checked', reason: 'for a reason' }, /for a reason/],
    ['there is no gateway', { state: 'known', gateways: [] }, /no default gateway/],
    ['the address is not ours', gatewayAt('203.0.113.5'), /No socket/],
  ] as const)('is not there when %s: nothing was checked', async (_name, finding, reason) => {
    const { host } = begin(() => Promise.resolve(finding));
    await host.start(mainPort);
    expect(host.report.kind === 'not-checked' ? host.report.reason : '').toMatch(reason);
    await host.stop();
    expect(host.report.kind).toBe('idle');
  });

  test('that comes later is taken, and one that goes is given up', async () => {
    const findings: GatewayFinding[] = [{ state: 'known', gateways: [] }, gatewayAt('127.0.0.1'), { state: 'known', gateways: [] }];
    const { host, reports } = begin(() => Promise.resolve(findings.shift() ?? gatewayAt('127.0.0.1')));
    await host.start(mainPort);
    await host.networkChanged();
    await host.networkChanged();
    expect(reports.map(({ kind }) => kind)).toEqual(['not-checked', 'checking', 'not-checked']);
    await host.stop();
  });

  test('is looked for once where several changes come at a time, and not after the end', async () => {
    const waiting: ((finding: GatewayFinding) => void)[] = [];
    const { host, reports } = begin(() => new Promise((resolve) => { waiting.push(resolve); }));
    const looks = [host.start(mainPort), host.networkChanged(), host.networkChanged()];
    for (const resolve of waiting) resolve(gatewayAt('127.0.0.1'));
    await Promise.all(looks);
    expect(reports.map(({ kind }) => kind)).toEqual(['checking']);
    const late = host.networkChanged();
    await host.stop();
    waiting.at(-1)?.(gatewayAt('127.0.0.1'));
    await late;
    expect(host.report.kind).toBe('idle');
  });
});

test('UPnP is not checked, and not said to be absent', () => {
  expect(upnpReport.kind).toBe('not-checked');
});
