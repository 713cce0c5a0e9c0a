import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { relayTestSteps } from '../../../shared/relay-tests.ts';
import { outcomesMaximum, readOutcomes, standingOf, type CanaryOutcome } from './relay-reliability.ts';

const outcomes = (...results: readonly CanaryOutcome['result'][]): readonly CanaryOutcome[] => results.map((result, index) => ({ atMs: index, result, tookMs: 0 }));
const relay = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';

describe('the standing of a relay', () => {
  it.each(['lost', 'withheld', 'replayed'] as const)('one that %s a letter is demoted at once', (lie) => {
    expect(standingOf(outcomes('ok', 'ok', lie))).toBe('demoted');
  });

  it.each(['refused', 'silent'] as const)('three times %s in a row demote, two do not, and a success between starts anew', (failure) => {
    expect(standingOf(outcomes(failure, failure))).toBe('reliable');
    expect(standingOf(outcomes(failure, failure, 'ok', failure, failure))).toBe('reliable');
    expect(standingOf(outcomes('ok', failure, failure, failure))).toBe('demoted');
  });

  it('one success puts it on trial, three in a row make it reliable, two failures in a row end the trial', () => {
    expect(standingOf(outcomes('lost', 'silent', 'ok'))).toBe('trial');
    expect(standingOf(outcomes('lost', 'ok', 'ok'))).toBe('trial');
    expect(standingOf(outcomes('lost', 'ok', 'ok', 'ok'))).toBe('reliable');
    expect(standingOf(outcomes('lost', 'ok', 'silent', 'ok', 'ok'))).toBe('trial');
    expect(standingOf(outcomes('lost', 'ok', 'silent'))).toBe('trial');
    expect(standingOf(outcomes('lost', 'ok', 'silent', 'silent'))).toBe('demoted');
  });

  it('whatever came before, three successes in a row are never demoted, and a lie at the end always is', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom<CanaryOutcome['result']>('ok', ...relayTestSteps)), (before) => {
      expect(standingOf(outcomes(...before, 'ok', 'ok', 'ok', 'ok'))).toBe('reliable');
      expect(standingOf(outcomes(...before, 'lost'))).toBe('demoted');
    }));
  });
});

describe('outcomes as they are kept', () => {
  it('what is damaged is left out, and the rest is read', () => {
    expect(readOutcomes(undefined).size).toBe(0);
    expect(readOutcomes('{').size).toBe(0);
    expect(readOutcomes('{"a":1}').size).toBe(0);
    expect([...readOutcomes(JSON.stringify([['no key', []], 7, [relay, [[5, 0, 12], [6, 99, 1], [-1, 0, 1], [7, 1.5, 0], 'x', [8, 1, 0]]]])).values()]).toEqual([[{ atMs: 5, result: 'ok', tookMs: 12 }, { atMs: 8, result: 'lost', tookMs: 0 }]]);
  });

  it('never more than the last sixty-four, whatever the row says', () => {
    const all = readOutcomes(JSON.stringify([[relay, Array.from({ length: 1_000 }, (_, index) => [index, 0, 1])]])).get(relay) ?? [];
    expect(all).toHaveLength(outcomesMaximum);
    expect(all[0]?.atMs).toBe(1_000 - outcomesMaximum);
  });

  it('no text makes reading throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => { expect(readOutcomes(text)).toBeInstanceOf(Map); }));
  });
});
