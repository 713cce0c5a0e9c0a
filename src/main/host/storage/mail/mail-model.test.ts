/** Compares the mail store with a model that is a few maps and no SQL, over random histories. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MailOperation, MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import type { LetterState } from '../../../engine/wire/types.ts';
import { memoryPath, openDatabase } from '../database.ts';
import { mailMigrations } from './migrations/index.ts';
import { SqliteMailStore } from './sqlite-mail-store.ts';
import { letterIdOf, letterOf, mailboxOf, purgeHashOf, tokenHashOf } from './test-letters.ts';

const letterCount = 8;
const tokenCount = 3;
const quota = { letters: 4, bytes: 1_900, lettersPerToken: 2, strangerLetters: 2, receipts: 1 };
const dayMs = 86_400_000;

type Step =
  | { readonly do: 'deposit' | 'check'; readonly letter: number; readonly token: number; readonly receipt: boolean; readonly large: boolean; readonly ttl: number }
  | { readonly do: 'ack'; readonly letter: number; readonly opened: boolean }
  | { readonly do: 'withdraw'; readonly letter: number; readonly rightKey: boolean }
  | { readonly do: 'expire' | 'list' | 'status' | 'register' | 'refusals' }
  | { readonly do: 'token'; readonly token: number; readonly granted: boolean }
  | { readonly do: 'wait'; readonly ms: number };

interface ModelLetter { readonly id: number; readonly sequence: number; readonly pool: string; readonly token: number; readonly size: number; readonly inline: boolean; state: LetterState; sinceMs: number; readonly expiresMs: number; isStored: boolean }

const isLive = (state: LetterState): boolean => state === 'held' || state === 'fetched';

class Model {
  nowMs = 0;
  #sequence = 0;
  readonly #letters = new Map<number, ModelLetter>();
  readonly #standing = new Map<number, 'granted' | 'revoked'>();
  readonly #refused = new Set<number>();

  #find(id: number): ModelLetter | undefined {
    const letter = this.#letters.get(id);
    if (letter === undefined || letter.expiresMs + dayMs <= this.nowMs) return undefined;
    if (isLive(letter.state) && letter.expiresMs <= this.nowMs) return { ...letter, state: 'expired', sinceMs: letter.expiresMs };
    return letter;
  }

  #stored(pool: string): readonly ModelLetter[] {
    return [...this.#letters.values()].filter((letter) => letter.isStored && letter.pool === pool);
  }

  #end(id: number, state: LetterState, sinceMs: number): void {
    const letter = this.#letters.get(id);
    if (letter === undefined) return;
    letter.isStored = false;
    letter.state = state;
    letter.sinceMs = sinceMs;
  }

  deposit(step: Extract<Step, { do: 'deposit' | 'check' }>): unknown {
    const seen = this.#find(step.letter);
    if (seen !== undefined) {
      const remainingSeconds = isLive(seen.state) ? Math.floor((seen.expiresMs - this.nowMs) / 1_000) : 0;
      return { outcome: 'duplicate', sequence: seen.sequence, remainingSeconds, state: seen.state };
    }
    const standing = this.#standing.get(step.token);
    if (standing === 'revoked') return { outcome: 'token-revoked' };
    const pool = standing === undefined ? 'strangers' : step.receipt ? 'receipts' : 'letters';
    const size = step.large ? 400 : 372;
    const stored = this.#stored(pool);
    const bytes = stored.reduce((sum, letter) => sum + letter.size, size);
    const underToken = stored.filter((letter) => letter.token === step.token).length;
    const refuse = (scope: string): unknown => {
      if (standing !== undefined) this.#refused.add(step.token);
      return { outcome: 'quota', scope };
    };
    if (pool === 'letters' && underToken >= quota.lettersPerToken) return refuse('token');
    if (pool === 'letters' && (stored.length >= quota.letters || bytes > quota.bytes)) return refuse('mailbox');
    if (pool === 'strangers' && (stored.length >= quota.strangerLetters || bytes > quota.bytes / 2)) return refuse('strangers');
    if (pool === 'receipts' && stored.length >= quota.receipts) return refuse('receipts');
    if (step.do === 'check') return { outcome: 'would-store' };
    this.#sequence += 1;
    this.#letters.set(step.letter, {
      id: step.letter, sequence: this.#sequence, pool, token: step.token, size, inline: !step.large, state: 'held', sinceMs: this.nowMs, expiresMs: this.nowMs + step.ttl * 1_000, isStored: true,
    });
    return { outcome: 'stored', sequence: this.#sequence, remainingSeconds: step.ttl, state: 'held', byStranger: pool === 'strangers' };
  }

  ack(id: number, opened: boolean): unknown {
    const letter = this.#find(id);
    const state = opened ? 'acked' : 'unopenable';
    if (letter === undefined || letter.state === state || letter.state === 'acked') return { acked: 0 };
    this.#end(id, state, this.nowMs);
    return { acked: 1 };
  }

  withdraw(id: number, rightKey: boolean): unknown {
    const letter = this.#find(id);
    if (letter === undefined) return { state: 'unknown' };
    if (!isLive(letter.state) || !rightKey) return { state: letter.state };
    this.#end(id, 'withdrawn', this.nowMs);
    return { state: 'withdrawn' };
  }

  expire(): unknown {
    const due = [...this.#letters.values()].filter((letter) => letter.isStored && letter.expiresMs <= this.nowMs);
    for (const letter of due) this.#end(letter.id, 'expired', letter.expiresMs);
    return { expired: due.length, more: false };
  }

  list(): unknown {
    const live = [...this.#letters.values()].filter((letter) => letter.isStored && letter.expiresMs > this.nowMs).sort((one, other) => one.sequence - other.sequence);
    for (const letter of live) {
      if (!letter.inline || letter.state !== 'held') continue;
      letter.state = 'fetched';
      letter.sinceMs = this.nowMs;
    }
    return live.map((letter) => [letter.sequence, letter.id]);
  }

  status(): unknown {
    return Array.from({ length: letterCount }, (_, id) => {
      const letter = this.#find(id);
      return letter === undefined ? { state: 'unknown', secondsSince: 0 } : { state: letter.state, secondsSince: Math.floor((this.nowMs - letter.sinceMs) / 1_000) };
    });
  }

  register(): unknown {
    const stored = [...this.#letters.values()].filter((letter) => letter.isStored);
    return { letters: stored.length, bytes: stored.reduce((sum, letter) => sum + letter.size, 0), highestSequence: this.#sequence };
  }

  setToken(token: number, granted: boolean): void { this.#standing.set(token, granted ? 'granted' : 'revoked'); }

  refusals(): unknown {
    const refused = [...this.#refused].sort();
    this.#refused.clear();
    return refused;
  }
}

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);

function applyToStore(apply: (request: MailRequest) => MailResults[MailOperation], step: Step, nowMs: number): unknown {
  const mailbox = mailboxOf(1);
  switch (step.do) {
    case 'deposit': case 'check': {
      const letter = letterOf(step.letter, {
        tokenHash: tokenHashOf(step.token), lane: step.receipt ? 'receipt' : 'letter', body: new Uint8Array(step.large ? 300 : 272), ttlSeconds: step.ttl, elapsedMs: nowMs, quota,
      });
      return apply(step.do === 'deposit' ? { op: 'deposit', ...letter } : { op: 'check-deposit', ...letter, bodyLength: letter.body.length });
    }
    case 'ack': return apply({ op: 'ack', mailbox, elapsedMs: nowMs, letters: [{ letterId: letterIdOf(step.letter), verdict: step.opened ? 'committed' : 'unopenable' }] });
    case 'withdraw': return apply({ op: 'withdraw', mailbox, letterId: letterIdOf(step.letter), purgeHash: purgeHashOf(step.rightKey ? step.letter : 99), elapsedMs: nowMs });
    case 'expire': return apply({ op: 'expire', elapsedMs: nowMs, most: 100 });
    case 'list': {
      const result = apply({ op: 'list', mailbox, afterSequence: 0, mostBytes: 1e9, elapsedMs: nowMs });
      return 'entries' in result ? result.entries.map((entry) => [entry.sequence, numberOf(entry.letterId)]) : result;
    }
    case 'status': {
      const result = apply({ op: 'status', mailbox, letterIds: Array.from({ length: letterCount }, (_, id) => letterIdOf(id)), elapsedMs: nowMs });
      return 'states' in result ? result.states : result;
    }
    case 'register': {
      const result = apply({ op: 'register', mailbox, elapsedMs: nowMs });
      return 'tokensVersion' in result ? { letters: result.letters, bytes: result.bytes, highestSequence: result.highestSequence } : result;
    }
    case 'refusals': {
      const result = apply({ op: 'refusals', mailbox });
      return 'hashes' in result ? result.hashes.map(numberOf).sort() : result;
    }
    case 'token': apply({ op: 'tokens', mailbox, version: 1, reset: false, tokens: [{ granted: step.granted, hash: tokenHashOf(step.token) }] }); return undefined;
    case 'wait': return undefined;
  }
}

function applyToModel(model: Model, step: Step): unknown {
  switch (step.do) {
    case 'deposit': case 'check': return model.deposit(step);
    case 'ack': return model.ack(step.letter, step.opened);
    case 'withdraw': return model.withdraw(step.letter, step.rightKey);
    case 'expire': return model.expire();
    case 'list': return model.list();
    case 'status': return model.status();
    case 'register': return model.register();
    case 'refusals': return model.refusals();
    case 'token': model.setToken(step.token, step.granted); return undefined;
    case 'wait': model.nowMs += step.ms; return undefined;
  }
}

const letter = fc.nat({ max: letterCount - 1 });
const token = fc.nat({ max: tokenCount - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('deposit', 'check'), letter, token, receipt: fc.boolean(), large: fc.boolean(), ttl: fc.constantFrom(1, 60, 100_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ack'), letter, opened: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('withdraw'), letter, rightKey: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('expire', 'list', 'status', 'register', 'refusals') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('token'), token, granted: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(999, 1_000, 60_000, dayMs / 2, dayMs + 1) }) },
);

describe('the mail store and its model', () => {
  it('answer every history alike', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const { database } = openDatabase({ path: memoryPath, migrations: mailMigrations, wallMs: () => 0 });
      const store = new SqliteMailStore(database);
      const model = new Model();
      store.apply<'register'>({ op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 });
      try {
        for (const each of [{ do: 'token', token: 0, granted: true } as const, ...steps]) {
          const nowMs = model.nowMs;
          const expected = applyToModel(model, each);
          expect(applyToStore((request) => store.apply(request), each, nowMs)).toEqual(expected);
        }
      } finally {
        database.close();
      }
    }), { numRuns: 300 });
  });
});
