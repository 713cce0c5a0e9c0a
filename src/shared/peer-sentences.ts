/**
 * How somebody is reached, as people read it: what a path means, why there is no direct one, and what is done about somebody who is not connected. Each explanation has a stable
 * code. Only what was found out is said: of the other side's network nothing is known, and what was not checked here is named as that.
 */
import { countOf, relativeWords } from './quantities.ts';
import type { NetworkReport } from './network-report.ts';
import type { DirectSearchView, PeerPathKind, PeerPathView, PeerSeekView, PeerView, SeekReason } from './peer-views.ts';

export interface PeerSentence {
  /** Such as `direct.failed.own-port-per-conversation`. */
  readonly code: string;
  readonly sentence: string;
}

/** "Local network", "Direct", "Through mill.example". */
export function pathWords(kind: PeerPathKind, relayName: string | undefined): string {
  switch (kind) {
    case 'lan': return 'Local network';
    case 'direct': return 'Direct';
    case 'punched': return 'Direct, punched';
    case 'friend': return relayName === undefined ? 'Through a friend' : `Through ${relayName}, a friend`;
    case 'relay': return relayName === undefined ? 'Through a relay' : `Through ${relayName}`;
    case 'relay-tcp': return relayName === undefined ? 'Through a relay, over TCP' : `Through ${relayName}, over TCP`;
  }
}

/** What it means for the person that their packets go that way. */
export function pathConsequence(kind: PeerPathKind, relayName: string | undefined): string {
  switch (kind) {
    case 'lan': return 'Straight to their computer, by an address of a local network. No relay is in between, and no way is shorter.';
    case 'direct': return 'Straight to their computer. No relay is in between; each of you sees the internet address of the other.';
    case 'punched': return 'Straight to their computer, through openings that both your networks keep as long as packets pass; Waypost sees to it that some do. No relay is in between; each of you sees the internet address of the other.';
    case 'friend': return `Everything passes through the computer of ${relayName ?? 'a friend of you both'}, sealed: it sees when and how much, never what. It lasts as long as that computer is on, and is as fast as its connection.`;
    case 'relay': return `Everything passes through ${relayName ?? 'a relay'}, sealed: it sees when and how much, never what. The way is longer, and the relay may limit how fast.`;
    case 'relay-tcp': return `Everything passes through ${relayName ?? 'a relay'}, sealed, and over TCP, since UDP does not get through: one packet that is lost holds up all after it. The relay sees when and how much, never what.`;
  }
}

export function pathStateWords({ isCurrent, isDoubtful }: Pick<PeerPathView, 'isCurrent' | 'isDoubtful'>): string {
  if (isCurrent) return isDoubtful ? 'In use, not answering now' : 'In use';
  return isDoubtful ? 'Not answering' : 'In reserve';
}

type Problem = NonNullable<PeerView['problems']>[number];
/** Why a path ended. */
export const pathProblemWords = ({ reason }: Pick<Problem, 'reason'>): string => (reason === 'no-answer' ? 'did not answer any more' : 'was closed by the relay or by them');

type Switch = NonNullable<PeerView['switches']>[number];
/** "From Through a relay" reads badly: a change is told by where it went. */
export function switchWords({ from, to, relayName }: Switch): string {
  if (from === undefined) return `Connected: ${pathWords(to, relayName)}`;
  return from === to ? `To another ${to === 'friend' ? 'friend' : to === 'relay' || to === 'relay-tcp' ? 'relay' : 'address'}: ${pathWords(to, relayName)}` : `${pathWords(from, undefined)}, then ${pathWords(to, relayName)}`;
}

/** Why a contact is not reached directly, what that may have to do with the own network, and what comes next. */
export function whyNotDirect(search: DirectSearchView, report: NetworkReport | undefined, nowMs: number): PeerSentence {
  const own = saysOwnNetwork(search) ? ownNetwork(report) : undefined;
  return {
    code: `direct.${search.reason}${own === undefined ? '' : `.${own.code}`}`,
    sentence: [searchWords(search, nowMs), ...(own === undefined ? [] : [own.sentence]), ...nextAttempt(search, nowMs)].join(' '),
  };
}

function searchWords({ reason, guess, attempts, theirAddresses = 0, triedAddresses }: DirectSearchView, nowMs: number): string {
  const soFar = attempts > 1 ? ` in ${countOf(attempts, 'attempt', 'attempts')}` : '';
  const noneAnswered = `${triedAddresses === 1 ? 'the one address of theirs that can be tried did not answer' : `none of the ${String(triedAddresses)} addresses of theirs that can be tried answered`}${soFar}`;
  switch (reason) {
    case 'hidden': return 'Not direct, because you hide your network address. You can change that in Settings.';
    case 'trying': return triedAddresses > 0 ? `Looking for a direct path now: ${countOf(triedAddresses, 'address of theirs is', 'addresses of theirs are')} being tried.` : 'Looking for a direct path now.';
    case 'not-tried': return 'A direct path was not looked for yet.';
    case 'lost': return 'There was a direct path, and it does not answer now.';
    case 'not-told': return 'Not direct, because their computer has not said where else it can be reached.';
    case 'no-their-addresses': return 'Not direct, because their computer knows of no address of its own, and nothing came from it to those of this computer.';
    case 'no-own-addresses': return `Not direct, because this computer knows of no address to tell them, and ${noneAnswered}.`;
    case 'no-addresses': return 'Not direct, because neither of the two computers knows of an address at which it could be reached.';
    case 'out-of-reach': return `Not direct, because ${theirAddresses === 1 ? 'the address that they told cannot' : `none of the ${String(theirAddresses)} addresses that they told can`} be tried from this network.`;
    case 'failed': return `Not direct, because ${noneAnswered}.`;
    case 'guessing': return `Trying to guess ${guessedPort(guess)}: ${[...chanceWords(guess), ...guessLeft(guess, nowMs)].join(', ') || 'this takes a moment'}.`;
    case 'guess-failed': return `Not direct, because no address of theirs answered${soFar}, and guessing ${guessedPort(guess)} missed${guess?.chance === undefined ? '' : `, with ${chanceWords(guess).join('')} of a hit`}. It is tried a few times an hour.`;
    case 'both-hard': return 'Not direct, because both routers, yours and theirs, give each conversation a port of its own: there is none that could be guessed. Through the relay everything works.';
  }
}

