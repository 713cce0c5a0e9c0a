import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RelayRow } from '../mail/visor-store.ts';
import { gradeOf, nextGrade, readGrades, type RelayMeasures } from './relay-grades.ts';
import { inOrder, noOpinion } from './relay-order.ts';

const row = (publicKey: string, change: Partial<RelayRow> = {}): RelayRow => ({ publicKey, host: 'h', port: 1, role: 'own', epoch: undefined, cursor: 0, addedAtMs: 0, leavingSinceMs: undefined, choice: 'normal', rank: undefined, ...change });
const names = (rows: readonly RelayRow[]): string => rows.map(({ publicKey }) => publicKey).join('');

describe('the order of own relays', () => {
  it('is by age where nothing is known and nothing was said', () => {
    expect(names(inOrder([row('b', { addedAtMs: 2 }), row('a', { addedAtMs: 3 }), row('c', { addedAtMs: 1 })], noOpinion))).toBe('cba');
  });
  it('has pinned ones first though they are doubtful, then reliable ones by hand, then by grade', () => {
    const rows = [row('a'), row('b', { rank: 1 }), row('c', { choice: 'pinned' }), row('d', { rank: 0 }), row('e'), row('f', { rank: 2 })];
    expect(names(inOrder(rows, { isDoubtful: (relay) => 'cd'.includes(relay), grade: (relay) => (relay === 'a' ? 2 : 1) }))).toBe('cbfead');
  });
  it('is the same whatever order the rows come in, and pinned ones are never behind others', () => {
    const rowsOf = fc.uniqueArray(fc.record({ publicKey: fc.stringMatching(/^[a-z]{3}$/), choice: fc.constantFrom<RelayRow['choice']>('normal', 'pinned'), rank: fc.option(fc.nat(5), { nil: undefined }), addedAtMs: fc.nat(3) }), { selector: ({ publicKey }) => publicKey });
    fc.assert(fc.property(rowsOf, fc.func(fc.boolean()), fc.func(fc.nat(9)), (some, isDoubtful, grade) => {
      const rows = some.map(({ publicKey, ...change }) => row(publicKey, change));
      const ordered = inOrder(rows, { isDoubtful, grade });
      expect(names(inOrder([...rows].reverse(), { isDoubtful, grade }))).toBe(names(ordered));
      expect(ordered.map(({ choice }) => choice).lastIndexOf('pinned')).toBeLessThan(ordered.filter(({ choice }) => choice === 'pinned').length);
    }));
  });
});

describe('the grade of a relay', () => {
  const echoes = (count: number, roundTripMs: number, lost = 0): RelayMeasures => ({ tests: undefined, roundTripsMs: Array.from({ length: count }, (_, index) => (index < lost ? undefined : roundTripMs)) });
  it('is nothing while little is measured', () => {
    expect(gradeOf(echoes(15, 10))).toBeUndefined();
    expect(nextGrade(echoes(15, 10), 3)).toBe(3);
  });
  it('is worse for losses than for a long way, and best for neither', () => {
    const grades = [echoes(64, 10), echoes(64, 500), echoes(64, 10, 6), echoes(64, 10, 30)].map((one) => gradeOf(one) ?? -1);
    expect(grades).toEqual([...grades].sort((left, right) => left - right));
    expect(grades[0]).toBe(0);
    expect(gradeOf({ tests: { sentCount: 10, arrivedCount: 5 }, roundTripsMs: [] })).toBeGreaterThan(gradeOf(echoes(64, 500)) ?? 99);
  });
  it('stays while a value swings about a limit, and moves when it is clearly past', () => {
    const near = nextGrade(echoes(64, 19), undefined);
    expect([18, 22, 24, 17].map((ms) => nextGrade(echoes(64, ms), near))).toEqual([near, near, near, near]);
    expect(nextGrade(echoes(64, 30), near)).toBe(1);
    expect(nextGrade(echoes(64, 18), 1)).toBe(1);
    expect(nextGrade(echoes(64, 10), 1)).toBe(0);
  });
  it('is read back as far as it makes sense', () => {
    const key = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
    expect(readGrades(undefined).size + readGrades('{').size + readGrades('{"a":1}').size + readGrades('[["x",1],7,null]').size).toBe(0);
    expect([...readGrades(JSON.stringify([[key, 2]]))]).toEqual([[key, 2]]);
    expect(readGrades(JSON.stringify([[key, -1]])).size + readGrades(JSON.stringify([[key, 1e9]])).size).toBe(0);
  });
});
