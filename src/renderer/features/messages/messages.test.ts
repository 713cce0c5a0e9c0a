import { describe, expect, it } from 'vitest';
import { messageMaximumBytes } from '../../../shared/views.ts';
import { sampleMessage } from '../../dev/samples.ts';
import { sizeNote } from './bytes.ts';
import { rowsOf } from './rows.ts';

const noon = new Date(2026, 10, 18, 12, 0, 0).getTime();
const minute = 60_000;
const message = (direction: 'in' | 'out', afterMs: number, missingBefore = 0) => sampleMessage({ direction, sentAtMs: noon + afterMs, missingBefore });

describe('drawing a conversation', () => {
  it('groups what one side writes within five minutes', () => {
    const rows = rowsOf([message('out', 0), message('out', minute), message('in', 2 * minute), message('in', 10 * minute)]);
    expect(rows.map((row) => [row.firstOfGroup, row.lastOfGroup])).toEqual([[true, false], [false, true], [true, true], [true, true]]);
  });
  it('starts a new group after a gap', () => {
    expect(rowsOf([message('in', 0), message('in', minute, 2)]).map((row) => row.firstOfGroup)).toEqual([true, true]);
  });
  it('marks where a day begins', () => {
    const rows = rowsOf([message('in', 0), message('in', minute), message('in', 24 * 60 * minute)]);
    expect(rows.map((row) => row.dayMs !== undefined)).toEqual([true, false, true]);
  });
  it('writes the state of the newest own message in words', () => {
    expect(rowsOf([message('out', 0), message('out', minute), message('in', 2 * minute)]).map((row) => row.lastOutgoing)).toEqual([false, true, false]);
    expect(rowsOf([message('in', 0)]).map((row) => row.lastOutgoing)).toEqual([false]);
  });
});

describe('the size of a message', () => {
  it('is nobody’s business while it is short', () => {
    expect(sizeNote('hello')).toEqual({ kind: 'short' });
  });
  it('counts down near the limit, in bytes and not in letters', () => {
    expect(sizeNote('ä'.repeat(messageMaximumBytes / 2))).toEqual({ kind: 'near', sentence: '0 bytes left' });
    expect(sizeNote('a'.repeat(messageMaximumBytes - 1))).toEqual({ kind: 'near', sentence: '1 byte left' });
  });
  it('leaves a text beside a file less room', () => {
    expect(sizeNote('a'.repeat(40_000))).toEqual({ kind: 'short' });
    expect(sizeNote('a'.repeat(32_770), 32_768)).toEqual({ kind: 'over', sentence: 'This is 2 bytes longer than a text beside a file may be. Shorten it or send it by itself.' });
  });
  it('says by how much it is too long', () => {
    expect(sizeNote('ä'.repeat(messageMaximumBytes / 2) + 'bc')).toEqual({ kind: 'over', sentence: 'This is 2 bytes longer than a message may be. Shorten it or send it in parts. Until then it is not saved and stays only while this window is open.' });
  });
});
