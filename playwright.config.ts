/** End-to-end specs: those of the application one at a time, since each starts a whole one with a profile of its own; beside them, where there is a second processor, those of the window alone. */
import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';

const ofWindow = 'renderer/**/*.spec.ts';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  workers: Math.min(2, availableParallelism()),
  projects: [
    { name: 'application', testMatch: '**/*.spec.ts', testIgnore: ofWindow, workers: 1 },
    { name: 'window', testMatch: ofWindow, workers: 1 },
  ],
  fullyParallel: false,
  forbidOnly: process.env['CI'] !== undefined,
  // The second try tells what fails always from what fails now and then. It excuses nothing: `npm test` counts both as failed.
  retries: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: { trace: 'off', screenshot: 'off' },
});
