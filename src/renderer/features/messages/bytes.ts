/** The size of a text as it counts against the limit, and what to say about it. */
import { countOf, sizeWords } from '../../../shared/quantities.ts';
import { messageMaximumBytes } from '../../../shared/views.ts';

/** From here on the counter is shown. */
const nearLimit = 0.9;
/** Below this many UTF-16 units even three bytes for each stay under the counter, so nothing has to be encoded while typing. */
const surelyShort = (maximumBytes: number): number => Math.floor((maximumBytes * nearLimit) / 3);

const encoder = new TextEncoder();

export type SizeNote = { readonly kind: 'short' } | { readonly kind: 'near'; readonly sentence: string } | { readonly kind: 'over'; readonly sentence: string };

/** `maximumBytes` is less beside a file. */
export function sizeNote(text: string, maximumBytes = messageMaximumBytes): SizeNote {
  if (text.length <= surelyShort(maximumBytes)) return { kind: 'short' };
  const bytes = encoder.encode(text).length;
  if (bytes > messageMaximumBytes) return { kind: 'over', sentence: `This is ${sizeWords(bytes - messageMaximumBytes)} longer than a message may be. Shorten it or send it in parts. Until then it is not saved and stays only while this window is open.` };
  if (bytes > maximumBytes) return { kind: 'over', sentence: `This is ${sizeWords(bytes - maximumBytes)} longer than a text beside a file may be. Shorten it or send it by itself.` };
  return bytes >= maximumBytes * nearLimit ? { kind: 'near', sentence: `${countOf(maximumBytes - bytes, 'byte', 'bytes')} left` } : { kind: 'short' };
}
