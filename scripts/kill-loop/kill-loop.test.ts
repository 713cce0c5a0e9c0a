import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../sim/random.ts';
import { messageMaximumBytes } from '../../src/shared/views.ts';
import { Moments } from './moments.ts';
import { actorNames, planRound, textOf } from './plan.ts';
import { judge, type Evidence } from './verdict.ts';

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

describe('The plan of a round', () => {
  it('is the same for the same seed and kills each of the three sooner or later', () => {
    const plans = Array.from({ length: 50 }, (_, index) => planRound(new SeededRandom(`seed ${String(index)}`)));
    expect(planRound(new SeededRandom('seed 7'))).toEqual(plans[7]);
    expect(new Set(plans.flatMap(({ kills }) => kills.map(({ who }) => who)))).toEqual(new Set(actorNames));
    for (const { messages, kills } of plans) {
      expect(messages.length).toBeGreaterThan(1);
      expect(kills.length).toBeGreaterThan(0);
      expect(new Set(kills.map(({ who }) => who)).size).toBe(kills.length);
    }
  });

  it('writes texts of the wanted size that fit a message and differ', () => {
    const random = new SeededRandom('texts');
    const texts = [24, 300, 5_000, 60_000].map((sizeBytes, index) => textOf(random, 3, index, sizeBytes));
    expect(new Set(texts).size).toBe(texts.length);
    expect(sizeOf(texts[3] ?? '')).toBeGreaterThan(59_000);
    for (const text of texts) expect(sizeOf(text)).toBeLessThan(messageMaximumBytes);
  });
});

describe('A moment', () => {
  it('is reached when it has happened often enough, before or after somebody waits for it', async () => {
    const moments = new Moments();
    moments.note('shown');
    await moments.reached('shown', 1, 60_000);
    const second = moments.reached('shown', 2, 60_000);
    moments.note('stored');
    moments.note('shown');
    await expect(second).resolves.toBeUndefined();
  });

  it('is not waited for longer than patience lasts', async () => {
    await expect(new Moments().reached('stored', 1, 1)).resolves.toBeUndefined();
  });
});

describe('The verdict', () => {
  const evidence: Evidence = {
    sent: [{ text: 'one', messageId: 'a' }, { text: 'two', messageId: undefined }, { text: 'three', messageId: 'c' }],
    shown: ['one', 'three'], kept: ['one', 'three'], states: new Map([['one', 'delivered'], ['three', 'read']]),
  };
  const clean = { acknowledged: 2, lost: [], strange: [], shownTwice: [], keptTwice: [], notShown: [], wrongState: [] };

  it('finds nothing when an unacknowledged message is missing or has arrived', () => {
    expect(judge(evidence)).toEqual(clean);
    expect(judge({ ...evidence, shown: ['one', 'two', 'three'], kept: ['one', 'two', 'three'] })).toEqual(clean);
  });

  it('finds what was lost, repeated, altered, not shown, or is in a wrong state', () => {
    expect(judge({ ...evidence, shown: ['one'], kept: ['one'] })).toEqual({ ...clean, lost: ['three'] });
    expect(judge({ ...evidence, shown: ['one', 'three', 'one'] })).toEqual({ ...clean, shownTwice: ['one'] });
    expect(judge({ ...evidence, kept: ['one', 'three', 'three'] })).toEqual({ ...clean, keptTwice: ['three'] });
    expect(judge({ ...evidence, shown: ['one'] })).toEqual({ ...clean, notShown: ['three'] });
    expect(judge({ ...evidence, shown: ['one', 'three', 'thr'], kept: ['one', 'three', 'thr'] })).toEqual({ ...clean, strange: ['thr'] });
    expect(judge({ ...evidence, states: new Map([['one', 'stored']]) })).toEqual({ ...clean, wrongState: ['three: gone', 'one: stored'] });
  });
});
