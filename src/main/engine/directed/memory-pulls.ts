/**
 * Downloads of small contents into memory: letters' bodies, mostly. One holder each, all of it or nothing; equal ones on one session are joined. Room is
 * taken by what has been verified, never by what was announced.
 */
import { concatBytes, equalBytes } from '../wire/bytes.ts';
import { nameKey } from './datum.ts';
import { contentMaximumBytes } from './publisher.ts';
import type { Crypto } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { DownloadMachine } from './puller.ts';
import type { DownloadHandle, Puller, PullOutcome, SourceEnd } from './types.ts';

export type PullDone = (outcome: PullOutcome, now: Instant) => void;

/** Of one session at a time: more would only wait for the same window. */
const activePerSessionMaximum = 32;
/** Downloads that wait or run, callbacks of joined ones included: a visor coming back lists thousands of letters at once. */
export const pullsMaximum = 8_192;
/** Ends a holder that drips. */
const totalMaximumMs = 300_000;

interface MemoryPull { readonly key: string; readonly name: ContentName; readonly callbacks: PullDone[]; readonly parts: Map<number, Uint8Array>; handle: DownloadHandle | undefined }
interface SessionPulls { readonly active: Set<MemoryPull>; readonly waiting: Map<string, MemoryPull> }

export class MemoryPulls implements Puller {
  readonly #machine: DownloadMachine;
  readonly #crypto: Crypto;
  readonly #counters: Counters;
  readonly #sessions = new Map<SessionId, SessionPulls>();
  readonly #byKey = new Map<string, MemoryPull>();
  #callbacks = 0;

  constructor(machine: DownloadMachine, crypto: Crypto, counters: Counters) {
    this.#machine = machine;
    this.#crypto = crypto;
    this.#counters = counters;
  }

  get size(): number { return this.#callbacks; }

  pull(sessionId: SessionId, name: ContentName, done: PullDone, now: Instant): void {
    if (name.length > contentMaximumBytes) { done({ kind: 'failed', reason: 'too-large' }, now); return; }
    if (name.length === 0) { done(this.#emptyOutcome(name), now); return; }
    if (this.#callbacks >= pullsMaximum) {
      this.#counters.count('pulls-full');
      done({ kind: 'failed', reason: 'timed-out' }, now);
      return;
    }
    this.#callbacks += 1;
    const key = `${String(sessionId)}/${nameKey(name)}`;
    const same = this.#byKey.get(key);
    if (same !== undefined) { same.callbacks.push(done); return; }
    const pull: MemoryPull = { key, name: { root: name.root.slice(), length: name.length }, callbacks: [done], parts: new Map(), handle: undefined };
    this.#byKey.set(key, pull);
    const session = this.#sessions.get(sessionId) ?? { active: new Set<MemoryPull>(), waiting: new Map<string, MemoryPull>() };
    this.#sessions.set(sessionId, session);
    session.waiting.set(key, pull);
    this.#startNext(sessionId, session, now);
  }

  /** Those that wait for a place have no source yet that could be lost. */
  sessionLost(sessionId: SessionId, now: Instant): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    const waiting = [...session.waiting.values()];
    for (const pull of waiting) this.#remove(sessionId, session, pull);
    for (const pull of waiting) for (const done of pull.callbacks) done({ kind: 'failed', reason: 'session-lost' }, now);
  }

  #startNext(sessionId: SessionId, session: SessionPulls, now: Instant): void {
    while (session.active.size < activePerSessionMaximum) {
      const next = session.waiting.values().next();
      if (next.done === true) return;
      session.waiting.delete(next.value.key);
      session.active.add(next.value);
      this.#start(sessionId, session, next.value, now);
    }
  }

  #start(sessionId: SessionId, session: SessionPulls, pull: MemoryPull, now: Instant): void {
    pull.handle = this.#machine.start(pull.name, {
      trafficClass: 'chat',
      keptMaximumBytes: contentMaximumBytes,
      totalMaximumMs,
      verified: (offset, bytes) => { pull.parts.set(offset, bytes.slice()); },
      completed: (at) => { this.#finish(sessionId, session, pull, { kind: 'pulled', bytes: assembled(pull) }, at); },
      sourceEnded: (_, reason, at) => { this.#finish(sessionId, session, pull, { kind: 'failed', reason: failureOf(reason) }, at); },
    }, now);
    pull.handle?.addSource(sessionId, now);
  }

  #finish(sessionId: SessionId, session: SessionPulls, pull: MemoryPull, outcome: PullOutcome, now: Instant): void {
    this.#remove(sessionId, session, pull);
    for (const done of pull.callbacks) done(outcome, now);
    if (this.#sessions.get(sessionId) === session) this.#startNext(sessionId, session, now);
  }

  #remove(sessionId: SessionId, session: SessionPulls, pull: MemoryPull): void {
    session.active.delete(pull);
    session.waiting.delete(pull.key);
    this.#byKey.delete(pull.key);
    this.#callbacks -= pull.callbacks.length;
    if (session.active.size === 0 && session.waiting.size === 0) this.#sessions.delete(sessionId);
  }

  #emptyOutcome(name: ContentName): PullOutcome {
    const bytes = new Uint8Array(0);
    if (equalBytes(this.#crypto.blake3(bytes), name.root)) return { kind: 'pulled', bytes };
    this.#counters.count('wrong-root');
    return { kind: 'failed', reason: 'wrong-root' };
  }
}

const assembled = ({ parts }: MemoryPull): Uint8Array => {
  const [only] = parts.values();
  if (parts.size === 1 && only !== undefined) return only;
  return concatBytes(...[...parts.entries()].sort(([left], [right]) => left - right).map(([, bytes]) => bytes));
};

const failureOf = (reason: SourceEnd): Extract<PullOutcome, { kind: 'failed' }>['reason'] => reason === 'lying' ? 'wrong-root' : reason;
