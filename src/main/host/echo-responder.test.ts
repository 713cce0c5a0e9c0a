import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageMaximumBytes } from '../../shared/views.ts';
import { echoText } from './echo-responder.ts';

const sizeBytes = (text: string): number => new TextEncoder().encode(text).length;

describe('what Echo answers', () => {
  it('is the text itself behind its name', () => {
    expect(echoText('hello')).toBe('Echo: hello');
  });

  it('always fits a message and loses as little as possible', () => {
    fc.assert(fc.property(fc.constantFrom('a', 'é', '€', '😀'), fc.integer({ min: 0, max: 8 }), (character, shorter) => {
      const text = character.repeat(Math.floor((messageMaximumBytes - shorter) / sizeBytes(character)));
      const answer = echoText(text);
      expect(sizeBytes(answer)).toBeLessThanOrEqual(messageMaximumBytes);
      expect(sizeBytes(answer)).toBeGreaterThan(messageMaximumBytes - 16);
      expect(answer.isWellFormed()).toBe(true);
    }), { numRuns: 20 });
  });
});
