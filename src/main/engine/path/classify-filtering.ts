/**
 * Whose datagrams the router lets in to a port that was used towards one relay only (RFC 4787 section 5, RFC 5780 section 4.4): of another
 * relay, of another port of the same one, or of none but the one asked. What came in is proof. What did not may have been lost, or never been
 * sent: so a silence counts where it is too long to be loss, and from relays that are known to do what they were asked. They show it by
 * answering so to the main socket, which has used all their ports; where the router gives each of them its own outer port nobody can show it, and
 * then two relays have to be silent.
 */
import { known, notChecked, type Filtering, type Known, type Mapping, type NotCheckedReason } from '../../../shared/network-report.ts';
import { sameAddress, socketAddressKey } from '../wire/types.ts';
import { silenceProves, silenceReason, sum, type FamilyEvidence } from './evidence.ts';
import type { AnswerFrom, Observation, ProbeSocket, Silence } from './types.ts';

type Elsewhere = Exclude<AnswerFrom, 'asked'>;

export function filteringOf(evidence: FamilyEvidence, mapping: Known<Mapping>): Known<Filtering> {
  if (evidence.observations.length === 0) return notChecked('no-answer');
  const pure = pureSockets(evidence);
  const heard = evidence.observations.filter(({ socket }) => pure.has(socket));
  const fromOthers = heard.filter((observation) => observation.answerFrom === 'other-relay' && observation.from.host !== observation.asked.host);
  const [other] = fromOthers;
  if (other !== undefined) return known(evidence.isOwnAddress(other.socket, other.seen) ? 'none' : 'endpoint-independent', fromOthers.length);
  const fromPorts = heard.filter(isFromOtherPort);
  const silences = evidence.silences.filter(({ socket }) => pure.has(socket));
  if (fromPorts.length === 0) {
    // Who keeps out another port of the same relay keeps out other relays all the more.
    const silence = proven(evidence, mapping, silences, 'other-port');
    return typeof silence === 'number' ? known('address-and-port-dependent', silence) : notChecked(silence);
  }
  const silence = proven(evidence, mapping, silences, 'other-relay');
  return typeof silence === 'number' ? known('address-dependent', silence + fromPorts.length) : notChecked(silence);
}

/** How many datagrams of this kind went unanswered, if that proves that the router keeps them out. */
function proven(evidence: FamilyEvidence, mapping: Known<Mapping>, silences: readonly Silence[], answerFrom: Elsewhere): number | NotCheckedReason {
  const offered = silences.filter((silence) => silence.answerFrom === answerFrom);
  if (offered.length === 0) {
    const isOffered = evidence.relays.some(({ second, hasOtherRelay }) => (answerFrom === 'other-port' ? second !== undefined : hasOtherRelay));
    return isOffered ? 'too-few-answers' : answerFrom === 'other-port' ? 'no-second-port' : 'no-other-relay';
  }
  const shown = new Set(evidence.observations.filter((observation) => observation.answerFrom === answerFrom).map(({ asked }) => socketAddressKey(asked)));
  const canBeShown = mapping.state !== 'known' || !isHiddenBy(mapping.value, answerFrom);
  const counted = canBeShown ? offered.filter(({ asked }) => shown.has(socketAddressKey(asked))) : offered;
  if (counted.length === 0) return 'too-few-answers';
  if (!canBeShown && new Set(counted.map(({ asked }) => asked.host)).size < 2) return 'too-few-relays';
  const timesSent = sum(counted.map((silence) => silence.timesSent));
  return silenceProves(evidence, timesSent) ? timesSent : silenceReason(evidence);
}

/** Whether the main socket has another outer port towards whoever answers, so that even a router with this mapping may keep the answer out. */
function isHiddenBy(mapping: Mapping, answerFrom: Elsewhere): boolean {
  switch (mapping) {
    case 'none':
    case 'endpoint-independent': return false;
    case 'address-dependent': return answerFrom === 'other-relay';
    case 'address-and-port-dependent': return true;
  }
}

/** Spare sockets that were used towards one address only. */
function pureSockets({ observations, silences }: FamilyEvidence): ReadonlySet<ProbeSocket> {
  const asked = Map.groupBy([...observations, ...silences], ({ socket }) => socket);
  return new Set([...asked].filter(([socket, [first, ...others]]) => socket !== 'main' && first !== undefined && others.every((other) => sameAddress(first.asked, other.asked))).map(([socket]) => socket));
}

const isFromOtherPort = ({ answerFrom, from, asked }: Observation): boolean => answerFrom === 'other-port' && from.host === asked.host && from.port !== asked.port;
