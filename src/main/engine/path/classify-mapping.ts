/**
 * Whether the router shows the main socket at one outer port to everybody (RFC 4787 section 4.1, RFC 5780 section 4.3), and at how many outer
 * addresses. Differences are proof by themselves. That two relays at different addresses see the same is proof too: a router that
 * gave each its own port would not give out the same twice.
 */
import { known, notChecked, type Known, type Mapping } from '../../../shared/network-report.ts';
import { sameAddress, socketAddressKey, type SocketAddress } from '../wire/types.ts';
import type { FamilyEvidence } from './evidence.ts';
import type { Observation } from './types.ts';

/** Conversations seen, until one outer address for all of them is told as a rule: by chance two addresses agree so in 1 of 128 checks. */
const pairedSamplesMinimum = 8;

/** What relays saw of the main socket. */
export const mainObservations = ({ observations }: FamilyEvidence): readonly Observation[] => observations.filter(({ socket, answerFrom }) => socket === 'main' && answerFrom === 'asked');

export function mappingOf(evidence: FamilyEvidence): Known<Mapping> {
  const observations = mainObservations(evidence);
  const samples = observations.length;
  if (samples === 0) return notChecked('no-answer');
  if (observations.every(({ socket, seen }) => evidence.isOwnAddress(socket, seen))) return known('none', samples);
  const byHost = [...Map.groupBy(observations, ({ asked }) => asked.host).values()].map((ofHost) => ofHost.map(({ seen }) => seen));
  const isOneEverywhere = allSame(observations.map(({ seen }) => seen));
  if (isOneEverywhere) {
    if (byHost.length >= 2) return known('endpoint-independent', samples);
    return notChecked(countHosts(evidence) < 2 ? 'too-few-relays' : 'too-few-answers');
  }
  if (evidence.isMainUnsettled) return notChecked('not-yet');
  const ofTwoPorts = byHost.filter((seen) => seen.length >= 2);
  const alike = ofTwoPorts.filter(allSame).length;
  if (alike > 0 && alike < ofTwoPorts.length) return notChecked('contradictory');
  if (ofTwoPorts.length === 0) return notChecked(evidence.relays.some(({ second }) => second !== undefined) ? 'too-few-answers' : 'no-second-port');
  if (alike === 0) return known('address-and-port-dependent', samples);
  // Two relays that agree and a third that does not: the network changed meanwhile, or one of them is wrong.
  const distinct = new Set(byHost.map(([seen]) => (seen === undefined ? '' : socketAddressKey(seen))));
  return distinct.size === byHost.length ? known('address-dependent', samples) : notChecked('contradictory');
}

export function publicHostsOf({ observations }: FamilyEvidence): Known<readonly string[]> {
  return observations.length === 0 ? notChecked('no-answer') : known([...new Set(observations.map(({ seen }) => seen.host))].sort(), observations.length);
}

/** Only conversations that the router had to choose an address for count: different sockets, or different outer ports. */
export function onePublicHostOf(evidence: FamilyEvidence): Known<boolean> {
  const conversations = new Map(evidence.observations.map(({ socket, seen }) => [`${socket} ${socketAddressKey(seen)}`, seen.host]));
  if (conversations.size === 0) return notChecked('no-answer');
  if (new Set(conversations.values()).size > 1) return known(false, conversations.size);
  if (evidence.observations.every(({ socket, seen }) => evidence.isOwnAddress(socket, seen))) return known(true, conversations.size);
  return conversations.size >= pairedSamplesMinimum ? known(true, conversations.size) : notChecked('too-few-answers');
}

function allSame(addresses: readonly SocketAddress[]): boolean {
  const [first, ...others] = addresses;
  return first === undefined || others.every((other) => sameAddress(first, other));
}

const countHosts = ({ relays }: FamilyEvidence): number => new Set(relays.map(({ first }) => first.host)).size;
