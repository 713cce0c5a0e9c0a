import { describe, expect, it } from 'vitest';
import { createMemoryStores } from './direct.ts';
import type { MemoryStores } from './direct.ts';
import { letterOf, mailboxOf } from './mail/test-letters.ts';

const put = (stores: MemoryStores, key: string, log: string[]): void => {
  stores.submit('visor', { op: 'commit', changes: [{ kind: 'put-value', key, value: '' }] }, (outcome) => { log.push(`${key} ${outcome.ok ? 'ok' : outcome.failure.code}`); });
};

const keys = (stores: MemoryStores): readonly string[] => {
  let found: readonly string[] = [];
  stores.submit('visor', { op: 'load' }, (outcome) => {
    if (outcome.ok && 'values' in outcome.result) found = [...outcome.result.values.keys()];
  });
  stores.commit();
  return found;
};

describe('stores in memory', () => {
  it('answer only when told to commit', () => {
    const stores = createMemoryStores();
    const log: string[] = [];
    put(stores, 'a', log);
    stores.submit('mail', { op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 }, () => { log.push('registered'); });
    stores.submit('mail', { op: 'deposit', ...letterOf(1, { tokenHash: undefined }) }, (outcome) => { log.push(outcome.ok && 'outcome' in outcome.result ? outcome.result.outcome : 'failed'); });
    expect([log, stores.pending]).toEqual([[], 3]);
    expect(stores.commit()).toBe(3);
    expect(log).toEqual(['a ok', 'registered', 'stored']);
    expect(stores.commit()).toBe(0);
    stores.close();
  });

  it('lose or keep a pending batch in a crash, without an answer either way, and never what was committed', () => {
    const stores = createMemoryStores();
    const log: string[] = [];
    put(stores, 'a', log);
    stores.commit();
    put(stores, 'b', log);
    stores.crash('drop');
    expect(keys(stores)).toEqual(['a']);
    put(stores, 'c', log);
    stores.crash('keep');
    expect(keys(stores)).toEqual(['a', 'c']);
    expect(log).toEqual(['a ok']);
    stores.close();
  });

  it('stage one failed commit, of which nothing stays', () => {
    const stores = createMemoryStores();
    const log: string[] = [];
    stores.failNextCommit({ code: 'disk-full', message: 'full' });
    put(stores, 'a', log);
    put(stores, 'b', log);
    stores.commit();
    put(stores, 'c', log);
    stores.commit();
    expect(log).toEqual(['a disk-full', 'b disk-full', 'c ok']);
    expect(keys(stores)).toEqual(['c']);
    stores.close();
  });

  it('roll a batch back when one of its requests throws', () => {
    const stores = createMemoryStores();
    const log: string[] = [];
    put(stores, 'a', log);
    stores.submit('visor', { op: 'commit', changes: [{ kind: 'put-relay', row: { publicKey: 'r', host: 'h', port: 0.5, role: 'own', epoch: undefined, cursor: 0, addedAtMs: 0, leavingSinceMs: undefined, choice: 'normal', rank: undefined } }] },
      (outcome) => { log.push(outcome.ok ? 'ok' : outcome.failure.code); });
    stores.commit();
    expect(log).toEqual(['a internal', 'internal']);
    expect(keys(stores)).toEqual([]);
    stores.close();
  });
});
