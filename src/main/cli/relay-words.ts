/** Relays in a terminal: the same things in the same words as on their page, and the steps of a test as they pass. */
import { mailboxSentence, relayAbilitiesSentence } from '../../shared/relay-capabilities.ts';
import { relayTestsSentences } from '../../shared/relay-tests.ts';
import { relayTrialStateWords, relayTrialStepWords, type RelayTrialStepView, type RelayTrialView } from '../../shared/relay-trial.ts';
import { roundTripWords } from '../../shared/quantities.ts';
import { relayInOrder, relaySentence, relayTag } from '../../shared/relay-sentences.ts';
import type { RelayView } from '../../shared/relay-views.ts';

export const relaysInOrder = (relays: readonly RelayView[]): readonly RelayView[] => [...relays].sort(relayInOrder);

function standing(relay: RelayView): string {
  const { choice, place, isTold, role, leavingUntilMs } = relay;
  if (choice === 'banned') return 'banned';
  if (leavingUntilMs !== undefined) return 'removed';
  if (role === 'friend') return relayTag(relay);
  const number = place === undefined ? '' : `${String(place + 1)}.`;
  return [number, choice === 'pinned' ? 'pinned' : '', role === 'local' ? 'inside this app' : isTold === false ? 'not told to others' : ''].filter((word) => word !== '').join(' ');
}

/** One line for the relay, and one more for each thing that is known of it. */
export function relayWords(relay: RelayView, nowMs: number): string {
  const { p50Ms, p95Ms, waitingLetters, mailbox, capabilities, tests } = relay;
  const roundTrips = p50Ms === undefined || p95Ms === undefined ? [] : [`Round trip ${roundTripWords(p50Ms)}, at most ${roundTripWords(p95Ms)} in 19 of 20.`];
  const waiting = waitingLetters === undefined || waitingLetters === 0 ? [] : [`${waitingLetters.toLocaleString('en-GB')} waiting to be fetched.`];
  const more = [
    ...roundTrips, ...waiting, ...(tests === undefined ? [] : relayTestsSentences(tests, nowMs)), ...(mailbox === undefined ? [] : [mailboxSentence(mailbox, nowMs)]),
    ...(capabilities === undefined ? [] : [relayAbilitiesSentence(capabilities)]),
  ];
  const what = standing(relay);
  return [`${relay.publicKey}@${relay.address}  ${what === '' ? '' : `${what}  `}${relaySentence(relay, nowMs).sentence}`, ...more.map((sentence) => `  ${sentence}`)].join('\n');
}

const signs: Readonly<Record<RelayTrialStepView['state'], string>> = { passed: 'ok', failed: 'FAILED', running: '...', waiting: '' };

export const trialStepWords = (step: RelayTrialStepView): string => `${signs[step.state].padEnd(6)}  ${relayTrialStepWords(step)}: ${relayTrialStateWords(step)}`;

/** Those of the steps that have ended and were not told yet. */
export function endedSteps(trial: RelayTrialView | undefined, toldCount: number): readonly RelayTrialStepView[] {
  return (trial?.steps ?? []).filter(({ state }) => state === 'passed' || state === 'failed').slice(toldCount);
}
