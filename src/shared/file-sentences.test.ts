import { describe, expect, it } from 'vitest';
import { fileFailSentence, fileSizeSentence, fileSourcesSentence, fileStateLines, fileWaitSentence, percentOf } from './file-sentences.ts';
import { fileFailReasons, fileHeldMaximumBytes, fileMaximumBytes, fileWaitReasons, type FileView } from './file-views.ts';
import { messageSummary } from './sentences.ts';
import type { MessageView } from './views.ts';

const key = `02${'ab'.repeat(32)}`;

describe('sentences about files', () => {
  const megabyte = 1_000_000;
  const file = (change: Partial<FileView>): FileView => ({ name: 'tide table.pdf', mediaType: 'application/pdf', sizeBytes: 312 * megabyte, state: { state: 'ready' }, holders: [], ...change });
  const holder = (relayName: string, heldBytes: number, complete = false): FileView['holders'][number] => ({ relay: key, relayName, heldBytes, complete });
  const moving: Extract<FileView['state'], { state: 'moving' }> = { state: 'moving', doneBytes: 48 * megabyte, bytesPerSecond: 2_100_000, sources: [] };

  it('has a full sentence for every reason, in both directions', () => {
    for (const direction of ['in', 'out'] as const) {
      for (const reason of fileWaitReasons) expect(fileWaitSentence(reason, direction, megabyte)).toMatch(/^[A-Z].*\.$/);
      for (const reason of fileFailReasons) expect(fileFailSentence(reason, direction)).toMatch(/^[A-Z].*\.$/);
    }
  });
  it('says how far it is, how fast it goes, what is left and where it comes from', () => {
    const sources = [{ kind: 'sender' }, { kind: 'relay', relay: key, relayName: 'Mill' }] as const;
    expect(fileStateLines(file({ state: { ...moving, remainingMs: 126_000, sources: [...sources] } }), 'in')).toEqual(['48 MB of 312 MB, 2.1 MB/s, 2 minutes left', 'From its sender directly and from Mill']);
    expect(fileStateLines(file({ state: { ...moving, bytesPerSecond: 0 } }), 'in')).toEqual(['48 MB of 312 MB', '']);
    expect(fileSourcesSentence([{ kind: 'forwarded', relay: key, relayName: 'Mill' }])).toBe('From its sender through Mill');
    expect(fileSourcesSentence([{ kind: 'sender' }, { kind: 'relay', relayName: 'Mill' }, { kind: 'relay' }])).toBe('From its sender directly, from Mill and 1 other');
  });
  it('says which relay takes or holds an outgoing one', () => {
    expect(fileStateLines(file({ state: { ...moving }, holders: [holder('Mill', megabyte), holder('Harbour', 131 * megabyte)] }), 'out')[1]).toBe('Harbour is taking it: 41 %');
    expect(fileStateLines(file({ holders: [holder('Mill', 312 * megabyte, true), holder('Harbour', 0)] }), 'out')).toEqual(['Mill holds it.', '']);
    expect(fileStateLines(file({ holders: [holder('Mill', 1, true), holder('Harbour', 1, true)] }), 'out')[0]).toBe('Mill and 1 other relay hold it.');
    expect(fileStateLines(file({}), 'out')[0]).toBe('They have it.');
    expect(fileStateLines(file({ copyGone: true }), 'out')).toEqual(['They have it.', 'Waypost keeps no copy of it here any more.']);
  });
  it('keeps how much is here in view while nothing moves', () => {
    expect(fileStateLines(file({ state: { state: 'waiting', reason: 'paused', doneBytes: 120 * megabyte } }), 'in')).toEqual(['120 MB of 312 MB', 'Paused. What is here is kept.']);
    expect(fileStateLines(file({ state: { state: 'failed', reason: 'gone' } }), 'in')[0]).toContain('Nobody has it any more.');
  });
  it('counts the files that go first, as far as that says something', () => {
    const waiting = (othersFirst?: number): string => fileStateLines(file({ state: { state: 'waiting', reason: 'others-first', doneBytes: 0, ...(othersFirst === undefined ? {} : { othersFirst }) } }), 'out')[0];
    expect([waiting(1), waiting(8), waiting(21), waiting()]).toEqual([
      'Waiting for 1 other file. It follows by itself.', 'Waiting for 8 other files. It follows by itself.', 'Waiting for more than 20 other files. It follows by itself.', 'Waiting for other files. It follows by itself.',
    ]);
  });
  it('never rounds up to all of it', () => {
    expect([percentOf(0, 10), percentOf(999, 1_000), percentOf(1_000, 1_000), percentOf(0, 0)]).toEqual([0, 99, 100, 100]);
  });
  it('warns before sending what relays do not hold, and refuses what is never sent', () => {
    const gigabyte = 1_000 * megabyte;
    expect([fileSizeSentence(2 * gigabyte, 3 * gigabyte), fileSizeSentence(megabyte)]).toEqual([undefined, undefined]);
    expect(fileSizeSentence(2 * gigabyte, gigabyte)).toEqual({ tone: 'warning', sentence: 'Larger than 1.0 GB, the most that their relays hold: it arrives only while you are both online.' });
    expect(fileSizeSentence(fileMaximumBytes + 1, 3 * gigabyte)?.tone).toBe('danger');
    expect(fileWaitSentence('no-source', 'out', 2 * gigabyte, { relayHoldsBytes: gigabyte })).toBe('Their relays hold 1.0 GB at most. It goes while you are both online.');
    expect(fileWaitSentence('relay-full', 'out', 2 * gigabyte, { relayHoldsBytes: gigabyte })).toBe('Their relays hold 1.0 GB at most. It goes while you are both online.');
    expect(fileWaitSentence('relay-full', 'out', megabyte, { relayHoldsBytes: gigabyte })).toBe('Their mailbox has no room for it. It goes while you are both online.');
  });
  it('says no number where relays do not tell what they hold', () => {
    expect(fileSizeSentence(fileHeldMaximumBytes)).toEqual({ tone: 'warning', sentence: 'Their relays may not hold a file of this size: then it arrives only while you are both online.' });
    expect(fileWaitSentence('no-source', 'out', fileHeldMaximumBytes)).toBe('It may be too large for their relays to hold. It goes while you are both online.');
    expect(fileWaitSentence('no-source', 'out', megabyte)).toBe('No relay takes it now. It goes while you are both online.');
  });
  it('sums a message up by its file and its text', () => {
    const message: MessageView = { id: 'ab'.repeat(16), conversationId: `${key}:1`, row: 1, direction: 'in', text: 'Look', sentAtMs: 0, expiresAtMs: 0, headline: { state: 'received' }, missingBefore: 0 };
    expect([messageSummary(message), messageSummary({ ...message, file: file({}) }), messageSummary({ ...message, text: '', file: file({}) })]).toEqual(['Look', 'tide table.pdf: Look', 'tide table.pdf']);
  });
});
