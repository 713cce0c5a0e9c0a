import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from './bytes.ts';
import { fileNameMaximumBytes, safeFileName } from './file-name.ts';

const awkward = fc.constantFrom('/', '\\', '.', ' ', '..', ':', '\0', '\n', '\u202e', '\u200b', '\u200d', '\ufeff', '\ud800', 'CON', 'nul', 'com1', '.txt', '.tar.gz', 'e\u0301', '\u{1f469}', '_', '\u{e0041}', 'a');
const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.array(awkward, { maxLength: 250 }).map((parts) => parts.join('')), fc.string({ unit: 'grapheme', maxLength: 400 }));

describe('a safe file name', () => {
  it('of an ordinary name is that name', () => {
    for (const name of ['report.pdf', 'Überblick – März.tar.gz', '写真 2026.png', 'a', 'no extension', '.a.b'.slice(1), 'semi;colon & co (1) [2] #3 100%.txt', 'constant.txt', 'com.txt', 'com10']) {
      expect(safeFileName(name)).toBe(name.normalize('NFC'));
    }
  });

  it.each([
    ['../../etc/passwd', '_.._etc_passwd'], ['C:\\Windows\\system32', 'C__Windows_system32'], ['.bashrc', 'bashrc'], ['  . .hidden', 'hidden'], ['name. . ', 'name'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'], ['a\u200bb\u2066c\u0007.txt', 'abc.txt'], ['line\none\ttwo', 'line one two'], ['stream.txt:hidden', 'stream.txt_hidden'],
    ['what?*<>|".txt', 'what______.txt'], ['CON', '_CON'], ['nul.txt', '_nul.txt'], ['Com1.tar.gz', '_Com1.tar.gz'], ['LPT\u00b9', '_LPT\u00b9'], ['aux .txt', '_aux .txt'], ['CONOUT$', '_CONOUT$'],
    ['', 'file'], ['...', 'file'], [' \u200b. ', 'file'], ['\u202e', 'file'], ['a\ud800b', 'a\ufffdb'.replace('\ufffd', '')], ['\u{e0041}x', 'x'],
  ])('of %j is %j', (text, expected) => {
    expect(safeFileName(text)).toBe(expected);
  });

  it('keeps its extension when it is cut, between characters', () => {
    expect(safeFileName(`${'x'.repeat(500)}.jpeg`)).toBe(`${'x'.repeat(195)}.jpeg`);
    expect(safeFileName(`${'ä'.repeat(500)}.png`)).toBe(`${'ä'.repeat(98)}.png`);
    expect(safeFileName(`${'\u{1f600}'.repeat(90)}.webp`)).toBe(`${'\u{1f600}'.repeat(48)}.webp`);
    expect(safeFileName(`${'x'.repeat(300)}.${'y'.repeat(50)}`)).toBe('x'.repeat(200));
    expect(safeFileName(`${'x'.repeat(100_000)}.pdf`)).toBe(`${'x'.repeat(196)}.pdf`);
    expect(safeFileName(`${'x'.repeat(190)}. . . . . . . . .txt`)).toBe(`${'x'.repeat(190)}. . ...txt`.replace('. . ...txt', '.txt'));
  });

  it('has nothing that leads elsewhere, hides or is refused, whatever it was made of', () => {
    fc.assert(fc.property(texts, (text) => {
      const name = safeFileName(text);
      expect(name.length).toBeGreaterThan(0);
      expect(name.isWellFormed()).toBe(true);
      expect(utf8Encode(name).length).toBeLessThanOrEqual(fileNameMaximumBytes);
      expect(name).not.toMatch(/[\p{Cc}/\\:*?"<>|\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u);
      expect(name).not.toMatch(/^[.\s]|[.\s]$/u);
      expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
    }), { numRuns: 500 });
  });

  it('made again is the same', () => {
    fc.assert(fc.property(texts, (text) => {
      const name = safeFileName(text);
      expect(safeFileName(name)).toBe(name);
    }), { numRuns: 500 });
  });
});
