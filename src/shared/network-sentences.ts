/**
 * What a check of the network found out, as people read it: what it means for reaching others, not how routers are called. Every line has a
 * stable code for diagnostics beside it. What was not checked is said in one line of its own, and never as a no.
 */
import { countOf, durationWords, roundTripWords } from './quantities.ts';
import type { AddressFamily, FamilyReport, Filtering, Known, KnownBound, Mapping, NetworkReport, NotCheckedReason, PortAllocation, PortControlProtocol } from './network-report.ts';
import type { Tone } from './sentences.ts';

export interface NetworkLine {
  /** Such as `ipv4.mapping.endpoint-independent`. */
  readonly code: string;
  readonly tone: Tone;
  readonly sentence: string;
}

type Line = Omit<NetworkLine, 'code'>;
const good = (sentence: string): Line => ({ tone: 'good', sentence });
const muted = (sentence: string): Line => ({ tone: 'muted', sentence });
const warning = (sentence: string): Line => ({ tone: 'warning', sentence });

/** The lines in the order of what matters most; the last one names what was not checked, if anything. */
export function networkLines(report: NetworkReport): readonly NetworkLine[] {
  const { families, captivePortal, ipv6Inbound, portControl } = report;
  const isPortal = captivePortal.state === 'known' && captivePortal.value;
  return [
    ...line('portal', isPortal ? captivePortal : undefined, () => warning('This network wants you to sign in first. Open a web page, accept there, and Waypost goes on by itself.')),
    ...familyLines('ipv4', families.ipv4, isPortal),
    ...line('ipv4.doubleNat', families.ipv4.doubleNat, (value) => (value ? muted('Two routers stand between you and the internet. Opening a port on yours does not help; the relay does.') : undefined)),
    ...line('portControl', portControl, (value) => portControlLine(value, report)),
    ...familyLines('ipv6', families.ipv6, isPortal),
    ...line('ipv6.inbound', ipv6Inbound, (value) => (value === 'open' ? good('Over IPv6, everybody can reach you directly.') : muted('Over IPv6, only those whom you send to as well can reach you. That works with most people who have IPv6.'))),
    ...relayLines(report),
    ...notCheckedLines(report),
  ];
}

function line<Value>(name: string, fact: Known<Value> | undefined, say: (value: Value) => Line | undefined): readonly NetworkLine[] {
  if (fact?.state !== 'known') return [];
  const said = say(fact.value);
  return said === undefined ? [] : [{ code: `${name}.${codeOf(fact.value)}`, ...said }];
}

function codeOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'object' && value !== null && 'kind' in value) return String(value.kind);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'known';
}

function familyLines(family: AddressFamily, report: FamilyReport, isPortal: boolean): readonly NetworkLine[] {
  const isTranslated = report.mapping.state === 'known' && report.mapping.value !== 'none';
  return [
    ...line(`${family}.udpBlocked`, isPortal ? undefined : report.udpBlocked, (value) => (value ? warning(`This network blocks UDP${family === 'ipv6' ? ' over IPv6' : ''}. Everything goes by a relay over TCP instead, which is slower but works.`) : undefined)),
    ...line(`${family}.mapping`, report.mapping, (value) => mappingLine(value, report)),
    ...line(`${family}.filtering`, isTranslated ? report.filtering : undefined, filteringLine),
    ...line(`${family}.allocation`, isTranslated && dependsOnOther(report) ? report.allocation : undefined, allocationLine),
    ...line(`${family}.onePublicHost`, isTranslated ? report.onePublicHost : undefined, (value) => (value ? undefined : warning('Your provider changes your address from conversation to conversation. Direct connections may fail; then the relay is used.'))),
    ...line(`${family}.hairpin`, report.hairpin, (value) => (value ? undefined : muted('Devices behind your router cannot reach each other by its outer address. Waypost uses their local addresses.'))),
    ...lifetimeLines(family, report.mappingLifetimeMs),
    ...line(`${family}.pathMtu`, exactly(report.pathMtuBytes), (value) => muted(`Packets of ${report.pathMtuBytes.state === 'at-least' ? 'at least' : 'up to'} ${value.toLocaleString('en')} bytes get through in one piece.`)),
  ];
}

/** That it is at least so much is known. */
export const exactly = <Value>(fact: KnownBound<Value>): Known<Value> => (fact.state === 'at-least' ? { ...fact, state: 'known' } : fact);

function lifetimeLines(family: AddressFamily, fact: KnownBound<number>): readonly NetworkLine[] {
  if (fact.state === 'at-least') return [{ code: `${family}.mappingLifetime.at-least`, ...good(`Your router remembers a silent conversation for at least ${durationWords(fact.value)}, so Waypost has to say something only rarely.`) }];
  return line(`${family}.mappingLifetime`, fact, (value) => muted(value === 0
    ? 'Your router forgets a silent conversation within seconds. Letters may come late; Waypost asks for them in between.'
    : `Your router remembers a silent conversation for ${durationWords(value)}, and not much longer. Waypost says something before that.`));
}

const dependsOnOther = ({ mapping }: FamilyReport): boolean => mapping.state === 'known' && (mapping.value === 'address-dependent' || mapping.value === 'address-and-port-dependent');

