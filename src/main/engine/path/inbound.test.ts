import { describe, expect, it } from 'vitest';
import { known, notChecked, type FamilyReport, type Filtering, type Mapping, type NetworkReport } from '../../../shared/network-report.ts';
import type { InboundByFamily } from '../wire/types.ts';
import { inboundOf, isInboundNews, isPunched, unknownInbound } from './inbound.ts';

const there = { host: '198.18.1.1', port: 4_000 };
const elsewhere = { host: '198.18.1.1', port: 4_001 };
const none = notChecked('no-address');
const family: FamilyReport = { udpBlocked: none, mapping: none, filtering: none, allocation: none, mappingLifetimeMs: none, hairpin: none, doubleNat: none, publicHosts: none, onePublicHost: none, pathMtuBytes: none };
const reportOf = (ipv4: Partial<FamilyReport>): NetworkReport => ({ families: { ipv4: { ...family, ...ipv4 }, ipv6: family }, ipv6Inbound: none, captivePortal: none, portControl: none, relays: [], candidates: [], isComplete: true });
const of = (ipv4: InboundByFamily['ipv4'], ipv6?: InboundByFamily['ipv4']): InboundByFamily => ({ ipv4, ipv6 });

describe('what comes in unasked', () => {
  it.each([
    ['none', 'none', 'open'], ['endpoint-independent', 'endpoint-independent', 'open'], ['address-and-port-dependent', 'endpoint-independent', 'open'],
    ['endpoint-independent', 'address-dependent', 'filtered'], ['none', 'address-and-port-dependent', 'filtered'],
    // A port for each conversation is opened by that conversation.
    ['address-and-port-dependent', undefined, 'filtered'], ['address-dependent', undefined, 'filtered'],
    ['endpoint-independent', undefined, undefined], [undefined, undefined, undefined],
  ] as const)('with mapping %s and filtering %s: %s', (mapping: Mapping | undefined, filtering: Filtering | undefined, inbound) => {
    const fact = <Value>(value: Value | undefined) => (value === undefined ? notChecked('not-yet') : known(value, 2));
    expect(inboundOf(reportOf({ mapping: fact(mapping), filtering: fact(filtering) }))).toEqual(of(inbound));
  });
  it('is not known before there was a check', () => { expect(inboundOf(undefined)).toEqual(unknownInbound); });
});

describe('a punched path', () => {
  it('is one that neither side would have let in unasked', () => {
    for (const own of ['open', 'filtered', undefined] as const) for (const theirs of ['open', 'filtered', undefined] as const) {
      expect(isPunched(there, { own: of(own), theirs: of(theirs), offered: [there] })).toBe(own === 'filtered' && theirs === 'filtered');
    }
  });
  it('is one to a port that they never told, if it cannot have come in here unasked and nothing else is known', () => {
    for (const [own, theirs, offered, expected] of [
      ['filtered', undefined, [there], true], ['filtered', 'open', [there], false], ['open', undefined, [there], false], [undefined, undefined, [there], false],
      // They told nothing: what they would have told is not known.
      ['filtered', undefined, [], false],
    ] as const) expect(isPunched(elsewhere, { own: of(own), theirs: of(theirs), offered })).toBe(expected);
  });
  it('goes by the family of its address', () => {
    const ends = { own: of('filtered', 'open'), theirs: of('filtered', 'filtered'), offered: [] };
    expect([isPunched(there, ends), isPunched({ host: '2001:db8::1', port: 9 }, ends)]).toEqual([true, false]);
  });
});

describe('news for somebody who was told before', () => {
  it('is what is known now and was told otherwise, or not', () => {
    expect([
      isInboundNews(unknownInbound, of('open')), isInboundNews(of('open'), of('filtered')), isInboundNews(of('open'), of('open', 'filtered')),
      isInboundNews(of('open'), of('open')), isInboundNews(of('open'), unknownInbound), isInboundNews(unknownInbound, unknownInbound),
    ]).toEqual([true, true, true, false, false, false]);
  });
});
