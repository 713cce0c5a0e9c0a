import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileView } from '../../shared/file-views.ts';
import type { MessageView } from '../../shared/views.ts';
import { createFileProgress } from './file-progress.ts';
import { clipped, fileWords, freeNames, messageWords, oneLine, progressWords } from './file-words.ts';
import type { Terminal } from './terminal.ts';

const key = `02${'ab'.repeat(32)}`;
const id = '12'.repeat(16);
const relay = { relay: key, relayName: 'mill.example:7400' };

const fileIn = (state: FileView['state'], more: Partial<FileView> = {}): FileView => ({ name: 'holiday.jpg', mediaType: 'image/jpeg', sizeBytes: 3_100_000, state, holders: [], ...more });
const messageWith = (file: FileView, direction: MessageView['direction'] = 'in', text = ''): MessageView =>
  ({ id, conversationId: `${key}:1`, row: 1, direction, text, file, sentAtMs: 1, expiresAtMs: 2, headline: { state: 'received' }, missingBefore: 0 });
const moving = (doneBytes: number, more: object = {}): FileView['state'] => ({ state: 'moving', doneBytes, bytesPerSecond: 210_000, remainingMs: 9_000, sources: [{ kind: 'relay', ...relay }], ...more });

describe('files in lists', () => {
  it.each([
    ['in', fileIn({ state: 'waiting', reason: 'not-asked', doneBytes: 0 }), 'holiday.jpg, 3.1 MB: It comes when you ask for it.'],
    ['in', fileIn({ state: 'waiting', reason: 'paused', doneBytes: 31_000 }), 'holiday.jpg, 3.1 MB: 31 kB of 3.1 MB. Paused. What is here is kept.'],
    ['in', fileIn({ state: 'ready' }), 'holiday.jpg, 3.1 MB: All of it is here.'],
    ['in', fileIn({ state: 'failed', reason: 'gone' }), 'holiday.jpg, 3.1 MB: Nobody has it any more. Ask them to send it again.'],
    ['in', fileIn(moving(1_300_000)), 'holiday.jpg, 3.1 MB: 1.3 MB of 3.1 MB, 210 kB/s, 9 seconds left. From mill.example:7400.'],
    ['out', fileIn(moving(1_300_000, { sources: [] }), { holders: [{ ...relay, heldBytes: 1_302_000, complete: false }] }), 'holiday.jpg, 3.1 MB: 1.3 MB of 3.1 MB, 210 kB/s, 9 seconds left. mill.example:7400 is taking it: 42 %'],
    ['out', fileIn({ state: 'ready' }, { holders: [{ ...relay, heldBytes: 3_100_000, complete: true }] }), 'holiday.jpg, 3.1 MB: mill.example:7400 holds it.'],
  ] as const)('say where one is that goes %s', (direction, file, text) => {
    expect(fileWords(file, direction)).toBe(text);
  });

  it('have the id that get takes, and the text beside it', () => {
    const file = fileIn({ state: 'ready' });
    expect(messageWords(messageWith(file))).toBe(`[file ${id}] holiday.jpg, 3.1 MB: All of it is here.`);
    expect(messageWords(messageWith(file, 'in', 'from last summer'))).toBe(`[file ${id}] holiday.jpg, 3.1 MB: All of it is here.  from last summer`);
    expect(messageWords({ ...messageWith(file), file: undefined, text: 'no file' })).toBe('no file');
  });

  it('show of a long text its beginning in one line', () => {
    expect(oneLine(' two\nlines ')).toBe('two lines');
    expect(Array.from(oneLine('😀'.repeat(500)))).toHaveLength(120);
  });
});

describe('names that are free', () => {
  it.each([
    ['holiday.jpg', ['holiday.jpg', 'holiday (2).jpg', 'holiday (3).jpg']],
    ['README', ['README', 'README (2)', 'README (3)']],
    ['.profile', ['.profile', '.profile (2)', '.profile (3)']],
  ])('go on counting before the ending of %s', (name, names) => {
    expect([...freeNames(name, 3)]).toEqual(names);
  });
});

