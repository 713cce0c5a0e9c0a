/**
 * Tests one own relay at once, step by step, because somebody asked for it: its address is looked up, a session of its own is made there - with no name, and as
 * if nothing were known of the relay - the mailbox is registered anew, and a test letter is left and has to come back (relay-canary.ts, which also counts it).
 * Each step has a deadline; the one that fails ends the test and says why. One test at a time for each relay: who asks meanwhile hears how that one ends.
 */
import { Deadlines } from '../deadlines.ts';
import { relayTrialSteps, type RelayTrialFailure, type RelayTrialStep, type RelayTrialStepView, type RelayTrialView } from '../../../shared/relay-trial.ts';
import type { HostNames } from './host-names.ts';
import type { CanaryWatch } from './relay-canary.ts';
import type { RelayRow } from '../mail/visor-store.ts';
import type { SessionId, SessionOutput } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';

/** A network that loses every second packet passes, and a person waits for no step much longer. */
const deadlineMs: Readonly<Record<RelayTrialStep, number>> = { address: 10_000, answer: 8_000, handshake: 8_000, identity: 8_000, mailbox: 12_000, left: 15_000, back: 20_000 };
/** Whether the letter may go out is looked at this often: our token has to be with the relay first. */
const lookAgainMs = 200;
const failureAtDeadline: Readonly<Record<RelayTrialStep, RelayTrialFailure>> = {
  address: 'no-address', answer: 'no-answer', handshake: 'no-handshake', identity: 'no-handshake', mailbox: 'mailbox-silent', left: 'letter-later', back: 'letter-missing',
};
/** Results that are remembered, until the next start. */
const rememberedMaximum = 16;

interface Trial {
  readonly relay: PublicKeyHex;
  readonly startedWallMs: number;
  readonly steps: RelayTrialStepView[];
  failure: RelayTrialFailure | undefined;
  isRunning: boolean;
  stepSinceMs: number;
  sessionId: SessionId | undefined;
  /** The letter is with the canaries. */
  isLetterOut: boolean;
  readonly waiting: ((view: RelayTrialView) => void)[];
}

export interface TrialEvents {
  registerAgain(relay: PublicKeyHex, now: Instant): void;
  /** It does not answer: what is thought of the session with it may not hold any more. */
  doubt(relay: PublicKeyHex, now: Instant): void;
  /** False: it cannot go out yet. */
  leaveLetter(row: RelayRow, watch: CanaryWatch, now: Instant): boolean;
}

