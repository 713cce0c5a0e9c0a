import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { known, notCheckedReasons, type Filtering, type Mapping } from '../../../shared/network-report.ts';
import { carrierHosts, runCheck, usualPlace, usualRouter, type Place } from './check-testing.ts';
import { candidatesMaximum } from './candidates.ts';
import { datagramsMaximum, datagramsPerAddressMaximum } from './check-probes.ts';
import type { ModelAllocation, RouterPolicy } from './nat-model-testing.ts';
import { CheckMachine, checkMaximumMs, firstReportMs, type CheckMachineOptions } from './network-check.ts';
import { acceptable, findings, wrongFacts } from './truth-testing.ts';

const translations: readonly Mapping[] = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const filters: readonly Filtering[] = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const allocations: readonly ModelAllocation[] = ['preserving', 'sequential', 'block', 'random'];
const policies: readonly RouterPolicy[] = translations.flatMap((mapping) => filters.flatMap((filtering) => allocations.flatMap((allocation) => [false, true].map((hairpin) => ({ ...usualRouter, mapping, filtering, allocation, hairpin })))));
const behindCarrier = (inner: RouterPolicy, carrier: RouterPolicy): readonly RouterPolicy[] => [{ ...inner, outerHosts: carrierHosts }, carrier];
const named = (place: Place): string => JSON.stringify({ ...place, routers: place.routers.map(({ mapping, filtering, allocation, hairpin }) => [mapping, filtering, allocation, hairpin].join(' ')) });

/** Exactly what is true, and of what nobody can tell the very reason. */
function expectExact(place: Place): void {
  const run = runCheck(place);
  const found = findings(run.report, place);
  expect(found, named(place)).toEqual(acceptable(place, found));
  for (const report of run.reports) expect(wrongFacts(report, place), named(place)).toEqual([]);
}

