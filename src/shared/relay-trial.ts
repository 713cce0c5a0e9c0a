/** A test of one relay that somebody asked for: its steps one after the other, how long each took, which one failed and why, and the words for all that. */
import { z } from 'zod';
import { roundTripWords } from './quantities.ts';

/** In this order; one that fails ends the test. */
export const relayTrialSteps = ['address', 'answer', 'handshake', 'identity', 'mailbox', 'left', 'back'] as const;
export type RelayTrialStep = (typeof relayTrialSteps)[number];

/**
 * Why it ended early. `no-address`: the name is not found. `no-answer`: no packet came back. `no-handshake`: one came, and no handshake from it. `wrong-identity`,
 * `bad-certificate`: another key answers, or one that proves nothing. `mailbox-refused`, `mailbox-silent`: it keeps no mail for us, or did not say. `letter-refused`,
 * `letter-silent`, `letter-later`: the test letter was not taken, not answered for, or could not be handed over yet. `letter-missing`: it did not come back in time.
 * `interrupted`: the relay was removed or banned meanwhile.
 */
export const relayTrialFailures = [
  'no-address', 'no-answer', 'no-handshake', 'wrong-identity', 'bad-certificate', 'mailbox-refused', 'mailbox-silent', 'letter-refused', 'letter-silent', 'letter-later', 'letter-missing', 'interrupted',
] as const;
export type RelayTrialFailure = (typeof relayTrialFailures)[number];

export const relayTrialSchema = z.object({
  startedAtMs: z.number().int().nonnegative(),
  isRunning: z.boolean(),
  /** All of them, in order. Of one that has ended: how long it took. */
  steps: z.array(z.object({ step: z.enum(relayTrialSteps), state: z.enum(['waiting', 'running', 'passed', 'failed']), tookMs: z.number().nonnegative().optional() })),
  failure: z.enum(relayTrialFailures).optional(),
});
export type RelayTrialView = z.infer<typeof relayTrialSchema>;
export type RelayTrialStepView = RelayTrialView['steps'][number];

const doneWords: Readonly<Record<RelayTrialStep, string>> = {
  address: 'Its address was found', answer: 'A packet came back', handshake: 'The handshake was made', identity: 'It proved to be the relay of the link', mailbox: 'Your mailbox is registered',
  left: 'A test letter was left there', back: 'The test letter came back',
};
const doingWords: Readonly<Record<RelayTrialStep, string>> = {
  address: 'Looking up its address', answer: 'Waiting for a packet', handshake: 'Making the handshake', identity: 'Checking its key', mailbox: 'Registering your mailbox',
  left: 'Leaving a test letter', back: 'Waiting for the test letter',
};
const dueWords: Readonly<Record<RelayTrialStep, string>> = {
  address: 'Look up its address', answer: 'Get a packet back', handshake: 'Make the handshake', identity: 'Check its key', mailbox: 'Register your mailbox',
  left: 'Leave a test letter', back: 'Get the test letter back',
};

/** What is wrong, and what to do. */
export const relayTrialFailureSentences: Readonly<Record<RelayTrialFailure, string>> = {
  'no-address': 'The name of the relay was not found. Check its link, and whether other sites open.',
  'no-answer': 'No packet came back. The relay may be down, or this network may block UDP: check the network, or ask its operator.',
  'no-handshake': 'Something answers there, but no handshake comes about. Another program may use that port: ask its operator.',
  'wrong-identity': 'Another key answers at this address, so nothing is sent there. Ask its operator for the link as it is now.',
  'bad-certificate': 'What answers there does not prove its key, so nothing is sent there. The clock of the relay or of this computer may be wrong: check both.',
  'mailbox-refused': 'It does not keep mail for you. Ask its operator to allow your address, or choose another relay.',
  'mailbox-silent': 'It did not register your mailbox in time. Waypost keeps trying; test it again in a few minutes.',
  'letter-refused': 'It did not take a test letter. Ask its operator, or choose another relay.',
  'letter-silent': 'It did not say whether it took the test letter. Test it again in a few minutes.',
  'letter-later': 'It asked for a pause before it takes a test letter. Test it again in a few minutes.',
  'letter-missing': 'It took a test letter and has not handed it over yet. If that goes on, choose another relay.',
  'interrupted': 'The test was given up, since the relay is not in use any more.',
};

export const relayTrialStepWords = ({ step, state }: RelayTrialStepView): string => (state === 'passed' ? doneWords[step] : state === 'running' ? doingWords[step] : dueWords[step]);

/** "passed in 42 ms"; of what was over at once nothing is said. */
export function relayTrialStateWords({ state, tookMs }: RelayTrialStepView): string {
  const time = tookMs === undefined || tookMs < 1 ? '' : roundTripWords(tookMs);
  switch (state) {
    case 'passed': return time === '' ? 'passed' : `passed in ${time}`;
    case 'failed': return time === '' ? 'failed' : `failed after ${time}`;
    case 'running': return 'under way';
    case 'waiting': return 'not yet';
  }
}

/** What the whole test says, in one sentence. */
export function relayTrialSentence({ isRunning, failure, steps }: RelayTrialView): string {
  if (failure !== undefined) return relayTrialFailureSentences[failure];
  if (!isRunning) return 'Everything works: a letter left there came back.';
  const running = steps.find(({ state }) => state === 'running');
  return running === undefined ? 'The test has begun.' : `${relayTrialStepWords(running)}.`;
}
