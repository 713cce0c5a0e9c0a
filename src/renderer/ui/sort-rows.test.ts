import { describe, expect, it } from 'vitest';
import { sortRows } from './sort-rows.ts';

const columns = [{ id: 'name', sortBy: (row: { name: string; size: number }) => row.name }, { id: 'size', sortBy: (row: { name: string; size: number }) => row.size }, { id: 'mute' }];
const rows = [{ name: 'item 10', size: 1 }, { name: 'Item 9', size: 3 }, { name: 'åre', size: 2 }];

describe('sorting of table rows', () => {
  it('keeps the order it was given without a choice', () => {
    expect(sortRows(rows, undefined, columns)).toBe(rows);
    expect(sortRows(rows, { columnId: 'mute', descending: false }, columns)).toBe(rows);
  });
  it('sorts text as people do and numbers by size', () => {
    expect(sortRows(rows, { columnId: 'name', descending: false }, columns).map((row) => row.name)).toEqual(['åre', 'Item 9', 'item 10']);
    expect(sortRows(rows, { columnId: 'size', descending: true }, columns).map((row) => row.size)).toEqual([3, 2, 1]);
  });
});
