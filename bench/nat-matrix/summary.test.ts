/** How attempts are put together, and what the table says of them. */
import { describe, expect, it } from 'vitest';
import { summarize, tableOf } from './summary.ts';
import type { Attempt } from './attempt.ts';

const none: Attempt = { path: 'none', firstByteMs: undefined, directMs: undefined, saidDirect: false, peerBytes: 0, helperBytes: 0, remote: '', failure: 'No path.', failedMs: 300 };
const direct = (directMs: number, firstByteMs = directMs): Attempt => ({ ...none, path: 'direct', saidDirect: true, firstByteMs, directMs, failure: undefined, failedMs: undefined });
const relayed = (firstByteMs: number): Attempt => ({ ...none, path: 'relay', firstByteMs, failure: undefined, failedMs: undefined });
const cell = 'eim-eif:eim-eif';

const rowOf = (attempts: readonly Attempt[]): string => tableOf([summarize({ cell, system: 'a', attempts })], ['a']).split('\n')[1] ?? '';

describe('the summary of a cell', () => {
  it('counts the paths and takes medians over the attempts that have a time', () => {
    expect(summarize({ cell, system: 'a', attempts: [direct(90), direct(10), none, relayed(40)] })).toMatchObject({
      theory: 'plain', attempts: 4, direct: 2, relay: 1, none: 1, firstByteMs: 40, directMs: 50, failedMs: 300, failures: ['No path.'],
    });
  });

  it('has no times where there was no connection', () => {
    expect(summarize({ cell, system: 'a', attempts: [none] })).toMatchObject({ firstByteMs: null, directMs: null });
  });
});

describe('the table', () => {
  it('names the time until direct, and the first byte where it came by another path before', () => {
    expect(rowOf([direct(500, 80)])).toContain('direct, 500 ms (first 80)');
    expect(rowOf([direct(80)])).toMatch(/direct, 80 ms$/);
  });

  it('says how many of the attempts were direct when not all were', () => {
    expect(rowOf([direct(500), none, none])).toContain('direct 1/3, 500 ms');
  });

  it('tells a relayed connection from none', () => {
    expect(rowOf([relayed(300)])).toContain('relay, 300 ms');
    expect(rowOf([none])).toContain('none, after 300 ms');
  });

  it('has a row for each cell that was measured, in the order of the matrix, and marks what nobody measured', () => {
    const summaries = ['edm-apdf:edm-apdf', cell].map((each) => summarize({ cell: each, system: 'a', attempts: [] }));
    const rows = tableOf(summaries, ['a', 'b']).split('\n');
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatch(/^eim-eif:eim-eif +plain +- +-$/);
    expect(rows[2]).toMatch(/^edm-apdf:edm-apdf +relay/);
  });
});
