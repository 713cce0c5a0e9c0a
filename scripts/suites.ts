/** The list of everything `npm test` and `npm run test:long` run (run-suites.ts). The two differ in their parameters only. */
import type { CommandLine } from './project.ts';
import type { SummaryKind } from './summary.ts';

export interface Step {
  readonly name: string;
  readonly command: CommandLine;
  readonly summary: SummaryKind;
  /** The step is left out where one of these, relative to the project, does not exist. */
  readonly entryFiles: readonly string[];
  /** No clock, network or port is in it: it may share the machine with another. */
  readonly isPure?: true;
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

/** What only computes. */
const pure = (step: Step): Step => ({ ...step, isPure: true });

/** Vectors that others have published, run through our code. */
function vectors(kind: string, file: string): Step {
  return { name: `vectors ${kind}`, command: ['scripts/vectors.ts', kind, file], summary: 'plain', entryFiles: ['scripts/vectors.ts', file] };
}

export function stepsFor(effort: Effort): readonly Step[] {
  return [
    // The longest first, so that both of those who share the machine end at about the same time.
    pure(script('sim', 'sim/run.ts', '--seeds', effort.simulationSeeds)),
    pure({ name: 'lint', command: ['--bin', 'eslint', '.', '--max-warnings', '0'], summary: 'check', entryFiles: ['eslint.config.js'] }),
    pure({ name: 'typecheck', command: ['--bin', 'tsc', '--noEmit'], summary: 'check', entryFiles: ['tsconfig.json'] }),
    pure(script('lockstep trees', 'scripts/lockstep-trees.ts', '--trees', effort.lockstepTrees, '--most-leaves', effort.lockstepLeaves)),
    pure(vectors('noise', 'test-vectors/noise-25519-chachapoly-sha256.json')),
    pure(vectors('blake3', 'test-vectors/blake3.json')),
    { name: 'build', command: ['--bin', 'electron-vite', 'build', '--logLevel', 'warn'], summary: 'check', entryFiles: ['electron.vite.config.ts'] },
    { name: 'unit', command: ['--bin', 'vitest', 'run'], summary: 'vitest', entryFiles: ['vitest.config.ts'] },
    script('kill loop', 'scripts/kill-loop.ts', '--rounds', effort.killRounds),
    script('fuzz', 'scripts/fuzz.ts', '--inputs', effort.fuzzInputs),
    script('file transfer', 'scripts/file-transfer.ts', '--size', effort.fileSize, '--rate', effort.fileRate),
    script('laboratory', 'e2e/natlab/self-test.ts', ...(effort.laboratory === 'all' ? [] : ['--functional'])),
    script('doctor', 'e2e/natlab/doctor.ts'),
    script('visors', 'e2e/natlab/lab-table.ts'),
    script('one network', 'e2e/natlab/lab-lan.ts'),
    script('without UDP', 'e2e/natlab/lab-tcp.ts'),
    { name: 'e2e', command: ['scripts/test-e2e.ts'], summary: 'playwright', entryFiles: ['playwright.config.ts'] },
    script('demo', 'scripts/demo.ts'),
  ];
}
