import { describe, expect, it } from 'vitest';
import { NonceMemory, noncesMaximum, noncesPerSessionMaximum } from './nonces.ts';
import { PendingInterests, hopLimitMaximum, interestLifetimeMs, overtakenByMs, repeatSpacingMaximumMs, repeatSpacingMs, waitingMaximum, waitingPerSessionMaximum } from './pending-interests.ts';
import type { InterestOutcome } from './pending-interests.ts';
import type { Interest, ItemKind } from './types.ts';

let nonces = 0;
const interestOf = (from: number, items: readonly number[], fields: Partial<Interest> = {}): Interest => {
  nonces += 1;
  return { from, nameId: 'name', kind: 'fragment', items, nonce: `nonce ${String(nonces)}`, hopLimit: 4, ...fields };
};
const itemsOf = (outcome: InterestOutcome): readonly number[] => (outcome.kind === 'forward' ? outcome.items : []);
const range = (count: number, first = 0): number[] => Array.from({ length: count }, (_, index) => first + index);

/** Asks, and notes what is to be forwarded as asked of a holder. */
function ask(table: PendingInterests, interest: Interest, to: number, nowMs: number): readonly number[] {
  const items = itemsOf(table.interested(interest, nowMs));
  table.forwarded(interest.nameId, interest.kind, items, to, nowMs);
  return items;
}

const [alice, bob, carol, holder, other] = [1, 2, 3, 8, 9];

describe('aggregation', () => {
  it('forwards what is not asked for yet, and sends the response to each session once', () => {
    const table = new PendingInterests();
    expect(ask(table, interestOf(alice, [0, 1, 2]), holder, 0)).toEqual([0, 1, 2]);
    expect(ask(table, interestOf(bob, [1, 2, 3]), holder, 5)).toEqual([3]);
    expect(table.interested(interestOf(carol, [2]), 6)).toEqual({ kind: 'pending' });
    expect(table.counters['interest-aggregated']).toBe(3);
    expect(table.answered('name', 'fragment', 2, holder)).toEqual([alice, bob, carol]);
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([alice]);
    expect(table.answered('name', 'fragment', 2, holder)).toEqual([]);
    expect(table.size).toBe(3);
  });

  it('keeps fragments and proofs, and different names, apart', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [4]), holder, 0);
    expect(ask(table, interestOf(bob, [4], { kind: 'proof' }), holder, 0)).toEqual([4]);
    expect(ask(table, interestOf(carol, [4], { nameId: 'another' }), holder, 0)).toEqual([4]);
    expect(table.answered('name', 'whole', 4, holder)).toEqual([bob]);
    expect(table.answered('another', 'fragment', 4, holder)).toEqual([carol]);
    expect(table.answered('name', 'fragment', 4, holder)).toEqual([alice]);
    expect(table.nameCount).toBe(0);
  });

  it('does not join what was never forwarded, or what was asked for too long ago', () => {
    const table = new PendingInterests();
    expect(itemsOf(table.interested(interestOf(alice, [0]), 0))).toEqual([0]);
    expect(ask(table, interestOf(bob, [0]), holder, 1)).toEqual([0]);
    expect(ask(table, interestOf(carol, [0]), holder, interestLifetimeMs)).toEqual([]);
    // Time has passed, and nobody was there to expire it.
    expect(ask(table, interestOf(4, [0]), other, interestLifetimeMs + 1)).toEqual([0]);
    expect(table.handleTimeout(interestLifetimeMs + 1)).toEqual([{ nameId: 'name', session: holder, askedAtMs: 1, items: 1 }]);
  });

  it('gives each waiting session both parts of a proof, whenever it joined', () => {
    const table = new PendingInterests();
    const proof: Partial<Interest> = { kind: 'proof' };
    ask(table, interestOf(alice, [7], proof), holder, 0);
    expect(table.answered('name', 'path', 7, holder)).toEqual([alice]);
    expect(table.answered('name', 'path', 7, holder)).toEqual([]);
    // It would miss the path that has gone by.
    expect(ask(table, interestOf(bob, [7], proof), holder, 1)).toEqual([7]);
    expect(table.answered('name', 'ahead', 7, holder)).toEqual([alice, bob]);
    expect(table.answered('name', 'path', 7, holder)).toEqual([bob]);
    expect([table.size, table.counters['answer-repeated']]).toEqual([0, 1]);
  });
});

