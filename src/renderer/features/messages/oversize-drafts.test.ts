import { describe, expect, it } from 'vitest';
import { keepOversizeDraft, oversizeDraft } from './oversize-drafts.ts';

describe('drafts too long to be saved', () => {
  it('are kept for each conversation until they fit or are gone', () => {
    keepOversizeDraft('one', 'a very long text');
    keepOversizeDraft('two', 'another');
    expect(oversizeDraft('one')).toBe('a very long text');
    expect(oversizeDraft('two')).toBe('another');
    keepOversizeDraft('one', 'a longer text');
    expect(oversizeDraft('one')).toBe('a longer text');
    keepOversizeDraft('one', undefined);
    expect(oversizeDraft('one')).toBeUndefined();
    expect(oversizeDraft('two')).toBe('another');
    keepOversizeDraft('two', undefined);
    expect(oversizeDraft('two')).toBeUndefined();
  });
});
