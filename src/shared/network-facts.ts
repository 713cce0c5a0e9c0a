/**
 * The report on the network as a list of promises with three answers. Each is put so that yes is the good one; what was not checked says why, and is never a no.
 */
import { countOf, durationWords } from './quantities.ts';
import { exactly, notCheckedWords } from './network-sentences.ts';
import type { FamilyReport, Filtering, Known, Mapping, NetworkReport, PortAllocation } from './network-report.ts';

export type NetworkAnswer = 'yes' | 'no' | 'not checked';

export interface NetworkFact {
  /** Such as `ipv4.mapping`. Stable. */
  readonly code: string;
  readonly promise: string;
  readonly answer: NetworkAnswer;
  /** What it means, or why it is not known. */
  readonly detail: string;
}

interface Told { readonly isSo: boolean; readonly detail: string }

function fact<Value>(code: string, promise: string, found: Known<Value>, tell: (value: Value) => Told): NetworkFact {
  if (found.state === 'not-checked') return { code, promise, answer: 'not checked', detail: sentence(notCheckedWords(found.reason)) };
  const { isSo, detail } = tell(found.value);
  return { code, promise, answer: isSo ? 'yes' : 'no', detail };
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
const told = (isSo: boolean, detail: string): Told => ({ isSo, detail });

export function networkFacts(report: NetworkReport): readonly NetworkFact[] {
  const { ipv4, ipv6 } = report.families;
  return [
    fact('captivePortal', 'The network lets you out without signing in', report.captivePortal, (isPortal) => (isPortal ? told(false, 'It wants you to accept on a web page first.') : told(true, 'No login page stands in the way.'))),
    fact('ipv4.udpBlocked', 'UDP gets through', ipv4.udpBlocked, (isBlocked) => (isBlocked ? told(false, 'It is blocked here.') : told(true, 'Relays answer over UDP.'))),
    direct(ipv4),
    fact('ipv4.mapping', 'Every conversation has the same outer port', ipv4.mapping, (mapping) => told(mapping === 'none' || mapping === 'endpoint-independent', mappingWords[mapping])),
    fact('ipv4.filtering', 'Anybody gets in once Waypost has sent something', ipv4.filtering, (filtering) => told(filtering === 'none' || filtering === 'endpoint-independent', filteringWords[filtering])),
    fact('ipv4.allocation', 'The next outer port can be foreseen', ipv4.allocation, (allocation) => told(allocation.kind !== 'random', allocationWords(allocation))),
    fact('ipv4.onePublicHost', 'Every conversation has the same outer address', ipv4.onePublicHost, (isOne) => (isOne ? told(true, outerAddresses(ipv4)) : told(false, `Your provider changes it. ${outerAddresses(ipv4)}`))),
    fact('portControl', 'The router opens ports on request (PCP, NAT-PMP)', report.portControl, (value) => {
      switch (value) {
        case 'pcp': return told(true, 'It did so by PCP.');
        case 'nat-pmp': return told(true, 'It did so by NAT-PMP.');
        case 'refused': return told(false, 'It was asked, and refused.');
        case 'none': return told(false, 'It was asked, and did not answer.');
      }
    }),
    { code: 'portControl.upnp', promise: 'The router opens ports on request (UPnP)', answer: 'not checked', detail: 'This version does not ask routers by UPnP.' },
    fact('ipv4.doubleNat', 'There is only one router that changes addresses', ipv4.doubleNat, (isDouble) => (isDouble ? told(false, 'Two stand between you and the internet.') : told(true, 'At most one does.'))),
    fact('ipv4.hairpin', 'The router brings its own devices together by the outer address', ipv4.hairpin, (isSo) => told(isSo, isSo ? 'It does.' : 'Waypost uses local addresses between them.')),
    fact('ipv6.udpBlocked', 'IPv6 gets through', ipv6.udpBlocked, (isBlocked) => (isBlocked ? told(false, 'UDP over IPv6 is blocked here.') : told(true, 'Relays answer over IPv6.'))),
    fact('ipv6.inbound', 'Others get in over IPv6 unasked', report.ipv6Inbound, (value) => (value === 'open' ? told(true, 'No firewall keeps them out.') : told(false, 'A firewall lets in only answers, which is usual.'))),
    fact('ipv4.mappingLifetime', 'It is known how long the router remembers a silent conversation', exactly(ipv4.mappingLifetimeMs), (ms) => told(true, ms === 0 ? 'For some seconds at most.' : `For ${ipv4.mappingLifetimeMs.state === 'at-least' ? 'at least ' : ''}${durationWords(ms)}.`)),
    fact('ipv4.pathMtu', 'It is known how large packets may be', exactly(ipv4.pathMtuBytes), (bytes) => told(true, `${ipv4.pathMtuBytes.state === 'at-least' ? 'At least' : 'Up to'} ${countOf(bytes, 'byte', 'bytes')}.`)),
    ...report.relays.flatMap(({ relay, pathMtuBytes }) => (pathMtuBytes === undefined ? [] : [fact(`relay.pathMtu.${relay}`, `It is known how large packets from ${relay} may be`, exactly(pathMtuBytes), (bytes) => told(true, `At least ${countOf(bytes, 'byte', 'bytes')}.`))])),
  ];
}

/** What all of it is about. */
function direct({ mapping, filtering }: FamilyReport): NetworkFact {
  const isOpen = filtering.state === 'known' && (filtering.value === 'none' || filtering.value === 'endpoint-independent');
  return fact('direct', 'Direct connections work with nearly everybody', mapping, (value) => {
    if (value === 'none' || value === 'endpoint-independent') return told(true, 'Others are told where to reach you, and get there.');
    return isOpen ? told(true, 'The port differs, but the router lets anybody in.') : told(false, 'They work with most people; with the others the relay is used.');
  });
}

const mappingWords: Readonly<Record<Mapping, string>> = {
  none: 'No router changes your address.',
  'endpoint-independent': 'The router keeps it.',
  'address-dependent': 'The router gives one to everyone you talk to.',
  'address-and-port-dependent': 'The router gives each conversation its own.',
};

const filteringWords: Readonly<Record<Filtering, string>> = {
  none: 'Nothing is kept out.',
  'endpoint-independent': 'The router lets in answers from anybody.',
  'address-dependent': 'Only computers that Waypost has sent to before get in.',
  'address-and-port-dependent': 'Only answers from exactly where Waypost has sent to get in.',
};

function allocationWords(allocation: PortAllocation): string {
  switch (allocation.kind) {
    case 'preserving': return 'It is the same as the inner one.';
    case 'sequential': return 'They follow each other in order.';
    case 'block': return `They come from a small range (${countOf(allocation.count, 'port', 'ports')} or somewhat more).`;
    case 'random': return 'They have no order.';
  }
}

function outerAddresses({ publicHosts }: FamilyReport): string {
  return publicHosts.state === 'known' ? `Relays see ${publicHosts.value.join(', ')}.` : '';
}