export class RelayTrials {
  readonly #context: VisorContext;
  readonly #names: HostNames;
  readonly #events: TrialEvents;
  readonly #trials = new Map<PublicKeyHex, Trial>();
  readonly #bySession = new Map<SessionId, Trial>();
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, names: HostNames, events: TrialEvents) {
    this.#context = context;
    this.#names = names;
    this.#events = events;
  }

  /** The one that runs, or the last that ended; undefined: none since the start. */
  status(relay: PublicKeyHex): RelayTrialView | undefined {
    const trial = this.#trials.get(relay);
    return trial === undefined ? undefined : viewOf(trial);
  }

  start(row: RelayRow, now: Instant, done: (view: RelayTrialView) => void): void {
    const relay = row.publicKey;
    const running = this.#trials.get(relay);
    if (running?.isRunning === true) { running.waiting.push(done); return; }
    const trial: Trial = {
      relay, startedWallMs: Math.max(0, Math.round(now.wallMs)), steps: relayTrialSteps.map((step) => ({ step, state: 'waiting' })), failure: undefined, isRunning: true,
      stepSinceMs: now.monotonicMs, sessionId: undefined, isLetterOut: false, waiting: [done],
    };
    this.#trials.delete(relay);
    this.#trials.set(relay, trial);
    for (const [known, { isRunning }] of this.#trials) {
      if (this.#trials.size <= rememberedMaximum) break;
      if (!isRunning) this.#trials.delete(known);
    }
    this.#begin(trial, 'address', now);
    this.#names.resolve(row.host, row.port, now, (address, at) => {
      if (!isAt(trial, 'address')) return;
      if (address === undefined) { this.#fail(trial, 'no-address', at); return; }
      this.#passed(trial, 'address', at);
      this.#begin(trial, 'answer', at);
      // Nothing that is known of it is used: whoever answers has to prove all.
      trial.sessionId = this.#context.sessions.dial({ address, identity: relay, remoteStatic: undefined, anonymous: true }, at);
      this.#bySession.set(trial.sessionId, trial);
    });
  }

  /** True when it was about a session of a test. */
  handleSession(output: SessionOutput, now: Instant): boolean {
    if (output.kind === 'transmit' || output.kind === 'frame') return false;
    const sessionId = output.kind === 'established' || output.kind === 'restarted' ? output.session.id : output.sessionId;
    const trial = this.#bySession.get(sessionId);
    if (trial === undefined) return false;
    if (output.kind === 'established') {
      this.#leaveSession(trial, now);
      for (const step of ['answer', 'handshake', 'identity'] as const) this.#passed(trial, step, now);
      this.#registerAgain(trial, now);
    } else if (output.kind === 'closed') {
      this.#bySession.delete(sessionId);
      trial.sessionId = undefined;
      const isRefused = output.reason === 'wrong-identity' || output.reason === 'bad-certificate';
      if (isRefused) for (const step of ['answer', 'handshake'] as const) this.#passed(trial, step, now);
      if (isRefused) this.#begin(trial, 'identity', now);
      this.#fail(trial, output.reason === 'wrong-identity' || output.reason === 'bad-certificate' ? output.reason : 'no-answer', now);
    }
    return true;
  }

  /** Its mailbox there was registered. */
  registered(relay: PublicKeyHex, now: Instant): void {
    const trial = this.#trials.get(relay);
    if (trial === undefined || !isAt(trial, 'mailbox')) return;
    this.#passed(trial, 'mailbox', now);
    this.#begin(trial, 'left', now);
    this.#look(trial, now);
  }

  mailboxRefused(relay: PublicKeyHex, now: Instant): void {
    const trial = this.#trials.get(relay);
    if (trial !== undefined && isAt(trial, 'mailbox')) this.#fail(trial, 'mailbox-refused', now);
  }

  /** Which relays are in use has changed. */
  relaysChanged(now: Instant): void {
    for (const trial of this.#trials.values()) {
      const row = this.#context.memory.relays.get(trial.relay);
      if (row !== undefined && row.leavingSinceMs === undefined) continue;
      this.#fail(trial, 'interrupted', now);
      this.#trials.delete(trial.relay);
    }
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const space = key.indexOf(' ');
      const trial = this.#trials.get(key.slice(space + 1));
      if (trial?.isRunning !== true) continue;
      if (key.startsWith('look')) this.#look(trial, now);
      else this.#late(trial, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'relay test' };
  }

  // --- steps ---------------------------------------------------------------------------------------------------------------

  #registerAgain(trial: Trial, now: Instant): void {
    this.#begin(trial, 'mailbox', now);
    this.#events.registerAgain(trial.relay, now);
  }

  #look(trial: Trial, now: Instant): void {
    if (isAt(trial, 'left') && !trial.isLetterOut) this.#leaveLetter(trial, now);
    if (isAt(trial, 'left') && !trial.isLetterOut) this.#deadlines.set(`look ${trial.relay}`, now.monotonicMs + lookAgainMs);
  }

  #leaveLetter(trial: Trial, now: Instant): void {
    const row = this.#context.memory.relays.get(trial.relay);
    if (row === undefined) { this.#fail(trial, 'interrupted', now); return; }
    const left = (at: Instant): void => {
      if (!isAt(trial, 'left')) return;
      this.#passed(trial, 'left', at);
      this.#begin(trial, 'back', at);
    };
    trial.isLetterOut = this.#events.leaveLetter(row, {
      left,
      refused: (outcome, at) => { if (isAt(trial, 'left')) this.#fail(trial, outcome === 'refused' ? 'letter-refused' : outcome === 'silent' ? 'letter-silent' : 'letter-later', at); },
      back: (at) => {
        // Its doorbell needs no signature, and may be the first that is heard of it.
        left(at);
        if (!isAt(trial, 'back')) return;
        this.#passed(trial, 'back', at);
        this.#end(trial, undefined);
      },
    }, now);
  }

  #late(trial: Trial, now: Instant): void {
    const running = trial.steps.find(({ state }) => state === 'running');
    if (running === undefined) return;
    const { sessionId } = trial;
    if (running.step === 'answer' && sessionId !== undefined && this.#context.sessions.hasAnswered(sessionId)) {
      this.#passed(trial, 'answer', now);
      this.#begin(trial, 'handshake', now);
      this.#fail(trial, 'no-handshake', now);
    } else this.#fail(trial, failureAtDeadline[running.step], now);
  }

  #begin(trial: Trial, step: RelayTrialStep, now: Instant): void {
    trial.stepSinceMs = now.monotonicMs;
    set(trial, { step, state: 'running' });
    this.#deadlines.set(`step ${trial.relay}`, now.monotonicMs + deadlineMs[step]);
    this.#announce(trial);
  }

  #passed(trial: Trial, step: RelayTrialStep, now: Instant): void {
    const tookMs = Math.max(0, now.monotonicMs - trial.stepSinceMs);
    trial.stepSinceMs = now.monotonicMs;
    set(trial, { step, state: 'passed', tookMs });
    this.#announce(trial);
  }

  #fail(trial: Trial, failure: RelayTrialFailure, now: Instant): void {
    if (!trial.isRunning) return;
    const running = trial.steps.find(({ state }) => state === 'running');
    if (running !== undefined) set(trial, { step: running.step, state: 'failed', tookMs: Math.max(0, now.monotonicMs - trial.stepSinceMs) });
    this.#leaveSession(trial, now);
    if (failure === 'no-answer') this.#events.doubt(trial.relay, now);
    this.#end(trial, failure);
  }

  #end(trial: Trial, failure: RelayTrialFailure | undefined): void {
    trial.isRunning = false;
    trial.failure = failure;
    for (const name of ['step', 'look']) this.#deadlines.clear(`${name} ${trial.relay}`);
    this.#context.count(failure === undefined ? 'relay-trials.passed' : `relay-trials.${failure}`);
    this.#announce(trial);
    const view = viewOf(trial);
    for (const done of trial.waiting.splice(0)) done(view);
  }

  #leaveSession(trial: Trial, now: Instant): void {
    if (trial.sessionId === undefined) return;
    this.#bySession.delete(trial.sessionId);
    this.#context.sessions.close(trial.sessionId, now);
    trial.sessionId = undefined;
  }

  #announce(trial: Trial): void { this.#context.announce({ kind: 'relay', publicKey: trial.relay }); }
}

const isAt = (trial: Trial, step: RelayTrialStep): boolean => trial.isRunning && trial.steps.some((one) => one.step === step && one.state === 'running');

function set(trial: Trial, next: RelayTrialStepView): void {
  const index = trial.steps.findIndex(({ step }) => step === next.step);
  if (index >= 0) trial.steps[index] = next;
}

const viewOf = ({ startedWallMs, isRunning, steps, failure }: Trial): RelayTrialView => ({ startedAtMs: startedWallMs, isRunning, steps: [...steps], ...(failure === undefined ? {} : { failure }) });
