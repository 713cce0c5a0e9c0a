/**
 * Names of files that others sent: shown in sentences of ours and offered as the name under which the file is saved. Whatever could lead out of a folder, hide or
 * reorder text, name a device or be refused by a file system is taken out, on the way out and on the way in, so that nothing else ever sees it.
 */
import { utf8Encode } from './bytes.ts';

/** UTF-8 bytes. File systems allow 255; browsers and mail programs append something of their own. */
export const fileNameMaximumBytes = 200;
/** A longer one is no extension but a sentence with a full stop in it. */
const extensionMaximumBytes = 20;
const fallback = 'file';

/**
 * Control characters, separators of lines, and everything that is drawn as nothing: marks and overrides of bidirectional text, zero-width characters,
 * fillers, tags. The joiners go too, unlike in names of people (names.ts): a file's name also tells its kind, and must have one look.
 */
const unshowable = /[\p{Cc}\p{Co}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\uffff]/gu;
/** Between the parts of a path, of a drive or a stream, and what Windows does not take in a name. */
const forbidden = /[/\\:*?"<>|]/g;
const edgeStart = /^[.\s]+/u;
const edgeEnd = /[.\s]+$/u;
/** Windows takes these for devices, whatever follows the first full stop. */
const reserved = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)/iu;

/** A name that is safe to be shown and to be used: never empty, at most 200 UTF-8 bytes with the extension kept. Applied again it changes nothing. */
export function safeFileName(text: string): string {
  // Bounded before any work; the end is what has the extension.
  const bounded = text.length <= fileNameMaximumBytes * 8 ? text : text.slice(0, fileNameMaximumBytes * 4) + text.slice(-fileNameMaximumBytes * 4);
  const shown = bounded.toWellFormed().normalize('NFC').replace(/[\t\n\r]/g, ' ').replace(unshowable, '').replace(forbidden, '_').replace(/\s+/gu, ' ');
  const trimmed = shown.replace(edgeStart, '').replace(edgeEnd, '');
  if (trimmed === '') return fallback;
  const name = reserved.test(trimmed) ? `_${trimmed}` : trimmed;
  return utf8Encode(name).length <= fileNameMaximumBytes ? name : shortened(name);
}

function shortened(name: string): string {
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 ? name.slice(dot) : '';
  const extension = utf8Encode(ending).length <= extensionMaximumBytes ? ending : '';
  const stem = cut(extension === '' ? name : name.slice(0, dot), fileNameMaximumBytes - utf8Encode(extension).length);
  return stem.replace(edgeEnd, '') + extension;
}

/** Between characters. */
function cut(text: string, maximumBytes: number): string {
  let kept = '';
  let sizeBytes = 0;
  for (const character of text) {
    sizeBytes += utf8Encode(character).length;
    if (sizeBytes > maximumBytes) break;
    kept += character;
  }
  return kept;
}
