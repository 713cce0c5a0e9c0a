import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex as hex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordOf, startRecord } from './builder.ts';
import { fragmentHashBytes } from './geometry.ts';
import { noise, TestPublisher, tree } from './testing.ts';

const kib = 1_024;
const content = noise(300 * kib);
const lengths = fc.oneof(fc.integer({ min: 0, max: content.length }), fc.integer({ min: 0, max: 300 }).chain((leaves) => fc.integer({ min: -1, max: 1 }).map((more) => Math.min(content.length, Math.max(0, leaves * kib + more)))));
const shifts = fc.constantFrom(0, 1, 2, 4);

describe('the builder', () => {
  it('makes the ordinary BLAKE3 hash the root, whatever the leaf group', () => {
    fc.assert(fc.property(lengths, shifts, (length, groupShift) => {
      const record = recordOf(tree, content.subarray(0, length), groupShift);
      if ('kind' in record) throw new Error(record.reason);
      expect(hex(record.root)).toBe(hex(blake3(content.subarray(0, length))));
    }), { numRuns: 120 });
  });

  it('does not mind in which pieces the content comes', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 8 }), shifts, (cuts, groupShift) => {
      const start = startRecord(tree, { lengthBytes: content.length, groupShift });
      if (start.kind === 'refused') throw new Error(start.reason);
      let offset = 0;
      for (const cut of cuts) {
        start.builder.update(content.subarray(offset, offset + cut));
        offset = Math.min(content.length, offset + cut);
      }
      expect(hex(start.builder.update(content.subarray(offset)).finish()?.root ?? new Uint8Array(0))).toBe(hex(blake3(content)));
    }), { numRuns: 30 });
  });

  it('refuses content that is not as long as announced', () => {
    const start = startRecord(tree, { lengthBytes: 5_000, groupShift: 0 });
    if (start.kind === 'refused') throw new Error(start.reason);
    expect(() => start.builder.update(content.subarray(0, 5_001))).toThrow(RangeError);
    expect(start.builder.update(content.subarray(0, 4_999)).finish()).toBeUndefined();
  });

  it('refuses what has no tree or a record beyond its bound', () => {
    expect(startRecord(tree, { lengthBytes: -1, groupShift: 0 })).toEqual({ kind: 'refused', reason: 'geometry' });
    expect(startRecord(tree, { lengthBytes: 2 ** 43, groupShift: 0 })).toEqual({ kind: 'refused', reason: 'record-too-large' });
  });
});

describe('a record', () => {
  it('has at most 64 bytes a leaf (and 32 a level, for odd ones), and none of a single one', () => {
    expect(new TestPublisher(content, 0).record.sizeBytes).toBeLessThanOrEqual(300 * 64 + 9 * 32);
    expect(new TestPublisher(content.subarray(0, 1_024), 0).record.sizeBytes).toBe(0);
  });

  it('answers the same from blocks of content, in less memory', () => {
    for (const [groupShift, maximum, keptLevel] of [[0, 5_000, 2], [0, 1_000, 5], [0, 400, 6], [0, 200, 7], [2, 400, 4]] as const) {
      const all = new TestPublisher(content, groupShift);
      const less = new TestPublisher(content, groupShift, maximum);
      expect(less.record.keptLevel).toBe(keptLevel);
      expect(less.record.sizeBytes).toBeLessThanOrEqual(maximum);
      for (let index = 0; index < all.leafCount; index += 1) {
        const reads: number[] = [];
        const read = (block: number): Uint8Array => { reads.push(block); return less.read(block); };
        expect(hex(less.record.hashesFor(index, read))).toBe(hex(all.record.hashesFor(index, all.read)));
        expect(less.record.blocksForHashes(index).length).toBeLessThanOrEqual(1);
        expect(less.record.blocksForHashes(index)).toEqual(expect.arrayContaining(reads));
        expect(less.record.proofFor(index, read)).toEqual(all.record.proofFor(index, all.read));
        expect(less.record.blocksForProof(index).length).toBeLessThanOrEqual(2);
        expect([...less.record.blocksForHashes(index), ...less.record.blocksForProof(index)]).toEqual(expect.arrayContaining(reads));
      }
    }
  });

  it('reads nothing when everything is kept', () => {
    const { record, leafCount } = new TestPublisher(content, 1);
    const read = (): Uint8Array => { throw new Error('read'); };
    for (let index = 0; index < leafCount; index += 1) {
      expect(record.hashesFor(index, read)).toHaveLength(fragmentHashBytes(record.geometry, index));
      expect(record.proofFor(index, read)).toHaveLength(1);
    }
  });

  it('throws for a leaf that it does not have, and for a block of the wrong length', () => {
    const { record, read } = new TestPublisher(content, 0, 1_000);
    for (const index of [-1, 300, 0.5]) expect(() => record.hashesFor(index, read)).toThrow(RangeError);
    expect(() => record.proofFor(300, read)).toThrow(RangeError);
    expect(() => record.proofFor(1, () => new Uint8Array(5))).toThrow(RangeError);
  });
});