describe('a session that repeats its request', () => {
  it('has it forwarded again, each time at twice the distance', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0]), holder, 0);
    const forwardedAt: number[] = [];
    for (let nowMs = 1; nowMs <= 3_000; nowMs += 1) if (ask(table, interestOf(alice, [0]), holder, nowMs).length > 0) forwardedAt.push(nowMs);
    expect(forwardedAt.slice(0, 4)).toEqual([10, 30, 70, 150]);
    const distances = forwardedAt.map((at, index) => at - (forwardedAt[index - 1] ?? 0));
    expect(Math.min(...distances)).toBe(repeatSpacingMs);
    expect(Math.max(...distances)).toBe(repeatSpacingMaximumMs);
    expect(table.counters['repeat-too-soon']).toBe(3_000 - forwardedAt.length);
    expect(table.size).toBe(1);
  });

  it('may do so for what another session asked for first, and gets the response once', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0]), holder, 0);
    expect(ask(table, interestOf(bob, [0]), holder, 1)).toEqual([]);
    expect(ask(table, interestOf(bob, [0]), other, overtakenByMs)).toEqual([0]);
    expect(table.answered('name', 'fragment', 0, other)).toEqual([alice, bob]);
    // The one that was overtaken is reported, its late response is not wanted.
    expect(table.pollTimeout()).toMatchObject({ atMs: overtakenByMs });
    expect(table.handleTimeout(overtakenByMs)).toEqual([{ nameId: 'name', session: holder, askedAtMs: 0, items: 1 }]);
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([]);
  });

  it('gives no bad name to a holder that had no time to answer', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0]), holder, 0);
    ask(table, interestOf(alice, [0]), other, overtakenByMs - 1);
    expect(table.answered('name', 'fragment', 0, other)).toEqual([alice]);
    expect(table.handleTimeout(overtakenByMs)).toEqual([]);
  });

  it('has it forwarded at once when the first response has gone by', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0]), holder, 0);
    table.answered('name', 'fragment', 0, holder);
    expect(ask(table, interestOf(alice, [0]), holder, 1)).toEqual([0]);
  });

  it('gets both parts of a proof again: one of them may have been lost behind us', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0], { kind: 'proof' }), holder, 0);
    expect(table.answered('name', 'path', 0, holder)).toEqual([alice]);
    expect(ask(table, interestOf(alice, [0], { kind: 'proof' }), holder, 20)).toEqual([0]);
    expect(table.answered('name', 'path', 0, holder)).toEqual([alice]);
    expect(table.answered('name', 'ahead', 0, holder)).toEqual([alice]);
    expect(table.size).toBe(0);
  });

  it('may use the nonce again', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0], { nonce: 'same' }), holder, 0);
    expect(ask(table, interestOf(alice, [0], { nonce: 'same' }), holder, 20)).toEqual([0]);
  });
});

