/**
 * The words of Waypost: every state, reason and quantity as people read it, the same in the window, the command line and the logs meant
 * for people. Pure: the present moment is handed in, nothing is looked up. Wording rules: what happened, what Waypost does about it, what
 * you can do; being offline is not an error.
 */
import { sizeAtRelayBytes } from './file-limits.ts';
import { fileHeldMaximumBytes, fileMaximumBytes, othersFirstShownMaximum } from './views.ts';
import type { CarryingView, ConnectionView, EchoView, FailReason, FileFailReason, FileSource, FileView, FileWaitReason, Headline, HopView, MessageView, PeerPathCode, RelayView, WaitReason } from './views.ts';
import { countOf, durationWords, momentWords, relativeWords, remainingWords, sizeWords } from './quantities.ts';

const waitSentences: Readonly<Record<WaitReason, string>> = {
  'no-network': 'There is no network. It goes by itself when you are back.',
  'no-relay-known': 'No relay is known for this address. Paste their invite link and it goes at once.',
  'relay-unreachable': 'Their relay does not answer. Waypost keeps trying.',
  'relay-banned': 'You have banned the only relays that keep mail for them. Allow one again on the Relays page; while you are both here it goes without.',
  'relay-full': 'Their mailbox is full. Waypost tries again when there is room.',
  'relay-refused': 'Their relay refused it. Waypost tries again; a new invite from them may help.',
  'rate-limited': 'The relay asked for a pause. Waypost goes on when it is over.',
  'recipient-unknown': 'Their relay does not know them. Ask them for a new invite link.',
  'recipient-unprepared': 'They have not been online yet to prepare for messages. Waypost keeps looking.',
  'held-copy-lost': 'The relay lost its copy. Waypost hands it over again.',
  resealing: 'Their device changed. Waypost is sealing it again for the new one.',
  'receipt-lost': 'They have it, but their confirmation was lost. Waypost asks for it again.',
  'device-revoked': 'This identity was restored on another device, so this one no longer sends.',
  'storage-failed': 'It could not be written to this disk. Free some space; Waypost keeps trying.',
};

const failSentences: Readonly<Record<FailReason, string>> = {
  'refused-by-recipient': 'they refused it',
  blocked: 'they do not accept messages from you',
  'device-revoked': 'this installation was replaced by a newer one of yours',
  'too-large': 'it is larger than a message may be',
  unopenable: 'their device could not open it',
};

export const waitReasonSentence = (reason: WaitReason): string => waitSentences[reason];
export const failReasonWords = (reason: FailReason): string => failSentences[reason];

/** The state in as few words as possible: lists, table cells, assistive technology. */
export function headlineWords(headline: Headline, nowMs: number): string {
  switch (headline.state) {
    case 'queued': return 'Saved here';
    case 'sending': return 'Sending';
    case 'stored': return heldWords(headline, nowMs);
    case 'delivered': return 'Delivered';
    case 'read': return 'Read';
    case 'failed': return `Not delivered: ${failSentences[headline.reason]}`;
    case 'expired': return 'Expired';
    case 'unconfirmed': return 'Not confirmed in time';
    case 'cancelled': return 'Cancelled';
    case 'received': return 'Received';
  }
}

type Stored = Extract<Headline, { state: 'stored' }>;

/** A message is kept until the last of its copies runs out, so the latest date counts. */
function heldWords(headline: Stored, nowMs: number): string {
  const [first, ...others] = headline.heldBy;
  if (first === undefined) return 'Held by a relay';
  const untilMs = Math.max(...headline.heldBy.map((holding) => holding.untilMs));
  const holders = others.length === 0 ? first.relayName : `${first.relayName} and ${countOf(others.length, 'other', 'others')}`;
  return `Held by ${holders} until ${momentWords(untilMs, nowMs)}`;
}

