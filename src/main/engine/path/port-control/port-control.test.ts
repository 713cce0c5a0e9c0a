/** How one mapping comes to be, lives and ends, at gateways that keep to the standards. */
import { describe, expect, test } from 'vitest';
import { lifetimeWantedSeconds, settleMs } from './schedule.ts';
import { Bench, gatewayAddress, gatewayEnd, lifetimeOf, localAddress, mainPort, nonceOf, secondMs, suggestedPortOf } from './port-control-testing.ts';
import { PortControl } from './port-control.ts';

const external = { host: '203.0.113.7', port: 42_000 };
const hourMs = 3_600 * secondMs;

describe('making a mapping', () => {
  test('a gateway with PCP is asked once', () => {
    const bench = new Bench();
    bench.start();
    expect(bench.kinds).toEqual(['checking', 'mapped']);
    expect(bench.client.state).toEqual({ kind: 'mapped', external, lifetimeSeconds: lifetimeWantedSeconds, expiresAtMs: hourMs, method: 'pcp' });
    expect(bench.times).toEqual(['pcp 0']);
    expect(bench.asked[0]?.to).toEqual(gatewayEnd);
  });

  test('one that has only NAT-PMP says so and is then asked by that', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nat-pmp';
    bench.start();
    expect(bench.client.state).toMatchObject({ kind: 'mapped', external, method: 'nat-pmp' });
    expect(bench.times).toEqual(['pcp 0', 'address 0', 'map 0']);
  });

  test('one that has only NAT-PMP and is silent about versions is found all the same', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nat-pmp';
    bench.gateway.isSilentAboutVersions = true;
    bench.start();
    bench.run(settleMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method: 'nat-pmp' });
    expect(bench.times).toEqual(['pcp 0', 'pcp 250', 'address 250', 'map 250']);
  });

  test('PCP goes first where its datagrams get lost and both are spoken', () => {
    const bench = new Bench();
    bench.loses = ({ atMs }) => atMs < 250;
    bench.start();
    bench.run(settleMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method: 'pcp' });
  });

  test('what PCP alone says to the question that goes along disturbs nothing', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'pcp';
    bench.loses = ({ kind, atMs }) => kind === 'pcp' && atMs < 700;
    bench.start();
    bench.run(settleMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method: 'pcp' });
    expect(bench.times).toEqual(['pcp 0', 'pcp 250', 'address 250', 'pcp 750', 'address 750']);
  });

  test('silence is `none` within 2 s, and then asking becomes rare', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nothing';
    bench.start();
    bench.run(settleMs);
    expect(bench.kinds).toEqual(['checking', 'none']);
    expect(bench.times).toEqual(['pcp 0', 'pcp 250', 'address 250', 'pcp 750', 'address 750']);
    bench.run(24 * hourMs);
    expect(bench.kinds).toEqual(['checking', 'none']);
    // 5 datagrams every 17 minutes.
    expect(bench.asked.length).toBeLessThan(5 * (24 * 3_600 / 900 + 3));
    expect(bench.asked.length).toBeGreaterThan(5 * 24 * 3_600 / 1_200);
  });

  test('a slow gateway is `none` for the report and mapped when it answers', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nat-pmp';
    bench.loses = ({ kind, atMs }) => (kind === 'address' && atMs < 1_700) || (kind === 'map' && atMs < 2_400) || (kind === 'pcp' && atMs < 700);
    bench.start();
    bench.run(settleMs);
    expect(bench.kinds).toEqual(['checking', 'none']);
    bench.run(10 * secondMs);
    bench.run(2 * 300 * secondMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method: 'nat-pmp' });
  });

  test('IPv6 has PCP alone', () => {
    const client = new PortControl({ random: (sizeBytes) => new Uint8Array(sizeBytes).fill(9) });
    client.start('fe80::1%eth0', '2001:db8::5', mainPort, 0);
    const sent = [];
    for (let atMs = client.pollTimeout(); atMs !== undefined && atMs < settleMs; atMs = client.pollTimeout()) client.handleTimeout(atMs);
    for (let next = client.pollTransmit(); next !== undefined; next = client.pollTransmit()) sent.push(next);
    expect(sent.map(({ to, datagram }) => `${to.host} ${String(datagram[0])}`)).toEqual(new Array(3).fill('fe80::1%eth0 2'));
    expect(client.state).toEqual({ kind: 'none' });
  });

  test('an address or port of ours that is none is a mistake of the caller', () => {
    const client = new PortControl({ random: (sizeBytes) => new Uint8Array(sizeBytes) });
    expect(() => { client.start(gatewayAddress, 'example.org', mainPort, 0); }).toThrow(RangeError);
    for (const port of [0, 65_536, 1.5, Number.NaN]) expect(() => { client.start(gatewayAddress, localAddress, port, 0); }).toThrow(RangeError);
    expect(client.isIdle).toBe(true);
  });
});

