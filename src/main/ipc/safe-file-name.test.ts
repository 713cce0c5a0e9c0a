import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeFileName } from './safe-file-name.ts';

describe('a safe file name', () => {
  it.each([
    ['holiday photo.png', 'holiday photo.png'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['C:\\Windows\\x.txt', 'C__Windows_x.txt'],
    ['.bashrc', 'bashrc'],
    ['...', 'file'],
    ['', 'file'],
    ['CON.txt', '_CON.txt'],
    ['invoice\u202Efdp.exe', 'invoice_fdp.exe'],
    ['line\nbreak.txt ', 'line_break.txt'],
  ])('makes %j to %j', (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });
  it('shortens the stem and keeps the extension', () => {
    expect(safeFileName(`${'ä'.repeat(500)}.jpeg`)).toMatch(/^ä+\.jpeg$/);
  });
  it('is always one name of a bounded length', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (name) => {
      const safe = safeFileName(name);
      expect(path.basename(safe)).toBe(safe);
      expect(path.win32.basename(safe)).toBe(safe);
      expect(['', '.', '..']).not.toContain(safe);
      expect(new TextEncoder().encode(safe).length).toBeLessThanOrEqual(181);
    }));
  });
});
