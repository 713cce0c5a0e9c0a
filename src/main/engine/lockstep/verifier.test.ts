import { bytesToHex as hex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentPayloadBytes } from './codec.ts';
import { leafLength } from './geometry.ts';
import { createVerifier, encodeFragment, resumeVerifier, startRecord } from './lockstep.ts';
import { encodeSnapshot } from './snapshot.ts';
import { noise, TestPublisher, tree } from './testing.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { TestReceiver } from './testing.ts';
import type { LockstepRecord, ReadBlock } from './record.ts';
import type { FragmentVerdict, IncomingFragment } from './verdicts.ts';
import type { LockstepVerifier } from './verifier.ts';

const kib = 1_024;
const content = noise(300 * kib);
const lengths = fc.oneof(fc.integer({ min: 0, max: content.length }), fc.integer({ min: 0, max: 6 * kib }), fc.integer({ min: 0, max: 300 }).map((leaves) => leaves * kib));
const shifts = fc.constantFrom(0, 1, 2, 4);
const cases = fc.tuple(lengths, shifts, fc.nat());
const everything = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A deterministic shuffle. */
function shuffled(list: readonly number[], seed: number): number[] {
  let state = seed | 1;
  const result = [...list];
  for (let position = result.length - 1; position > 0; position -= 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    const other = (state >>> 8) % (position + 1);
    [result[position], result[other]] = [result[other] ?? 0, result[position] ?? 0];
  }
  return result;
}

function expectWhole(receiver: TestReceiver, publisher: TestPublisher): void {
  expect(receiver.verifier.isComplete).toBe(true);
  expect(receiver.verifier.keptCount).toBe(0);
  expect(receiver.verifier.verifiedBytes).toBe(publisher.content.length);
  expect(receiver.leaves.toSorted((left, right) => left - right)).toEqual(everything(publisher.leafCount));
  expect(hex(receiver.received)).toBe(hex(publisher.content));
  expect(receiver.verifier.proofsWanted).toEqual([]);
}

describe('in order', () => {
  it('every leaf is verified when it comes, with few hashes held', () => {
    fc.assert(fc.property(cases, ([length, groupShift]) => {
      const publisher = new TestPublisher(content.subarray(0, length), groupShift);
      const receiver = publisher.receiver().takeProofs(publisher);
      for (const index of everything(publisher.leafCount)) {
        expect(receiver.verifier.takeFragment(index, publisher.fragment(index), 1)).toBe('verified');
        expect(receiver.verifier.valueCount).toBeLessThanOrEqual(Math.floor(Math.log2(publisher.leafCount)) + 2);
      }
      expectWhole(receiver, publisher);
    }), { numRuns: 60 });
  });

  it('a single packet needs no proof, and up to four leaves bring theirs along', () => {
    for (const leafCount of [0, 1, 2, 3, 4, 5]) {
      const publisher = new TestPublisher(content.subarray(0, leafCount * kib - (leafCount % 2)), 0);
      expect(publisher.receiver().verifier.proofsWanted).toEqual(leafCount === 5 ? [0] : []);
    }
  });

  it('costs one leaf hash and at most one parent a packet', () => {
    const publisher = new TestPublisher(content, 0);
    let [leaves, parents] = [0, 0];
    const { windowBytes, window } = tree;
    const counting: Blake3Tree = {
      windowBytes, window,
      chunk: (...given) => { leaves += 1; tree.chunk(...given); },
      parent: (...given) => { parents += 1; tree.parent(...given); },
      parents: (...given) => { const count = tree.parents(...given); parents += count; return count; },
      chunks: () => expect.fail(), chunksAt: () => expect.fail(), group: () => expect.fail(), hash: () => expect.fail(),
    };
    const sink = { verified: () => undefined, refused: () => expect.fail() };
    const verifier = createVerifier(counting, { root: publisher.record.root, length: content.length }, 0, { sink }) ?? expect.fail();
    for (const payload of publisher.proof(0)) expect(verifier.takeProof(0, payload)).toBe('taken');
    for (const index of everything(publisher.leafCount)) {
      [leaves, parents] = [0, 0];
      verifier.takeFragment(index, publisher.fragment(index), 1);
      expect(leaves).toBe(1);
      expect(parents).toBeLessThanOrEqual(1);
    }
    expect(verifier.isComplete).toBe(true);
  });
});