describe('a check where nothing is lost', () => {
  it.each(allocations)('tells every mapping, filter and hairpin behind a router that gives ports out like this: %s', (allocation) => {
    for (const policy of policies.filter((each) => each.allocation === allocation)) expectExact({ ...usualPlace, routers: [policy] });
  });
  it('tells them through two routers, with the word of the inner one about its outer address', () => {
    for (const [index, inner] of policies.entries()) {
      // Every policy is met as an inner and as an outer one, in pairs that are spread over all.
      const carrier = policies[(index * 29 + 5) % policies.length] ?? usualRouter;
      expectExact({ ...usualPlace, routers: behindCarrier(inner, carrier), portControl: 'address', seed: index });
    }
  });
  it('finds one router where its outer address is what relays see, and cannot tell without its word', () => {
    for (const portControl of ['address', 'mapped', 'none'] as const) expectExact({ ...usualPlace, routers: [usualRouter], portControl });
    expect(runCheck({ ...usualPlace, routers: behindCarrier(usualRouter, usualRouter), portControl: 'address' }).report.families.ipv4.doubleNat).toMatchObject({ state: 'known', value: true });
    expect(runCheck({ ...usualPlace, routers: [{ ...usualRouter, outerHosts: ['198.18.8.1'] }, usualRouter], portControl: 'address' }).report.families.ipv4.doubleNat).toMatchObject({ state: 'known', value: true });
  });
  it('is not misled by a port that the router opens for the main socket while it asks', () => {
    for (const [index, policy] of policies.entries()) expectExact({ ...usualPlace, routers: [policy], portControl: 'mapped', seed: index });
    for (const [index, policy] of policies.entries()) expectExact({ ...usualPlace, routers: behindCarrier(policy, usualRouter), portControl: 'mapped', seed: index });
  });
  it('tells every step of a sequence, also over the end of the range', () => {
    for (const delta of [1, 2, 3, 8, 17, 256]) for (let seed = 0; seed < 20; seed += 1) expectExact({ ...usualPlace, routers: [{ ...usualRouter, allocation: 'sequential', delta }], seed });
  });
  it('tells a block that holds all ports seen', () => {
    for (const blockPorts of [64, 250, 1_024, 2_048]) {
      const { report } = runCheck({ ...usualPlace, routers: [{ ...usualRouter, allocation: 'block', blockPorts }], seed: blockPorts });
      const { allocation } = report.families.ipv4;
      expect(allocation).toMatchObject({ state: 'known', value: { kind: 'block' }, samples: 8 });
      if (allocation.state === 'known' && allocation.value.kind === 'block') expect(allocation.value.count).toBeLessThanOrEqual(blockPorts);
    }
  });
  it('tells a public address, and IPv6 with and without a firewall', () => {
    expectExact(usualPlace);
    expectExact({ ...usualPlace, family: 'ipv6' });
    for (const filtering of filters.slice(1)) expectExact({ ...usualPlace, family: 'ipv6', routers: [{ ...usualRouter, mapping: 'none', filtering }] });
    expect(runCheck({ ...usualPlace, family: 'ipv6' }).report.ipv6Inbound).toMatchObject({ value: 'open' });
    expect(runCheck({ ...usualPlace, family: 'ipv6', routers: [{ ...usualRouter, mapping: 'none' }] }).report.ipv6Inbound).toMatchObject({ value: 'filtered' });
  });
  it('tells that the router changes its outer address from conversation to conversation', () => {
    for (const mapping of translations) expectExact({ ...usualPlace, routers: [{ ...usualRouter, mapping, outerHosts: ['198.18.7.1', '198.18.7.2'] }] });
    const { publicHosts } = runCheck({ ...usualPlace, routers: [{ ...usualRouter, outerHosts: ['198.18.7.2', '198.18.7.1'] }] }).report.families.ipv4;
    expect(publicHosts).toMatchObject({ value: ['198.18.7.1', '198.18.7.2'] });
  });
  it('tells blocked UDP from a captive portal, and both from no network', () => {
    expectExact({ ...usualPlace, routers: [usualRouter], udpBlocked: true });
    expectExact({ ...usualPlace, routers: [usualRouter], portal: true });
    const silent = new CheckMachine({ ...simpleOptions, nowMs: 0 });
    runSilently(silent, 'failed');
    expect(silent.report().families.ipv4.udpBlocked).toEqual({ state: 'not-checked', reason: 'no-answer' });
    expect(silent.report().captivePortal).toEqual({ state: 'not-checked', reason: 'no-answer' });
  });
  it('does the same over long ways', () => {
    for (const oneWayMs of [1, 60, 150]) for (const filtering of filters) expectExact({ ...usualPlace, oneWayMs, routers: [{ ...usualRouter, filtering, allocation: 'random' }] });
  });
  it('learns little from one relay alone, and says so', () => {
    const { report } = runCheck({ ...usualPlace, relays: 1, routers: [usualRouter] });
    expect(report.families.ipv4.mapping).toEqual({ state: 'not-checked', reason: 'too-few-relays' });
    expect(report.families.ipv4.filtering).toMatchObject({ value: 'address-and-port-dependent' });
    expect(runCheck({ ...usualPlace, relays: 1, routers: [{ ...usualRouter, filtering: 'address-dependent' }] }).report.families.ipv4.filtering).toEqual({ state: 'not-checked', reason: 'no-other-relay' });
    expect(report.families.ipv4.allocation).toMatchObject({ value: { kind: 'preserving' } });
  });
});

const router = fc.record({
  mapping: fc.constantFrom(...translations), filtering: fc.constantFrom(...filters), allocation: fc.constantFrom(...allocations), hairpin: fc.boolean(),
  delta: fc.constantFrom(1, 2, 3, 7), blockPorts: fc.constantFrom(64, 256, 1_000, 2_048), outerHosts: fc.constant(usualRouter.outerHosts),
});
const anyRouters = fc.oneof(fc.constant([]), router.map((each) => [each]), fc.tuple(router, router).map(([inner, carrier]) => behindCarrier(inner, carrier)));
const ipv4Place: fc.Arbitrary<Place> = fc.record({
  family: fc.constant('ipv4'), routers: anyRouters, udpBlocked: fc.nat(9).map((n) => n === 0), portal: fc.nat(9).map((n) => n === 0), portControl: fc.constantFrom('none', 'address', 'mapped'),
  relays: fc.constantFrom(1, 2, 3), lossShare: fc.constantFrom(0.02, 0.05, 0.1, 0.2, 0.2, 0.4), oneWayMs: fc.constantFrom(2, 20, 90, 200), seed: fc.integer(),
});
const ipv6Place: fc.Arbitrary<Place> = fc.tuple(ipv4Place, fc.constantFrom<Filtering | 'open'>('open', ...filters.slice(1)))
  .map(([place, filtering]) => ({ ...place, family: 'ipv6', portControl: 'none', routers: filtering === 'open' ? [] : [{ ...usualRouter, mapping: 'none', filtering }] }));

