/**
 * What kind a file is said to be. The name's ending decides, except for the four kinds of pictures that a window shows: those are what their first
 * bytes say, on both sides, so that nothing is ever handed to a decoder under another's name. SVG is a document with scripts and never a picture here. Pure.
 */

/** Bytes of a file that are enough for {@link pictureType}. */
export const mediaTypeHeadBytes = 16;
export const unknownMediaType = 'application/octet-stream';

export type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

const pictureEndings: ReadonlySet<string> = new Set(['png', 'jpg', 'jpeg', 'jpe', 'gif', 'webp']);

/** What people send most; anything else travels as bytes, and its name tells the receiving system what it is. */
const typesByEnding: ReadonlyMap<string, string> = new Map([
  ['txt', 'text/plain'], ['md', 'text/markdown'], ['csv', 'text/csv'], ['html', 'text/html'], ['htm', 'text/html'], ['json', 'application/json'], ['xml', 'application/xml'],
  ['pdf', 'application/pdf'], ['rtf', 'application/rtf'], ['epub', 'application/epub+zip'], ['doc', 'application/msword'], ['xls', 'application/vnd.ms-excel'],
  ['ppt', 'application/vnd.ms-powerpoint'], ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'], ['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  ['odt', 'application/vnd.oasis.opendocument.text'], ['ods', 'application/vnd.oasis.opendocument.spreadsheet'], ['odp', 'application/vnd.oasis.opendocument.presentation'],
  ['zip', 'application/zip'], ['gz', 'application/gzip'], ['tgz', 'application/gzip'], ['tar', 'application/x-tar'], ['7z', 'application/x-7z-compressed'],
  ['xz', 'application/x-xz'], ['zst', 'application/zstd'], ['bz2', 'application/x-bzip2'], ['rar', 'application/vnd.rar'],
  ['mp3', 'audio/mpeg'], ['m4a', 'audio/mp4'], ['ogg', 'audio/ogg'], ['opus', 'audio/ogg'], ['flac', 'audio/flac'], ['wav', 'audio/wav'],
  ['mp4', 'video/mp4'], ['m4v', 'video/mp4'], ['webm', 'video/webm'], ['mkv', 'video/x-matroska'], ['mov', 'video/quicktime'], ['avi', 'video/x-msvideo'],
  ['svg', 'image/svg+xml'], ['heic', 'image/heic'], ['avif', 'image/avif'], ['tif', 'image/tiff'], ['tiff', 'image/tiff'], ['bmp', 'image/bmp'],
]);

const startsWith = (bytes: Uint8Array, expected: readonly number[], offset = 0): boolean => expected.every((byte, index) => bytes[offset + index] === byte);
const ascii = (text: string): readonly number[] => Array.from(text, (character) => character.charCodeAt(0));

/** PNG specification 5.2; ISO/IEC 10918-1 B.1.1.3; GIF89a 17; RFC 9649 2.4. */
const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const jpeg = [0xff, 0xd8, 0xff];
const gif87 = ascii('GIF87a');
const gif89 = ascii('GIF89a');
const riff = ascii('RIFF');
const webp = ascii('WEBP');
const riffFormOffset = 8;

/** Which of the four kinds of pictures begins like this; undefined for everything else. */
export function pictureType(head: Uint8Array): PictureType | undefined {
  if (startsWith(head, png)) return 'image/png';
  if (startsWith(head, jpeg)) return 'image/jpeg';
  if (startsWith(head, gif87) || startsWith(head, gif89)) return 'image/gif';
  if (startsWith(head, riff) && startsWith(head, webp, riffFormOffset)) return 'image/webp';
  return undefined;
}

/** `head`: the first bytes of the file, {@link mediaTypeHeadBytes} of them where it has so many. */
export function mediaTypeOf(name: string, head: Uint8Array): string {
  const ending = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const known = pictureEndings.has(ending) ? undefined : typesByEnding.get(ending);
  return known ?? pictureType(head) ?? unknownMediaType;
}
