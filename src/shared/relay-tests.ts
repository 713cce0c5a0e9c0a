/** What test letters to oneself say about a relay: how many came back, what went wrong last, and the words for both. */
import { z } from 'zod';
import { countOf, durationWords, minuteMs, relativeWords, roundTripWords } from './quantities.ts';

/**
 * Where a test letter failed. `lost`: the relay signed that it holds the letter, and never showed it. `withheld`: it did not show it when asked, and did
 * later. `replayed`: it showed it again, or kept it, after it had been taken. `refused`: it did not take it. `silent`: it did not answer, while another did.
 */
export const relayTestSteps = ['lost', 'withheld', 'replayed', 'refused', 'silent'] as const;
export type RelayTestStep = (typeof relayTestSteps)[number];

/** `demoted`: it failed three times in a row, or broke its word once; other relays are preferred. `trial`: it has worked again since. */
export const relayStandings = ['reliable', 'trial', 'demoted'] as const;
export type RelayStanding = (typeof relayStandings)[number];

export const relayTestsSchema = z.object({
  /** In the last day, of those whose end is known. */
  sentCount: z.number().int().nonnegative(),
  arrivedCount: z.number().int().nonnegative(),
  /** From handing a letter over until it was here again, of those that came. */
  p50Ms: z.number().nonnegative().optional(),
  p95Ms: z.number().nonnegative().optional(),
  standing: z.enum(relayStandings),
  lastProblem: z.object({ step: z.enum(relayTestSteps), atMs: z.number().int().nonnegative() }).optional(),
});
export type RelayTestsView = z.infer<typeof relayTestsSchema>;

/** What the relay did, as the end of a sentence that begins with its name. */
export const relayTestStepWords: Readonly<Record<RelayTestStep, string>> = {
  lost: 'confirmed a test letter and never handed it over',
  withheld: 'held a test letter back when asked for it',
  replayed: 'handed over a test letter again that had been taken already',
  refused: 'did not accept a test letter',
  silent: 'did not answer',
};

const standingWords: Readonly<Record<RelayStanding, string | undefined>> = {
  reliable: undefined, trial: 'It works again and is on trial.', demoted: 'It counts as unreliable until it works again.',
};

/** "18 of 20 test letters came back in the last day, most within 44 ms." */
export function relayTestsSentence(tests: RelayTestsView): string {
  if (tests.sentCount === 0) return 'No test letter in the last day.';
  const time = tests.p95Ms === undefined ? '' : `, most within ${tests.p95Ms < minuteMs ? roundTripWords(tests.p95Ms) : durationWords(tests.p95Ms)}`;
  const came = tests.arrivedCount === tests.sentCount
    ? tests.sentCount === 1 ? 'The only test letter of the last day came back' : `All ${countOf(tests.sentCount, 'test letter', 'test letters')} of the last day came back`
    : `${tests.arrivedCount.toLocaleString('en-GB')} of ${countOf(tests.sentCount, 'test letter', 'test letters')} came back in the last day`;
  return `${came}${time}.`;
}

/** What went wrong last and what follows from it; undefined when nothing did that is remembered. */
export function relayProblemSentence(tests: RelayTestsView, nowMs: number): string | undefined {
  if (tests.lastProblem === undefined) return undefined;
  const what = relayTestStepWords[tests.lastProblem.step];
  const standing = standingWords[tests.standing];
  const when = relativeWords(tests.lastProblem.atMs, nowMs);
  return `${when.charAt(0).toUpperCase()}${when.slice(1)} it ${what}.${standing === undefined ? '' : ` ${standing}`}`;
}

/** All that test letters say, for a list. */
export function relayTestsSentences(tests: RelayTestsView, nowMs: number): readonly string[] {
  const problem = relayProblemSentence(tests, nowMs);
  return problem === undefined ? [relayTestsSentence(tests)] : [relayTestsSentence(tests), problem];
}

/** What the person is told when a relay is demoted. */
export function relayDemotedNotice(relayName: string, step: RelayTestStep, isOnlyRelay: boolean): string {
  const then = isOnlyRelay ? 'It is your only relay: add a second one, so that messages arrive all the same.' : 'Waypost prefers your other relays and keeps testing this one. If that goes on, ask its operator or choose another relay.';
  return `The relay ${relayName} ${relayTestStepWords[step]}. ${then}`;
}
