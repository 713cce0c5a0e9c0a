/** What a vector run is told and prints: failures by name, skipped vectors counted by reason, one line of totals at the end. */

export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'skipped'; readonly reason: string };

export interface NamedOutcome {
  readonly name: string;
  readonly outcome: Outcome;
}

export interface Report {
  readonly lines: readonly string[];
  readonly exitCode: 0 | 1;
}

/** A file is a file of somebody else: names are cut and stripped of control characters before they reach a terminal. */
const shownNameMaximumLength = 100;

export function report(outcomes: readonly NamedOutcome[]): Report {
  const lines: string[] = [];
  const skipped = new Map<string, number>();
  let passedCount = 0;
  let failedCount = 0;
  let skippedCount = 0;
  for (const { name, outcome } of outcomes) {
    switch (outcome.kind) {
      case 'passed':
        passedCount += 1;
        break;
      case 'failed':
        failedCount += 1;
        lines.push(`FAILED ${printable(name)}: ${outcome.reason}`);
        break;
      case 'skipped':
        skippedCount += 1;
        skipped.set(outcome.reason, (skipped.get(outcome.reason) ?? 0) + 1);
        break;
    }
  }
  for (const [reason, count] of skipped) lines.push(`skipped ${count}: ${reason}`);
  lines.push(`${passedCount} passed, ${failedCount} failed, ${skippedCount} skipped`);
  return { lines, exitCode: failedCount > 0 || passedCount === 0 ? 1 : 0 };
}

export function printable(text: string): string {
  const visible = text.replace(/[^\x20-\x7e]/g, '?');
  return visible.length > shownNameMaximumLength ? `${visible.slice(0, shownNameMaximumLength)}...` : visible;
}