describe('circles', () => {
  it('are seen by the nonce, also when the interest has long been answered', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0], { nonce: 'n' }), holder, 0);
    expect(table.interested(interestOf(bob, [0], { nonce: 'n' }), 1)).toEqual({ kind: 'refused', reason: 'loop' });
    table.answered('name', 'fragment', 0, holder);
    expect(table.interested(interestOf(bob, [0], { nonce: 'n' }), 7_999)).toEqual({ kind: 'refused', reason: 'loop' });
    expect(table.interested(interestOf(bob, [0], { nonce: 'n', nameId: 'another' }), 7_999).kind).toBe('forward');
    expect(table.interested(interestOf(bob, [0], { nonce: 'n' }), 8_001).kind).toBe('forward');
    expect(table.counters['interest-refused-loop']).toBe(2);
  });

  it('end with the hop limit, which is cut on entry', () => {
    const table = new PendingInterests();
    expect(table.interested(interestOf(alice, [0], { hopLimit: 0 }), 0)).toEqual({ kind: 'refused', reason: 'hop-limit' });
    expect(table.interested(interestOf(alice, [0], { hopLimit: Number.NaN }), 0)).toEqual({ kind: 'refused', reason: 'hop-limit' });
    expect([table.size, table.nonceCount]).toEqual([0, 0]);
    expect(table.interested(interestOf(alice, [1], { hopLimit: 1 }), 0)).toMatchObject({ hopLimit: 0 });
    expect(table.interested(interestOf(alice, [2], { hopLimit: 255 }), 0)).toMatchObject({ hopLimit: hopLimitMaximum - 1 });
  });

  it('of two that ask each other for the same thing are refused', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0, 1]), holder, 0);
    expect(table.interested(interestOf(holder, [0, 1]), 1)).toEqual({ kind: 'refused', reason: 'loop' });
    expect(ask(table, interestOf(holder, [1, 2]), other, 1)).toEqual([2]);
    expect(table.counters['interest-crossed']).toBe(3);
    // Another was asked as well: then it may wait for that one.
    expect(ask(table, interestOf(alice, [0]), other, 20)).toEqual([0]);
    expect(table.interested(interestOf(holder, [0]), 21)).toEqual({ kind: 'pending' });
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([alice]);
  });

  it('are remembered within bounds, and a flood of nonces makes a session forget its own', () => {
    const memory = new NonceMemory();
    expect(memory.note('name', 'first', bob, 0)).toBe('new');
    for (let count = 0; count < 5_000; count += 1) memory.note('name', `flood ${String(count)}`, alice, 1);
    expect(memory.size).toBe(1 + noncesPerSessionMaximum);
    expect(memory.note('name', 'first', alice, 2)).toBe('loop');
    expect(memory.note('name', 'first', bob, 2)).toBe('again');
    expect(memory.note('name', 'flood 0', bob, 2)).toBe('new');
    expect(memory.note('name', 'flood 4999', bob, 2)).toBe('loop');
    for (let count = 0; count < 60_000; count += 1) memory.note('name', `many ${String(count)}`, 100 + (count % 60), 3);
    expect(memory.size).toBe(noncesMaximum);
    memory.handleTimeout(memory.pollTimeout()?.atMs ?? 0);
    expect([memory.size, memory.pollTimeout()]).toEqual([0, undefined]);
  });
});

describe('responses that are not wanted', () => {
  it('go to nobody and are counted', () => {
    const table = new PendingInterests();
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([]);
    ask(table, interestOf(alice, [0]), holder, 0);
    expect(table.answered('name', 'fragment', 0, other)).toEqual([]);
    expect(table.answered('name', 'whole', 0, holder)).toEqual([]);
    expect(table.answered('name', 'fragment', 0, alice)).toEqual([]);
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([alice]);
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([]);
    expect(table.counters).toEqual({ 'answer-unasked': 3, 'answer-from-stranger': 2 });
  });

  it('are also those that come after the interest has expired', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0, 1]), holder, 0);
    expect(table.pollTimeout()).toMatchObject({ atMs: interestLifetimeMs });
    expect(table.handleTimeout(interestLifetimeMs - 1)).toEqual([]);
    expect(table.handleTimeout(interestLifetimeMs)).toEqual([{ nameId: 'name', session: holder, askedAtMs: 0, items: 2 }]);
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([]);
    expect([table.size, table.nameCount, table.counters['interest-expired'], table.counters['answer-unasked']]).toEqual([0, 0, 2, 1]);
  });
});

