import { describe, expect, it } from 'vitest';
import { known, notChecked, type Candidate, type FamilyReport, type NetworkReport } from '../../../shared/network-report.ts';
import { offeredCandidatesMaximum } from '../wire/candidate-offer.ts';
import { guessFactsOf, hostsOf, offeredOf } from './own-candidates.ts';

const none = notChecked('no-address');
const family: FamilyReport = { udpBlocked: none, mapping: none, filtering: none, allocation: none, mappingLifetimeMs: none, hairpin: none, doubleNat: none, publicHosts: none, onePublicHost: none, pathMtuBytes: none };
const reportOf = (candidates: readonly Candidate[]): NetworkReport => ({ families: { ipv4: family, ipv6: family }, ipv6Inbound: none, captivePortal: known(false, 1), portControl: none, relays: [], candidates, isComplete: true });
const own: Candidate = { kind: 'host', family: 'ipv4', host: '10.0.0.5', port: 7_400, isPortSure: true };
const unsure: Candidate = { kind: 'reflexive', family: 'ipv4', host: '198.18.7.1', port: 61_000, isPortSure: false };

describe('what is offered to others', () => {
  it('is everything by which they may reach us, also an address whose port is another one for everybody: they have to send there to be heard', () => {
    expect(offeredOf(reportOf([own, unsure]))).toEqual([{ kind: 'host', address: { host: '10.0.0.5', port: 7_400 } }, { kind: 'reflexive', address: { host: '198.18.7.1', port: 61_000 } }]);
    expect(hostsOf(reportOf([own, unsure]))).toEqual(['10.0.0.5']);
  });
  it('is nothing before a check, and no more than an offer holds', () => {
    expect([offeredOf(undefined), hostsOf(undefined)]).toEqual([[], []]);
    expect(offeredOf(reportOf(Array.from({ length: 20 }, (_, index) => ({ ...own, port: 7_000 + index })))).length).toBe(offeredCandidatesMaximum);
  });
});

describe('what is told to guess ports', () => {
  const mapped: FamilyReport = { ...family, udpBlocked: known(false, 4), mapping: known('address-and-port-dependent', 4), filtering: known('address-and-port-dependent', 4), onePublicHost: known(true, 4), allocation: known({ kind: 'sequential', delta: 2 }, 8) };
  const facts = (candidates: readonly Candidate[], change: Partial<FamilyReport> = {}) => guessFactsOf({ ...reportOf(candidates), families: { ipv4: { ...mapped, ...change }, ipv6: family } });
  it('is how the router was found to be, and where relays see us; what was not found out is not known', () => {
    expect(facts([own, unsure])).toEqual({ address: { host: '198.18.7.1', port: 61_000 }, mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', onePublicHost: true, allocation: { kind: 'sequential', delta: 2 } });
    expect(facts([unsure], { filtering: notChecked('no-second-port'), allocation: known({ kind: 'block', first: 65_000, count: 900 }, 8) })).toMatchObject({ filtering: undefined, allocation: undefined });
  });
  it('is nothing where nobody sees us at a public address', () => {
    expect([guessFactsOf(undefined), facts([own]), facts([{ ...unsure, host: '100.64.7.1' }]), facts([{ ...unsure, family: 'ipv6', host: '2001:db8::1' }])]).toEqual([undefined, undefined, undefined, undefined]);
    expect(facts([{ ...own, host: '198.18.4.4' }])?.address.host).toBe('198.18.4.4');
  });
});