describe('refusals', () => {
  test.each([[2, 'not-authorised'], [8, 'no-resources'], [12, 'address-mismatch'], [7, 'network-failure']] as const)('PCP\'s result %i is told as %s and not asked again for the time it names', (result, reason) => {
    const bench = new Bench();
    bench.gateway.refusal = result;
    bench.start();
    expect(bench.client.state).toEqual({ kind: 'refused', reason });
    bench.run(1_600 * secondMs);
    expect(bench.times).toEqual(['pcp 0']);
    bench.gateway.refusal = 0;
    bench.run(500 * secondMs);
    expect(bench.kinds).toEqual(['checking', 'refused', 'mapped']);
  });

  test('a gateway whose PCP cannot do this is asked by NAT-PMP', () => {
    const bench = new Bench();
    bench.gateway.refusal = 4;
    bench.start();
    expect(bench.times).toEqual(['pcp 0', 'address 0']);
    expect(bench.client.state).toEqual({ kind: 'refused', reason: 'no-resources' });
    const silent = new Bench();
    silent.gateway.refusal = 9;
    silent.loses = ({ kind }) => kind !== 'pcp';
    silent.start();
    silent.run(settleMs);
    expect(silent.client.state).toEqual({ kind: 'refused', reason: 'unsupported' });
  });

  test.each([[2, 'not-authorised'], [3, 'network-failure'], [4, 'no-resources']] as const)('NAT-PMP\'s result %i is told as %s', (result, reason) => {
    const bench = new Bench();
    bench.gateway.speaks = 'nat-pmp';
    bench.gateway.refusal = result;
    bench.start();
    expect(bench.client.state).toEqual({ kind: 'refused', reason });
  });

  test('a grant that is gone before it is used counts as none', () => {
    const bench = new Bench();
    bench.gateway.grantSeconds = 29;
    bench.start();
    expect(bench.client.state).toEqual({ kind: 'refused', reason: 'no-resources' });
    bench.run(200 * secondMs);
    expect(bench.asked).toHaveLength(1);
  });
});

describe('keeping a mapping', () => {
  test.each(['pcp', 'nat-pmp'] as const)('it is renewed by %s between 1/2 and 5/8 of its life, with the same nonce and the same external port', (method) => {
    const bench = new Bench();
    bench.gateway.speaks = method;
    bench.start();
    const before = bench.asked.length;
    bench.run(hourMs / 2 - 1);
    expect(bench.asked).toHaveLength(before);
    bench.run(hourMs / 8 + 1);
    expect(bench.asked.slice(before).map(({ kind }) => kind)).toEqual(method === 'pcp' ? ['pcp'] : ['address', 'map']);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method, external });
    const last = bench.asked.at(-1)?.bytes ?? new Uint8Array(0);
    expect(suggestedPortOf(last)).toBe(external.port);
    if (method === 'pcp') expect(nonceOf(last)).toEqual(nonceOf(bench.asked[0]?.bytes ?? new Uint8Array(0)));
    bench.run(10 * hourMs);
    expect(new Set(bench.kinds.slice(1))).toEqual(new Set(['mapped']));
  });

  test('renewals that are lost are repeated calmly, and what is not renewed runs out', () => {
    const bench = new Bench();
    bench.start();
    const before = bench.asked.length;
    bench.loses = () => true;
    bench.run(hourMs - 1);
    expect(bench.client.state.kind).toBe('mapped');
    const renewals = bench.asked.slice(before);
    expect(renewals.length).toBeLessThan(30);
    for (const [index, { atMs }] of renewals.entries()) if (index > 0) expect(atMs - (renewals[index - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(4_000);
    bench.run(1);
    expect(bench.kinds).toEqual(['checking', 'mapped', 'none']);
    bench.loses = () => false;
    bench.run(300 * secondMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', external });
  });

  test('a lifetime of a hundred years is a day', () => {
    const bench = new Bench();
    bench.loses = () => true;
    bench.start();
    bench.loses = () => false;
    bench.gateway.grantSeconds = 0xffff_ffff;
    bench.gateway.answer = ((answer) => (bytes: Uint8Array, nowMs: number) => {
      const given = answer(bytes, nowMs);
      given?.set([0xff, 0xff, 0xff, 0xff], 4);
      return given;
    })(bench.gateway.answer.bind(bench.gateway));
    bench.run(300);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', lifetimeSeconds: 86_400 });
  });

  test('another external address shows with the next renewal', () => {
    for (const speaks of ['pcp', 'nat-pmp'] as const) {
      const bench = new Bench();
      bench.gateway.speaks = speaks;
      bench.start();
      bench.gateway.external = '203.0.113.99';
      bench.run(hourMs);
      expect(bench.client.state).toMatchObject({ kind: 'mapped', external: { host: '203.0.113.99', port: 42_000 } });
    }
  });

  test('after a change of the network everything is asked anew at once, by both methods', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nat-pmp';
    bench.start();
    bench.run(60 * secondMs);
    bench.gateway.speaks = 'pcp';
    bench.client.networkChanged(bench.nowMs);
    bench.settle();
    expect(bench.kinds).toEqual(['checking', 'mapped', 'checking', 'mapped']);
    expect(bench.client.state).toMatchObject({ method: 'pcp' });
    expect(bench.asked.at(-1)?.atMs).toBe(60 * secondMs);
  });

  test('a network that changes all the time is asked about once a second', () => {
    const bench = new Bench();
    bench.start();
    for (let count = 0; count < 1_000; count += 1) {
      bench.client.networkChanged(bench.nowMs);
      bench.run(10);
    }
    expect(bench.asked.length).toBeLessThanOrEqual(11);
    bench.run(secondMs);
    expect(bench.client.state.kind).toBe('mapped');
  });

  test('a gateway that loses its PCP for NAT-PMP meanwhile is followed', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'pcp';
    bench.start();
    bench.gateway.speaks = 'nat-pmp';
    bench.run(hourMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method: 'nat-pmp' });
    bench.gateway.speaks = 'pcp';
    bench.run(hourMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method: 'pcp' });
  });
});

