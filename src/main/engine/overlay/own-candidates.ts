/** Where others may reach us, taken from what the last check of the network found out. */
import type { NetworkReport } from '../../../shared/network-report.ts';
import { offeredCandidatesMaximum } from '../wire/candidate-offer.ts';
import type { OfferedCandidate } from '../wire/types.ts';

/** Best first. An address whose port is another one for everybody is of no use to anybody. */
export function offeredOf(report: NetworkReport | undefined): readonly OfferedCandidate[] {
  return (report?.candidates ?? []).flatMap(({ kind, host, port, isPortSure }) => (isPortSure ? [{ kind, address: { host, port } }] : [])).slice(0, offeredCandidatesMaximum);
}

/** Of the machine itself. */
export const hostsOf = (report: NetworkReport | undefined): readonly string[] => (report?.candidates ?? []).flatMap(({ kind, host }) => (kind === 'host' ? [host] : []));