describe('a check where datagrams are lost', () => {
  it('is right or says that it was not checked, never wrong, at any time', () => {
    fc.assert(fc.property(fc.oneof({ weight: 4, arbitrary: ipv4Place }, { weight: 1, arbitrary: ipv6Place }), (place) => {
      for (const report of runCheck(place).reports) expect(wrongFacts(report, place)).toEqual([]);
    }), { numRuns: 1_500 });
  });
  it('still finds out nearly everything where one in a hundred is lost', () => {
    const open = policies.flatMap((policy, index) => Object.entries(findings(runCheck({ ...usualPlace, routers: [policy], lossShare: 0.01, seed: index }).report, usualPlace))
      .filter(([name, value]) => ['mapping', 'filtering', 'allocation'].includes(name) && typeof value === 'object'));
    expect(open.length).toBeLessThan(policies.length * 3 * 0.1);
  });
});

describe('what a check costs', () => {
  it('tells enough to begin with within a second and ends within five, politely', () => {
    fc.assert(fc.property(ipv4Place, (place) => {
      const run = runCheck(place);
      expect(run.firstReportMs).toBeLessThanOrEqual(firstReportMs);
      expect(run.endedMs).toBeLessThanOrEqual(checkMaximumMs);
      const sent = run.effects.filter((effect) => effect.kind === 'probe');
      expect(sent.length).toBeLessThanOrEqual(datagramsMaximum);
      const perAddress = Map.groupBy(sent, ({ to }) => `${to.host} ${String(to.port)}`);
      for (const datagrams of perAddress.values()) expect(datagrams.length).toBeLessThanOrEqual(datagramsPerAddressMaximum);
      const bound = run.effects.filter(({ kind }) => kind === 'bind-spare');
      expect(run.effects.filter(({ kind }) => kind === 'release-spare')).toHaveLength(bound.length);
      expect(run.report.candidates.length).toBeLessThanOrEqual(candidatesMaximum);
    }), { numRuns: 200 });
  });
  it('sends few datagrams where nothing is lost', () => {
    expect(runCheck({ ...usualPlace, routers: [{ ...usualRouter, filtering: 'endpoint-independent' }] }).check.datagrams).toBeLessThanOrEqual(30);
    expect(runCheck({ ...usualPlace, routers: [usualRouter] }).check.datagrams).toBeLessThanOrEqual(60);
  });
});

const relay = (index: number): CheckMachineOptions['relays'][number] => ({ relay: `relay ${String(index)}`, first: { host: `198.19.0.${String(index)}`, port: 1 }, second: { host: `198.19.0.${String(index)}`, port: 2 }, hasOtherRelay: true, tcp: { host: `198.19.0.${String(index)}`, port: 443 } });
const simpleOptions: CheckMachineOptions = { nowMs: 0, relays: [relay(1), relay(2)], localHosts: ['10.0.0.2'], mainPorts: { ipv4: 5_000 } };

function runSilently(check: CheckMachine, tcp: 'failed' | 'reached'): void {
  for (let nowMs = 0; !check.isComplete; nowMs = check.pollTimeout() ?? nowMs) {
    check.handleTimeout(nowMs);
    for (let effect = check.pollEffect(); effect !== undefined; effect = check.pollEffect()) {
      if (effect.kind === 'tcp-probe') check.handleTcp({ protocol: effect.protocol, to: effect.to, outcome: tcp }, nowMs);
    }
  }
}