describe('in any order', () => {
  it.each([[1, 300], [301, 600], [601, 850], [851, 1_100]])('the bytes are the same, for every count of leaves from %i to %i', (fromCount, toCount) => {
    const long = noise(1_100 * kib);
    const whole = new TestPublisher(long, 0);
    expect(whole.leafCount).toBe(1_100);
    for (let leafCount = fromCount; leafCount <= toCount; leafCount += 1) {
      const publisher = new TestPublisher(long.subarray(0, leafCount * kib - (leafCount % 5) * 100), 0);
      const receiver = publisher.receiver().takeProofs(publisher);
      for (const index of shuffled(everything(leafCount), leafCount)) receiver.verifier.takeFragment(index, publisher.fragment(index), 1);
      if (!receiver.verifier.isComplete || receiver.refusals.length > 0 || Buffer.compare(receiver.received, publisher.content) !== 0) expect.fail(`${leafCount} leaves`);
    }
  });

  it('also with losses, repetitions, small windows and late proofs', () => {
    fc.assert(fc.property(cases, fc.integer({ min: 1, max: 40 }), fc.boolean(), ([length, groupShift, seed], windowLeaves, inBatches) => {
      const publisher = new TestPublisher(content.subarray(0, length), groupShift);
      const receiver = publisher.receiver({ keptMaximumBytes: windowLeaves * (publisher.record.geometry.leafBytes + 96) });
      const { verifier } = receiver;
      for (let round = 0; !verifier.isComplete; round += 1) {
        // What is missing is asked for again, as long as it takes: a round delivers two of three.
        if (round > 0) receiver.takeProofs(publisher);
        const asked = shuffled([...everything(publisher.leafCount).filter((index) => !verifier.has(index)).slice(0, 60), 0, publisher.leafCount - 1], seed + round).filter((_, position) => (position + seed + round) % 3 > 0);
        const incoming: IncomingFragment[] = asked.map((index) => ({ index, payload: publisher.fragment(index), source: round }));
        const verdicts: FragmentVerdict[] = [];
        if (inBatches) verifier.takeFragments(incoming, verdicts);
        else for (const { index, payload, source } of incoming) verdicts.push(verifier.takeFragment(index, payload, source));
        expect(verdicts).toHaveLength(incoming.length);
        expect(['verified', 'kept', 'duplicate', 'beyond-window', 'no-room']).toEqual(expect.arrayContaining(verdicts));
        expect(verifier.keptCount).toBeLessThanOrEqual(Math.max(4, windowLeaves));
        if (round > 3_000) expect.fail('no end');
      }
      expect(receiver.refusals).toEqual([]);
      expectWhole(receiver, publisher);
    }), { numRuns: 60 });
  });
});

describe('strands', () => {
  it('begin at any leaf by its proof, and join where they meet', () => {
    fc.assert(fc.property(cases, fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), ([length, groupShift, seed], places) => {
      const publisher = new TestPublisher(content.subarray(0, length), groupShift);
      const receiver = publisher.receiver();
      const firsts = [0, ...places.map((place) => place % publisher.leafCount)];
      for (const first of firsts) for (const payload of publisher.proof(first)) expect(['taken', 'duplicate']).toContain(receiver.verifier.takeProof(first, payload));
      // Several sources, each with its own stretch, in turn.
      const stretches = firsts.map((first) => everything(publisher.leafCount).slice(first));
      for (let turn = 0; !receiver.verifier.isComplete; turn += 1) {
        const stretch = stretches[(turn * 11 + seed) % stretches.length] ?? [];
        for (const index of stretch.splice(0, 5)) if (!receiver.verifier.has(index)) expect(receiver.verifier.takeFragment(index, publisher.fragment(index), turn)).toBe('verified');
        if (turn > 5_000) expect.fail('no end');
      }
      expectWhole(receiver, publisher);
    }), { numRuns: 60 });
  });

  it('are as many as allowed', () => {
    const publisher = new TestPublisher(content, 0);
    const { verifier } = publisher.receiver({ strandsMaximum: 3 });
    const begin = (first: number): string[] => publisher.proof(first).map((payload) => verifier.takeProof(first, payload));
    expect([begin(50), begin(100), begin(150), begin(50), begin(0)]).toEqual([['taken'], ['taken'], ['too-many-strands'], ['duplicate'], ['taken']]);
    // One that is joined makes room.
    for (let index = 0; index < 50; index += 1) expect(verifier.takeFragment(index, publisher.fragment(index), 1)).toBe('verified');
    expect([begin(20), begin(150)]).toEqual([['duplicate'], ['taken']]);
    expect(verifier.verifiedRanges).toEqual([{ start: 0, end: 50 }]);
  });

  it('take up what was kept before their proof came', () => {
    const publisher = new TestPublisher(content, 0);
    const receiver = publisher.receiver();
    for (const index of [0, 1, 2, 12, 11, 10]) expect(receiver.verifier.takeFragment(index, publisher.fragment(index), 1)).toBe('kept');
    for (const payload of publisher.proof(10)) receiver.verifier.takeProof(10, payload);
    expect(receiver.leaves).toEqual([10, 11, 12]);
    receiver.takeProofs(publisher);
    expect(receiver.leaves).toEqual([10, 11, 12, 0, 1, 2]);
    expect(receiver.verifier.keptCount).toBe(0);
  });

  it('forget all at once what a source that is not believed any more brought early', () => {
    const publisher = new TestPublisher(content, 0);
    const { verifier } = publisher.receiver().takeProofs(publisher);
    for (const index of [9, 5, 7, 6]) verifier.takeFragment(index, publisher.fragment(index), index % 2);
    expect(verifier.missing(8)).toEqual([0, 1, 2, 3, 4, 8, 10, 11]);
    expect(verifier.distrust(1)).toEqual([5, 7, 9]);
    expect(verifier.keptCount).toBe(1);
    expect(verifier.missing(8)).toEqual([0, 1, 2, 3, 4, 5, 7, 8]);
    expect(verifier.distrust(1)).toEqual([]);
  });
});

