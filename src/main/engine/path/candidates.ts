/** Where others may try to reach the main socket, best first; sent to contacts, sealed, when two visors look for a direct path. */
import { addressFamilies, type AddressFamily, type Candidate, type CandidateKind } from '../../../shared/network-report.ts';
import { sameAddress, type SocketAddress } from '../wire/types.ts';
import { familyOf, isReachable, scopeOf } from './address-scope.ts';
import { mainObservations } from './classify-mapping.ts';
import type { FamilyEvidence } from './evidence.ts';
import type { Evidence, FamilyReport, Observation } from './types.ts';

/** In one message (notes on peers, section 2). */
export const candidatesMaximum = 16;
/** Of a machine's own addresses, of each family: many have a dozen temporary IPv6 ones, and those must not crowd out what the router gives. */
const hostsPerFamilyMaximum = 5;
/** The same outer port, seen from so many addresses or ports of relays, is no mistake of one. */
const confirmationsMinimum = 2;
/** No detour through the router, then a port that is open to all, then one that has to be punched. */
const kinds: readonly CandidateKind[] = ['host', 'mapped', 'reflexive'];

export function candidatesOf(evidence: Evidence, ofFamily: Readonly<Record<AddressFamily, FamilyEvidence>>, reports: Readonly<Record<AddressFamily, FamilyReport>>): readonly Candidate[] {
  const all = addressFamilies.flatMap((family) => [
    ...hostCandidates(evidence.localHosts, family, ofFamily[family].localPort('main')),
    ...mappedCandidates(ofFamily[family], reports[family]),
    ...reflexiveCandidates(ofFamily[family], reports[family]),
  ]);
  const distinct = all.filter((candidate, index) => all.findIndex((other) => sameAddress(other, candidate)) === index);
  return distinct.sort((left, right) => rank(left) - rank(right)).slice(0, candidatesMaximum);
}

/** Sorting is stable: the machine's own order holds among equals. */
const rank = ({ kind, family, host }: Candidate): number => 10 * kinds.indexOf(kind) + (family === 'ipv6' ? 0 : 5) + (scopeOf(host) === 'public' ? 0 : 1);

function hostCandidates(hosts: readonly string[], family: AddressFamily, port: number | undefined): readonly Candidate[] {
  if (port === undefined || !isPort(port)) return [];
  const usable = [...new Set(hosts)].filter((host) => familyOf(host) === family && isReachable(host));
  const publicFirst = [...usable.filter((host) => scopeOf(host) === 'public'), ...usable.filter((host) => scopeOf(host) !== 'public')];
  return publicFirst.slice(0, hostsPerFamilyMaximum).map((host) => ({ kind: 'host', family, host, port, isPortSure: true }));
}

/** Only where nothing else translates above the router that opened it: then nobody would get as far as that port. */
function mappedCandidates({ family, portControl }: FamilyEvidence, { doubleNat }: FamilyReport): readonly Candidate[] {
  if (portControl?.outcome !== 'mapped' || scopeOf(portControl.external.host) !== 'public' || !isPort(portControl.external.port)) return [];
  if (doubleNat.state === 'known' && doubleNat.value) return [];
  return [{ kind: 'mapped', family, ...portControl.external, isPortSure: true }];
}

function reflexiveCandidates(evidence: FamilyEvidence, { mapping }: FamilyReport): readonly Candidate[] {
  const observations = mainObservations(evidence).filter(({ seen }) => isReachable(seen.host));
  const places = observations.map(({ seen }) => seen);
  const confirmed = places.filter((place, index) => places.findIndex((other) => sameAddress(other, place)) === index && timesSeen(place, observations) >= confirmationsMinimum);
  const dependsOnOther = mapping.state === 'known' && (mapping.value === 'address-dependent' || mapping.value === 'address-and-port-dependent');
  // Whether it depends is told late, when the router has said whether it opens a port; where no two saw the same one, the address is known all the same.
  if (!dependsOnOther && (confirmed.length > 0 || mapping.state === 'known')) return confirmed.map((place) => reflexive(place, evidence.family, true));
  // No port holds for everybody, yet others need the address, and a router that lets everybody in lets them in by any of the ports.
  const nearest = observations.toSorted((left, right) => left.roundTripMs - right.roundTripMs);
  const hosts = [...new Set(nearest.map(({ seen }) => seen.host))].filter((host) => nearest.filter(({ seen }) => seen.host === host).length >= confirmationsMinimum);
  return hosts.flatMap((host) => nearest.filter(({ seen }) => seen.host === host).slice(0, 1).map(({ seen }) => reflexive(seen, evidence.family, false)));
}

const reflexive = ({ host, port }: SocketAddress, family: AddressFamily, isPortSure: boolean): Candidate => ({ kind: 'reflexive', family, host, port, isPortSure });
const timesSeen = (place: SocketAddress, observations: readonly Observation[]): number => observations.filter(({ seen }) => sameAddress(seen, place)).length;
const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port <= 65_535;
