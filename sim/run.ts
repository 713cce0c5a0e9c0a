/**
 * The command line of the simulated world.
 *
 *   node bin/launch.mjs sim/run.ts --seeds 100 [--first-seed 1]    runs that many seeds; exit code 1 when one fails
 *   node bin/launch.mjs sim/run.ts --seed 17 [--trace]             runs one seed again, exactly; with everything that happens
 *
 * `--verbose` prints a line for each seed.
 */
import { parseArgs } from 'node:util';
import { simulate, type SeedResult } from './simulate.ts';

const seedsDefault = 20;

function main(): number {
  const { values } = parseArgs({
    options: {
      'seeds': { type: 'string' }, 'first-seed': { type: 'string' }, 'seed': { type: 'string' }, 'trace': { type: 'boolean' }, 'verbose': { type: 'boolean' },
    },
  });
  const one = wholeNumber(values.seed, '--seed');
  const first = one ?? wholeNumber(values['first-seed'], '--first-seed') ?? 1;
  const count = one === undefined ? wholeNumber(values.seeds, '--seeds') ?? seedsDefault : 1;
  const sink = values.trace === true ? (line: string): void => { console.log(line); } : undefined;
  const startedMs = performance.now();
  const failed: SeedResult[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const seedStartedMs = performance.now();
    const result = simulate(seed, sink);
    if (result.violations.length > 0) failed.push(result);
    if (result.violations.length > 0 || one !== undefined || values.verbose === true) printSeed(result, performance.now() - seedStartedMs);
  }
  if (failed.length > 0) console.log(`failing seeds: ${failed.map(({ seed }) => seed).join(' ')} (again with: --seed N --trace)`);
  console.log(`${count} seeds from ${first} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  console.log(`${count - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

function printSeed(result: SeedResult, tookMs: number): void {
  const { letters, files, names } = result;
  console.log(`seed ${result.seed}: ${letters.asked} letters, ${letters.answered} accepted, ${letters.delivered} delivered, ${letters.cancelled} cancelled, ${files.arrived} of ${files.sent} files arrived, ${names.published} published, ${names.fetched} of ${names.fetches} fetched; ${result.datagrams} datagrams, `
    + `${result.engineStarts} engine starts, ${(result.virtualMs / 60_000).toFixed(1)} virtual minutes in ${(tookMs / 1000).toFixed(2)} s; trace ${result.traceLines} lines, ${result.traceHash.slice(0, 16)}`);
  for (const { invariant, atMs, text } of result.violations) console.log(`  ${(atMs / 1000).toFixed(3)} s  ${invariant}: ${text}`);
}

function wholeNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${option} takes a whole number, not "${text}"`);
  return value;
}

process.exitCode = main();
