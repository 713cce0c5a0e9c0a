/**
 * The words of Waypost: every state, reason and quantity as people read it, the same in the window, the command line and the logs meant
 * for people. Pure: the present moment is handed in, nothing is looked up. Wording rules: what happened, what Waypost does about it, what
 * you can do; being offline is not an error.
 */
import type { ConnectionView, EchoView, FailReason, Headline, MessageView, WaitReason } from './views.ts';
import { countOf, momentWords } from './quantities.ts';

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

/** With a capital letter, and an end. */
export const asSentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

export function echoSentence(echo: EchoView): ToneSentence {
  switch (echo.state) {
    case 'absent': return { tone: 'muted', sentence: 'Echo is a second visor inside this app that answers whatever you write.' };
    case 'starting': return { tone: 'muted', sentence: 'Echo is starting.' };
    case 'online': return { tone: 'good', sentence: 'Echo is online and answers.' };
    case 'offline': return { tone: 'muted', sentence: 'Echo is offline. What you write waits for it.' };
  }
}

const isWaitReason = (text: string): text is WaitReason => Object.hasOwn(waitSentences, text);
const isFailReason = (text: string): text is FailReason => Object.hasOwn(failSentences, text);

/** Known reason codes become their sentence. */
export function reasonText(reason: string): string {
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
export const shortKey = (publicKey: string): string => (publicKey.length <= 14 ? publicKey : `${publicKey.slice(0, 8)}…${publicKey.slice(-4)}`);

/** A message in one line: its text, and of a file its name. */
export function messageSummary(message: MessageView): string {
  if (message.file === undefined) return message.text;
  return message.text === '' ? message.file.name : `${message.file.name}: ${message.text}`;
}
