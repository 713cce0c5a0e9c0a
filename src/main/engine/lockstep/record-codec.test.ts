import { bytesToHex as hex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordOf, startRecord } from './builder.ts';
import { groupShiftMaximum } from './geometry.ts';
import { decodeRecord, encodeRecord, storedRecordMaximumBytes } from './record-codec.ts';
import { noise, TestPublisher, tree } from './testing.ts';
import type { LockstepRecord, ReadBlock } from './record.ts';

const kib = 1_024;
const content = noise(300 * kib + 17);
const lengths = fc.oneof(
  fc.integer({ min: 0, max: content.length }),
  fc.integer({ min: 0, max: 300 }).chain((leaves) => fc.integer({ min: -1, max: 1 }).map((more) => Math.max(0, leaves * kib + more))),
);
const shifts = fc.integer({ min: 0, max: groupShiftMaximum });
/** From everything to blocks of 128 KiB. */
const maxima = fc.constantFrom(100_000, 5_000, 1_000, 400, 200);

function made(length: number, groupShift: number, maximum: number): LockstepRecord {
  const record = recordOf(tree, content.subarray(0, length), groupShift, maximum);
  if ('kind' in record) throw new Error(record.reason);
  return record;
}

const readOf = (record: LockstepRecord): ReadBlock => (block) =>
  content.subarray(block * record.blockBytes, Math.min((block + 1) * record.blockBytes, record.geometry.lengthBytes));

function expectSameAnswers(record: LockstepRecord | undefined, length: number, groupShift: number): void {
  const direct = new TestPublisher(content.subarray(0, length), groupShift);
  if (record === undefined) throw new Error('no record');
  expect(record.geometry).toEqual(direct.record.geometry);
  expect(hex(record.root)).toBe(hex(direct.record.root));
  const step = Math.max(1, Math.floor(direct.leafCount / 23));
  for (let index = 0; index < direct.leafCount; index += index < 9 || index > direct.leafCount - 9 ? 1 : step) {
    const allowed = new Set([...record.blocksForHashes(index), ...record.blocksForProof(index)]);
    const read: ReadBlock = (block) => {
      expect(allowed.has(block)).toBe(true);
      return readOf(record)(block);
    };
    expect(hex(record.hashesFor(index, read))).toBe(hex(direct.record.hashesFor(index, direct.read)));
    expect(record.proofFor(index, read)).toEqual(direct.record.proofFor(index, direct.read));
  }
}

describe('a record at another leaf group', () => {
  it('answers as one that was made for it', () => {
    fc.assert(fc.property(lengths, shifts, shifts, maxima, (length, from, to, maximum) => {
      expectSameAnswers(made(length, from, maximum).atGroupShift(to), length, to);
    }), { numRuns: 150 });
  });

  it('is over the same memory', () => {
    const record = made(content.length, 0, 100_000);
    expect(record.atGroupShift(0)).toBe(record);
    expect(record.atGroupShift(3)?.levelValues(3)).toBe(record.levelValues(3));
    expect(record.atGroupShift(3)?.levelValues(2)).toBeUndefined();
    expect(record.atGroupShift(3)?.sizeBytes).toBeLessThan(record.sizeBytes / 7);
  });

  it('is not there for a size that does not exist', () => {
    for (const shift of [-1, 6, 0.5]) expect(made(5_000, 0, 5_000).atGroupShift(shift)).toBeUndefined();
  });
});

describe('a stored record', () => {
  it('comes back and answers in every leaf group', () => {
    fc.assert(fc.property(lengths, shifts, shifts, maxima, (length, from, to, maximum) => {
      const decoded = decodeRecord(tree, encodeRecord(made(length, from, maximum)));
      expectSameAnswers(decoded, length, 0);
      expectSameAnswers(decoded?.atGroupShift(to), length, to);
    }), { numRuns: 80 });
  });

  it('has one form, whatever is read out again', () => {
    fc.assert(fc.property(lengths, shifts, maxima, (length, groupShift, maximum) => {
      const bytes = encodeRecord(made(length, groupShift, maximum));
      const decoded = decodeRecord(tree, bytes);
      expect(hex(decoded === undefined ? new Uint8Array(0) : encodeRecord(decoded))).toBe(hex(bytes));
    }), { numRuns: 60 });
  });

  it('keeps leaves for small content, and blocks of 128 KiB for 4 GiB', () => {
    expect(storedRecordMaximumBytes(4 * 2 ** 30)).toBe(2 * 2 ** 20);
    expect(startRecord(tree, { lengthBytes: 4 * 2 ** 30, groupShift: 0, recordMaximumBytes: storedRecordMaximumBytes(4 * 2 ** 30) }).kind).toBe('builder');
    const bytes = encodeRecord(made(content.length, 0, 100_000));
    expect(bytes).toHaveLength(42 + 301 * 32);
    expect(storedRecordMaximumBytes(64 * 2 ** 30)).toBeGreaterThan(31 * 2 ** 20);
    expect(storedRecordMaximumBytes(64 * 2 ** 30)).toBeLessThan(33 * 2 ** 20);
    expect(storedRecordMaximumBytes(0)).toBe(2 * 2 ** 20);
  });

  it('of more than 2 MiB is stored at a higher level than it has', () => {
    const large = noise(40 * 2 ** 20);
    const record = recordOf(tree, large, 0, 8 * 2 ** 20);
    if ('kind' in record) throw new Error(record.reason);
    expect(record.keptLevel).toBe(0);
    const decoded = decodeRecord(tree, encodeRecord(record));
    expect(decoded?.keptLevel).toBe(1);
    expect(decoded?.sizeBytes).toBeLessThanOrEqual(2 * 2 ** 20);
    const read: ReadBlock = (block) => large.subarray(block * 2 * kib, (block + 1) * 2 * kib);
    for (const index of [0, 1, 2, 3, 4_096, 20_001, 40_959]) expect(decoded?.proofFor(index, read)).toEqual(record.proofFor(index, read));
  });

  it('that was damaged anywhere is refused, and never throws', () => {
    const bytes = encodeRecord(made(20 * kib + 1, 0, 5_000));
    fc.assert(fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const spoilt = bytes.slice();
      spoilt[at] = (spoilt[at] ?? 0) ^ change;
      const decoded = decodeRecord(tree, spoilt);
      // The length may change within the same number of leaves: the root, which the caller compares with the length, is then another content's.
      if (decoded !== undefined) expect(decoded.geometry.lengthBytes).not.toBe(20 * kib + 1);
    }));
    for (let length = 0; length < bytes.length; length += 1) expect(decodeRecord(tree, bytes.subarray(0, length))).toBeUndefined();
    expect(decodeRecord(tree, Uint8Array.from([...bytes, 0]))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
      random[0] = 1;
      expect(() => decodeRecord(tree, random)).not.toThrow();
    }));
  });
});
