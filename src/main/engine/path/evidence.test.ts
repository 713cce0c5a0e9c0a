import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silenceProves } from './evidence.ts';

describe('what silence proves', () => {
  it('is nothing after one datagram, or a few, however good the link is', () => {
    expect(silenceProves({ answered: 1_000, lost: 0 }, 1)).toBe(false);
    expect(silenceProves({ answered: 20, lost: 0 }, 3)).toBe(false);
    expect(silenceProves({ answered: 20, lost: 0 }, 0)).toBe(false);
  });
  it('is a filter where nothing else was lost, and nothing where a third is', () => {
    expect(silenceProves({ answered: 18, lost: 0 }, 12)).toBe(true);
    expect(silenceProves({ answered: 18, lost: 9 }, 12)).toBe(false);
    expect(silenceProves({ answered: 0, lost: 0 }, 100)).toBe(false);
  });
  it('grows with what was answered and with what was sent, and shrinks with what was lost', () => {
    const count = fc.nat(60);
    fc.assert(fc.property(count, count, count, (answered, lost, timesSent) => {
      if (!silenceProves({ answered, lost }, timesSent)) return;
      expect(silenceProves({ answered: answered + 1, lost }, timesSent)).toBe(true);
      expect(silenceProves({ answered, lost }, timesSent + 1)).toBe(true);
      expect(lost === 0 || silenceProves({ answered, lost: lost - 1 }, timesSent)).toBe(true);
    }));
  });
});
