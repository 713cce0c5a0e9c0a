import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimProfile, releaseProfile, type LaterStart } from './single-instance.ts';

const start: LaterStart = { argv: ['host', 'waypost:invite'], workingDirectory: '/w', additionalData: { a: 1 } };
const refuse = (): never => {
  throw new Error('This process was not the first.');
};
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'waypost-instance-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('one process for each profile', () => {
  it('lets the first in, tells it about the second, and lets another in after its release', async () => {
    const { promise: told, resolve } = Promise.withResolvers<LaterStart>();
    expect(claimProfile(directory, start, resolve)).toBe(true);
    expect(claimProfile(directory, start, refuse)).toBe(false);
    expect(await told).toEqual(start);
    releaseProfile(directory);
    expect(claimProfile(directory, start, refuse)).toBe(true);
    releaseProfile(directory);
  });

  it('does not stay locked by a process that was killed', () => {
    // Beyond the largest process id of any system we run on.
    writeFileSync(path.join(directory, 'stand-in.lock'), '99999999');
    expect(claimProfile(directory, start, refuse)).toBe(true);
    releaseProfile(directory);
  });
});
