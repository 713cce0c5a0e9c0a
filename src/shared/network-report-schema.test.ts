import { describe, expect, it } from 'vitest';
import { known, notChecked, notCheckedReasons, type FamilyReport, type NetworkReport } from './network-report.ts';
import { checkedNetworkSchema, networkReportSchema } from './network-report-schema.ts';

const family: FamilyReport = {
  udpBlocked: known(false, 3), mapping: known('address-dependent', 4), filtering: notChecked('too-much-loss'), allocation: known({ kind: 'block', first: 1_024, count: 64 }, 8), mappingLifetimeMs: known(30_000, 1),
  hairpin: known(true, 1), doubleNat: notChecked('no-port-control'), publicHosts: known(['198.18.7.1'], 4), onePublicHost: known(true, 8), pathMtuBytes: notChecked('not-learned'),
};
const report: NetworkReport = {
  families: { ipv4: family, ipv6: { ...family, allocation: known({ kind: 'sequential', delta: -2 }, 8) } }, ipv6Inbound: known('filtered', 2), captivePortal: notChecked('no-answer'), portControl: known('refused', 1),
  relays: [{ relay: 'mill.example:7400', roundTripMs: known(20.4, 3) }], candidates: [{ kind: 'mapped', family: 'ipv4', host: '198.18.7.1', port: 7_400, isPortSure: true }], isComplete: true,
};

describe('a report on its way between processes', () => {
  it('arrives as it was, with every reason', () => {
    expect(networkReportSchema.parse(structuredClone(report))).toEqual(report);
    for (const reason of notCheckedReasons) expect(networkReportSchema.safeParse({ ...report, captivePortal: notChecked(reason) }).success).toBe(true);
    const atLeast: NetworkReport = { ...report, families: { ...report.families, ipv4: { ...family, mappingLifetimeMs: { state: 'at-least', value: 480_000, samples: 5 } } } };
    expect(networkReportSchema.parse(structuredClone(atLeast))).toEqual(atLeast);
    expect(checkedNetworkSchema.parse({ report, checkedAtMs: 5 })).toEqual({ report, checkedAtMs: 5 });
  });
  it('is refused when it is another shape, or too long', () => {
    const wrong: readonly unknown[] = [
      undefined, {}, { ...report, captivePortal: { state: 'no' } }, { ...report, captivePortal: notChecked('no-answer').state }, { ...report, portControl: known('upnp', 1) },
      { ...report, relays: Array.from({ length: 65 }, () => report.relays[0]) }, { ...report, candidates: [{ ...report.candidates[0], port: 0 }] },
      { ...report, families: { ipv4: family } }, { ...report, relays: [{ relay: 'x'.repeat(300), roundTripMs: known(1, 1) }] },
    ];
    for (const value of wrong) expect(networkReportSchema.safeParse(value).success).toBe(false);
  });
});
