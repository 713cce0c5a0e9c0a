/** The store under test and the requests of the suite in short: a fresh, opened store with one mailbox and two tokens before each sentence. */
import { afterEach, beforeEach } from 'vitest';
import type { DepositArguments, MailStore } from '../../../engine/mail/mail-store.ts';
import { letterIdOf, letterOf, mailboxOf, purgeHashOf, rootOf, tokenHashOf } from './test-letters.ts';

export interface ConformanceSubject {
  readonly store: MailStore;
  readonly close: () => void;
}

export type ConformanceWorld = ReturnType<typeof conformanceWorld>;

/** Inside a `describe`. */
export function conformanceWorld(createStore: () => ConformanceSubject) {
  let subject: ConformanceSubject;
  const store: MailStore = { apply: (request) => subject.store.apply(request) };
  const mailbox = mailboxOf(1);

  const deposit = (value: number, changes: Partial<DepositArguments> = {}) => store.apply<'deposit'>({ op: 'deposit', ...letterOf(value, changes) });
  const check = (value: number, changes: Partial<DepositArguments> = {}) => {
    const { body, ...rest } = letterOf(value, changes);
    return store.apply<'check-deposit'>({ op: 'check-deposit', ...rest, bodyLength: body.length });
  };
  const list = (elapsedMs: number, afterSequence = 0, mostBytes = 1_000_000) => store.apply<'list'>({ op: 'list', mailbox, afterSequence, mostBytes, elapsedMs });
  const stateOf = (value: number, elapsedMs: number) => store.apply<'status'>({ op: 'status', mailbox, letterIds: [letterIdOf(value)], elapsedMs }).states[0];
  const ack = (value: number, elapsedMs: number, verdict: 'committed' | 'unopenable' = 'committed') =>
    store.apply<'ack'>({ op: 'ack', mailbox, elapsedMs, letters: [{ letterId: letterIdOf(value), verdict }] });
  const withdraw = (value: number, elapsedMs: number, purgeHash = purgeHashOf(value)) =>
    store.apply<'withdraw'>({ op: 'withdraw', mailbox, letterId: letterIdOf(value), purgeHash, elapsedMs }).state;
  const expire = (elapsedMs: number, most = 100) => store.apply<'expire'>({ op: 'expire', elapsedMs, most });
  const register = () => store.apply<'register'>({ op: 'register', mailbox, elapsedMs: 0 });
  const tokens = (version: number, reset: boolean, ...changes: readonly (readonly [token: number, granted: boolean])[]) =>
    store.apply<'tokens'>({ op: 'tokens', mailbox, version, reset, tokens: changes.map(([token, granted]) => ({ granted, hash: tokenHashOf(token) })) });
  const refusals = () => store.apply<'refusals'>({ op: 'refusals', mailbox }).hashes;
  const body = (value: number, length = 272) => store.apply<'body'>({ op: 'body', root: rootOf(value), length }).body;

  beforeEach(() => {
    subject = createStore();
    store.apply<'open'>({ op: 'open', freshEpoch: new Uint8Array(8).fill(1), wallMs: 5 });
    register();
    tokens(1, false, [1, true], [2, true]);
  });
  afterEach(() => { subject.close(); });

  return { store, mailbox, deposit, check, list, stateOf, ack, withdraw, expire, register, tokens, refusals, body };
}
