import { describe, expect, it } from 'vitest';
import { relayDemotedNotice, relayProblemSentence, relayTestsSchema, relayTestsSentence, relayTestsSentences, relayTestSteps } from './relay-tests.ts';

const good = { sentCount: 20, arrivedCount: 20, p50Ms: 30, p95Ms: 44, standing: 'reliable' } as const;

describe('what is said of test letters', () => {
  it.each([
    [good, 'All 20 test letters of the last day came back, most within 44 ms.'],
    [{ ...good, arrivedCount: 18, p95Ms: 1_234 }, '18 of 20 test letters came back in the last day, most within 1.2 s.'],
    [{ ...good, arrivedCount: 18, p95Ms: 121_000 }, '18 of 20 test letters came back in the last day, most within 2 minutes.'],
    [{ sentCount: 1, arrivedCount: 1, standing: 'reliable' }, 'The only test letter of the last day came back.'],
    [{ sentCount: 1, arrivedCount: 0, standing: 'reliable' }, '0 of 1 test letter came back in the last day.'],
    [{ sentCount: 0, arrivedCount: 0, standing: 'reliable' }, 'No test letter in the last day.'],
  ] as const)('%j', (tests, sentence) => { expect(relayTestsSentence(tests)).toBe(sentence); });

  it('names the step that failed last, when, and what follows', () => {
    expect(relayProblemSentence(good, 0)).toBeUndefined();
    expect(relayProblemSentence({ ...good, standing: 'demoted', lastProblem: { step: 'replayed', atMs: 0 } }, 3_600_000)).toBe('1 hour ago it handed over a test letter again that had been taken already. It counts as unreliable until it works again.');
    expect(relayTestsSentences({ ...good, lastProblem: { step: 'silent', atMs: 0 } }, 120_000)).toEqual([relayTestsSentence(good), '2 minutes ago it did not answer.']);
  });

  it('has a notice for each step that names the relay', () => {
    for (const step of relayTestSteps) expect(relayDemotedNotice('mill.example:7400', step, false)).toMatch(/^The relay mill\.example:7400 \S.*\. Waypost prefers your other relays/);
  });

  it('speaks of no other relays where there are none', () => {
    expect(relayDemotedNotice('mill.example:7400', 'lost', true)).toBe('The relay mill.example:7400 confirmed a test letter and never handed it over. It is your only relay: add a second one, so that messages arrive all the same.');
  });

  it('takes no counts that are none', () => {
    expect(relayTestsSchema.safeParse({ ...good, sentCount: -1 }).success).toBe(false);
    expect(relayTestsSchema.safeParse({ ...good, standing: 'good' }).success).toBe(false);
    expect(relayTestsSchema.safeParse(good).success).toBe(true);
  });
});
