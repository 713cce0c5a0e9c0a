/** Properties that every decoder of this folder is held to, and the arbitraries and keys that its tests share. For tests only. */
/* eslint-disable no-restricted-imports -- imported by test files alone, so the layer's rules for shipped code do not apply */
import fc from 'fast-check';
import { expect } from 'vitest';
import { toHex } from './bytes.ts';
import { identityPublicKey } from './identity.ts';
import type { ListEntry, RelayHint } from './types.ts';

export const bytesOf = (sizeBytes: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
export const u64 = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER));
export const deviceId = bytesOf(16).filter((bytes) => bytes.some((byte) => byte !== 0)).map(toHex);
/** Passes for a key in packets, where the curve is not checked. */
export const keyLike = fc.tuple(fc.constantFrom('02', '03'), bytesOf(32)).map(([sign, bytes]) => sign + toHex(bytes));
export const mailbox = fc.record({ identity: keyLike, deviceId });
export const listEntry: fc.Arbitrary<ListEntry> = fc.record({
  sequence: u64, letterId: bytesOf(32), lane: fc.constantFrom('letter', 'receipt'), remainingSeconds: u32, heldForSeconds: u32, bodyRoot: bytesOf(32),
  bodyLength: u32, header: fc.uint8Array({ maxLength: 500 }), inlineBody: fc.option(fc.uint8Array({ minLength: 1, maxLength: 256 }), { nil: undefined }),
});
const nameSegment = fc.string({ unit: fc.constantFrom('a', 'b', 'x', 'z', '0', '9', '.', '-', '_'), minLength: 1, maxLength: 20 }).filter((segment) => segment !== '.' && segment !== '..');
export const namePath = fc.array(nameSegment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'));
export const text = fc.string({ unit: 'grapheme' });

export const secretOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
/** Real keys, few, because making one takes a millisecond. */
export const realKeys: readonly string[] = [1, 2, 3, 4, 5].map((fill) => identityPublicKey(secretOf(fill)));
export const realKey = fc.constantFrom(...realKeys);
export const host = fc.oneof(
  fc.constantFrom('localhost', 'relay.example', 'a-1.b.c', 'xn--bcher-kva.example', '::1', '2001:db8::1', 'fe80::1:0:0:1', '::ffff:192.0.2.1', 'a'.repeat(63)),
  fc.ipV4(),
);
export const relayHint = (key: fc.Arbitrary<string>): fc.Arbitrary<RelayHint> => fc.record({ publicKey: key, host, port: fc.integer({ min: 1, max: 0xffff }) });

/** Bytes and characters that a decoded value holds. */
export function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array || typeof value === 'string') return value.length;
  if (typeof value === 'object' && value !== null) return Object.values(value).reduce((sum: number, part: unknown) => sum + 8 + sizeOf(part), 0);
  return 8;
}

/** Names of fields, numbers of a few bytes and hex text make a value larger than its bytes, by this much at most. */
const growthMaximum = 24;
const fixedGrowthMaximum = 512;

/** `decode` neither throws nor makes more than its input justifies, whatever it is given. */
export function holdsAgainstNoise(decode: (bytes: Uint8Array) => unknown, start: readonly number[] = []): void {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 1_300 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.of(...start, ...bytes)),
    fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 1_200 })).map(([fill, length]) => new Uint8Array(length).fill(fill)),
  );
  fc.assert(fc.property(noise, (bytes) => {
    const value = decode(bytes);
    expect(sizeOf(value)).toBeLessThanOrEqual(bytes.length * growthMaximum + fixedGrowthMaximum);
  }), { numRuns: 500 });
}

export interface CodecProperty<Value> {
  readonly values: fc.Arbitrary<Value>;
  readonly encode: (value: Value) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => Value | undefined;
  /** False where the end of the input is also the end of a field (`rest`), so that a shorter input is another good value. */
  readonly selfDelimiting: boolean;
  readonly numRuns?: number;
}

/** Round trip; one encoding for each value; no prefix and no longer input decodes; changed bytes never throw and never mean the same. */
export function holdsAsCodec<Value>({ values, encode, decode, selfDelimiting, numRuns = 200 }: CodecProperty<Value>): void {
  fc.assert(fc.property(values, (value) => { expect(decode(encode(value))).toEqual(value); }), { numRuns });
  fc.assert(fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, position, change) => {
    const bytes = encode(value);
    const at = position % bytes.length;
    const changed = bytes.with(at, (bytes[at] ?? 0) ^ change);
    const decoded = decode(changed);
    // What still decodes encodes to the bytes that came in, so no two inputs share a meaning.
    if (decoded !== undefined) expect(encode(decoded)).toEqual(changed);
    const shorter = decode(bytes.subarray(0, at));
    const longer = decode(Uint8Array.of(...bytes, change));
    if (selfDelimiting) {
      expect(shorter).toBeUndefined();
      expect(longer).toBeUndefined();
    } else {
      expect(shorter).not.toStrictEqual(value);
      expect(longer).not.toStrictEqual(value);
    }
  }), { numRuns });
}
