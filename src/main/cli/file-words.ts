/** Files of messages as lines of the command line: in lists, and while they move. Pure. */
import { sizeWords } from '../../shared/quantities.ts';
import { fileStateLines, percentOf } from '../../shared/file-sentences.ts';
import type { FileView } from '../../shared/file-views.ts';
import type { MessageView } from '../../shared/views.ts';

const closed = (text: string): string => (text === '' || /[.!?%]$/.test(text) ? text : `${text}.`);

/** Where a file is, in a sentence or two. */
export function fileStateWords(file: FileView, direction: MessageView['direction']): string {
  const [state, more] = fileStateLines(file, direction);
  if (state === '') return 'All of it is here.';
  return more === '' ? closed(state) : `${closed(state)} ${closed(more)}`;
}

/** "holiday.jpg, 3.1 MB: It comes when you ask for it." */
export const fileWords = (file: FileView, direction: MessageView['direction']): string => `${file.name}, ${sizeWords(file.sizeBytes)}: ${fileStateWords(file, direction)}`;

/** The row of a list: what was written, and beside it the file with the id that `get` takes. */
export function messageWords(message: MessageView): string {
  if (message.file === undefined) return message.text;
  const file = `[file ${message.id}] ${fileWords(message.file, message.direction)}`;
  return message.text === '' ? file : `${file}  ${message.text}`;
}

const lineMaximumCharacters = 120;

/** The beginning of a text, for lists. */
export function oneLine(text: string): string {
  const characters = Array.from(text.slice(0, lineMaximumCharacters * 4).replace(/\s+/g, ' ').trim());
  return characters.length <= lineMaximumCharacters ? characters.join('') : `${characters.slice(0, lineMaximumCharacters - 1).join('')}…`;
}

/** One short line about a file on its way: "holiday.jpg  42 %  1.3 MB of 3.1 MB, 210 kB/s, 9 seconds left. From mill.example." */
export function progressWords(file: FileView, direction: MessageView['direction']): string {
  const percent = file.state.state === 'moving' ? `${String(percentOf(file.state.doneBytes, file.sizeBytes))} %` : '';
  return [shortName(file.name), percent, fileStateWords(file, direction)].filter((part) => part !== '').join('  ');
}

const shownNameCharacters = 32;

/** The end tells the kind and which of several it is, so the middle goes. */
function shortName(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= shownNameCharacters) return name;
  const end = Math.floor(shownNameCharacters / 3);
  return `${characters.slice(0, shownNameCharacters - end - 1).join('')}…${characters.slice(-end).join('')}`;
}

/** Cut for a terminal that is so many columns wide. Whether a character takes two columns no program knows for sure: whatever is not plain is taken for two. */
export function clipped(text: string, columns: number): string {
  let width = 0;
  let kept = '';
  for (const character of text) {
    width += character <= '\u00ff' ? 1 : 2;
    if (width > columns) break;
    kept += character;
  }
  return kept;
}

/** Names to try where nothing may be overwritten: "a.txt", "a (2).txt", "a (3).txt" and so on. */
export function* freeNames(name: string, most: number): Generator<string> {
  yield name;
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let number = 2; number <= most; number += 1) yield `${stem} (${String(number)})${ending}`;
}