/** The state with what is known beyond it: the reason, how many relays hold a copy, when it happened. */
export function headlineSentence(headline: Headline, nowMs: number): string {
  const words = headlineWords(headline, nowMs);
  switch (headline.state) {
    case 'queued': return headline.reason === undefined ? `${words}. It goes as soon as there is a way.` : `${words}. ${waitSentences[headline.reason]}`;
    case 'stored': return `${words}. ${String(headline.heldBy.length)} of ${countOf(headline.wanted, 'relay has', 'relays have')} a copy.`;
    case 'delivered':
    case 'read': return `${words} ${momentWords(headline.atMs, nowMs)}.`;
    case 'sending': return `${words}.`;
    case 'failed': return `${words}.`;
    case 'expired': return `${words}. Nobody fetched it in time, and the relays have dropped it.`;
    case 'unconfirmed': return `${words}. It may have arrived; no receipt came back before it expired.`;
    case 'cancelled': return `${words}. You took it back before it was delivered.`;
    case 'received': return `${words}.`;
  }
}

export type Tone = 'good' | 'warning' | 'muted' | 'danger';
export interface ToneSentence {
  readonly tone: Tone;
  readonly sentence: string;
}

/** What everybody is connected by is said; why, only when it was asked for in vain. */
const usesTcpAlone = ({ relaysConnected, relaysOverTcp = 0, isUdpBlocked }: ConnectionView): boolean => isUdpBlocked === true && relaysOverTcp > 0 && relaysOverTcp === relaysConnected;
const tcpInstead: ToneSentence = { tone: 'warning', sentence: 'UDP is blocked here; using TCP' };

/** What it means that a relay is reached so. */
export const overTcpConsequence = 'Over TCP, because UDP does not get through: one lost packet holds up all that follow it, and contacts are reached through relays alone. Waypost goes back to UDP as soon as it works.';

/** The connection line. Danger is kept for what does not heal by waiting. */
export function connectionSentence(connection: ConnectionView): ToneSentence {
  const waiting = connection.waitingMessages;
  switch (connection.kind) {
    case 'starting': return { tone: 'muted', sentence: 'Starting' };
    case 'online':
      if (usesTcpAlone(connection)) return tcpInstead;
      return { tone: 'good', sentence: `Connected: ${countOf(connection.relaysConnected, 'relay', 'relays')}` };
    case 'degraded':
      if (usesTcpAlone(connection)) return tcpInstead;
      return {
        tone: 'warning',
        sentence: connection.relaysConnected === 0 ? 'Online through a friend; your relays do not answer' : connection.relaysConfigured > 1 ? 'Online through one relay; finding a second' : 'Online through one relay; add a second to be safe',
      };
    case 'offline':
      return {
        tone: 'muted',
        sentence: waiting === 0 ? 'Offline: what you write waits here' : `Offline: ${countOf(waiting, 'message', 'messages')} will go when you are back`,
      };
    case 'no-relay': return { tone: 'warning', sentence: 'No relay yet: add one to send and receive' };
    case 'revoked': return { tone: 'danger', sentence: 'Replaced by a newer installation of yours' };
    case 'storage-failed': return { tone: 'danger', sentence: 'Cannot write to this disk: free some space' };
  }
}

const asSentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** Those in use, the most preferred first; then those that are being left, then the banned. */
export function relayInOrder(one: RelayView, other: RelayView): number {
  const group = ({ choice, leavingUntilMs }: RelayView): number => (choice === 'banned' ? 2 : leavingUntilMs === undefined ? 0 : 1);
  return group(one) - group(other) || (one.place ?? Number.MAX_SAFE_INTEGER) - (other.place ?? Number.MAX_SAFE_INTEGER);
}

