/** Unit tests sit beside their sources as `name.test.ts`; end-to-end specs (`*.spec.ts`) belong to playwright. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{src,e2e,scripts,sim,bench}/**/*.test.{ts,tsx}'],
    environment: 'node',
    setupFiles: ['scripts/property-seed.ts'],
    pool: 'forks',
    // All processors: by default one is left alone, which is half of a machine of two.
    maxWorkers: '100%',
    // For what hangs; the slowest take ten seconds on a busy machine.
    testTimeout: 60_000,
  },
});
