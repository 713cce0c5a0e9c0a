/** The list of everything `npm test` and `npm run test:long` run, and the loop that runs it. The two differ in their parameters only. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { exitCode, projectRoot, startProcess, type CommandLine } from './project.ts';
import { countsOf, type Counts, type SummaryKind } from './summary.ts';

export interface Step {
  readonly name: string;
  readonly command: CommandLine;
  readonly summary: SummaryKind;
  /** The step is left out where one of these, relative to the project, does not exist. */
  readonly entryFiles: readonly string[];
}

export interface Effort {
  readonly simulationSeeds: number;
  readonly killRounds: number;
  readonly fuzzInputs: number;
  /** Size of the file, and Mbit/s of its link: slow enough for a small file to be under way when something happens to it. */
  readonly fileSize: string;
  readonly fileRate: number;
  /** Contents proved leaf by leaf, and the most leaves of one. */
  readonly lockstepTrees: number;
  readonly lockstepLeaves: number;
  /** How far the network laboratory tests itself: emulated delays are measured by hand alone, since a busy machine moves them. */
  readonly laboratory: 'functional' | 'all';
}

export const shortEffort: Effort = { simulationSeeds: 100, killRounds: 20, fuzzInputs: 100_000, fileSize: '64MiB', fileRate: 100, lockstepTrees: 4, lockstepLeaves: 2 ** 14, laboratory: 'functional' };
export const longEffort: Effort = { simulationSeeds: 1000, killRounds: 200, fuzzInputs: 1_000_000, fileSize: '1GiB', fileRate: 200, lockstepTrees: 24, lockstepLeaves: 2 ** 20, laboratory: 'all' };

/** A script of the project whose output ends with the line `N passed, N failed`. */
function script(name: string, entryFile: string, ...commandLine: readonly (string | number)[]): Step {
  return { name, command: [entryFile, ...commandLine.map(String)], summary: 'plain', entryFiles: [entryFile] };
}

/** Vectors that others have published, run through our code. */
function vectors(kind: string, file: string): Step {
  return { name: `vectors ${kind}`, command: ['scripts/vectors.ts', kind, file], summary: 'plain', entryFiles: ['scripts/vectors.ts', file] };
}

export function stepsFor(effort: Effort): readonly Step[] {
  return [
    { name: 'lint', command: ['--bin', 'eslint', '.', '--max-warnings', '0'], summary: 'check', entryFiles: ['eslint.config.js'] },
    { name: 'typecheck', command: ['--bin', 'tsc', '--noEmit'], summary: 'check', entryFiles: ['tsconfig.json'] },
    { name: 'build', command: ['--bin', 'electron-vite', 'build', '--logLevel', 'warn'], summary: 'check', entryFiles: ['electron.vite.config.ts'] },
    { name: 'unit', command: ['--bin', 'vitest', 'run'], summary: 'vitest', entryFiles: ['vitest.config.ts'] },
    script('lockstep trees', 'scripts/lockstep-trees.ts', '--trees', effort.lockstepTrees, '--most-leaves', effort.lockstepLeaves),
    script('sim', 'sim/run.ts', '--seeds', effort.simulationSeeds),
    script('kill loop', 'scripts/kill-loop.ts', '--rounds', effort.killRounds),
    script('fuzz', 'scripts/fuzz.ts', '--inputs', effort.fuzzInputs),
    script('file transfer', 'scripts/file-transfer.ts', '--size', effort.fileSize, '--rate', effort.fileRate),
    script('laboratory', 'e2e/natlab/self-test.ts', ...(effort.laboratory === 'all' ? [] : ['--functional'])),
    script('doctor', 'e2e/natlab/doctor.ts'),
    script('visors', 'e2e/natlab/lab-table.ts'),
    script('one network', 'e2e/natlab/lab-lan.ts'),
    script('without UDP', 'e2e/natlab/lab-tcp.ts'),
    { name: 'e2e', command: ['scripts/test-e2e.ts'], summary: 'playwright', entryFiles: ['playwright.config.ts'] },
    vectors('noise', 'test-vectors/noise-25519-chachapoly-sha256.json'),
    vectors('blake3', 'test-vectors/blake3.json'),
    script('demo', 'scripts/demo.ts'),
  ];
}

const outputGraceMs = 5000;

/** Runs a step, showing its output as it comes and keeping it for the summary. */
async function runStep(step: Step): Promise<Counts> {
  const child = startProcess(step.command, ['ignore', 'pipe', 'pipe']);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    process.stdout.write(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
  });
  const { promise: closed, resolve } = Promise.withResolvers<undefined>();
  child.once('close', () => {
    resolve(undefined);
  });
  const code = await exitCode(child);
  // The exit can come before the last piece of output; a process left behind must not keep us waiting for more.
  await Promise.race([closed, setTimeout(outputGraceMs, undefined, { ref: false })]);
  return countsOf(step.summary, output, code);
}

const formatCounts = ({ passed, failed }: Omit<Counts, 'retried'>): string => `${passed} passed, ${failed} failed`;
const formatRetried = ({ retried }: Counts): string => (retried === 0 ? '' : `, ${String(retried)} of the passed at the second try`);

/** Runs the steps whose entry file exists, one after the other; the last line printed sums them up. Returns the exit code. */
export async function runSuites(effort: Effort): Promise<number> {
  const results: { readonly name: string; readonly counts: Counts; readonly seconds: number }[] = [];
  for (const step of stepsFor(effort)) {
    if (!step.entryFiles.every((file) => existsSync(path.join(projectRoot, file)))) continue;
    process.stdout.write(`\n== ${step.name}\n`);
    const startedMs = performance.now();
    const counts = await runStep(step);
    results.push({ name: step.name, counts, seconds: (performance.now() - startedMs) / 1000 });
  }
  process.stdout.write('\n');
  for (const { name, counts, seconds } of results) process.stdout.write(`${name.padEnd(15)} ${formatCounts(counts)} (${seconds.toFixed(1)} s)${formatRetried(counts)}\n`);
  const total = results.reduce((sum, { counts }) => ({ passed: sum.passed + counts.passed, failed: sum.failed + counts.failed }), { passed: 0, failed: 0 });
  process.stdout.write(`${formatCounts(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}
