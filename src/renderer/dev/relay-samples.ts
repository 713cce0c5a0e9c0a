/** Relays of the page that shows them: everything that can be said of one, also what is rare. */
import { relayTrialSteps, type RelayTrialFailure, type RelayTrialStep, type RelayTrialView } from '../../shared/relay-trial.ts';
import type { RelayView } from '../../shared/relay-views.ts';
import { sampleCapabilities, sampleKey, sampleRoundTrips } from './samples.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const maximumBytes = 33_554_432;
/** As long as a name of a host may be without a dot. */
export const longRelayName = `${'a-relay-with-a-rather-long-name-'.repeat(2).slice(0, 63)}x`;

const relay = (name: string, change: Partial<RelayView> = {}): RelayView => ({ publicKey: sampleKey(name), address: `${name}:4430`, name, role: 'own', state: 'connected', problem: '', roundTripsMs: [], ...change });
const mailbox = (atMs: number, letters = 0, sizeBytes = 0): NonNullable<RelayView['mailbox']> => ({ letters, lettersMaximum: 1_000, sizeBytes, maximumBytes, atMs, heldFileBytes: 268_435_456 });

/** `failed`: where it failed; without it the test passed. */
export function sampleTrial(startedAtMs: number, failed?: readonly [RelayTrialStep, RelayTrialFailure]): RelayTrialView {
  const end = failed === undefined ? relayTrialSteps.length : relayTrialSteps.indexOf(failed[0]);
  const took = [0, 24, 0, 0, 51, 26, 44];
  return {
    startedAtMs, isRunning: false, ...(failed === undefined ? {} : { failure: failed[1] }),
    steps: relayTrialSteps.map((step, index) => (index < end ? { step, state: 'passed', tookMs: took[index] ?? 0 } : index === end ? { step, state: 'failed', tookMs: 8_000 } : { step, state: 'waiting' })),
  };
}

export function everyRelay(nowMs: number): RelayView[] {
  const up = { sinceMs: nowMs - 3 * day, lastHeardMs: nowMs - 4_000, capabilities: [...sampleCapabilities] };
  return [
    relay('pinned.example', { ...up, roundTripsMs: sampleRoundTrips(24, 'a', 0), p50Ms: 27, p95Ms: 44, waitingLetters: 0, choice: 'pinned', place: 0, isTold: true, mailbox: mailbox(nowMs - 11 * minute), tests: { sentCount: 64, arrivedCount: 64, p50Ms: 71, p95Ms: 118, standing: 'reliable' }, trial: sampleTrial(nowMs - 2 * minute) }),
    relay('pinned-liar.example', { ...up, roundTripsMs: sampleRoundTrips(61, 'b', 9), p50Ms: 63, p95Ms: 190, waitingLetters: 2, choice: 'pinned', place: 1, isTold: true, mailbox: mailbox(nowMs - 40 * minute, 860, 25_000_000), tests: { sentCount: 12, arrivedCount: 9, p50Ms: 82, p95Ms: 140, standing: 'demoted', lastProblem: { step: 'lost', atMs: nowMs - 26 * minute } } }),
    relay(longRelayName, { ...up, roundTripsMs: sampleRoundTrips(1_280, 'c', 5), p50Ms: 1_280, p95Ms: 12_400, waitingLetters: 999, place: 2, isTold: true, mailbox: mailbox(nowMs, 999, maximumBytes), capabilities: ['waypost/1', 'store', 'telepathy', 'tea'] }),
    relay('203.0.113.9', { address: '203.0.113.9:4430', state: 'unreachable', problem: 'Waypost keeps trying.', lastHeardMs: nowMs - 2 * day, place: 3, isTold: false, trial: sampleTrial(nowMs - minute, ['answer', 'no-answer']) }),
    relay('impostor.example', { state: 'refused', problem: 'Another key answers at this address. Check the link of the relay with its operator.', place: 4, isTold: false, tests: { sentCount: 4, arrivedCount: 0, standing: 'demoted', lastProblem: { step: 'silent', atMs: nowMs - 9 * minute } }, trial: sampleTrial(nowMs - 3 * minute, ['identity', 'wrong-identity']) }),
    relay('this computer', { ...up, address: '127.0.0.1:50613', role: 'local', roundTripsMs: sampleRoundTrips(0.6, 'd', 0), p50Ms: 0.6, p95Ms: 1.1, waitingLetters: 0, place: 5, isTold: false }),
    relay('former.example', { ...up, leavingUntilMs: nowMs + 29.2 * day, roundTripsMs: sampleRoundTrips(61, 'e', 0), p50Ms: 63, p95Ms: 90, waitingLetters: 1 }),
    relay('banned.example', { state: 'idle', choice: 'banned' }),
  ];
}
