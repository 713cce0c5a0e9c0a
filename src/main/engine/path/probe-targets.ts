/** Which addresses of the other side are probed at all, and how much. What the other side offers is hostile: it may name anybody. */
import { offeredCandidatesMaximum } from '../wire/candidate-offer.ts';
import { canonicalHost } from '../wire/host.ts';
import { sameAddress, type OfferedCandidate, type SocketAddress } from '../wire/types.ts';
import { familyOf, isReachable, scopeOf } from './address-scope.ts';
import { compareTiers, isInOwnNetwork, tierOf, type PathTier } from './path-tier.ts';

/** `brief`: so unlikely that it gets two probes only. */
export type ProbeCourse = 'full' | 'brief';
export interface ChosenTarget {
  readonly address: SocketAddress;
  readonly tier: PathTier;
  readonly course: ProbeCourse;
}

/** Where this machine is. */
export interface OwnPlaces {
  /** Its literal addresses. */
  readonly hosts: readonly string[];
  /** Where others reach its main socket, with ports. */
  readonly addresses: readonly SocketAddress[];
}

/** Nearest first, then as offered; at most 16. */
export function chooseTargets(theirs: readonly OfferedCandidate[], own: OwnPlaces): readonly ChosenTarget[] {
  const chosen: ChosenTarget[] = [];
  // More than are ever offered are not even looked at.
  for (const { address } of theirs.slice(0, offeredCandidatesMaximum)) {
    if (!mayProbe(address, own) || !isInReach(address.host, own.hosts) || chosen.some((other) => sameAddress(other.address, address))) continue;
    chosen.push({ address, tier: tierOf(address, own.hosts), course: courseFor(address.host, own.hosts) });
  }
  return chosen.sort((left, right) => compareTiers(left.tier, right.tier));
}

/** Whether a probe may go there at all, however the address came to be known. */
export function mayProbe(address: SocketAddress, { hosts, addresses }: OwnPlaces): boolean {
  const { host, port } = address;
  if (!Number.isInteger(port) || port <= 0 || port > 65_535 || addresses.some((own) => sameAddress(own, address))) return false;
  // Two visors that have nothing but one machine are in a laboratory; elsewhere a loopback address is another service of this machine.
  if (scopeOf(host) === 'loopback') return canonicalHost(host) === host && hosts.length > 0 && hosts.every((own) => scopeOf(own) === 'loopback');
  return isReachable(host);
}

/** Whether it can be reached from a machine with such addresses, as far as can be told. */
function isInReach(host: string, ownHosts: readonly string[]): boolean {
  const family = familyOf(host);
  const usable = ownHosts.filter((own) => isReachable(own));
  if (isOfSomeNetworkOnly(host)) return usable.some((own) => familyOf(own) === family && isOfSomeNetworkOnly(own));
  // A machine that knows only of addresses of the other family would spend its probes on errors.
  return usable.length === 0 || usable.some((own) => familyOf(own) === family);
}

/** The same text means another machine in another network: in one of ours it is likely theirs, elsewhere it takes a VPN or a routed site. */
const courseFor = (host: string, ownHosts: readonly string[]): ProbeCourse => (isOfSomeNetworkOnly(host) && !isInOwnNetwork(host, ownHosts) ? 'brief' : 'full');

function isOfSomeNetworkOnly(host: string): boolean {
  const scope = scopeOf(host);
  return scope === 'private' || scope === 'shared';
}