type Guess = DirectSearchView['guess'];
const guessedPort = (guess: Guess): string => `the port ${guess?.opens === 'own' ? 'your' : 'their'} router opens`;
/** A chance is never told as certain. */
const chanceWords = (guess: Guess): readonly string[] => (guess?.chance === undefined ? [] : [`about ${String(Math.min(99, Math.round(guess.chance * 100)))} % chance`]);
const guessLeft = (guess: Guess, nowMs: number): readonly string[] => (guess?.untilMs === undefined ? [] : [`up to ${countOf(Math.max(1, Math.round((guess.untilMs - nowMs) / 1_000)), 'second', 'seconds')}`]);

/** Only where something was tried in vain, or could not be, does the own network explain anything. */
const saysOwnNetwork = ({ reason }: DirectSearchView): boolean => reason === 'failed' || reason === 'no-own-addresses' || reason === 'no-addresses' || reason === 'no-their-addresses' || reason === 'out-of-reach';

/** What the check says of this side, and no more than it may have to do with it. */
function ownNetwork(report: NetworkReport | undefined): PeerSentence {
  if (report === undefined) return { code: 'own-unchecked', sentence: 'This network has not been checked, so it is not known whether the reason is here or there.' };
  const { ipv4, ipv6 } = report.families;
  const isBlocked = ([ipv4, ipv6] as const).every(({ udpBlocked }) => (udpBlocked.state === 'known' ? udpBlocked.value : udpBlocked.reason === 'no-address'));
  if (isBlocked && [ipv4, ipv6].some(({ udpBlocked }) => udpBlocked.state === 'known')) return { code: 'own-blocks-udp', sentence: 'This network blocks UDP, so no direct path can come about in it.' };
  if (ipv4.mapping.state === 'not-checked') return { code: 'own-unknown', sentence: 'How your router treats such connections could not be found out, and of their network nothing is known.' };
  const isOpen = ipv4.filtering.state === 'known' && (ipv4.filtering.value === 'endpoint-independent' || ipv4.filtering.value === 'none');
  switch (ipv4.mapping.value) {
    case 'address-dependent': case 'address-and-port-dependent':
      if (!isOpen) return { code: 'own-port-per-conversation', sentence: 'Your router gives each conversation a port of its own, which may be the reason. Of their network nothing is known.' };
      break;
    case 'none': case 'endpoint-independent': break;
  }
  return { code: 'own-mostly-works', sentence: 'From your network direct paths mostly work, so the reason may be on their side. Of their network nothing is known.' };
}

function nextAttempt({ reason, begins, nextAttemptAtMs }: DirectSearchView, nowMs: number): readonly string[] {
  if (reason === 'trying' || reason === 'guessing' || reason === 'hidden') return [];
  if (begins === 'theirs') return ['Their computer begins the next attempt.'];
  return nextAttemptAtMs === undefined ? [] : [`Next attempt ${relativeWords(Math.max(nextAttemptAtMs, nowMs + 1), nowMs)}.`];
}

const seekWords: Readonly<Record<SeekReason, string>> = {
  'unprepared': 'Not enough is known yet to ask for them; it comes with what they send.',
  'not-connected': 'None of their relays put you through. They may be away, or the relays may be out of reach.',
  'no-answer': 'Their relay put you through, and their computer did not answer.',
  'ended': 'The connection to them ended. They may have gone.',
};

/** What is done about somebody who is wanted and not connected. */
export function seekSentence({ isAsking, reason, nextAskAtMs }: PeerSeekView, nowMs: number): PeerSentence {
  const said = [
    ...(isAsking ? ['Asking their relays for them now.'] : []),
    ...(reason === undefined ? [] : [isAsking ? `Before: ${lowerFirst(seekWords[reason])}` : seekWords[reason]]),
    ...(isAsking || nextAskAtMs === undefined ? [] : [`Waypost asks again ${relativeWords(Math.max(nextAskAtMs, nowMs + 1), nowMs)}.`]),
  ];
  return { code: `seek.${isAsking ? 'asking' : reason ?? 'waiting'}`, sentence: said.length === 0 ? 'Waypost will ask for them.' : said.join(' ') };
}

const lowerFirst = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
