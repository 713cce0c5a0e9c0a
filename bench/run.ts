/**
 * `npm run bench -- [--json] [--only NAME] [--repeat N]`: each benchmark in a process of its own, median of five runs (machines are noisy),
 * one line each: `{name, value, unit, aim}`. No test depends on a figure. Results with the machine described: bench/RESULTS.md.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { benchmarks } from './benchmarks.ts';

const repeatDefault = 5;

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly aim: string;
}

function option(name: string): string | undefined {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? undefined : process.argv[index + 1];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** One run in a fresh process: no benchmark inherits another's heap or warmed-up code. */
function runOnce(name: string): Promise<readonly Figure[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', path.join(import.meta.dirname, 'one.ts'), name], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code !== 0) { reject(new Error(`benchmark ${name} ended with exit code ${String(code)}`)); return; }
      const lines = output.trim().split('\n');
      resolve(JSON.parse(lines[lines.length - 1] ?? '[]') as readonly Figure[]);
    });
  });
}

const repeat = Number(option('repeat') ?? repeatDefault);
const only = option('only');
const json = process.argv.includes('--json');
let failed = 0;
for (const name of Object.keys(benchmarks)) {
  if (only !== undefined && only !== name) continue;
  const runs: (readonly Figure[])[] = [];
  try {
    for (let round = 0; round < repeat; round += 1) runs.push(await runOnce(name));
  } catch (error) {
    failed += 1;
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    continue;
  }
  for (const [index, first] of (runs[0] ?? []).entries()) {
    const values = runs.map((figures) => figures[index]?.value ?? Number.NaN);
    const figure: Figure = { ...first, value: Number(median(values).toPrecision(4)) };
    process.stdout.write(json ? `${JSON.stringify(figure)}\n` : `${figure.name.padEnd(44)} ${String(figure.value).padStart(10)} ${figure.unit.padEnd(16)} aim ${figure.aim}\n`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