/** Content of any length that repeats one window, so that it need not be in memory. */
class EndlessPublisher {
  readonly record: LockstepRecord;
  readonly read: ReadBlock;
  static readonly #period = 2 ** 17;
  static readonly #twice = new Uint8Array(2 * EndlessPublisher.#period);

  constructor(lengthBytes: number) {
    EndlessPublisher.#twice.set(content.subarray(0, EndlessPublisher.#period));
    EndlessPublisher.#twice.set(content.subarray(0, EndlessPublisher.#period), EndlessPublisher.#period);
    const start = startRecord(tree, { lengthBytes, groupShift: 0, recordMaximumBytes: 200_000 });
    if (start.kind === 'refused') throw new Error(start.reason);
    for (let done = 0; done < lengthBytes; done += EndlessPublisher.#period) start.builder.update(this.#bytes(0, Math.min(EndlessPublisher.#period, lengthBytes - done)));
    const record = start.builder.finish() ?? expect.fail();
    this.record = record;
    this.read = (block) => this.#bytes(block * record.blockBytes, Math.min(record.blockBytes, lengthBytes - block * record.blockBytes));
  }

  fragment(index: number): Uint8Array {
    const { geometry } = this.record;
    const payload = new Uint8Array(fragmentPayloadBytes(geometry, index));
    encodeFragment(geometry, index, { hashes: this.record.hashesFor(index, this.read), leaf: this.#bytes(index * kib, leafLength(geometry, index)) }, payload);
    return payload;
  }

  verifier(verified: (index: number) => void): LockstepVerifier {
    const { root, geometry } = this.record;
    return createVerifier(tree, { root, length: geometry.lengthBytes }, 0, { sink: { verified, refused: () => expect.fail() } }) ?? expect.fail();
  }

  #bytes(start: number, length: number): Uint8Array {
    const from = start % EndlessPublisher.#period;
    return EndlessPublisher.#twice.subarray(from, from + length);
  }
}

describe('long content', () => {
  it('comes whole in any order within a window, with few hashes held and a small record', () => {
    fc.assert(fc.property(fc.integer({ min: 1_101, max: 2 ** 16 }), fc.nat(), (leafCount, seed) => {
      const publisher = new EndlessPublisher(leafCount * kib - (seed % kib));
      let count = 0;
      const verifier = publisher.verifier(() => { count += 1; });
      for (const payload of publisher.record.proofFor(0, publisher.read)) expect(verifier.takeProof(0, payload)).toBe('taken');
      const turn = 250;
      for (let first = 0; first < leafCount; first += turn) {
        // Asked for in order, so that a block's values are computed once; on the way the order is lost.
        const sent = everything(Math.min(turn, leafCount - first)).map((index): IncomingFragment => ({ index: first + index, payload: publisher.fragment(first + index), source: 1 }));
        verifier.takeFragments(shuffled(everything(sent.length), seed + first).flatMap((position) => sent.slice(position, position + 1)), []);
        if (verifier.valueCount > Math.floor(Math.log2(leafCount)) + 2) expect.fail(`${verifier.valueCount} hashes at ${first}`);
      }
      expect([verifier.isComplete, count]).toEqual([true, leafCount]);
    }), { numRuns: 3 });
  });

  it('has proofs in two parts where one is too long, each checked by itself', () => {
    const leafCount = 2 ** 18 + 77;
    const publisher = new EndlessPublisher(leafCount * kib - 3);
    const verified: number[] = [];
    const verifier = publisher.verifier((index) => verified.push(index));
    for (const first of [0, 2 ** 17 - 1, 2 ** 17, 2 ** 18 - 1, 2 ** 18, 123_457, leafCount - 2, leafCount - 1]) {
      const parts = publisher.record.proofFor(first, publisher.read);
      const long = first === 2 ** 17 - 1;
      expect(parts).toHaveLength(long ? 2 : 1);
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(1_089);
      if (long) {
        const [path = parts[0], ahead = path] = parts;
        if (path === undefined || ahead === undefined) throw new Error('no parts');
        expect(verifier.takeProof(first, ahead)).toBe('path-first');
        expect(verifier.takeProof(first, path.with(40, path[40] === 1 ? 2 : 1))).toBe('wrong-path');
        expect(verifier.takeProof(first, path)).toBe('half-taken');
        expect(verifier.takeProof(first, ahead.with(500, ahead[500] === 1 ? 2 : 1))).toBe('wrong-ahead');
        expect(verifier.takeProof(first, ahead)).toBe('taken');
      } else {
        for (const part of parts) expect(['taken', 'duplicate']).toContain(verifier.takeProof(first, part));
      }
      for (let index = first; index < Math.min(first + 40, leafCount); index += 1) {
        if (!verifier.has(index)) expect(verifier.takeFragment(index, publisher.fragment(index), 1)).toBe('verified');
      }
    }
    expect(verified).toHaveLength(new Set(verified).size);
    expect(verified.length).toBeGreaterThan(160);
    expect(verifier.valueCount).toBeLessThanOrEqual(8 * 20);
  });
});

describe('a snapshot', () => {
  it('goes on from the verified leaves after a restart', () => {
    fc.assert(fc.property(cases, fc.double({ min: 0, max: 1, noNaN: true }), ([length, groupShift, seed], share) => {
      const publisher = new TestPublisher(content.subarray(0, length), groupShift);
      const before = publisher.receiver();
      const seek = seed % publisher.leafCount;
      for (const payload of publisher.proof(seek)) before.verifier.takeProof(seek, payload);
      before.takeProofs(publisher);
      const order = [...everything(publisher.leafCount).slice(seek), ...everything(seek)];
      for (const index of order.slice(0, Math.floor(order.length * share))) before.verifier.takeFragment(index, publisher.fragment(index), 1);
      const after = publisher.receiver({ verified: before.verifier.snapshot.verified });
      after.received.set(before.received);
      expect(after.verifier.verifiedRanges).toEqual(before.verifier.verifiedRanges);
      for (let round = 0; round < 4; round += 1) {
        after.takeProofs(publisher);
        for (const index of everything(publisher.leafCount)) if (!after.verifier.has(index)) expect(after.verifier.takeFragment(index, publisher.fragment(index), 1)).toBe('verified');
      }
      after.leaves.push(...before.leaves);
      expectWhole(after, publisher);
    }), { numRuns: 60 });
  });

  it('is taken for its own content only', () => {
    const { record } = new TestPublisher(content, 0);
    const name = { root: record.root, length: content.length };
    const settings = { sink: { verified: () => undefined, refused: () => undefined } };
    const stored = encodeSnapshot({ root: record.root, geometry: record.geometry, verified: [{ start: 0, end: 7 }] });
    expect(resumeVerifier(tree, name, stored, settings)?.proofsWanted).toEqual([7]);
    expect(resumeVerifier(tree, { ...name, length: name.length - 1 }, stored, settings)).toBeUndefined();
    expect(resumeVerifier(tree, { ...name, root: new Uint8Array(32) }, stored, settings)).toBeUndefined();
    expect(resumeVerifier(tree, name, stored.subarray(1), settings)).toBeUndefined();
  });
});