describe('an interest', () => {
  it('lives as long as one session repeats it, and each session waits for itself', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0]), holder, 0);
    ask(table, interestOf(bob, [0]), holder, 1_000);
    for (let nowMs = 2_000; nowMs <= 8_000; nowMs += 2_000) {
      ask(table, interestOf(bob, [0]), holder, nowMs);
      table.handleTimeout(nowMs);
    }
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([bob]);
  });

  it('does not suffer from time that runs backwards', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0]), holder, 5_000);
    ask(table, interestOf(bob, [1]), holder, 1_000);
    expect(table.handleTimeout(0)).toEqual([]);
    expect(table.pollTimeout()).toMatchObject({ atMs: 5_000 + interestLifetimeMs });
    table.handleTimeout(5_000 + interestLifetimeMs);
    expect(table.size).toBe(0);
  });
});

describe('negative answers', () => {
  it('reach all that wait for the name from that holder, once', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0, 1, 2]), holder, 0);
    ask(table, interestOf(bob, [1], { kind: 'proof' }), holder, 0);
    ask(table, interestOf(carol, [5]), other, 0);
    ask(table, interestOf(carol, [6], { nameId: 'another' }), holder, 0);
    expect(table.answeredNegative('name', other + 1)).toEqual([]);
    expect(table.answeredNegative('name', holder)).toEqual([alice, bob]);
    expect(table.answeredNegative('name', holder)).toEqual([]);
    expect(table.counters['negative-unasked']).toBe(2);
    expect([table.size, table.waitingOf(carol)]).toEqual([2, 2]);
    expect(ask(table, interestOf(alice, [0]), other, 1)).toEqual([0]);
  });

  it('end nothing that another was asked for too', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0, 1]), holder, 0);
    ask(table, interestOf(alice, [0]), other, 20);
    expect(table.answeredNegative('name', holder)).toEqual([alice]);
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([]);
    expect(table.answered('name', 'fragment', 0, other)).toEqual([alice]);
    expect(table.size).toBe(0);
  });

  it('may be about some items only', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0, 1, 2]), holder, 0);
    expect(table.answeredNegative('name', holder, { kind: 'fragment', items: [1, 9] })).toEqual([alice]);
    expect(table.answeredNegative('name', holder, { kind: 'proof', items: [0] })).toEqual([]);
    expect([table.waitingOf(alice), table.counters['negative-unasked']]).toEqual([2, 1]);
  });

  it('give back what can be asked of another, with what the request said', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0, 1], { nonce: 'first' }), holder, 0);
    ask(table, interestOf(bob, [1, 2], { nonce: 'second', hopLimit: 2 }), holder, 0);
    expect(table.rejected('name', holder)).toEqual([
      { nameId: 'name', kind: 'fragment', items: [0, 1], nonce: 'first', hopLimit: 3, tries: 1, except: [holder, alice, bob] },
      { nameId: 'name', kind: 'fragment', items: [2], nonce: 'second', hopLimit: 1, tries: 1, except: [holder, bob] },
    ]);
    table.forwarded('name', 'fragment', [0, 1], other, 1);
    expect(table.answered('name', 'fragment', 1, other)).toEqual([alice, bob]);
    expect(table.refused('name', 'fragment', [0, 1, 2])).toEqual([alice, bob]);
    expect(table.size).toBe(0);
  });
});

describe('a lost session', () => {
  it('is waited for no more, and what it was asked for is given back', () => {
    const table = new PendingInterests();
    ask(table, interestOf(alice, [0, 1]), holder, 0);
    ask(table, interestOf(bob, [1]), holder, 0);
    ask(table, interestOf(holder, [5]), other, 0);
    expect(table.sessionLost(alice)).toEqual([]);
    expect(table.answered('name', 'fragment', 0, holder)).toEqual([]);
    expect(table.sessionLost(holder)).toMatchObject([{ items: [1], except: [holder, bob] }]);
    expect([table.waitingOf(holder), table.waitingOf(bob)]).toEqual([0, 1]);
    expect(table.answered('name', 'fragment', 1, holder)).toEqual([]);
    expect(table.answered('name', 'fragment', 5, other)).toEqual([]);
    table.forwarded('name', 'fragment', [1], other, 1);
    expect(table.answered('name', 'fragment', 1, other)).toEqual([bob]);
    expect(table.sessionLost(holder)).toEqual([]);
  });
});