describe('ending', () => {
  test.each(['pcp', 'nat-pmp'] as const)('stop deletes the mapping by %s and ends with the answer', (method) => {
    const bench = new Bench();
    bench.gateway.speaks = method;
    bench.start();
    expect(bench.gateway.mapped).toBe(true);
    bench.client.stop(bench.nowMs);
    bench.settle();
    expect(bench.gateway.mapped).toBe(false);
    expect(lifetimeOf(bench.asked.at(-1)?.bytes ?? new Uint8Array(0))).toBe(0);
    expect(bench.client.state).toEqual({ kind: 'idle' });
    expect(bench.client.isIdle).toBe(true);
    expect(bench.client.pollTimeout()).toBeUndefined();
  });

  test('a deletion that nobody answers is sent three times within a second', () => {
    const bench = new Bench();
    bench.start();
    bench.loses = () => true;
    bench.client.stop(bench.nowMs);
    bench.run(secondMs);
    expect(bench.times).toEqual(['pcp 0', 'pcp 0', 'pcp 250']);
    expect(bench.client.isIdle).toBe(true);
  });

  test('where nobody ever answered there is nothing to delete', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nothing';
    bench.start();
    bench.run(settleMs);
    const before = bench.asked.length;
    bench.client.stop(bench.nowMs);
    bench.settle();
    expect(bench.asked).toHaveLength(before);
    expect(bench.client.isIdle).toBe(true);
  });

  test('where the mapping was refused neither', () => {
    for (const speaks of ['pcp', 'nat-pmp'] as const) {
      const bench = new Bench();
      bench.gateway.speaks = speaks;
      bench.gateway.refusal = 2;
      bench.start();
      const before = bench.asked.length;
      bench.client.stop(bench.nowMs);
      bench.settle();
      expect(bench.asked).toHaveLength(before);
      expect(bench.client.isIdle).toBe(true);
    }
  });

  test('another main port: the old mapping is deleted, the new one has a nonce of its own', () => {
    const bench = new Bench();
    bench.start();
    bench.client.start(gatewayAddress, localAddress, mainPort + 1, bench.nowMs);
    const sent = [];
    for (let next = bench.client.pollTransmit(); next !== undefined; next = bench.client.pollTransmit()) sent.push(next.datagram);
    expect(sent.map(lifetimeOf)).toEqual([0, lifetimeWantedSeconds]);
    expect(nonceOf(sent[0] ?? new Uint8Array(0))).not.toEqual(nonceOf(sent[1] ?? new Uint8Array(0)));
  });

  test('it can be started again, also while it deletes', () => {
    const bench = new Bench();
    bench.start();
    bench.loses = () => true;
    bench.client.stop(bench.nowMs);
    bench.run(100);
    bench.loses = () => false;
    bench.start();
    expect(bench.kinds).toEqual(['checking', 'mapped', 'idle', 'checking', 'mapped']);
    bench.run(10 * secondMs);
    expect(bench.client.state.kind).toBe('mapped');
  });
});
