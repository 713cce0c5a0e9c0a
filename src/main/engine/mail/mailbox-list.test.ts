import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { responsePayloadMaximumBytes } from '../wire/frame.ts';
import { decodeListFragment } from '../wire/responses.ts';
import { packList } from './mailbox-list.ts';
import type { ListEntry, ListFragment } from '../wire/types.ts';

const epoch = new Uint8Array(8).fill(3);
const entry = (sequence: number, inlineBytes: number): ListEntry => ({
  sequence, letterId: new Uint8Array(32).fill(sequence), lane: 'letter', remainingSeconds: 60, heldForSeconds: 1, bodyRoot: new Uint8Array(32), bodyLength: 256,
  header: new Uint8Array(453), inlineBody: inlineBytes === 0 ? undefined : new Uint8Array(inlineBytes),
});
const unpack = (payloads: readonly Uint8Array[]): readonly ListFragment[] => payloads.map((payload) => {
  const fragment = decodeListFragment(payload);
  if (fragment === undefined) throw new Error('not a list fragment');
  return fragment;
});

describe('packing a list', () => {
  it('of nothing gives one empty fragment with the epoch', () => {
    expect(unpack(packList(epoch, [], 0, 16))).toEqual([{ epoch, remaining: 0, entries: [] }]);
  });

  it('puts two letters without body into a fragment, and one with an inline body', () => {
    expect(unpack(packList(epoch, [1, 2, 3].map((sequence) => entry(sequence, 0)), 4, 16)).map(({ entries, remaining }) => [entries.length, remaining])).toEqual([[2, 5], [1, 4]]);
    expect(unpack(packList(epoch, [1, 2].map((sequence) => entry(sequence, 272)), 0, 16)).map(({ entries, remaining }) => [entries.length, remaining])).toEqual([[1, 1], [1, 0]]);
  });

  it('keeps every fragment within a frame, order, bound and count, for any mixture', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(0, 256, 272), { maxLength: 60 }), fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1, max: 16 }), (bodies, remaining, most) => {
      const entries = bodies.map((inlineBytes, index) => entry(index + 1, inlineBytes));
      const payloads = packList(epoch, entries, remaining, most);
      expect(payloads.length).toBeLessThanOrEqual(most);
      expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(responsePayloadMaximumBytes);
      const fragments = unpack(payloads);
      const listed = fragments.flatMap((fragment) => fragment.entries.map(({ sequence }) => sequence));
      expect(listed).toEqual(entries.slice(0, listed.length).map(({ sequence }) => sequence));
      let sum = 0;
      for (const fragment of fragments) {
        sum += fragment.entries.length;
        expect(fragment.remaining).toBe(remaining + entries.length - sum);
      }
      if (payloads.length < most) expect(listed).toHaveLength(entries.length);
    }));
  });

  it('leaves out an inline body that no fragment could hold', () => {
    const [fragment] = unpack(packList(epoch, [entry(1, 1_000)], 0, 1));
    expect(fragment?.entries.map(({ inlineBody }) => inlineBody)).toEqual([undefined]);
  });
});
