import { describe, expect, it } from 'vitest';
import { known, notChecked, notCheckedReasons, type FamilyReport, type Filtering, type Known, type Mapping, type NetworkReport } from './network-report.ts';
import { networkFacts } from './network-facts.ts';

/** Every fact is missing for the same reason. */
function missing(reason: (typeof notCheckedReasons)[number]): NetworkReport {
  const nothing = notChecked(reason);
  const family: FamilyReport = { udpBlocked: nothing, mapping: nothing, filtering: nothing, allocation: nothing, mappingLifetimeMs: nothing, hairpin: nothing, doubleNat: nothing, publicHosts: nothing, onePublicHost: nothing, pathMtuBytes: nothing };
  return { families: { ipv4: family, ipv6: family }, ipv6Inbound: nothing, captivePortal: nothing, portControl: nothing, relays: [], candidates: [], isComplete: true };
}
function reportOf(ipv4: Partial<FamilyReport>, change: Partial<NetworkReport> = {}): NetworkReport {
  const { families, ...rest } = missing('no-answer');
  return { ...rest, families: { ...families, ipv4: { ...families.ipv4, ...ipv4 } }, ...change };
}
const answers = (report: NetworkReport): Readonly<Record<string, string>> => Object.fromEntries(networkFacts(report).map(({ code, answer }) => [code, answer]));

describe('the facts of a network', () => {
  it('are none of them a no where nothing was checked, whatever the reason', () => {
    for (const reason of notCheckedReasons) {
      const facts = networkFacts(missing(reason));
      expect(facts.every(({ answer }) => answer === 'not checked')).toBe(true);
      for (const { detail, promise } of facts) expect([detail, promise]).toEqual([expect.stringMatching(/^[A-Z].*\.$/), expect.stringMatching(/^[A-Z].*[^.]$/)]);
      expect(new Set(facts.map(({ code }) => code)).size).toBe(facts.length);
    }
  });
  it('answer yes where it is good', () => {
    const cases: readonly [Mapping, Filtering, string, string, string][] = [
      ['none', 'none', 'yes', 'yes', 'yes'], ['endpoint-independent', 'address-and-port-dependent', 'yes', 'yes', 'no'], ['address-dependent', 'address-dependent', 'no', 'no', 'no'],
      ['address-and-port-dependent', 'endpoint-independent', 'yes', 'no', 'yes'], ['address-and-port-dependent', 'address-and-port-dependent', 'no', 'no', 'no'],
    ];
    for (const [mapping, filtering, direct, port, open] of cases) {
      expect(answers(reportOf({ mapping: known(mapping, 4), filtering: known(filtering, 4) }))).toMatchObject({ direct, 'ipv4.mapping': port, 'ipv4.filtering': open });
    }
    const yes = <Value>(value: Value): Known<Value> => known(value, 9);
    expect(answers(reportOf({ udpBlocked: yes(false), doubleNat: yes(false), hairpin: yes(true), onePublicHost: yes(true), publicHosts: yes(['198.18.7.1']), allocation: yes({ kind: 'preserving' as const }), mappingLifetimeMs: yes(60_000), pathMtuBytes: yes(1_452) },
      { captivePortal: yes(false), portControl: yes('pcp' as const), ipv6Inbound: yes('open' as const) })))
      .toMatchObject({ 'ipv4.udpBlocked': 'yes', 'ipv4.doubleNat': 'yes', 'ipv4.hairpin': 'yes', 'ipv4.onePublicHost': 'yes', 'ipv4.allocation': 'yes', captivePortal: 'yes', portControl: 'yes', 'ipv6.inbound': 'yes', 'ipv4.mappingLifetime': 'yes', 'ipv4.pathMtu': 'yes' });
    expect(answers(reportOf({ udpBlocked: yes(true), doubleNat: yes(true), hairpin: yes(false), onePublicHost: yes(false), allocation: yes({ kind: 'random' as const }) },
      { captivePortal: yes(true), portControl: yes('refused' as const), ipv6Inbound: yes('filtered' as const) })))
      .toMatchObject({ 'ipv4.udpBlocked': 'no', 'ipv4.doubleNat': 'no', 'ipv4.hairpin': 'no', 'ipv4.onePublicHost': 'no', 'ipv4.allocation': 'no', captivePortal: 'no', portControl: 'no', 'ipv6.inbound': 'no' });
  });
  it('never say of UPnP that it is not there: nobody asks', () => {
    expect(answers(reportOf({}, { portControl: known('none', 5) }))).toMatchObject({ portControl: 'no', 'portControl.upnp': 'not checked' });
  });
});
