/** Reads fields of a vector out of parsed JSON that may be anything. A field that is there but wrong throws `VectorError` with a sentence. */

export class VectorError extends Error {
  readonly code = 'bad_vector';
}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The list under `name` of a file or of a vector. */
export function requireList(value: unknown, name: string): readonly unknown[] {
  const list = isFields(value) ? value[name] : undefined;
  if (!Array.isArray(list)) throw new VectorError(`there is no list named "${name}"`);
  return list;
}

export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new VectorError(`${name} is not a text`);
  return value;
}

export function optionalBytes(fields: Fields, name: string): Uint8Array | undefined {
  const text = optionalText(fields, name);
  return text === undefined ? undefined : parseHex(text, name);
}

export function requireBytes(fields: Fields, name: string): Uint8Array {
  const bytes = optionalBytes(fields, name);
  if (bytes === undefined) throw new VectorError(`${name} is missing`);
  return bytes;
}

/** For keys: 32 bytes, or nothing. */
export function optionalKey(fields: Fields, name: string): Uint8Array | undefined {
  const bytes = optionalBytes(fields, name);
  if (bytes !== undefined && bytes.length !== 32) throw new VectorError(`${name} has ${bytes.length} bytes instead of 32`);
  return bytes;
}

export function optionalKeys(fields: Fields, name: string): readonly Uint8Array[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new VectorError(`${name} is not a list`);
  return value.map((entry: unknown, index) => {
    if (typeof entry !== 'string') throw new VectorError(`${name}[${index}] is not a text`);
    const key = parseHex(entry, `${name}[${index}]`);
    if (key.length !== 32) throw new VectorError(`${name}[${index}] has ${key.length} bytes instead of 32`);
    return key;
  });
}

export function parseHex(text: string, name: string): Uint8Array {
  if (text.length % 2 !== 0) throw new VectorError(`${name} has an odd number of hex digits`);
  if (!/^[0-9a-fA-F]*$/.test(text)) throw new VectorError(`${name} has characters that are not hex digits`);
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = Number.parseInt(text.slice(2 * index, 2 * index + 2), 16);
  return bytes;
}

export function equalBytes(first: Uint8Array, second: Uint8Array): boolean {
  return first.length === second.length && first.every((byte, index) => byte === second[index]);
}
