/** Runs a list of suites: first those that only compute, as many at a time as there are processors, up to two; then one after the other, for they wait for clocks and each other's processes. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { exitCode, projectRoot, startProcess } from './project.ts';
import type { Step } from './suites.ts';
import { countsOf, type Counts } from './summary.ts';

/** Each of them may need two gigabytes. */
const besideMaximum = 2;
const outputGraceMs = 5000;

interface Result {
  readonly name: string;
  readonly counts: Counts;
  readonly seconds: number;
}

/** @param show what it prints, as it comes; all of it is kept for the summary. */
async function runStep(step: Step, show: (chunk: Buffer, to: 'stdout' | 'stderr') => void): Promise<Result> {
  const startedMs = performance.now();
  const child = startProcess(step.command, ['ignore', 'pipe', 'pipe']);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    show(chunk, 'stdout');
  });
  child.stderr?.on('data', (chunk: Buffer) => { show(chunk, 'stderr'); });
  const { promise: closed, resolve } = Promise.withResolvers<undefined>();
  child.once('close', () => {
    resolve(undefined);
  });
  const code = await exitCode(child);
  // The exit can come before the last piece of output; a process left behind must not keep us waiting for more.
  await Promise.race([closed, setTimeout(outputGraceMs, undefined, { ref: false })]);
  return { name: step.name, counts: countsOf(step.summary, output, code), seconds: (performance.now() - startedMs) / 1000 };
}

const writeHead = ({ name }: Step): void => { process.stdout.write(`\n== ${name}\n`); };

/** What they print stands together, when each has ended. */
async function runBeside(steps: readonly Step[]): Promise<readonly Result[]> {
  process.stdout.write(`Minutes, and nothing to see until one has ended: ${steps.map(({ name }) => name).join(', ')}.\n`);
  const waiting = [...steps];
  const results: Result[] = [];
  const lane = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const printed: (readonly [chunk: Buffer, to: 'stdout' | 'stderr'])[] = [];
      results.push(await runStep(step, (chunk, to) => { printed.push([chunk, to]); }));
      writeHead(step);
      for (const [chunk, to] of printed) process[to].write(chunk);
    }
  };
  await Promise.all(Array.from({ length: Math.min(besideMaximum, availableParallelism()) }, lane));
  return results;
}

async function runInTurn(steps: readonly Step[]): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const step of steps) {
    writeHead(step);
    results.push(await runStep(step, (chunk, to) => { process[to].write(chunk); }));
  }
  return results;
}

const formatCounts = ({ passed, failed }: Counts): string => `${passed} passed, ${failed} failed`;

/** Runs the steps whose entry file exists; the last line printed sums them up. Returns the exit code. */
export async function runSuites(steps: readonly Step[]): Promise<number> {
  const present = steps.filter(({ entryFiles }) => entryFiles.every((file) => existsSync(path.join(projectRoot, file))));
  const results = [...await runBeside(present.filter(({ isPure }) => isPure === true)), ...await runInTurn(present.filter(({ isPure }) => isPure !== true))];
  process.stdout.write('\n');
  for (const { name, counts, seconds } of results) process.stdout.write(`${name.padEnd(15)} ${formatCounts(counts)} (${seconds.toFixed(1)} s)\n`);
  const total = results.reduce((sum, { counts }) => ({ passed: sum.passed + counts.passed, failed: sum.failed + counts.failed }), { passed: 0, failed: 0 });
  process.stdout.write(`${formatCounts(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}
