/** Reports of checks for the double: an ordinary home, and a network that makes direct connections hard. */
import { known, notChecked, type FamilyReport, type NetworkReport } from '../../shared/network-report.ts';
import type { CheckedNetworkView } from '../../shared/network-report-schema.ts';

const home: FamilyReport = {
  udpBlocked: known(false, 24), mapping: known('endpoint-independent', 4), filtering: known('address-and-port-dependent', 14), allocation: known({ kind: 'preserving' }, 8), mappingLifetimeMs: notChecked('not-learned'),
  hairpin: known(false, 9), doubleNat: known(false, 5), publicHosts: known(['198.51.100.24'], 24), onePublicHost: known(true, 10), pathMtuBytes: notChecked('not-learned'),
};
const absent = notChecked('no-address');
const noIpv6: FamilyReport = {
  udpBlocked: absent, mapping: absent, filtering: absent, allocation: absent, mappingLifetimeMs: notChecked('not-learned'),
  hairpin: absent, doubleNat: absent, publicHosts: absent, onePublicHost: absent, pathMtuBytes: notChecked('not-learned'),
};
const candidates: NetworkReport['candidates'] = [
  { kind: 'host', family: 'ipv4', host: '192.168.1.34', port: 50_611, isPortSure: true },
  { kind: 'mapped', family: 'ipv4', host: '198.51.100.24', port: 50_611, isPortSure: true },
];

export const homeNetwork: NetworkReport = {
  families: { ipv4: home, ipv6: noIpv6 }, ipv6Inbound: absent, captivePortal: known(false, 24), portControl: known('pcp', 1),
  relays: [{ relay: 'relay.harbour.example:4430', roundTripMs: known(21.4, 9) }, { relay: 'mill.example:4430', roundTripMs: known(48.1, 7) }, { relay: 'old.example:4430', roundTripMs: notChecked('no-answer') }],
  candidates, isComplete: true,
};

export const hardNetwork: NetworkReport = {
  ...homeNetwork,
  families: {
    ipv4: {
      ...home, mapping: known('address-and-port-dependent', 4), allocation: known({ kind: 'random' }, 8), hairpin: notChecked('hidden-by-router'), doubleNat: notChecked('no-port-control'),
      filtering: notChecked('too-much-loss'), onePublicHost: known(false, 10), publicHosts: known(['198.51.100.24', '198.51.100.25'], 24),
    },
    ipv6: noIpv6,
  },
  portControl: known('none', 5),
  candidates: [...candidates.slice(0, 1), { kind: 'reflexive', family: 'ipv4', host: '198.51.100.24', port: 61_022, isPortSure: false }],
};

export const sampleNetwork = (report: NetworkReport, nowMs: number): CheckedNetworkView => ({ report, checkedAtMs: nowMs - 12 * 60_000 });
