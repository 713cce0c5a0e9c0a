/** For tests: a directory that is removed when the test ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'waypost-storage-'));
  onTestFinished(() => { rmSync(directory, { recursive: true, force: true }); });
  return directory;
}
