/**
 * Reads columns of a row that came from disk. Whatever has not the expected shape becomes `damagedRow` (code `database-corrupt`), so that
 * a damaged file never shows up as a TypeError far away from here.
 */
import { damagedRow } from './failure.ts';

export type Row = Readonly<Record<string, unknown>>;

export class RowReader {
  readonly #table: string;
  readonly #row: object;

  constructor(table: string, row: unknown) {
    if (typeof row !== 'object' || row === null) throw damagedRow(table, 'row');
    this.#table = table;
    this.#row = row;
  }

  #value(column: string): unknown {
    return Reflect.get(this.#row, column);
  }

  damaged(column: string): Error {
    return damagedRow(this.#table, column);
  }

  integer(column: string): number {
    const value = this.#value(column);
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.damaged(column);
    return value;
  }

  optionalInteger(column: string): number | undefined {
    return this.#value(column) === null ? undefined : this.integer(column);
  }

  text(column: string): string {
    const value = this.#value(column);
    if (typeof value !== 'string') throw this.damaged(column);
    return value;
  }

  optionalText(column: string): string | undefined {
    return this.#value(column) === null ? undefined : this.text(column);
  }

  /** `sizeBytes` where the column has one size. */
  bytes(column: string, sizeBytes?: number): Uint8Array {
    const value = this.#value(column);
    if (!(value instanceof Uint8Array) || (sizeBytes !== undefined && value.length !== sizeBytes)) throw this.damaged(column);
    return plainBytes(value);
  }

  optionalBytes(column: string, sizeBytes?: number): Uint8Array | undefined {
    return this.#value(column) === null ? undefined : this.bytes(column, sizeBytes);
  }

  /** One of `values`, stored as itself. */
  oneOf<const Value extends string>(column: string, values: readonly Value[]): Value {
    const stored = this.#value(column);
    const found = values.find((value) => value === stored);
    if (found === undefined) throw this.damaged(column);
    return found;
  }

  /** One of `values`, stored as its index. */
  indexOf<const Value>(column: string, values: readonly Value[]): Value {
    const found = values[this.integer(column)];
    if (found === undefined) throw this.damaged(column);
    return found;
  }

  /** Stored as JSON text; `parse` returns undefined for what it does not accept. */
  json<Value>(column: string, parse: (value: unknown) => Value | undefined): Value {
    const stored = this.text(column);
    let value: unknown;
    try {
      value = JSON.parse(stored);
    } catch {
      throw this.damaged(column);
    }
    const parsed = parse(value);
    if (parsed === undefined) throw this.damaged(column);
    return parsed;
  }
}

/** A count or an id read with `pluck`. */
export function integerOf(value: unknown, table: string, column: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damagedRow(table, column);
  return value;
}

/** SQLite hands out Buffers; nothing above this layer sees one. The view shares the memory. */
export const plainBytes = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Lower-case hex, as the wire layer writes keys and ids, to the bytes that are stored. */
export const bytesOfHex = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
export const hexOfBytes = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
export const sameBytes = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