/** What the state of a relay means, with since when or why. */
export function relaySentence(relay: RelayView, nowMs: number): ToneSentence {
  if (relay.choice === 'banned') return { tone: 'muted', sentence: 'Banned. Nothing is sent there, and mail that waits there is not fetched.' };
  if (relay.leavingUntilMs !== undefined) {
    const doing = relay.state === 'connected' ? 'Messages that wait or arrive there are still fetched' : 'It does not answer; messages that wait there are fetched if it does';
    return { tone: 'muted', sentence: `Removed. ${doing}, for ${remainingWords(relay.leavingUntilMs - nowMs)} at most.` };
  }
  const problem = relay.problem === '' ? '' : ` ${asSentence(relay.problem)}`;
  switch (relay.state) {
    case 'connected': {
      const how = relay.isOverTcp === true ? 'Connected over TCP' : 'Connected';
      return { tone: relay.isOverTcp === true ? 'warning' : 'good', sentence: relay.sinceMs === undefined ? how : `${how} for ${durationWords(nowMs - relay.sinceMs)}` };
    }
    case 'connecting': return { tone: 'warning', sentence: `Connecting.${problem}` };
    case 'unreachable': {
      const heard = relay.lastHeardMs === undefined ? '' : ` Last heard ${relativeWords(relay.lastHeardMs, nowMs)}.`;
      return { tone: 'warning', sentence: `Does not answer.${problem}${heard}` };
    }
    case 'refused': return { tone: 'danger', sentence: problem === '' ? 'Refused this identity.' : `Refused.${problem}` };
    case 'idle': return { tone: 'muted', sentence: 'Ready, not in use now' };
  }
}

/** What kind of relay it is, in a word or two. */
export function relayTag(relay: RelayView): string {
  if (relay.leavingUntilMs !== undefined) return 'removed';
  switch (relay.role) {
    case 'own': return 'yours';
    case 'local': return 'inside this app';
    case 'friend': return relay.carriedBy === undefined ? 'carried by a friend' : `carried by ${relay.carriedBy}`;
  }
}

/** What this computer carries for friends, or why it does not. */
export function carryingSentence(carrying: CarryingView): ToneSentence {
  switch (carrying.state) {
    case 'off': return { tone: 'muted', sentence: 'This computer carries for nobody.' };
    case 'checking': return { tone: 'muted', sentence: 'Waypost finds out whether others can reach this computer.' };
    case 'unreachable': return { tone: 'warning', sentence: 'Others cannot reach this computer from outside, so it carries for nobody.' };
    case 'failed': return { tone: 'danger', sentence: 'The relay for friends did not start, so this computer carries for nobody. Perhaps another program uses its port.' };
    case 'on': {
      if (carrying.members === 0) return { tone: 'good', sentence: 'Ready to carry for friends, as soon as you have some.' };
      const held = carrying.letters === 0 ? '' : ` It has taken ${countOf(carrying.letters, 'message', 'messages')} for them since it began.`;
      return { tone: 'good', sentence: `Carries for ${countOf(carrying.members, 'friend', 'friends')}. In the last hour: ${sizeWords(carrying.hourBytes)} of at most ${sizeWords(carrying.hourMaximumBytes)}.${held}` };
    }
  }
}

export function echoSentence(echo: EchoView): ToneSentence {
  switch (echo.state) {
    case 'absent': return { tone: 'muted', sentence: 'Echo is a second visor inside this app that answers whatever you write.' };
    case 'starting': return { tone: 'muted', sentence: 'Echo is starting.' };
    case 'online': return { tone: 'good', sentence: 'Echo is online and answers.' };
    case 'offline': return { tone: 'muted', sentence: 'Echo is offline. What you write waits for it.' };
  }
}

const hopTitles: Readonly<Record<HopView['kind'], string>> = {
  saved: 'Saved on this computer',
  sealed: 'Sealed for their device',
  tried: 'Handed to the network',
  held: 'Held by',
  lost: 'Copy lost by',
  fetched: 'Fetched from',
  delivered: 'Delivered to their device',
  read: 'Read',
  expires: 'Expires',
  expired: 'Expired',
  unconfirmed: 'Not confirmed in time',
  cancelled: 'Cancelled by you',
  failed: 'Not delivered',
  received: 'Received by this computer',
  opened: 'Opened and checked',
};

/** What stands where no name is known. */
const someRelay = 'a relay';

const peerWays: Readonly<Record<PeerPathCode, (relay: string) => string>> = {
  'peer-lan': () => 'directly, over the local network',
  'peer-direct': () => 'directly',
  'peer-friend': (friend) => (friend === someRelay ? 'in a connection through a friend of you both' : `in a connection through ${friend}, a friend of you both`),
  'peer-relay': (relay) => `in a connection through ${relay}`,
  'peer-relay-tcp': (relay) => `in a connection through ${relay}, over TCP`,
};

