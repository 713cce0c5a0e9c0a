/** Where others may reach us, taken from what the last check of the network found out. */
import type { NetworkReport } from '../../../shared/network-report.ts';
import { offeredCandidatesMaximum } from '../wire/candidate-offer.ts';
import type { OfferedCandidate } from '../wire/types.ts';

/**
 * Best first. Also an address whose port is another one for everybody: who probes it opens their own router for whatever comes from that host, and a router that lets
 * everybody in lets them in by any port that it has given out. Without it five of the fourteen pairs of routers that need no guess do not meet (notes on peers, section 3).
 */
export function offeredOf(report: NetworkReport | undefined): readonly OfferedCandidate[] {
  return (report?.candidates ?? []).map(({ kind, host, port }) => ({ kind, address: { host, port } })).slice(0, offeredCandidatesMaximum);
}

/** Of the machine itself. */
export const hostsOf = (report: NetworkReport | undefined): readonly string[] => (report?.candidates ?? []).flatMap(({ kind, host }) => (kind === 'host' ? [host] : []));
