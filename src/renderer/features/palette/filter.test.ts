import { describe, expect, it } from 'vitest';
import { filterByTitle } from './filter.ts';

const items = ['Retry all that waits', 'Tomás Ferreira', 'Open Relays', 'Add a relay'].map((title) => ({ title }));
const found = (query: string): string[] => filterByTitle(items, query).map((item) => item.title);

describe('finding anything', () => {
  it('shows everything before something is typed', () => {
    expect(found('  ')).toHaveLength(4);
  });
  it('takes no notice of case and accents', () => {
    expect(found('tomas')).toEqual(['Tomás Ferreira']);
  });
  it('wants every word and prefers what begins with them', () => {
    expect(found('re')).toEqual(['Retry all that waits', 'Tomás Ferreira', 'Open Relays', 'Add a relay']);
    expect(found('add rel')).toEqual(['Add a relay']);
    expect(found('nothing like it')).toEqual([]);
  });
});