/** How it went between the two devices; undefined for everything that a relay held, and where that is not known. */
function peerWay(hop: HopView): string | undefined {
  return hop.path !== undefined && isPeerPath(hop.path) ? peerWays[hop.path](hop.relayName ?? someRelay) : undefined;
}

const isThroughOthers = ({ path }: HopView): boolean => path === 'peer-relay' || path === 'peer-relay-tcp' || path === 'peer-friend';

/** The title of one row of the hop log; where and why are in {@link hopDetails}. */
export function hopTitle(hop: HopView): string {
  const title = hopTitles[hop.kind];
  const relay = hop.relayName ?? 'a relay';
  const way = peerWay(hop);
  switch (hop.kind) {
    case 'held': return hop.future ? `Will be held by ${relay}` : `${title} ${relay}`;
    case 'lost': return `${title} ${relay}`;
    case 'fetched': return hop.future ? `Waits at ${relay} to be fetched` : `${title} ${relay}`;
    case 'tried': return hop.future ? 'Next try' : way !== undefined ? `Handed to their device ${way}` : hop.relayName === undefined ? title : `Handed to ${relay}`;
    case 'delivered': return hop.future ? 'Delivery to their device' : way === undefined ? title : isThroughOthers(hop) ? `${title} ${way}` : `Delivered ${way}`;
    case 'received': return way !== undefined ? isThroughOthers(hop) ? `Received from their device ${way}` : `Received ${way}` : hop.relayName === undefined ? title : `Received from ${relay}`;
    case 'saved': case 'sealed': case 'read': case 'expires': case 'expired': case 'unconfirmed': case 'cancelled': case 'failed': case 'opened': return title;
  }
}

/** By which path, why, and until when, as separate short lines. Known reason codes become their sentence. */
export function hopDetails(hop: HopView, nowMs: number): readonly string[] {
  const lines: string[] = [];
  if (peerWay(hop) !== undefined) lines.push('While you were both online');
  else if (hop.path !== undefined && hop.path !== '') lines.push(`By ${hop.path}`);
  if (hop.reason !== undefined && hop.reason !== '') lines.push(reasonText(hop.reason));
  if (hop.untilMs !== undefined) lines.push(`Until ${momentWords(hop.untilMs, nowMs)}`);
  return lines;
}

const isPeerPath = (text: string): text is PeerPathCode => Object.hasOwn(peerWays, text);
const isWaitReason = (text: string): text is WaitReason => Object.hasOwn(waitSentences, text);
const isFailReason = (text: string): text is FailReason => Object.hasOwn(failSentences, text);

function reasonText(reason: string): string {
  if (isWaitReason(reason)) return waitSentences[reason];
  if (isFailReason(reason)) return asSentence(failSentences[reason]);
  return reason;
}

export function missingSentence(missingBefore: number): string {
  return missingBefore === 1 ? '1 earlier message is still on its way' : `${String(missingBefore)} earlier messages are still on their way`;
}

/** Six words in two groups of three, which is how two people read them to each other. */
export function fingerprintGroups(fingerprint: string): readonly string[] {
  const words = fingerprint.split(/[\s-]+/).filter((word) => word !== '');
  const groups: string[] = [];
  for (let start = 0; start < words.length; start += 3) groups.push(words.slice(start, start + 3).join(' '));
  return groups;
}

/** Enough of a key to tell it from another one in a list; never enough to compare identities by. */
/** What a friend carries for us with. */
export const friendsWaypost = (name: string | undefined): string => (name === undefined || name === '' ? 'a friend’s Waypost' : `${name}’s Waypost`);

export const shortKey = (publicKey: string): string => (publicKey.length <= 14 ? publicKey : `${publicKey.slice(0, 8)}…${publicKey.slice(-4)}`);

type Direction = MessageView['direction'];

