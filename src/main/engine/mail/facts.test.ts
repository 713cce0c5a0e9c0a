import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveHeadline, holders, mergeFacts, type LiveState } from './facts.ts';
import type { LetterFacts } from './visor-store.ts';

const idle: LiveState = { sendingNow: false, reason: undefined, nextTryWallMs: undefined, wantedCopies: 2, relayName: (key) => key };
const time = fc.integer({ min: 1, max: 1000 });
const held = fc.record({ relay: fc.constantFrom('a', 'b', 'c'), sinceMs: time, untilMs: time, lostAtMs: time }, { requiredKeys: ['relay', 'sinceMs', 'untilMs'] });
const fact: fc.Arbitrary<LetterFacts> = fc.oneof(
  held.map((one): LetterFacts => ({ held: [one] })),
  fc.constantFrom('sendingSinceMs', 'fetchedAtMs', 'deliveredAtMs', 'readAtMs', 'expiredAtMs', 'unconfirmedAtMs', 'cancelledAtMs').chain((key) => time.map((at): LetterFacts => ({ [key]: at }))),
  time.map((atMs): LetterFacts => ({ failed: { reason: 'blocked', atMs } })),
);

/** The rank of architecture 9; `unconfirmed` is what an expired letter says until its receipts had their chance. */
const rank = { queued: 0, sending: 1, stored: 2, unconfirmed: 3, failed: 4, expired: 4, cancelled: 4, delivered: 5, read: 6, draft: -1, received: -1 };

describe('letter facts', () => {
  it('give the same result in any order and however often they come', () => {
    fc.assert(fc.property(fc.array(fact, { maxLength: 8 }), fc.integer(), (facts, seed) => {
      const forward = facts.reduce(mergeFacts, {});
      const shuffled = [...facts, ...facts].map((value, index) => ({ value, key: (index * 7919 + seed) % 13 })).sort((a, b) => a.key - b.key).map(({ value }) => value);
      expect(shuffled.reduce(mergeFacts, {})).toEqual(forward);
    }));
  });

  it('never lower the headline, except that a held copy may be lost', () => {
    fc.assert(fc.property(fc.array(fact.filter((value) => value.held?.[0]?.lostAtMs === undefined), { maxLength: 8 }), (facts) => {
      let merged: LetterFacts = {};
      let before = rank[deriveHeadline(merged, idle).state];
      for (const next of facts) {
        merged = mergeFacts(merged, next);
        const after = rank[deriveHeadline(merged, idle).state];
        expect(after).toBeGreaterThanOrEqual(before);
        before = after;
      }
    }));
  });

  it('turn expired and cancelled into delivered when a receipt comes late', () => {
    expect(deriveHeadline({ cancelledAtMs: 5, deliveredAtMs: 9 }, idle).state).toBe('delivered');
    expect(deriveHeadline({ expiredAtMs: 5, deliveredAtMs: 9 }, idle).state).toBe('delivered');
  });

  it('say "queued" again with the reason when the only copy was lost', () => {
    const facts: LetterFacts = { held: [{ relay: 'a', sinceMs: 1, untilMs: 9, lostAtMs: 2 }] };
    expect(holders(facts)).toEqual([]);
    expect(deriveHeadline(facts, { ...idle, reason: 'held-copy-lost' })).toEqual({ state: 'queued', reason: 'held-copy-lost' });
  });

  it('count a relay again after a newer receipt', () => {
    const lost = mergeFacts({ held: [{ relay: 'a', sinceMs: 1, untilMs: 9 }] }, { held: [{ relay: 'a', sinceMs: 1, untilMs: 9, lostAtMs: 2 }] });
    const again = mergeFacts(lost, { held: [{ relay: 'a', sinceMs: 3, untilMs: 12 }] });
    expect(holders(again)).toHaveLength(1);
  });
});
