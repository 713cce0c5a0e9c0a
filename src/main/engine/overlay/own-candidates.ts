/** Where others may reach us, taken from what the last check of the network found out. */
import type { NetworkReport } from '../../../shared/network-report.ts';
import { offeredCandidatesMaximum } from '../wire/candidate-offer.ts';
import { familyOf, scopeOf } from '../path/address-scope.ts';
import { shortReport } from '../path/pairing.ts';
import { tellable } from '../wire/guess-offer.ts';
import type { GuessFacts, OfferedCandidate } from '../wire/types.ts';

/**
 * Best first. Also an address whose port is another one for everybody: who probes it opens their own router for whatever comes from that host, and a router that lets
 * everybody in lets them in by any port that it has given out. Without it five of the fourteen pairs of routers that need no guess do not meet (notes on peers, section 3).
 */
export function offeredOf(report: NetworkReport | undefined): readonly OfferedCandidate[] {
  return (report?.candidates ?? []).map(({ kind, host, port }) => ({ kind, address: { host, port } })).slice(0, offeredCandidatesMaximum);
}

/** Of the machine itself. */
export const hostsOf = (report: NetworkReport | undefined): readonly string[] => (report?.candidates ?? []).flatMap(({ kind, host }) => (kind === 'host' ? [host] : []));

/** What another side needs to know of our router to guess ports with us, of IPv4. Undefined where no relay sees us at a public address of it. */
export function guessFactsOf(report: NetworkReport | undefined): GuessFacts | undefined {
  const traits = report === undefined ? undefined : shortReport(report).ipv4;
  const isSeen = ({ address: { host } }: OfferedCandidate): boolean => familyOf(host) === 'ipv4' && scopeOf(host) === 'public';
  const offered = offeredOf(report).filter(isSeen);
  // A machine with a public address of its own is seen at that.
  const seen = offered.find(({ kind }) => kind === 'reflexive') ?? offered.find(({ kind }) => kind === 'host');
  if (traits === undefined || seen === undefined) return undefined;
  const { mapping, filtering, onePublicHost, allocation } = traits;
  return { address: seen.address, mapping, filtering, onePublicHost, allocation: tellable(allocation) };
}