const fileWaitSentences: Readonly<Record<Direction, Readonly<Record<FileWaitReason, string>>>> = {
  in: {
    'no-source': 'Nobody who has it is online. It goes on by itself when they are.',
    'relay-full': 'The relay has no room for it. It comes while you are both online.',
    'not-asked': 'It comes when you ask for it.',
    paused: 'Paused. What is here is kept.',
    'disk-full': 'This disk is full. Free some space, then try again.',
    'letter-first': 'The message comes first; the file follows by itself.',
    'others-first': 'Waiting for other files. It follows by itself.',
  },
  out: {
    'no-source': 'No relay takes it now. It goes while you are both online.',
    'relay-full': 'Their mailbox has no room for it. It goes while you are both online.',
    'not-asked': 'They have not asked for it yet. It goes when they do.',
    paused: 'Paused. It goes on when it is resumed.',
    'disk-full': 'This disk is full. Free some space; Waypost keeps trying.',
    'letter-first': 'The message goes first; the file follows by itself.',
    'others-first': 'Waiting for other files. It follows by itself.',
  },
};

const fileFailSentences: Readonly<Record<Direction, Readonly<Record<FileFailReason, string>>>> = {
  in: {
    cancelled: 'Cancelled. Nothing of it is kept here.',
    expired: 'Expired. Ask them to send it again.',
    gone: 'Nobody has it any more. Ask them to send it again.',
    damaged: 'It arrived damaged and was thrown away. Try again, or ask them to send it again.',
    unreadable: 'It could not be read on this disk. Try again.',
    'taken-back': 'They took it back. Nothing of it is kept here.',
  },
  out: {
    cancelled: 'Cancelled. Nobody can fetch it any more.',
    expired: 'Expired. It was not fetched in time.',
    gone: 'The copy on this computer is gone. Send it again.',
    damaged: 'The copy on this disk is damaged. Send it again.',
    unreadable: 'It could not be read on this disk. Send it again.',
    'taken-back': 'Taken back. Nobody can fetch it any more.',
  },
};

/** Of a file that we sent, once the copy that was served from is deleted. The file that was chosen then is where it was. */
export const fileCopyGoneSentence = 'Waypost keeps no copy of it here any more.';

/** Whether relays of theirs can hold a file at all; `unknown` of one that most could not, where they do not say what they hold. */
function holding(sizeBytes: number, relayHoldsBytes: number | undefined): 'fits' | 'too-large' | 'unknown' {
  const atRelayBytes = sizeAtRelayBytes(sizeBytes);
  if (relayHoldsBytes !== undefined) return atRelayBytes <= relayHoldsBytes ? 'fits' : 'too-large';
  return atRelayBytes <= fileHeldMaximumBytes ? 'fits' : 'unknown';
}

interface WaitFacts { readonly othersFirst?: number | undefined; readonly relayHoldsBytes?: number | undefined }

/** Why a file does not move. One that is too large for relays waits for both sides, whatever else is the case. */
export function fileWaitSentence(reason: FileWaitReason, direction: Direction, sizeBytes: number, { othersFirst, relayHoldsBytes }: WaitFacts = {}): string {
  if (reason === 'others-first' && othersFirst !== undefined) {
    return `Waiting for ${othersFirst > othersFirstShownMaximum ? `more than ${String(othersFirstShownMaximum)} other files` : countOf(othersFirst, 'other file', 'other files')}. It follows by itself.`;
  }
  if (direction === 'out' && (reason === 'no-source' || reason === 'relay-full')) {
    const held = holding(sizeBytes, relayHoldsBytes);
    if (held === 'too-large') return `Their relays hold ${sizeWords(relayHoldsBytes ?? 0)} at most. It goes while you are both online.`;
    if (held === 'unknown' && reason === 'no-source') return 'It may be too large for their relays to hold. It goes while you are both online.';
  }
  return fileWaitSentences[direction][reason];
}
export const fileFailSentence = (reason: FileFailReason, direction: Direction): string => fileFailSentences[direction][reason];

export function fileSourceWords(source: FileSource): string {
  switch (source.kind) {
    case 'sender': return 'from its sender directly';
    case 'forwarded': return source.relayName === undefined ? 'from its sender through a relay' : `from its sender through ${source.relayName}`;
    case 'relay': return source.relayName === undefined ? 'from a relay' : `from ${source.relayName}`;
  }
}

