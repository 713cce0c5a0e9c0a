/**
 * Reading and writing bytes, and the few conversions that every codec needs. Knows nothing of any layout.
 *
 * Reading is for input that anybody may have sent: a `Reader` never throws and never allocates by what the input claims; after the first
 * shortage it stays failed and yields zeros, so that a decoder reads straight through and asks `ok` once, before it believes anything.
 * Writing is for values of our own: a `Writer` throws a RangeError on a value that does not fit its field, because wrapping it silently
 * would put another, valid-looking value on the wire.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

const twoToThe32 = 0x1_0000_0000;
const u32Maximum = twoToThe32 - 1;
const noBytes = new Uint8Array(0);

/** First room of a growing writer: most objects and frames without a body fit. */
const writerInitialBytes = 256;

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;
  #ok = true;
  #ranOut = false;

  constructor(bytes: Uint8Array) {
    // A plain view, whatever came in: sockets hand out Node Buffers, whose `slice` does not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** False for good after a read beyond the end, a number over 2^53 - 1, or `fail`. */
  get ok(): boolean {
    return this.#ok;
  }

  /** The first failure was that the input ended too early; false for a value out of range. */
  get ranOut(): boolean {
    return this.#ranOut;
  }

  /** Everything was read, and nothing failed. */
  get atEnd(): boolean {
    return this.#ok && this.#offset === this.#bytes.length;
  }

  /** Bytes that are left; 0 after a failure. */
  get remaining(): number {
    return this.#ok ? this.#bytes.length - this.#offset : 0;
  }

  /** For decoders that meet a value outside its range: everything read from here on is zero. */
  fail(): void {
    this.#ok = false;
  }

  u8(): number {
    const at = this.#take(1);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at === undefined ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at === undefined ? 0 : this.#view.getUint32(at);
  }

  /** Fails above 2^53 - 1, where numbers stop being exact: no sequence or time of ours gets there. */
  u64(): number {
    const at = this.#take(8);
    if (at === undefined) return 0;
    const value = this.#view.getUint32(at) * twoToThe32 + this.#view.getUint32(at + 4);
    if (Number.isSafeInteger(value)) return value;
    this.#ok = false;
    return 0;
  }

  /** A view of the input, not a copy: `slice()` it before keeping it longer than the input. Empty after a failure. */
  bytes(sizeBytes: number): Uint8Array {
    const at = this.#take(sizeBytes);
    return at === undefined ? noBytes : this.#bytes.subarray(at, at + sizeBytes);
  }

  /** A view of all that is left; empty after a failure. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  #take(sizeBytes: number): number | undefined {
    if (!this.#ok) return undefined;
    if (sizeBytes > this.#bytes.length - this.#offset) {
      this.#ok = false;
      this.#ranOut = true;
      return undefined;
    }
    const at = this.#offset;
    this.#offset += sizeBytes;
    return at;
  }
}

export class Writer {
  readonly #fixed: boolean;
  #bytes: Uint8Array;
  #view: DataView;
  #offset = 0;

  /** @param sizeBytes exact size of the result; without it the writer grows. */
  constructor(sizeBytes?: number) {
    this.#fixed = sizeBytes !== undefined;
    this.#bytes = new Uint8Array(sizeBytes ?? writerInitialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#offset;
  }

  u8(value: number): this {
    const at = this.#room(1, value, 0xff);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2, value, 0xffff);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4, value, u32Maximum);
    this.#view.setUint32(at, value);
    return this;
  }

  /** Seconds of a duration: cut to whole ones and to the field, since a duration comes from subtracting clocks. */
  seconds(value: number): this {
    return this.u32(value > 0 ? Math.min(Math.floor(value), u32Maximum) : 0);
  }

  u64(value: number): this {
    const at = this.#room(8, value, Number.MAX_SAFE_INTEGER);
    this.#view.setUint32(at, Math.floor(value / twoToThe32));
    this.#view.setUint32(at + 4, value % twoToThe32);
    return this;
  }

  /** Copies; with `sizeBytes` also insists on the length, for fields that have a fixed one. */
  bytes(value: Uint8Array, sizeBytes = value.length): this {
    if (value.length !== sizeBytes) throw new RangeError(`a field of ${String(sizeBytes)} bytes was given ${String(value.length)}`);
    const at = this.#reserve(sizeBytes);
    this.#bytes.set(value, at);
    return this;
  }

  zeros(sizeBytes: number): this {
    this.#reserve(sizeBytes);
    return this;
  }

  /** What was written. A sized writer must be full. The writer is spent: the result is its own memory, unless it has room to spare. */
  finish(): Uint8Array {
    if (this.#offset === this.#bytes.length) return this.#bytes;
    if (this.#fixed) throw new RangeError(`wrote ${String(this.#offset)} of ${String(this.#bytes.length)} bytes`);
    return this.#bytes.slice(0, this.#offset);
  }

  #room(sizeBytes: number, value: number, maximum: number): number {
    if (!Number.isInteger(value) || value < 0 || value > maximum) throw new RangeError(`${String(value)} does not fit a field of ${String(sizeBytes)} bytes`);
    return this.#reserve(sizeBytes);
  }

  #reserve(sizeBytes: number): number {
    const at = this.#offset;
    const end = at + sizeBytes;
    if (end > this.#bytes.length) {
      if (this.#fixed) throw new RangeError(`more than the ${String(this.#bytes.length)} bytes that were announced`);
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#offset = end;
    return at;
  }
}

/** Lower case. */
export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes);

const hexPattern = /^(?:[0-9a-fA-F]{2})*$/;

/** Either case; undefined for anything else, an odd number of digits included. */
export function fromHex(text: string): Uint8Array | undefined {
  return hexPattern.test(text) ? hexToBytes(text) : undefined;
}

/** For values that are not secret: stops at the first difference. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export const isAllZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

const encoder = new TextEncoder();
// A byte order mark is text like any other: eating it would make two inputs decode to one value.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Lone surrogates become U+FFFD. */
export const utf8Encode = (text: string): Uint8Array => encoder.encode(text);

/** Undefined for anything that is not UTF-8: overlong forms, surrogates, cut sequences. */
export function utf8Decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
