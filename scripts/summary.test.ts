import { describe, expect, it } from 'vitest';
import { countsOf } from './summary.ts';

describe('counting what a suite reports', () => {
  it('takes a check by its exit code', () => {
    expect(countsOf('check', 'anything 3 failed', 0)).toEqual({ passed: 1, failed: 0 });
    expect(countsOf('check', '', 2)).toEqual({ passed: 0, failed: 1 });
  });

  it('takes the last plain summary line', () => {
    expect(countsOf('plain', 'seed 1: 1 passed, 0 failed\nsim: 100 passed, 2 failed in 3 s\nbye\n', 1)).toEqual({ passed: 100, failed: 2 });
    expect(countsOf('plain', '7 passed, 0 failed', 0)).toEqual({ passed: 7, failed: 0 });
  });

  it('fails a suite that ends well without a summary, or badly with a good one', () => {
    expect(countsOf('plain', 'done', 0)).toEqual({ passed: 0, failed: 1 });
    expect(countsOf('plain', '7 passed, 0 failed', 1)).toEqual({ passed: 7, failed: 1 });
    expect(countsOf('vitest', '', 0)).toEqual({ passed: 0, failed: 1 });
    expect(countsOf('playwright', '', 0)).toEqual({ passed: 0, failed: 1 });
  });

  it('reads vitest with and without colours', () => {
    const good = '\u001b[2m Test Files \u001b[22m \u001b[32m3 passed\u001b[39m (3)\n\u001b[2m      Tests \u001b[22m \u001b[32m55 passed\u001b[39m (55)\n   Start at  04:27:27\n';
    expect(countsOf('vitest', good, 0)).toEqual({ passed: 55, failed: 0 });
    expect(countsOf('vitest', ' Test Files  1 failed | 2 passed (3)\n      Tests  2 failed | 53 passed | 1 skipped (56)\n', 1)).toEqual({ passed: 53, failed: 2 });
  });

  it('counts vitest files that do not load and errors outside tests', () => {
    expect(countsOf('vitest', ' Test Files  2 failed | 1 passed (3)\n      Tests  9 passed (9)\n', 1)).toEqual({ passed: 9, failed: 2 });
    expect(countsOf('vitest', ' Test Files  1 passed (1)\n      Tests  9 passed (9)\n     Errors  1 error\n', 1)).toEqual({ passed: 9, failed: 1 });
  });

  it('reads playwright, where flaky and not run are failures', () => {
    expect(countsOf('playwright', '  ✓  1 a (1s)\n\n  5 passed (9.3s)\n', 0)).toEqual({ passed: 5, failed: 0 });
    expect(countsOf('playwright', '  1 failed\n    a.spec.ts\n  1 flaky\n  2 did not run\n  5 passed (9.3s)\n', 1)).toEqual({ passed: 5, failed: 4 });
    expect(countsOf('playwright', '  1 failed\n', 1)).toEqual({ passed: 0, failed: 1 });
  });
});