/** "From its sender directly and from mill.example"; empty when nothing is known. */
export function fileSourcesSentence(sources: readonly FileSource[]): string {
  const [first, second, ...others] = sources.map(fileSourceWords);
  if (first === undefined) return '';
  const all = second === undefined ? first : others.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${countOf(others.length, 'other', 'others')}`;
  return `${all.charAt(0).toUpperCase()}${all.slice(1)}`;
}

/** Whole percent, and 100 only for all of it. */
export const percentOf = (doneBytes: number, sizeBytes: number): number => (doneBytes >= sizeBytes ? 100 : Math.min(99, Math.floor((Math.max(0, doneBytes) / sizeBytes) * 100)));

/** "48 MB of 312 MB, 2.1 MB/s, 2 minutes left" */
function fileMovingWords(state: Extract<FileView['state'], { state: 'moving' }>, sizeBytes: number): string {
  const parts = [`${sizeWords(state.doneBytes)} of ${sizeWords(sizeBytes)}`];
  if (state.bytesPerSecond >= 1) parts.push(`${sizeWords(Math.round(state.bytesPerSecond))}/s`);
  if (state.remainingMs !== undefined) parts.push(`${remainingWords(state.remainingMs)} left`);
  return parts.join(', ');
}

/** Of an outgoing file: "mill.example is taking it: 42 %", "mill.example holds it", "They have it". */
function fileHoldersSentence(file: FileView): string {
  const [first, ...others] = file.holders.filter((holder) => holder.complete);
  if (first !== undefined) return others.length === 0 ? `${first.relayName} holds it.` : `${first.relayName} and ${countOf(others.length, 'other relay', 'other relays')} hold it.`;
  const taking = file.holders.toSorted((one, other) => other.heldBytes - one.heldBytes)[0];
  return taking === undefined ? '' : `${taking.relayName} is taking it: ${String(percentOf(taking.heldBytes, file.sizeBytes))} %`;
}

/** Where a file is, in one or two short lines; the second one is empty when there is no more to say. */
export function fileStateLines(file: FileView, direction: Direction): readonly [state: string, more: string] {
  const { state, sizeBytes } = file;
  switch (state.state) {
    case 'waiting': {
      const sentence = fileWaitSentence(state.reason, direction, sizeBytes, state);
      return state.doneBytes === 0 ? [sentence, ''] : [`${sizeWords(state.doneBytes)} of ${sizeWords(sizeBytes)}`, sentence];
    }
    case 'moving': return [fileMovingWords(state, sizeBytes), direction === 'out' && state.sources.length === 0 ? fileHoldersSentence(file) : fileSourcesSentence(state.sources)];
    case 'ready': return direction === 'in' ? ['', ''] : [fileHoldersSentence(file) || 'They have it.', file.copyGone === true ? fileCopyGoneSentence : ''];
    case 'failed': return [fileFailSentences[direction][state.reason], ''];
  }
}

/** What to know about a file before it is sent; undefined when there is nothing special. @param relayHoldsBytes as in the view of the conversation. */
export function fileSizeSentence(sizeBytes: number, relayHoldsBytes?: number): ToneSentence | undefined {
  if (sizeBytes > fileMaximumBytes) return { tone: 'danger', sentence: `Larger than ${sizeWords(fileMaximumBytes)}, the most Waypost sends. Make it smaller or send it in parts.` };
  switch (holding(sizeBytes, relayHoldsBytes)) {
    case 'fits': return undefined;
    case 'too-large': return { tone: 'warning', sentence: `Larger than ${sizeWords(relayHoldsBytes ?? 0)}, the most that their relays hold: it arrives only while you are both online.` };
    case 'unknown': return { tone: 'warning', sentence: 'Their relays may not hold a file of this size: then it arrives only while you are both online.' };
  }
}

/** A message in one line: its text, and of a file its name. */
export function messageSummary(message: MessageView): string {
  if (message.file === undefined) return message.text;
  return message.text === '' ? message.file.name : `${message.file.name}: ${message.text}`;
}