describe('a check that is handed what it did not ask for', () => {
  it('ignores answers to no probe, from elsewhere, with impossible addresses, and a second answer', () => {
    const check = new CheckMachine(simpleOptions);
    const asked = { host: '198.19.0.1', port: 1 };
    const seen = { host: '198.18.7.1', port: 700 };
    const good = { socket: 'main', asked, answerFrom: 'asked', from: asked, seen, roundTripMs: 10 } as const;
    check.handleObservation({ ...good, socket: 'spare-3' }, 10);
    check.handleObservation({ ...good, from: { host: '198.19.0.2', port: 1 } }, 10);
    check.handleObservation({ ...good, answerFrom: 'other-relay' }, 10);
    for (const host of ['0.0.0.0', '169.254.1.1', 'relay.example', '2001:db8::1', '224.0.0.1', '255.255.255.255']) check.handleObservation({ ...good, seen: { host, port: 700 } }, 10);
    for (const port of [0, -1, 65_536, 1.5, Number.NaN]) check.handleObservation({ ...good, seen: { ...seen, port } }, 10);
    // It began before the probe was sent.
    check.handleObservation({ ...good, roundTripMs: 50 }, 10);
    expect(check.report().families.ipv4.publicHosts.state).toBe('not-checked');
    check.handleObservation(good, 10);
    check.handleObservation({ ...good, seen: { host: '198.18.99.1', port: 1 } }, 10);
    expect(check.report().families.ipv4.publicHosts).toEqual(known(['198.18.7.1'], 1));
  });
  it('says of everything that it has not come yet, and of a missing address family that there is none', () => {
    const report = new CheckMachine(simpleOptions).report();
    const { mappingLifetimeMs, pathMtuBytes, ...checked } = report.families.ipv4;
    for (const fact of Object.values(checked)) expect(fact).toEqual({ state: 'not-checked', reason: 'not-yet' });
    expect([mappingLifetimeMs, pathMtuBytes]).toEqual([{ state: 'not-checked', reason: 'not-learned' }, { state: 'not-checked', reason: 'not-learned' }]);
    expect(report.families.ipv6.mapping).toEqual({ state: 'not-checked', reason: 'no-address' });
    expect(report.isComplete).toBe(false);
    expect(notCheckedReasons).toContain('not-yet');
  });
  it('knows that UDP is blocked where nobody answers by it and the sessions with the relays go over TCP', () => {
    const relays = [1, 2].map((index) => { const { tcp: _none, ...rest } = relay(index); return { ...rest, isOverTcp: true }; });
    const check = new CheckMachine({ ...simpleOptions, relays });
    runSilently(check, 'failed');
    expect(check.report().families.ipv4.udpBlocked).toMatchObject({ state: 'known', value: true });
  });
  it('passes on what was learned elsewhere', () => {
    const learned = { ipv4: { mappingLifetimeMs: { value: 60_000, samples: 5 }, pathMtuBytes: { value: 1_452, samples: 2 } } };
    const { families } = new CheckMachine({ ...simpleOptions, learned }).report();
    expect(families.ipv4.mappingLifetimeMs).toEqual(known(60_000, 5));
    expect(families.ipv4.pathMtuBytes).toEqual(known(1_452, 2));
    expect(families.ipv6.pathMtuBytes.state).toBe('not-checked');
  });
  it('ends without relays, without addresses, when sockets fail, and when time jumps or runs backwards', () => {
    const nothing = new CheckMachine({ ...simpleOptions, relays: [], localHosts: [] });
    expect(nothing.isComplete).toBe(true);
    const sleeping = new CheckMachine({ ...simpleOptions, nowMs: 1_000 });
    sleeping.handleTimeout(0);
    expect(sleeping.isComplete).toBe(false);
    sleeping.handleSpareFailed('spare-0', 1_001);
    sleeping.handleSpareFailed('spare-77', 1_001);
    sleeping.handleTimeout(100_000_000);
    expect(sleeping.isComplete).toBe(true);
    expect(sleeping.pollTimeout()).toBeUndefined();
    sleeping.handlePortControl({ outcome: 'silent', timesSent: 9 }, 100_000_001);
    expect(sleeping.report().portControl.state).toBe('not-checked');
  });
  it('tells of addresses of a family in which no relay can be asked, because others may reach them', () => {
    const machine = new CheckMachine({ nowMs: 0, relays: [], localHosts: ['10.0.0.5', '2001:db8:1:7::20'], mainPorts: { ipv4: 7_400, ipv6: 7_401 } });
    expect(machine.report().candidates.map(({ kind, host, port }) => [kind, host, port])).toEqual([['host', '2001:db8:1:7::20', 7_401], ['host', '10.0.0.5', 7_400]]);
  });
});
