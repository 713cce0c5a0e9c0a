/** What a relay says that it can do, as people read it. What it says is hostile and short-lived: only words that are known here are translated. */
import { countOf, relativeWords, sizeWords } from './quantities.ts';
import type { RelayView } from './relay-views.ts';

const knownWords: readonly (readonly [capability: string, words: string])[] = [
  ['store', 'keeps letters and files for you'],
  ['ack', 'confirms with its signature what it holds'],
  ['status', 'tells what became of a letter'],
  ['records', 'tells others where you are and which key to seal to'],
  ['circuits', 'connects you with friends who are here too'],
  ['observe', 'tells how your network treats packets'],
  ['observe/2', 'tells it from a second port too'],
  ['observe/pass', 'tells how long a router remembers a silent conversation'],
  ['resolve', 'looks for people of whom you have the key alone'],
  ['beat', 'is kept in touch with in few bytes'],
];
/** Of every Waypost, and nothing about relays. */
const commonWords = new Set(['letters', 'guess']);
const versionPattern = /^waypost\/([0-9]{1,4})$/;
const tcpPattern = /^tcp\/([1-9][0-9]{0,4})$/;
const heldPattern = /^holds\/([0-9]{1,16})$/;

export interface RelayAbilities {
  /** Of what it speaks, such as "Waypost 1"; undefined: it does not say. */
  readonly version: string | undefined;
  /** Clauses whose subject is the relay. */
  readonly words: readonly string[];
  /** Bytes of files that it holds for one person at most; undefined: it does not say. */
  readonly heldFileBytes: number | undefined;
  /** Words that this Waypost does not know. */
  readonly unknownCount: number;
}

export function relayAbilities(capabilities: readonly string[]): RelayAbilities {
  let version: string | undefined;
  let heldFileBytes: number | undefined;
  let tcpPort: string | undefined;
  let unknownCount = 0;
  for (const capability of capabilities) {
    const versionDigits = versionPattern.exec(capability)?.[1];
    const heldDigits = heldPattern.exec(capability)?.[1];
    const held = Number(heldDigits ?? Number.NaN);
    if (versionDigits !== undefined) version ??= `Waypost ${versionDigits}`;
    else if (Number.isSafeInteger(held)) heldFileBytes ??= held;
    else if (tcpPattern.test(capability)) tcpPort ??= tcpPattern.exec(capability)?.[1];
    else if (!commonWords.has(capability) && !knownWords.some(([known]) => known === capability)) unknownCount += 1;
  }
  return { version, words: [...knownWords.flatMap(([known, words]) => (capabilities.includes(known) ? [words] : [])), ...(tcpPort === undefined ? [] : [`takes TCP at port ${tcpPort} too, for networks that block UDP`])], heldFileBytes, unknownCount };
}

/** "Speaks Waypost 1. It keeps letters and files for you, …" in one line, for a list. */
export function relayAbilitiesSentence(capabilities: readonly string[]): string {
  const { version, words, unknownCount } = relayAbilities(capabilities);
  const speaks = version === undefined ? 'It does not say which version it speaks.' : `Speaks ${version}.`;
  const more = unknownCount === 0 ? '' : ` ${countOf(unknownCount, 'more thing is', 'more things are')} not known to this Waypost.`;
  return words.length === 0 ? `${speaks}${more}` : `${speaks} It ${words.join(', ')}.${more}`;
}

type Mailbox = NonNullable<RelayView['mailbox']>;

/** "12 of 10,000 letters, 36 kB of 268 MB". */
export const mailboxWords = ({ letters, lettersMaximum, sizeBytes, maximumBytes }: Mailbox): string =>
  `${letters.toLocaleString('en-GB')} of ${countOf(lettersMaximum, 'letter', 'letters')}, ${sizeBytes === 0 ? 'nothing' : sizeWords(sizeBytes)} of ${sizeWords(maximumBytes)}`;

/** How full the mailbox is, from 0 to 1, by whichever of the two limits is nearer. */
export const mailboxShare = ({ letters, lettersMaximum, sizeBytes, maximumBytes }: Mailbox): number =>
  Math.min(1, Math.max(lettersMaximum === 0 ? 0 : letters / lettersMaximum, maximumBytes === 0 ? 0 : sizeBytes / maximumBytes));

/** With what it holds of files, and since when this is known. */
export function mailboxSentence(mailbox: Mailbox, nowMs: number): string {
  const files = mailbox.heldFileBytes === undefined ? '' : ` Of files it holds ${sizeWords(mailbox.heldFileBytes)} for you at most.`;
  return `Your mailbox there had ${mailboxWords(mailbox)}, as it said ${relativeWords(mailbox.atMs, nowMs)}.${files}`;
}