describe('a line of progress', () => {
  it('has the percent and keeps both ends of a long name', () => {
    expect(progressWords(fileIn(moving(1_302_000)), 'in')).toBe('holiday.jpg  42 %  1.3 MB of 3.1 MB, 210 kB/s, 9 seconds left. From mill.example:7400.');
    const name = progressWords(fileIn({ state: 'ready' }, { name: `${'x'.repeat(100)}-final.tar.gz` }), 'in').split('  ')[0] ?? '';
    expect([name.length, name.endsWith('nal.tar.gz'), name.includes('…')]).toEqual([32, true, true]);
  });

  it('is never wider than the terminal, with characters of two columns too', () => {
    expect(clipped('漢字漢字', 5)).toBe('漢字');
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.nat(100), (text, columns) => {
      const kept = clipped(text, columns);
      expect(Array.from(kept).length).toBeLessThanOrEqual(columns);
      expect(text.startsWith(kept)).toBe(true);
    }));
  });
});

describe('showing progress', () => {
  /** What is written, and a clock that stands until it is moved. */
  function begin(mode: 'drawn' | 'plain' | 'json') {
    const world = { nowMs: 0, drawn: [] as string[], notes: [] as string[], results: [] as unknown[] };
    const terminal: Terminal = { isJson: mode === 'json', result: (_text, value) => { world.results.push(value); }, note: (text) => { world.notes.push(text); } };
    const stream = { isTTY: mode === 'drawn', columns: 40, write: (text: string) => { world.drawn.push(text); } };
    const progress = createFileProgress(terminal, stream, () => world.nowMs);
    const show = (atMs: number, state: FileView['state']): void => { world.nowMs = atMs; progress.show(messageWith(fileIn(state, { name: 'a.bin' }))); };
    return { world, progress, show };
  }

  it('draws one line anew on a terminal, not too often, and takes it away at the end', () => {
    const { world, progress, show } = begin('drawn');
    progress.end();
    expect(world.drawn).toEqual([]);
    show(0, moving(31_000));
    show(50, moving(62_000));
    show(120, moving(93_000));
    progress.end();
    expect(world.drawn).toEqual(['\r\u001b[Ka.bin  1 %  31 kB of 3.1 MB, 210 kB/s, ', '\r\u001b[Ka.bin  3 %  93 kB of 3.1 MB, 210 kB/s, ', '\r\u001b[K']);
    expect([world.notes, world.results]).toEqual([[], []]);
  });

  it.each([undefined, 0])('draws on a terminal that says %s for its width', (columns) => {
    const drawn: string[] = [];
    const terminal: Terminal = { isJson: false, result: () => undefined, note: () => undefined };
    const stream = { isTTY: true, ...(columns === undefined ? {} : { columns }), write: (text: string) => { drawn.push(text); } };
    createFileProgress(terminal, stream, () => 0).show(messageWith(fileIn({ state: 'ready' })));
    expect(drawn).toEqual(['\r\u001b[Kholiday.jpg  All of it is here.']);
  });

  it('writes plain lines elsewhere: when something is different, and now and then', () => {
    const { world, progress, show } = begin('plain');
    show(0, { state: 'waiting', reason: 'no-source', doneBytes: 0 });
    show(1, moving(31_000));
    show(500, moving(62_000));
    show(10_001, moving(93_000));
    show(30_000, moving(93_000));
    show(30_001, { state: 'ready' });
    progress.end();
    expect(world.notes.map((note) => note.split('  ')[1])).toEqual(['Nobody who has it is online. It goes on by itself when they are.', '1 %', '3 %', 'All of it is here.']);
    expect(world.drawn).toEqual([]);
  });

  it('gives programs the file as it is, one object a line', () => {
    const { world, progress, show } = begin('json');
    show(0, moving(31_000));
    show(100, moving(62_000));
    show(600, moving(93_000));
    show(2_000, moving(93_000));
    progress.end();
    expect(world.results).toEqual([31_000, 93_000].map((doneBytes) => ({ progress: { messageId: id, file: fileIn(moving(doneBytes), { name: 'a.bin' }) } })));
    expect([world.notes, world.drawn]).toEqual([[], []]);
  });

  it('says nothing of a message without a file', () => {
    const { world, progress } = begin('plain');
    progress.show({ ...messageWith(fileIn({ state: 'ready' })), file: undefined });
    expect(world.notes).toEqual([]);
  });
});
