/**
 * From what was observed to what it means, as one pure function. Each fact has its own file and its own rule for how much evidence it needs;
 * here they are put together, and what came too early to tell says so.
 *
 * | fact | known from | file |
 * |---|---|---|
 * | mapping | what two relays, or two ports of one, saw of the main socket | classify-mapping.ts |
 * | filtering | answers from elsewhere to spare sockets that were used towards one address only | classify-filtering.ts |
 * | allocation | the outer ports of at least four spare sockets, in order; two that kept theirs | classify-allocation.ts |
 * | UDP blocked, portal, double NAT, hairpin | nothing over UDP while TCP works; a page of somebody else; the router's own word; one spare to the other | classify-place.ts |
 * | mapping lifetime, path MTU | learned elsewhere and passed on | here |
 */
import { known, notChecked, type AddressFamily, type FamilyReport, type Filtering, type Known, type NetworkReport, type RelayRoundTrip } from '../../../shared/network-report.ts';
import { candidatesOf } from './candidates.ts';
import { allocationOf } from './classify-allocation.ts';
import { filteringOf } from './classify-filtering.ts';
import { mappingOf, onePublicHostOf, publicHostsOf } from './classify-mapping.ts';
import { captivePortalOf, doubleNatOf, hairpinOf, portControlOf, udpBlockedOf } from './classify-place.ts';
import { familyEvidence, type FamilyEvidence } from './evidence.ts';
import type { Evidence, Learned } from './types.ts';

export function classify(evidence: Evidence): NetworkReport {
  const parts: Readonly<Record<AddressFamily, FamilyEvidence>> = { ipv4: familyEvidence(evidence, 'ipv4'), ipv6: familyEvidence(evidence, 'ipv6') };
  const families: Readonly<Record<AddressFamily, FamilyReport>> = { ipv4: familyReport(evidence, parts.ipv4), ipv6: familyReport(evidence, parts.ipv6) };
  return {
    families,
    ipv6Inbound: inboundOf(families.ipv6.filtering),
    captivePortal: soFar(evidence, evidence.relays.length === 0 ? notChecked('no-relay') : captivePortalOf(evidence.tcp, evidence.observations.length)),
    portControl: soFar(evidence, portControlOf(evidence, parts.ipv4)),
    relays: roundTrips(evidence),
    candidates: candidatesOf(evidence, parts, families),
    isComplete: evidence.isComplete,
  };
}

function familyReport(evidence: Evidence, part: FamilyEvidence): FamilyReport {
  if (!part.hasAddress && part.observations.length === 0) return nothingOf(part, evidence.learned);
  const mapping = mappingOf(part);
  const filtering = filteringOf(part, mapping);
  const ofPart = <Value>(fact: Known<Value>): Known<Value> => soFar(evidence, part.relays.length === 0 ? unasked(fact) : fact);
  return {
    udpBlocked: ofPart(udpBlockedOf(part)),
    mapping: ofPart(mapping),
    filtering: ofPart(filtering),
    allocation: ofPart(allocationOf(part)),
    hairpin: ofPart(hairpinOf(part, mapping, filtering)),
    doubleNat: ofPart(doubleNatOf(part, mapping)),
    publicHosts: ofPart(publicHostsOf(part)),
    onePublicHost: ofPart(onePublicHostOf(part)),
    ...learnedOf(part.family, evidence.learned),
  };
}

/** The machine has no address of this family, so there was nothing to ask. */
function nothingOf({ family }: FamilyEvidence, learned: Learned): FamilyReport {
  const nothing = notChecked('no-address');
  return { udpBlocked: nothing, mapping: nothing, filtering: nothing, allocation: nothing, hairpin: nothing, doubleNat: nothing, publicHosts: nothing, onePublicHost: nothing, ...learnedOf(family, learned) };
}

function learnedOf(family: AddressFamily, learned: Learned): Pick<FamilyReport, 'mappingLifetimeMs' | 'pathMtuBytes'> {
  const { mappingLifetimeMs, pathMtuBytes } = learned[family] ?? {};
  return {
    mappingLifetimeMs: mappingLifetimeMs === undefined ? notChecked('not-learned') : known(mappingLifetimeMs.value, mappingLifetimeMs.samples),
    pathMtuBytes: pathMtuBytes === undefined ? notChecked('not-learned') : known(pathMtuBytes.value, pathMtuBytes.samples),
  };
}

/** Nobody was there to answer. */
function unasked<Value>(fact: Known<Value>): Known<Value> {
  return fact.state === 'not-checked' && (fact.reason === 'no-answer' || fact.reason === 'too-few-relays') ? notChecked('no-relay') : fact;
}

/** While the check runs, what is missing has simply not come yet. */
function soFar<Value>({ isComplete }: Evidence, fact: Known<Value>): Known<Value> {
  return fact.state === 'known' || isComplete || fact.reason === 'not-needed' ? fact : notChecked('not-yet');
}

function inboundOf(filtering: Known<Filtering>): Known<'open' | 'filtered'> {
  if (filtering.state === 'not-checked') return filtering;
  return known(filtering.value === 'none' ? 'open' : 'filtered', filtering.samples);
}

function roundTrips(evidence: Evidence): readonly RelayRoundTrip[] {
  const names = [...new Set(evidence.relays.map(({ relay }) => relay))];
  return names.map((relay) => {
    const hosts = new Set(evidence.relays.filter((each) => each.relay === relay).flatMap(({ first, second }) => (second === undefined ? [first.host] : [first.host, second.host])));
    const times = evidence.observations.filter(({ asked, answerFrom }) => answerFrom === 'asked' && hosts.has(asked.host)).map(({ roundTripMs }) => roundTripMs);
    return { relay, roundTripMs: times.length === 0 ? soFar(evidence, notChecked('no-answer')) : known(Math.min(...times), times.length) };
  });
}