function mappingLine(mapping: Mapping, { filtering }: FamilyReport): Line | undefined {
  switch (mapping) {
    case 'none': return good('No router changes your address.');
    case 'endpoint-independent': return good('Your router uses the same port for every conversation, so direct connections work with nearly everybody.');
    case 'address-dependent':
    case 'address-and-port-dependent': {
      const each = mapping === 'address-dependent' ? 'gives everyone you talk to a port of their own' : 'gives every conversation its own port';
      const isOpen = filtering.state === 'known' && filtering.value === 'endpoint-independent';
      return isOpen
        ? muted(`Your router ${each}, but lets anybody in there, so direct connections work with nearly everybody.`)
        : warning(`Your router ${each}, so direct connections work with most people, not with all. With the others the relay is used.`);
    }
  }
}

function filteringLine(filtering: Filtering): Line | undefined {
  switch (filtering) {
    case 'none':
    case 'endpoint-independent': return good('Once Waypost has sent anything, your router lets answers in from anybody.');
    case 'address-dependent': return muted('Your router lets in only computers that Waypost has sent to before.');
    case 'address-and-port-dependent': return muted('Your router lets in only answers from exactly where Waypost has sent to before.');
  }
}

function allocationLine(allocation: PortAllocation): Line | undefined {
  switch (allocation.kind) {
    case 'preserving': return undefined;
    case 'sequential': return muted('The ports follow each other in order, so the next one can be guessed.');
    case 'block': return muted(`The ports come from a small range (${countOf(allocation.count, 'port', 'ports')} or somewhat more), so guessing has a good chance.`);
    case 'random': return muted('The ports have no order, so guessing takes many tries.');
  }
}

function portControlLine(value: PortControlProtocol | 'none' | 'refused', { candidates, families }: NetworkReport): Line | undefined {
  if (value === 'refused') return muted('Your router was asked to open a port for Waypost, and refused.');
  if (value === 'none') return muted('Your router does not open ports on request.');
  const isOpened = candidates.some(({ kind }) => kind === 'mapped');
  const { doubleNat } = families.ipv4;
  if (isOpened && doubleNat.state === 'known' && !doubleNat.value) return good('Your router has opened a port for Waypost, so others can reach you directly.');
  return undefined;
}

function relayLines({ relays }: NetworkReport): readonly NetworkLine[] {
  return relays.flatMap(({ relay, roundTripMs }): readonly NetworkLine[] => {
    if (roundTripMs.state === 'known') return [{ code: 'relay.answers', ...good(`${relay} answers in ${roundTripWords(roundTripMs.value)}.`) }];
    return roundTripMs.reason === 'no-answer' ? [{ code: 'relay.no-answer', ...warning(`${relay} did not answer over UDP.`) }] : [];
  });
}

const reasonWords: Readonly<Record<NotCheckedReason, string>> = {
  'not-yet': 'still being checked',
  'no-address': 'this computer has no such address',
  'no-relay': 'no relay outside of your own network is connected that way',
  'no-answer': 'nothing answered',
  'too-few-answers': 'too few answers came to be sure',
  'too-much-loss': 'too many packets were lost to be sure',
  'too-few-relays': 'it takes two relays',
  'no-second-port': 'the relays answer at one port only',
  'no-other-relay': 'the relays do not work together for this',
  'hidden-by-router': 'with this router nobody can tell from here',
  'not-needed': 'not needed here',
  contradictory: 'the answers contradict each other',
  'not-learned': 'not tried on this network yet',
  'no-port-control': 'the router does not say',
};

export const notCheckedWords = (reason: NotCheckedReason): string => reasonWords[reason];

/** What people would ask about; the rest of the report is for diagnostics. */
const factNames: readonly (readonly [keyof FamilyReport, string])[] = [
  ['udpBlocked', 'whether UDP gets through'],
  ['mapping', 'how your router gives out ports'],
  ['filtering', 'whom your router lets in'],
  ['doubleNat', 'whether there is a second router'],
  ['hairpin', 'whether your router brings its own devices together'],
  ['mappingLifetimeMs', 'how long your router remembers a conversation'],
  ['pathMtuBytes', 'how large packets may be'],
];
const ipv6Facts: ReadonlySet<keyof FamilyReport> = new Set(['udpBlocked', 'mapping', 'filtering', 'pathMtuBytes']);

/** One line with everything that is missing, by reason: several things mostly have the same one. */
function notCheckedLines(report: NetworkReport): readonly NetworkLine[] {
  const ipv4 = missingOf(report.families.ipv4, factNames, '');
  const ipv6Names = factNames.filter(([name]) => ipv6Facts.has(name));
  const ipv6 = report.families.ipv6.mapping.state === 'not-checked' && report.families.ipv6.mapping.reason === 'no-address'
    ? [{ reason: 'no-address' as const, name: 'IPv6' }]
    : missingOf(report.families.ipv6, ipv6Names, ' over IPv6');
  const portal: typeof ipv4 = report.captivePortal.state === 'not-checked' ? [{ reason: report.captivePortal.reason, name: 'whether this network wants you to sign in' }] : [];
  const missing = [...portal, ...ipv4, ...ipv6];
  if (missing.length === 0) return [];
  const groups = [...Map.groupBy(missing, ({ reason }) => reason)].map(([reason, facts]) => `${facts.map(({ name }) => name).join(', ')} (${reasonWords[reason]})`);
  return [{ code: `not-checked.${[...new Set(missing.map(({ reason }) => reason))].join('+')}`, tone: 'muted', sentence: `What was not checked: ${groups.join('; ')}.` }];
}

function missingOf(report: FamilyReport, names: typeof factNames, suffix: string): readonly { readonly reason: NotCheckedReason; readonly name: string }[] {
  return names.flatMap(([key, name]) => {
    const fact = report[key];
    return fact.state !== 'not-checked' || fact.reason === 'not-needed' ? [] : [{ reason: fact.reason, name: `${name}${suffix}` }];
  });
}
