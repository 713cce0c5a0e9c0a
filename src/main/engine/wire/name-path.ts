/**
 * Names of published data. They stand in addresses that people read to each other and type, so they have one spelling: ASCII without capital letters,
 * in segments like those of a file's path, none of which leads anywhere else.
 */
import { utf8Decode, utf8Encode } from './bytes.ts';
import type { Reader, Writer } from './bytes.ts';

export const namePathMaximumBytes = 128;

const pathPattern = /^[a-z0-9._-]+(?:\/[a-z0-9._-]+)*$/;

/** 1 to 128 lower-case letters, digits, `.`, `-`, `_` and `/`, without empty segments and without `.` and `..`. */
export function isNamePath(text: string): boolean {
  return text.length <= namePathMaximumBytes && pathPattern.test(text) && !text.split('/').some((segment) => segment === '.' || segment === '..');
}

/** Length (1), path. @throws RangeError when it is not a name. */
export function writeNamePath(writer: Writer, path: string): void {
  if (!isNamePath(path)) throw new RangeError('a name has 1 to 128 lower-case letters, digits, ".", "-", "_" and "/"');
  writer.u8(path.length).bytes(utf8Encode(path));
}

/** Fails the reader for what is no name. */
export function readNamePath(reader: Reader): string {
  const path = utf8Decode(reader.bytes(reader.u8())) ?? '';
  if (!isNamePath(path)) reader.fail();
  return path;
}
