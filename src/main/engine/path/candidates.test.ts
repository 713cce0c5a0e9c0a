import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidatesMaximum } from './candidates.ts';
import { isReachable } from './address-scope.ts';
import { classify } from './classify.ts';
import { runCheck, usualPlace, usualRouter } from './check-testing.ts';
import type { Evidence, Observation } from './types.ts';

const observation = (relay: number, seen: string, port: number, askedPort = 1): Observation => {
  const asked = { host: `198.19.0.${String(relay)}`, port: askedPort };
  return { socket: 'main', asked, answerFrom: 'asked', from: asked, seen: { host: seen, port }, roundTripMs: 10 * relay };
};
const evidence = (change: Partial<Evidence>): Evidence => ({
  localHosts: ['10.0.0.2'], localPorts: [{ socket: 'main', family: 'ipv4', port: 5_000 }, { socket: 'main', family: 'ipv6', port: 5_006 }], relays: [], observations: [], silences: [], hairpins: [], portControl: undefined, tcp: [], learned: {}, isComplete: true, ...change,
});
const told = (change: Partial<Evidence>): readonly string[] => classify(evidence(change)).candidates.map(({ kind, host, port, isPortSure }) => `${kind} ${host} ${String(port)}${isPortSure ? '' : ' unsure'}`);

describe('candidates', () => {
  it('are the own addresses, the opened port and what relays agree on, in this order', () => {
    expect(told({
      localHosts: ['10.0.0.2', '2001:db8::5', 'fd00::5', '127.0.0.1', '::1', '169.254.3.3', 'fe80::1', '0.0.0.0', '::', '224.0.0.1', 'ff02::1', '::ffff:10.0.0.2', 'host.example', 'fe80::1%eth0', '64:ff9b::1'],
      observations: [observation(1, '198.18.7.1', 700), observation(2, '198.18.7.1', 700)],
      portControl: { outcome: 'mapped', protocol: 'pcp', external: { host: '198.18.7.1', port: 900 } },
    })).toEqual(['host 2001:db8::5 5006', 'host fd00::5 5006', 'host 10.0.0.2 5000', 'mapped 198.18.7.1 900', 'reflexive 198.18.7.1 700']);
  });
  it('take a port only from two relays or two ports of one', () => {
    expect(told({ observations: [observation(1, '198.18.7.1', 700)] })).toEqual(['host 10.0.0.2 5000']);
    expect(told({ observations: [observation(1, '198.18.7.1', 700), observation(1, '198.18.7.1', 700, 2)] })).toContain('reflexive 198.18.7.1 700');
    expect(told({ observations: [observation(1, '198.18.7.1', 700), observation(2, '198.18.7.9', 700)] })).toEqual(['host 10.0.0.2 5000']);
  });
  it('give the address without a sure port where each conversation has its own', () => {
    expect(told({ observations: [observation(1, '198.18.7.1', 700), observation(1, '198.18.7.1', 701, 2), observation(2, '198.18.7.1', 702)] })).toEqual(['host 10.0.0.2 5000', 'reflexive 198.18.7.1 700 unsure']);
  });
  it('give that address before it is sure that each conversation has its own, and never a port with it that two did not see', () => {
    const observations = [observation(1, '198.18.7.1', 700), observation(1, '198.18.7.1', 701, 2), observation(2, '198.18.7.1', 702)];
    expect(told({ observations, portControl: 'asked', isComplete: false })).toEqual(['host 10.0.0.2 5000', 'reflexive 198.18.7.1 700 unsure']);
    expect(told({ observations: [...observations, observation(2, '198.18.7.1', 700, 2)], portControl: 'asked', isComplete: false })).toContain('reflexive 198.18.7.1 700');
  });
  it('leave out a port that was opened below another router, or at an address that nobody reaches', () => {
    const observations = [observation(1, '198.18.7.1', 700), observation(2, '198.18.7.1', 700)];
    for (const host of ['100.64.7.2', '10.1.1.1', '198.18.8.8', '0.0.0.0']) {
      expect(told({ observations, portControl: { outcome: 'mapped', protocol: 'pcp', external: { host, port: 900 } } }).some((text) => text.startsWith('mapped'))).toBe(false);
    }
  });
  it('are told once where nothing translates', () => {
    expect(runCheck(usualPlace).report.candidates).toEqual([{ kind: 'host', family: 'ipv4', host: '198.18.9.9', port: 41_000, isPortSure: true }]);
    expect(runCheck({ ...usualPlace, routers: [usualRouter] }).report.candidates.map(({ kind }) => kind)).toEqual(['host', 'reflexive']);
  });
  it('stay few, usable and distinct, whatever the machine says it has', () => {
    const hosts = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 60 });
    fc.assert(fc.property(hosts, hosts, (localHosts, seen) => {
      const observations = seen.flatMap((host, index) => [observation(index, host, 700), observation(index, host, 700, 2)]);
      const { candidates } = classify(evidence({ localHosts, observations }));
      expect(candidates.length).toBeLessThanOrEqual(candidatesMaximum);
      for (const { host } of candidates) expect(isReachable(host)).toBe(true);
      expect(new Set(candidates.map(({ host, port }) => `${host} ${String(port)}`)).size).toBe(candidates.length);
    }));
  });
});
