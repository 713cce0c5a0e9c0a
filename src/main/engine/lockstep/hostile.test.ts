/** What a holder or anybody on the way may send: everything that was changed is refused, and a refusal changes nothing. */
import { bytesToHex as hex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentHashBytes } from './geometry.ts';
import { createVerifier } from './lockstep.ts';
import { noise, TestPublisher, tree } from './testing.ts';
import type { TestReceiver } from './testing.ts';

const kib = 1_024;
const content = noise(300 * kib);
const flip = (bytes: Uint8Array, bit: number): Uint8Array => bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
const stateOf = ({ verifier, leaves }: TestReceiver): string => JSON.stringify([verifier.verifiedRanges, verifier.valueCount, verifier.keptCount, verifier.proofsWanted, leaves.length]);
const cases = fc.tuple(fc.integer({ min: 1, max: content.length }), fc.constantFrom(0, 1, 2, 4), fc.nat());

describe('one bit changed', () => {
  it.each([[3_000, 0, 0], [3_000, 0, 1], [9 * kib, 0, 1], [9 * kib, 0, 3], [9 * kib, 0, 8], [700, 0, 0], [9 * kib, 1, 2], [9 * kib, 2, 1]])('in a fragment of %i bytes in groups of 2^%i KiB, leaf %i: every single one is refused', (length, groupShift, index) => {
    const publisher = new TestPublisher(content.subarray(0, length), groupShift);
    const receiver = publisher.receiver();
    for (const payload of publisher.proof(index)) receiver.verifier.takeProof(index, payload);
    const payload = publisher.fragment(index);
    const hashesEnd = fragmentHashBytes(publisher.record.geometry, index);
    const before = stateOf(receiver);
    for (let bit = 0; bit < payload.length * 8; bit += 1) {
      const verdict = receiver.verifier.takeFragment(index, flip(payload, bit), 1);
      if (verdict !== (bit >> 3 < hashesEnd && index > 0 ? 'wrong-pair' : 'wrong-leaf')) expect.fail(`bit ${bit}: ${verdict}`);
    }
    expect(stateOf(receiver)).toBe(before);
    expect(receiver.verifier.takeFragment(index, payload, 1)).toBe('verified');
  });

  it.each([[9 * kib, 0, 0], [9 * kib, 0, 3], [100 * kib, 0, 47], [200 * kib, 2, 5]])('in a proof of %i bytes in groups of 2^%i KiB, leaf %i: every single one is refused', (length, groupShift, first) => {
    const publisher = new TestPublisher(content.subarray(0, length), groupShift);
    const receiver = publisher.receiver();
    const [payload = new Uint8Array(0)] = publisher.proof(first);
    const before = stateOf(receiver);
    for (let bit = 0; bit < payload.length * 8; bit += 1) {
      const verdict = receiver.verifier.takeProof(first, flip(payload, bit));
      if (!['wrong-path', 'wrong-ahead', 'unknown-part'].includes(verdict)) expect.fail(`bit ${bit}: ${verdict}`);
    }
    expect(stateOf(receiver)).toBe(before);
    expect(receiver.verifier.takeProof(first, payload)).toBe('taken');
  });

  it('anywhere in a transfer costs that fragment and nothing else, early or in order', () => {
    fc.assert(fc.property(cases, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 }), fc.boolean(), ([length, groupShift, seed], spoiled, backwards) => {
      const publisher = new TestPublisher(content.subarray(0, length), groupShift);
      const receiver = publisher.receiver({ keptMaximumBytes: 4 * content.length }).takeProofs(publisher);
      const { verifier } = receiver;
      const bits = new Map(spoiled.map(([leaf, bit]) => [leaf % publisher.leafCount, bit + seed]));
      const blamed = new Set<number>();
      const order = Array.from({ length: publisher.leafCount }, (_, index) => (backwards ? publisher.leafCount - 1 - index : index));
      for (const index of order) {
        const payload = publisher.fragment(index);
        const bit = bits.get(index);
        const source = bit === undefined ? 1 : 2;
        const verdict = verifier.takeFragment(index, bit === undefined ? payload : flip(payload, bit % (payload.length * 8)), source);
        if (verdict.startsWith('wrong-')) blamed.add(index);
        else expect(['verified', 'kept']).toContain(verdict);
      }
      for (let round = 0; !verifier.isComplete; round += 1) {
        for (const index of order) if (!verifier.has(index)) verifier.takeFragment(index, publisher.fragment(index), 1);
        if (round > bits.size + 1) expect.fail('a fragment cost more than one repetition');
      }
      for (const { index, source } of receiver.refusals) { expect(source).toBe(2); blamed.add(index); }
      expect([...blamed].toSorted((left, right) => left - right)).toEqual([...bits.keys()].toSorted((left, right) => left - right));
      expect(hex(receiver.received)).toBe(hex(publisher.content));
    }), { numRuns: 60 });
  });
});

