import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from './bytes.ts';
import { bytesOf, holdsAgainstNoise, namePath, secretOf } from './codec-testing.ts';
import { identityPublicKey, signIdentity } from './identity.ts';
import { isNamePath } from './name-path.ts';
import { createNamedRecord, decodeNamedRecord, isNamedRecordOver, namedRecordMaximumBytes, verifyNamedRecord } from './named-record.ts';
import type { NamedRecordArguments } from './named-record.ts';

const identitySecret = secretOf(1);
const content = { root: secretOf(9), length: 5_000 };
const sample = (changes: Partial<NamedRecordArguments> = {}) =>
  createNamedRecord({ identitySecret, path: 'docs/read-me.txt', sequence: 7, notAfterSeconds: 9_000, content, mediaType: 'text/plain', ...changes });
const contents = fc.option(fc.record({ root: bytesOf(32), length: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }), { nil: undefined });

describe('named records', () => {
  it('round-trip and verify with any name and content', () => {
    fc.assert(fc.property(namePath, fc.maxSafeNat(), fc.maxSafeNat(), contents, fc.constantFrom('', 'text/plain', `${'a'.repeat(63)}/${'b'.repeat(63)}`), (path, sequence, notAfterSeconds, named, type) => {
      const fields = { path, sequence, notAfterSeconds, content: named, mediaType: named === undefined ? '' : type };
      const record = createNamedRecord({ identitySecret, ...fields });
      expect(record).toMatchObject({ ...fields, identity: identityPublicKey(identitySecret) });
      expect(decodeNamedRecord(record.bytes)).toEqual(record);
      expect(verifyNamedRecord(record)).toBe(true);
    }), { numRuns: 40 });
  });

  it('no changed, cut or lengthened record verifies', () => {
    const { bytes } = sample();
    const accepts = (candidate: Uint8Array): boolean => {
      const record = decodeNamedRecord(candidate);
      return record !== undefined && verifyNamedRecord(record);
    };
    expect(accepts(bytes)).toBe(true);
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      expect(accepts(bytes.with(at, (bytes[at] ?? 0) ^ change))).toBe(false);
      expect(accepts(bytes.subarray(0, at))).toBe(false);
      expect(accepts(Uint8Array.of(...bytes, change))).toBe(false);
    }), { numRuns: 100 });
  });

  it('are no identity records: what was signed for one is worth nothing as the other', () => {
    const signed = sample().bytes.slice(0, -64);
    const forged = decodeNamedRecord(concatBytes(signed, signIdentity('waypost identity record v1', signed, identitySecret)));
    expect(forged).toBeDefined();
    expect(forged !== undefined && verifyNamedRecord(forged)).toBe(false);
  });

  it('are laid out as the protocol says', () => {
    const { bytes } = sample({ path: 'a', mediaType: 'a/b' });
    expect(toHex(bytes.subarray(0, -64))).toBe(`01${identityPublicKey(identitySecret)}0161${'00'.repeat(7)}07${'00'.repeat(6)}2328${'09'.repeat(32)}${'00'.repeat(6)}138803612f62`);
  });

  it('need a content with a length, or neither root nor length nor type', () => {
    expect(sample({ content: undefined, mediaType: '' }).content).toBeUndefined();
    expect(() => sample({ content: undefined })).toThrow(RangeError);
    expect(() => sample({ content: { root: secretOf(9), length: 0 } })).toThrow(RangeError);
    expect(() => sample({ content: { root: secretOf(0), length: 0 }, mediaType: '' })).toThrow(RangeError);
    expect(() => sample({ mediaType: 'no type' })).toThrow(RangeError);
    expect(() => sample({ mediaType: 'ä/b' })).toThrow(RangeError);
  });

  it('end at their last second', () => {
    expect([8_999_999, 9_000_000].map((wallMs) => isNamedRecordOver(sample(), wallMs))).toEqual([false, true]);
  });

  it('never have more than their most bytes, and keep their own copy of them', () => {
    const longest = sample({ path: 'p'.repeat(128), mediaType: `${'a'.repeat(63)}/${'b'.repeat(63)}` });
    expect(longest.bytes).toHaveLength(namedRecordMaximumBytes);
    const bytes = Buffer.from(longest.bytes);
    const decoded = decodeNamedRecord(bytes);
    bytes.fill(0);
    expect(decoded).toEqual(longest);
  });

  it('are decoded without a throw and without more than the input justifies', () => { holdsAgainstNoise(decodeNamedRecord, [1, 2]); });
});

describe('names', () => {
  it('have one spelling and lead nowhere', () => {
    const good = ['a', 'read-me.txt', 'a/b/c', '.hidden', 'a..b', '...', '-', '_', 'x'.repeat(128)];
    const bad = ['', '.', '..', 'a/', '/a', 'a//b', 'a/./b', 'a/..', '../a', 'A', 'ä', 'a b', 'a\\b', 'a\n', 'a\0', 'a:b', 'x'.repeat(129)];
    expect(good.filter((name) => !isNamePath(name))).toEqual([]);
    expect(bad.filter((name) => isNamePath(name))).toEqual([]);
  });
});
