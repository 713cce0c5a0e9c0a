/**
 * `npm run vectors -- noise FILE` and `npm run vectors -- blake3 FILE`: runs test vectors of others through our code. The last line is
 * `N passed, N failed, N skipped`; the exit code is 1 when one failed or none passed.
 */
import { readFileSync, statSync } from 'node:fs';
import { chooseCrypto } from '../src/main/host/crypto.ts';
import { runBlake3Vectors } from './vectors/blake3-vectors.ts';
import { VectorError } from './vectors/fields.ts';
import { runNoiseVectors } from './vectors/noise-vectors.ts';
import { printable, report } from './vectors/report.ts';
import type { NamedOutcome } from './vectors/report.ts';

/** The complete cacophony file has under 2 MB. */
const fileMaximumBytes = 64 * 1024 * 1024;

const usage = 'usage: npm run vectors -- noise FILE\n       npm run vectors -- blake3 FILE';

const runners: ReadonlyMap<string, (file: unknown) => readonly NamedOutcome[]> = new Map([
  ['noise', runNoise],
  ['blake3', runBlake3Vectors],
]);

process.exitCode = main(process.argv.slice(2));

function main([kind, path, ...rest]: readonly string[]): number {
  const run = runners.get(kind ?? '');
  if (run === undefined || path === undefined || rest.length > 0) {
    console.error(usage);
    return 1;
  }
  try {
    const { lines, exitCode } = report(run(readJson(path)));
    for (const line of lines) console.log(line);
    return exitCode;
  } catch (error) {
    if (!(error instanceof VectorError)) throw error;
    console.error(`Cannot run ${printable(path)}: ${error.message}.`);
    for (const line of report([]).lines) console.log(line);
    return 1;
  }
}

function runNoise(file: unknown): readonly NamedOutcome[] {
  const { crypto, fallbackReason } = chooseCrypto();
  console.log(fallbackReason === undefined ? `crypto: ${crypto.implementation}` : `crypto: ${crypto.implementation} (${fallbackReason})`);
  return runNoiseVectors(file, crypto);
}

function readJson(path: string): unknown {
  let text: string;
  try {
    const status = statSync(path);
    // A device or a pipe has no size to judge by and may never end.
    if (!status.isFile()) throw new VectorError('it is not a regular file');
    const sizeBytes = status.size;
    if (sizeBytes > fileMaximumBytes) throw new VectorError(`it has ${sizeBytes} bytes, and at most ${fileMaximumBytes} are read`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof VectorError) throw error;
    throw new VectorError(`it cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'})`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new VectorError('it is not JSON');
  }
}
