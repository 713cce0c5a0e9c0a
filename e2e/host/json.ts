/** Reading messages of the DevTools protocol, whose shapes are known by documentation only: absent fields read as empty values. */

export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value below a path of keys, or undefined. */
export function field(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

export function textField(value: unknown, ...keys: readonly string[]): string {
  const found = field(value, ...keys);
  return typeof found === 'string' ? found : '';
}

export function numberField(value: unknown, ...keys: readonly string[]): number {
  const found = field(value, ...keys);
  return typeof found === 'number' ? found : 0;
}

export function listField(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = field(value, ...keys);
  return Array.isArray(found) ? found : [];
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
