/**
 * One address family's part of the evidence, and how much silence proves.
 *
 * An answer proves that a datagram came through. Silence proves nothing by itself: any datagram may have been lost. So how often datagrams
 * get lost is counted on those that a living relay must answer, and a silence counts only when it is too long to be loss. With `answered` and
 * `lost` of those, and nothing assumed beforehand, the next n are all lost with the chance (lost + 1 + i) / (answered + lost + 2 + i),
 * multiplied over i < n (the rule of succession, n times). It is larger than loss to the power of n, because with few samples the loss itself
 * is not sure.
 */
import type { AddressFamily, NotCheckedReason } from '../../../shared/network-report.ts';
import { socketAddressKey, type SocketAddress } from '../wire/types.ts';
import { familyOf, isReachable, scopeOf } from './address-scope.ts';
import type { CheckRelay, Evidence, HairpinTrial, Observation, PortControlResult, ProbeSocket, Silence, TcpProbeResult } from './types.ts';

/** A silence that loss alone explains with a higher chance is not told as a no: one wrong report in a million checks. */
export const silenceByLossMaximum = 1e-6;

export interface FamilyEvidence {
  readonly family: AddressFamily;
  readonly hasAddress: boolean;
  readonly relays: readonly CheckRelay[];
  readonly observations: readonly Observation[];
  readonly silences: readonly Silence[];
  readonly hairpins: readonly HairpinTrial[];
  readonly tcp: readonly TcpProbeResult[];
  /** Speaks of IPv4 only: routers do not translate IPv6. */
  readonly portControl: PortControlResult | undefined;
  /** Whether the main socket may have got a port of its own meanwhile, so that it may have been seen in two ways. */
  readonly isMainUnsettled: boolean;
  readonly answered: number;
  readonly lost: number;
  readonly isOwnAddress: (socket: ProbeSocket, seen: SocketAddress) => boolean;
  readonly localPort: (socket: ProbeSocket) => number | undefined;
}

export function familyEvidence(evidence: Evidence, family: AddressFamily): FamilyEvidence {
  const ofFamily = ({ asked }: { readonly asked: SocketAddress }): boolean => familyOf(asked.host) === family;
  const observations = outside(evidence.observations.filter(ofFamily));
  const silences = evidence.silences.filter(ofFamily);
  const livingRelays = new Set(observations.map(({ asked }) => socketAddressKey(asked)));
  const unanswered = silences.filter(({ asked, answerFrom }) => answerFrom === 'asked' && livingRelays.has(socketAddressKey(asked)));
  const localHosts = new Set([...evidence.localHosts, '127.0.0.1', '::1']);
  const localPort = (socket: ProbeSocket): number | undefined => evidence.localPorts.find((place) => place.socket === socket && place.family === family)?.port;
  return {
    family,
    hasAddress: evidence.localHosts.some((host) => familyOf(host) === family && isReachable(host)),
    relays: evidence.relays.filter(({ first }) => familyOf(first.host) === family),
    observations, silences,
    hairpins: evidence.hairpins.filter((trial) => trial.family === family),
    tcp: evidence.tcp.filter(({ to }) => familyOf(to.host) === family),
    portControl: family === 'ipv4' && evidence.portControl !== 'asked' ? evidence.portControl : undefined,
    isMainUnsettled: family === 'ipv4' && evidence.portControl === 'asked' && !evidence.isComplete,
    answered: observations.length,
    lost: sum(observations.map(({ timesSent = 1 }) => timesSent - 1)) + sum(unanswered.map(({ timesSent }) => timesSent)),
    isOwnAddress: (socket, seen) => localHosts.has(seen.host) && localPort(socket) === seen.port,
    localPort,
  };
}

/** Whether `timesSent` datagrams in a row are more than loss could have taken. */
export function silenceProves({ answered, lost }: Pick<FamilyEvidence, 'answered' | 'lost'>, timesSent: number, chanceMaximum = silenceByLossMaximum): boolean {
  let chance = 1;
  for (let index = 0; index < timesSent; index += 1) chance *= (lost + 1 + index) / (answered + lost + 2 + index);
  return chance <= chanceMaximum;
}

/** Why a silence was too short. */
export const silenceReason = ({ lost }: Pick<FamilyEvidence, 'lost'>): NotCheckedReason => (lost === 0 ? 'too-few-answers' : 'too-much-loss');
export const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** A relay in the own local network sees what is before the router; it counts only where there is no other. */
function outside(observations: readonly Observation[]): readonly Observation[] {
  const others = observations.filter(({ asked }) => { const scope = scopeOf(asked.host); return scope === 'public' || scope === 'shared'; });
  return others.length > 0 ? others : observations;
}
