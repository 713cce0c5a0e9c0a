/**
 * Names that people give themselves, as bytes of an introduction or an invite. They are shown beside names of others and inside our own
 * sentences, so whatever could reorder, hide or break that text is taken out on the way in, and again on the way out.
 */
import { utf8Decode, utf8Encode } from './bytes.ts';
import type { Reader, Writer } from './bytes.ts';

/** UTF-8 bytes. */
export const nameMaximumBytes = 64;

/**
 * Control characters, line and paragraph separators, and the marks, embeddings, overrides and isolates of bidirectional text. Also what
 * has no width and would make two names look alike; the zero-width joiners stay, since scripts and emoji are spelled with them.
 */
const unshowable = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** What of `name` may be shown and sent: cleaned, white space collapsed, at most 64 UTF-8 bytes, cut between characters. */
export function cleanName(name: string): string {
  // Bounded before any work: nobody's name needs more characters than it may have bytes, save for those taken out.
  const cleaned = name.slice(0, nameMaximumBytes * 8).replace(/[\t\n\r]/g, ' ').replace(unshowable, '').replace(/\s+/gu, ' ').trim();
  let kept = '';
  let sizeBytes = 0;
  for (const character of cleaned) {
    sizeBytes += utf8Encode(character).length;
    if (sizeBytes > nameMaximumBytes) break;
    kept += character;
  }
  return kept.toWellFormed().trim();
}

/** Length (1) and UTF-8, cleaned and cut. */
export function writeName(writer: Writer, name: string): void {
  const bytes = utf8Encode(cleanName(name));
  writer.u8(bytes.length).bytes(bytes);
}

/** Cleaned; fails the reader for a length over 64 or bytes that are not UTF-8. */
export function readName(reader: Reader): string {
  const sizeBytes = reader.u8();
  const name = sizeBytes > nameMaximumBytes ? undefined : utf8Decode(reader.bytes(sizeBytes));
  if (name !== undefined) return cleanName(name);
  reader.fail();
  return '';
}
