import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, holdsAgainstNoise, holdsAsCodec } from './codec-testing.ts';
import { responsePayloadMaximumBytes } from './frame.ts';
import { prekeyBundleBytes } from './prekey-bundle.ts';
import { identityRecordMaximumBytes } from './record.ts';
import { decodeResolved, encodeResolved, resolvedMaximumBytes } from './resolved.ts';
import type { Resolved } from './resolved.ts';

const join = (payloads: readonly Uint8Array[]): Uint8Array => Uint8Array.from(payloads.flatMap((payload) => [...payload]));

describe('the answer to resolve', () => {
  const values: fc.Arbitrary<Resolved> = fc.record({ record: fc.uint8Array({ minLength: 1, maxLength: identityRecordMaximumBytes }), bundle: fc.option(bytesOf(prekeyBundleBytes), { nil: undefined }) });

  it('round-trips, has one encoding and survives damage', () => {
    holdsAsCodec({ values, encode: (value) => join(encodeResolved(value)), decode: (bytes) => decodeResolved([bytes]), selfDelimiting: true });
    holdsAgainstNoise((bytes) => decodeResolved([bytes]));
  });

  it('comes in as many fragments as it needs, and is the same however it was cut', () => {
    fc.assert(fc.property(values, fc.nat(resolvedMaximumBytes), (value, at) => {
      const payloads = encodeResolved(value);
      expect(payloads.length).toBeLessThanOrEqual(2);
      for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(responsePayloadMaximumBytes);
      const bytes = join(payloads);
      expect(decodeResolved(payloads)).toEqual(value);
      expect(decodeResolved([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(value);
    }), { numRuns: 100 });
  });

  it('is refused when it is longer than any, or empty', () => {
    const longest = join(encodeResolved({ record: new Uint8Array(identityRecordMaximumBytes), bundle: new Uint8Array(prekeyBundleBytes) }));
    expect(longest).toHaveLength(resolvedMaximumBytes);
    expect(decodeResolved([longest])).toBeDefined();
    expect(decodeResolved([longest, new Uint8Array(1)])).toBeUndefined();
    expect(decodeResolved(new Array<Uint8Array>(5_000).fill(longest))).toBeUndefined();
    expect(decodeResolved([])).toBeUndefined();
    expect(decodeResolved([new Uint8Array(4)])).toBeUndefined();
    expect(() => encodeResolved({ record: new Uint8Array(identityRecordMaximumBytes + 1), bundle: undefined })).toThrow(RangeError);
    expect(() => encodeResolved({ record: new Uint8Array(1), bundle: new Uint8Array(157) })).toThrow(RangeError);
  });
});
