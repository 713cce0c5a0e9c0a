/** The words for files: where they are, why they wait, what became of them. Pure, as sentences.ts is. */
import { sizeAtRelayBytes } from './file-limits.ts';
import { type FileFailReason, type FileSource, type FileView, type FileWaitReason, fileHeldMaximumBytes, fileMaximumBytes, othersFirstShownMaximum } from './file-views.ts';
import { countOf, remainingWords, sizeWords } from './quantities.ts';
import type { ToneSentence } from './sentences.ts';
import type { MessageView } from './views.ts';

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