describe('other wrong things', () => {
  it('are refused: fragments of other leaves, of other content, and those without or with a pair that should have been the other way', () => {
    const publisher = new TestPublisher(content.subarray(0, 16 * kib), 0);
    const other = new TestPublisher(noise(16 * kib, 5), 0);
    const receiver = publisher.receiver().takeProofs(publisher);
    const before = stateOf(receiver);
    expect(receiver.verifier.takeFragment(0, publisher.fragment(4).subarray(64), 1)).toBe('wrong-leaf');
    expect(receiver.verifier.takeFragment(0, other.fragment(0), 1)).toBe('wrong-leaf');
    expect(receiver.verifier.takeFragment(0, new Uint8Array(1_088), 1)).toBe('wrong-length');
    expect(receiver.verifier.takeFragment(1, publisher.fragment(1).subarray(64), 1)).toBe('wrong-length');
    for (const index of [16, -1, 0.5, 2 ** 40, Number.NaN]) expect(receiver.verifier.takeFragment(index, new Uint8Array(1_024), 1)).toBe('no-such-leaf');
    expect(receiver.verifier.takeProof(5, other.proof(5)[0] ?? new Uint8Array(0))).toBe('wrong-path');
    expect(receiver.verifier.takeProof(5, publisher.proof(9)[0] ?? new Uint8Array(0))).toMatch(/^wrong-/);
    expect(stateOf(receiver)).toBe(before);
  });

  it('are refused: proofs that are too long, too short or of another depth', () => {
    const publisher = new TestPublisher(content, 0);
    const receiver = publisher.receiver();
    const before = stateOf(receiver);
    const [payload = new Uint8Array(0)] = publisher.proof(37);
    for (let sizeBytes = 0; sizeBytes < 2_000; sizeBytes += 1) {
      if (sizeBytes === payload.length) continue;
      const changed = new Uint8Array(sizeBytes);
      changed.set(payload.subarray(0, sizeBytes));
      expect(receiver.verifier.takeProof(37, changed)).toMatch(/^(?:wrong-length|unknown-part)$/);
    }
    const shallow = new TestPublisher(content.subarray(0, 64 * kib), 0).proof(37)[0] ?? new Uint8Array(0);
    expect(receiver.verifier.takeProof(37, shallow)).toBe('wrong-length');
    expect(receiver.verifier.takeProof(300, payload)).toBe('no-such-leaf');
    expect(receiver.verifier.takeProof(37, new Uint8Array(1_000_000))).toBe('wrong-length');
    expect(stateOf(receiver)).toBe(before);
  });

  it('never throw and never prove anything: random payloads for random leaves', () => {
    const publisher = new TestPublisher(content, 0);
    const receiver = publisher.receiver({ keptMaximumBytes: 10 * 1_200 });
    fc.assert(fc.property(fc.integer({ min: -1, max: 301 }), fc.constantFrom(0, 1, 64, 1_023, 1_024, 1_088, 1_089, 5_000), fc.nat(), (index, sizeBytes, seed) => {
      receiver.verifier.takeFragment(index, noise(sizeBytes, seed + 1), 1);
      const proof = noise(sizeBytes, seed + 1);
      if (sizeBytes > 0) proof[0] = seed % 4;
      receiver.verifier.takeProof(index, proof);
      expect(receiver.verifier.keptCount).toBeLessThanOrEqual(11);
      expect(receiver.verifier.verifiedRanges).toEqual([]);
    }), { numRuns: 400 });
  });

  it('take no memory by a claimed length', () => {
    const sink = { verified: () => undefined, refused: () => undefined };
    const before = process.memoryUsage();
    for (let count = 0; count < 100; count += 1) {
      const verifier = createVerifier(tree, { root: new Uint8Array(32), length: 2 ** 43 - count }, 0, { sink }) ?? expect.fail();
      expect(verifier.takeFragment(2 ** 32 + 2, new Uint8Array(1_088), 1)).toBe('beyond-window');
      expect(verifier.takeFragment(1, new Uint8Array(1_088), 1)).toBe('kept');
    }
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(20_000_000);
  });

  it('do not keep out the good ones: forged early fragments cost one repetition each', () => {
    const publisher = new TestPublisher(content.subarray(0, 50 * kib), 0);
    const receiver = publisher.receiver().takeProofs(publisher);
    const { verifier } = receiver;
    for (let index = 1; index < 50; index += 1) expect(verifier.takeFragment(index, new Uint8Array(publisher.fragment(index).length), 9)).toBe('kept');
    // The next one is at once a good one again, although a forged one is kept.
    for (let index = 0; index < 50; index += 1) expect(verifier.takeFragment(index, publisher.fragment(index), 1)).toBe('verified');
    expect(verifier.isComplete).toBe(true);
    expect(receiver.refusals.map(({ index, source, reason }) => [index, source, reason])).toEqual(Array.from({ length: 49 }, (_, index) => [index + 1, 9, 'wrong-leaf']));
  });
});
