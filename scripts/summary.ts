/** Reads how many checks passed and failed from what a suite printed. Pure. */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Which words a suite ends with: a single check has none, its exit code is the result. */
export type SummaryKind = 'check' | 'plain' | 'vitest' | 'playwright';

// eslint-disable-next-line no-control-regex -- colour codes start with a control character
const colourCodes = /\u001b\[[0-9;]*m/g;

const numberBefore = (word: string, text: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(text)?.[1] ?? 0);

function lastMatch(expression: RegExp, text: string): RegExpExecArray | undefined {
  return [...text.matchAll(expression)].at(-1);
}

/** The last line `N passed, N failed`, whatever stands after it on the line. */
function parsePlain(text: string): Counts | undefined {
  const match = lastMatch(/^(?:[^\n]*[^\d\n])?(\d+) passed, (\d+) failed/gm, text);
  return match === undefined ? undefined : { passed: Number(match[1]), failed: Number(match[2]) };
}

/** A file that cannot be loaded has no tests to count, and an error outside a test belongs to none: both count as failed. */
function parseVitest(text: string): Counts | undefined {
  const files = lastMatch(/^\s*Test Files\s+(.*)$/gm, text)?.[1];
  const tests = lastMatch(/^\s*Tests\s+(.*)$/gm, text)?.[1];
  if (files === undefined || tests === undefined) return undefined;
  const errors = lastMatch(/^\s*Errors\s+(.*)$/gm, text)?.[1] ?? '';
  const failedTests = numberBefore('failed', tests);
  const failed = failedTests === 0 ? numberBefore('failed', files) : failedTests;
  return { passed: numberBefore('passed', tests), failed: failed + numberBefore('errors?', errors) };
}

/** Flaky counts as failed: what passes at a second try has had a cause each time it was looked for. Specs that did not run prove nothing. */
function parsePlaywright(text: string): Counts | undefined {
  const line = (words: string): number | undefined => {
    const match = lastMatch(new RegExp(`^\\s*(\\d+) ${words}(?: \\([^)]*\\))?\\s*$`, 'gm'), text);
    return match === undefined ? undefined : Number(match[1]);
  };
  const passed = line('passed');
  const failed = ['failed', 'flaky', 'interrupted', 'did not run'].map(line).filter((count) => count !== undefined);
  if (passed === undefined && failed.length === 0) return undefined;
  return { passed: passed ?? 0, failed: failed.reduce((sum, count) => sum + count, 0) };
}

function parse(kind: SummaryKind, text: string): Counts | undefined {
  switch (kind) {
    case 'check':
      return undefined;
    case 'plain':
      return parsePlain(text);
    case 'vitest':
      return parseVitest(text);
    case 'playwright':
      return parsePlaywright(text);
  }
}

/** The result of a suite. An exit code other than 0 always leaves a failure, and a suite that reports nothing has failed. */
export function countsOf(kind: SummaryKind, output: string, exitCode: number): Counts {
  const fallback: Counts = exitCode === 0 && kind === 'check' ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const counts = parse(kind, output.replaceAll(colourCodes, '')) ?? fallback;
  return exitCode !== 0 && counts.failed === 0 ? { passed: counts.passed, failed: 1 } : counts;
}
