import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseBounds, parseBounds, readBounds, writeBounds } from './window-bounds.ts';

const display = { x: 0, y: 0, width: 1920, height: 1080 };
const saved = { x: 100, y: 80, width: 900, height: 600, isMaximized: false };

describe('remembered window bounds', () => {
  it('are used again when they are on a display', () => {
    expect(chooseBounds(saved, [display])).toEqual(saved);
    expect(chooseBounds({ ...saved, x: 2000 }, [display, { x: 1920, y: 0, width: 1280, height: 1024 }])).toEqual({ ...saved, x: 2000 });
  });

  it.each([{ x: 2000 }, { x: -850 }, { y: 1000 }, { y: -40 }])('are dropped when %o puts them out of reach', (change) => {
    expect(chooseBounds({ ...saved, ...change }, [display])).toEqual({ width: 1100, height: 720, isMaximized: false });
  });

  it('default when nothing was saved or no display is known', () => {
    expect(chooseBounds(undefined, [display]).width).toBe(1100);
    expect(chooseBounds(saved, [])).not.toHaveProperty('x');
  });

  it.each(['', 'null', '[]', '{"x":1}', JSON.stringify({ ...saved, width: 10 }), JSON.stringify({ ...saved, x: 1e9 }), JSON.stringify({ ...saved, y: 'a' })])(
    'ignore a damaged file: %s',
    (text) => {
      expect(parseBounds(text)).toBeUndefined();
    },
  );

  it('survive writing and reading, and a missing folder', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'waypost-bounds-'));
    const file = path.join(directory, 'window.json');
    expect(readBounds(file)).toBeUndefined();
    writeBounds(file, saved);
    expect(readBounds(file)).toEqual(saved);
    writeFileSync(file, '{');
    expect(readBounds(file)).toBeUndefined();
    rmSync(directory, { recursive: true });
    writeBounds(file, saved);
    expect(readBounds(file)).toBeUndefined();
  });
});
