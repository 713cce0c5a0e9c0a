import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { freshBrowserProfile } from './browser-profile.ts';

it('removes the browser profiles of processes that are gone, and no others', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'waypost-profile-'));
  const running = path.join(directory, `stand-in-chromium-${process.ppid}`);
  const gone = path.join(directory, 'stand-in-chromium-99999999');
  for (const folder of [running, gone]) mkdirSync(folder);
  const mine = freshBrowserProfile(directory);
  expect(path.dirname(mine)).toBe(directory);
  expect([existsSync(running), existsSync(gone), existsSync(mine)]).toEqual([true, false, false]);
  rmSync(directory, { recursive: true });
});