describe('bounds', () => {
  it('a session that asks for too much loses its own oldest, and others nothing', () => {
    const table = new PendingInterests();
    ask(table, interestOf(bob, range(64)), holder, 0);
    let answered = 0;
    for (let count = 0; count < 100_000; count += 1) {
      ask(table, interestOf(alice, [0], { nameId: `no such name ${String(count)}` }), holder, 1 + count / 100);
      if (count % 1_000 !== 0) continue;
      // Meanwhile another works.
      ask(table, interestOf(carol, [count]), holder, 1 + count / 100);
      answered += table.answered('name', 'fragment', count, holder).filter((session) => session === carol).length;
    }
    expect(answered).toBe(100);
    expect(table.waitingOf(alice)).toBe(waitingPerSessionMaximum);
    expect([table.size, table.nameCount, table.waitingOf(bob)]).toEqual([waitingPerSessionMaximum + 63, waitingPerSessionMaximum + 1, 63]);
    expect(table.counters['interest-evicted-own']).toBe(100_000 - waitingPerSessionMaximum);
    expect(table.counters['interest-evicted']).toBeUndefined();
    expect(table.nonceCount).toBeLessThanOrEqual(noncesPerSessionMaximum + 101);
    expect(table.answered('name', 'fragment', 63, holder)).toEqual([bob]);
    table.handleTimeout(10_000);
    expect([table.size, table.nameCount]).toEqual([0, 0]);
  });

  it('a full table evicts what was asked for least recently, which costs a packet and no more', () => {
    const table = new PendingInterests();
    const sessions = range(20, 100);
    for (const session of sessions) for (let first = 0; first < 4_096; first += 64) ask(table, interestOf(session, range(64, first), { nameId: `of ${String(session)}` }), holder, session);
    expect(table.size).toBe(waitingMaximum);
    expect(table.counters['interest-evicted']).toBe(20 * 4_096 - waitingMaximum);
    expect(sessions.map((session) => table.waitingOf(session))).toEqual([0, 0, 0, 0, ...Array.from({ length: 16 }, () => 4_096)]);
    expect(table.answered('of 100', 'fragment', 0, holder)).toEqual([]);
    expect(ask(table, interestOf(100, [0], { nameId: 'of 100' }), holder, 200)).toEqual([0]);
    expect(table.answered('of 100', 'fragment', 0, holder)).toEqual([100]);
    expect(table.answered('of 119', 'fragment', 4_095, holder)).toEqual([119]);
  });

  it('what a session repeats is not its oldest', () => {
    const table = new PendingInterests({ lifetimeMs: 4_000, perSession: 3, total: 10 });
    ask(table, interestOf(alice, [0, 1, 2]), holder, 0);
    ask(table, interestOf(alice, [0]), holder, 1);
    ask(table, interestOf(alice, [3]), holder, 2);
    const kind: ItemKind = 'fragment';
    expect([0, 1, 2, 3].map((item) => table.isAskedOf(holder, 'name', kind, item))).toEqual([true, false, true, true]);
  });

  it('an item is expected from the last four that were asked', () => {
    const table = new PendingInterests();
    for (let count = 0; count < 6; count += 1) ask(table, interestOf(alice, [0]), 20 + count, count * 1_000);
    expect([20, 21, 22, 25].map((session) => table.isAskedOf(session, 'name', 'fragment', 0))).toEqual([false, false, true, true]);
    expect(table.answered('name', 'fragment', 0, 20)).toEqual([]);
    for (const session of [22, 23, 24]) expect(table.rejected('name', session)).toEqual([]);
    expect(table.rejected('name', 25)).toMatchObject([{ items: [0], tries: 4 }]);
    // It was passed over for others, and has nothing to give back.
    expect(table.sessionLost(20)).toEqual([]);
  });
});
