import { describe, expect, it } from 'vitest';
import { mailboxSentence, mailboxShare, mailboxWords, relayAbilities, relayAbilitiesSentence } from './relay-capabilities.ts';
import { relayTrialFailures, relayTrialFailureSentences, relayTrialSchema, relayTrialSentence, relayTrialStateWords, relayTrialSteps, relayTrialStepWords, type RelayTrialView } from './relay-trial.ts';

const passed: RelayTrialView = { startedAtMs: 1, isRunning: false, steps: relayTrialSteps.map((step) => ({ step, state: 'passed', tookMs: 24 })) };

describe('the words of a test of a relay', () => {
  it('has a sentence for each failure that says what to do, and words for each step', () => {
    for (const failure of relayTrialFailures) expect(relayTrialFailureSentences[failure]).toMatch(/^[A-Z].*\.$/);
    for (const step of relayTrialSteps) for (const state of ['waiting', 'running', 'passed', 'failed'] as const) expect(relayTrialStepWords({ step, state })).toMatch(/^[A-Z][^.]+$/);
  });
  it('names times that can be felt, and none of what was over at once', () => {
    expect([relayTrialStateWords({ step: 'answer', state: 'passed', tookMs: 24.4 }), relayTrialStateWords({ step: 'identity', state: 'passed', tookMs: 0 }), relayTrialStateWords({ step: 'answer', state: 'failed', tookMs: 8_000 })]).toEqual(['passed in 24 ms', 'passed', 'failed after 8.0 s']);
    expect([relayTrialStateWords({ step: 'answer', state: 'running' }), relayTrialStateWords({ step: 'answer', state: 'waiting' })]).toEqual(['under way', 'not yet']);
  });
  it('says as a whole what works, what is done, or what failed', () => {
    expect(relayTrialSchema.parse(passed)).toEqual(passed);
    expect(relayTrialSentence(passed)).toContain('Everything works');
    expect(relayTrialSentence({ ...passed, isRunning: true, steps: [{ step: 'left', state: 'running' }] })).toBe('Leaving a test letter.');
    expect(relayTrialSentence({ ...passed, failure: 'wrong-identity' })).toContain('Another key');
  });
});

describe('what a relay says that it can do', () => {
  const all = ['waypost/1', 'letters', 'store', 'ack', 'status', 'records', 'observe', 'circuits', 'holds/268435456', 'observe/2'];
  it('is told in words, with its version', () => {
    expect(relayAbilities(all)).toMatchObject({ version: 'Waypost 1', heldFileBytes: 268_435_456, unknownCount: 0 });
    expect(relayAbilities(all).words).toHaveLength(7);
    expect(relayAbilities(['tcp/443', 'tcp/0']).words).toEqual(['takes TCP at port 443 too, for networks that block UDP']);
    expect(relayAbilitiesSentence(['waypost/1', 'store'])).toBe('Speaks Waypost 1. It keeps letters and files for you.');
  });
  it('what is not known is counted and never shown', () => {
    const hostile = ['store\n', '<b>', 'holds/99999999999999999', 'waypost/x'];
    expect(relayAbilities(hostile)).toEqual({ version: undefined, words: [], heldFileBytes: undefined, unknownCount: 4 });
    expect(relayAbilitiesSentence(hostile)).toBe('It does not say which version it speaks. 4 more things are not known to this Waypost.');
  });
  it('tells how full the mailbox is', () => {
    const mailbox = { letters: 12, lettersMaximum: 10_000, sizeBytes: 0, maximumBytes: 64_000_000, atMs: 0 };
    expect(mailboxWords(mailbox)).toBe('12 of 10,000 letters, nothing of 64 MB');
    expect([mailboxShare(mailbox), mailboxShare({ ...mailbox, sizeBytes: 32_000_000 }), mailboxShare({ ...mailbox, lettersMaximum: 0, maximumBytes: 0 })]).toEqual([0.0012, 0.5, 0]);
    expect(mailboxSentence({ ...mailbox, heldFileBytes: 268_435_456 }, 60_000)).toContain('as it said 1 minute ago. Of files it holds 268 MB for you at most.');
  });
});
