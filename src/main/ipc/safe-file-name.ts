/** A name that any of the three systems takes as a file's own name, whatever a page or a clipboard called it. Pure. */

/** Leaves room for what is put beside it, within the 255 bytes of common file systems. */
const maximumBytes = 180;
const fallback = 'file';
/** Separators, what Windows forbids, control characters, and what turns the direction of a text round. */
// eslint-disable-next-line no-control-regex -- they are what has to go
const forbidden = /[/\\<>:"|?*\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
/** Device names of Windows, with or without an extension. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

const encoder = new TextEncoder();

/** Cuts the stem and keeps the extension, so that the kind of the file still shows. */
function shorten(name: string): string {
  const extension = /\.[^.]{1,16}$/.exec(name)?.[0] ?? '';
  const room = maximumBytes - encoder.encode(extension).length;
  let stem = '';
  let bytes = 0;
  for (const character of name.slice(0, name.length - extension.length)) {
    bytes += encoder.encode(character).length;
    if (bytes > room) break;
    stem += character;
  }
  return `${stem}${extension}`;
}

export function safeFileName(name: string): string {
  const clean = name.normalize('NFC').replaceAll(forbidden, '_').replace(/^[. ]+/, '').replace(/[. ]+$/, '');
  const short = encoder.encode(clean).length > maximumBytes ? shorten(clean) : clean;
  if (short === '') return fallback;
  return reserved.test(short) ? `_${short}` : short;
}
