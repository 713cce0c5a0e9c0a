/** What the tables of `lab-table.ts` have in common: cells side by side, and what is counted of each. */

export interface TableOptions { readonly runs: number; readonly lanes: number; readonly isJson: boolean }

/** One cell, once. */
export interface TableRow { readonly problems: readonly string[] }

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** So many jobs at a time, in their order. Resolves to what came of them, in the order in which they ended. */
export async function inLanes<Job, Row>(jobs: readonly Job[], lanes: number, run: (job: Job) => Promise<Row>): Promise<readonly Row[]> {
  const waiting = [...jobs];
  const rows: Row[] = [];
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) rows.push(await run(next));
  }));
  return rows;
}

/** The same for jobs that sleep most of their time and are busy when they start: one starts when the one before has called `started`, or has ended. */
export async function inLanesStartedInTurn<Job, Row>(jobs: readonly Job[], lanes: number, run: (job: Job, started: () => void) => Promise<Row>): Promise<readonly Row[]> {
  let previous = Promise.resolve();
  return inLanes(jobs, lanes, async (job) => {
    const before = previous;
    const { promise, resolve } = Promise.withResolvers<void>();
    previous = promise;
    await before;
    try {
      return await run(job, resolve);
    } finally {
      resolve();
    }
  });
}
