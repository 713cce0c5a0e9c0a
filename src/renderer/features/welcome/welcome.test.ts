import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recoveryWords } from '../../dev/samples.ts';
import { passphraseProblem } from './passphrase.ts';
import { quizPositions } from './quiz.ts';
import { secretFrom } from './secret-input.ts';

describe('bringing an identity along', () => {
  it('takes words however they were written down', () => {
    const words = recoveryWords.join(' ');
    expect(secretFrom(words)).toEqual({ words });
    expect(secretFrom(recoveryWords.map((word, index) => `${String(index + 1)}. ${word.toUpperCase()}`).join('\n'))).toEqual({ words });
  });
  it('takes a secret key as Skywire writes it', () => {
    expect(secretFrom(` ${'Ab'.repeat(32)} `)).toEqual({ secretKey: 'ab'.repeat(32) });
  });
  it('takes nothing else', () => {
    expect(secretFrom('')).toBeUndefined();
    expect(secretFrom(recoveryWords.slice(1).join(' '))).toBeUndefined();
    expect(secretFrom('ab'.repeat(33))).toBeUndefined();
  });
});

describe('protecting a new identity', () => {
  it('asks for one word from each third of the list', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 3, maxLength: 3 }), (numbers) => {
      const left = [...numbers];
      const positions = quizPositions(() => left.shift() ?? 0);
      expect(positions.map((position) => Math.floor(position / 8))).toEqual([0, 1, 2]);
    }));
  });
  it('explains what is wrong with a passphrase', () => {
    expect(passphraseProblem('short', 'short')).toContain('at least 8');
    expect(passphraseProblem('long enough', 'different')).toContain('not the same');
    expect(passphraseProblem('long enough', 'long enough')).toBeUndefined();
  });
});
