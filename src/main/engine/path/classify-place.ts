/** What kind of network this is around the router: UDP at all, one router or two, a portal, and whether the router brings its own hosts together. */
import { known, notChecked, type Filtering, type Known, type Mapping, type PortControlProtocol } from '../../../shared/network-report.ts';
import { isReachable, scopeOf } from './address-scope.ts';
import { mainObservations } from './classify-mapping.ts';
import { silenceProves, silenceReason, sum, type FamilyEvidence } from './evidence.ts';
import type { Evidence, TcpProbeResult } from './types.ts';

/** Nothing ever came in over UDP, so loss cannot be counted: this many unanswered datagrams in a row prove it, 1 in 10^8 at a loss of 40 % both ways. */
const blockedSilenceMinimum = 20;
/** ... to this many relays: one alone may be down. */
const blockedRelaysMinimum = 2;

/**
 * The router is asked five times (PCP, NAT-PMP) within two seconds and no oftener. All that relays answered went through it, so that the loss on the way to it is no
 * larger than theirs; and asking goes on after the check.
 */
const routerSilenceByLossMaximum = 1e-3;

/** Known to be blocked only where something else proves that there is a network. */
export function udpBlockedOf(evidence: FamilyEvidence): Known<boolean> {
  if (evidence.observations.length > 0) return known(false, evidence.observations.length);
  if (evidence.relays.length === 0) return notChecked('too-few-relays');
  const asked = evidence.silences.filter(({ answerFrom }) => answerFrom === 'asked');
  const timesSent = sum(asked.map((silence) => silence.timesSent));
  const hosts = new Set(asked.map((silence) => silence.asked.host));
  if (!evidence.tcp.some(isNetworkThere)) return notChecked('no-answer');
  if (hosts.size < blockedRelaysMinimum) return notChecked('too-few-relays');
  return timesSent >= blockedSilenceMinimum ? known(true, timesSent) : notChecked('too-few-answers');
}

const isNetworkThere = ({ outcome }: TcpProbeResult): boolean => outcome !== 'failed';

/** A portal answers itself to whoever asks for a page, and lets nothing else pass; a relay that is heard over UDP is proof that none is in the way. */
export function captivePortalOf(tcp: readonly TcpProbeResult[], udpAnswers: number): Known<boolean> {
  const pages = tcp.filter(({ protocol, outcome }) => protocol === 'http' && outcome !== 'failed');
  const last = pages.at(-1);
  if (udpAnswers > 0) return known(false, udpAnswers);
  return last === undefined ? notChecked('no-answer') : known(last.outcome === 'intercepted', pages.length);
}

export function portControlOf({ portControl, observations }: Evidence, loss: FamilyEvidence): Known<PortControlProtocol | 'none' | 'refused'> {
  if (portControl === undefined) return notChecked('no-port-control');
  if (portControl === 'asked') return notChecked(observations.length === 0 ? 'no-answer' : 'no-port-control');
  if (portControl.outcome === 'refused') return known('refused', 1);
  if (portControl.outcome !== 'silent') return known(portControl.protocol, 1);
  return silenceProves(loss, portControl.timesSent, routerSilenceByLossMaximum) ? known('none', portControl.timesSent) : notChecked(silenceReason(loss));
}

/** The outer address of the nearest router, from itself. */
function routerHost({ portControl }: FamilyEvidence): string | undefined {
  switch (portControl?.outcome) {
    case 'mapped': return portControl.external.host;
    case 'address': return portControl.host;
    default: return undefined;
  }
}

/** A router whose own outer address is not the one that relays see has another one above it. */
export function doubleNatOf(evidence: FamilyEvidence, mapping: Known<Mapping>): Known<boolean> {
  if (mapping.state === 'known' && mapping.value === 'none') return known(false, mapping.samples);
  const outer = routerHost(evidence);
  if (outer === undefined) return notChecked('no-port-control');
  // What routers without an uplink say: 0.0.0.0.
  if (!isReachable(outer)) return notChecked('contradictory');
  if (scopeOf(outer) !== 'public') return known(true, 1);
  const seen = evidence.observations.filter(({ socket }) => socket === 'main');
  if (seen.length === 0) return notChecked('no-answer');
  if (seen.some((observation) => observation.seen.host === outer)) return known(false, 1 + seen.length);
  // A router with several outer addresses may have told another one of them.
  return new Set(evidence.observations.map((observation) => observation.seen.host)).size > 1 ? notChecked('contradictory') : known(true, 1 + seen.length);
}

/**
 * A datagram that came back proves it. One that did not proves the contrary only where the filter would have let it in: where everybody may, or where
 * the other socket's own datagrams have opened it, which they do only if they leave by the port that was sent to (RFC 4787 REQ-9 has the router
 * send with the outer address).
 */
export function hairpinOf(evidence: FamilyEvidence, mapping: Known<Mapping>, filtering: Known<Filtering>): Known<boolean> {
  if (mapping.state === 'known' && mapping.value === 'none') return notChecked('not-needed');
  const arrived = evidence.hairpins.filter((trial) => trial.arrived);
  if (arrived.length > 0) return known(true, arrived.length);
  const timesSent = sum(evidence.hairpins.map((trial) => trial.timesSent));
  if (timesSent === 0) return notChecked(mainObservations(evidence).length === 0 ? 'no-answer' : 'too-few-answers');
  const isOpenToAll = filtering.state === 'known' && filtering.value === 'endpoint-independent';
  // A port that the router opened on request is the main socket's alone, and so is what is known of the mapping then.
  const isOpenedByOwn = mapping.state === 'known' && mapping.value === 'endpoint-independent' && evidence.portControl?.outcome !== 'mapped' && !evidence.isMainUnsettled;
  if (!isOpenToAll && !isOpenedByOwn) return notChecked(mapping.state === 'known' && filtering.state === 'known' ? 'hidden-by-router' : 'too-few-answers');
  return silenceProves(evidence, timesSent) ? known(false, timesSent) : notChecked(silenceReason(evidence));
}
