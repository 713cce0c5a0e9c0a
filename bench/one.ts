/** Runs one benchmark once and prints its figures as one line of JSON; started by run.ts in a process of its own. */
import { benchmarks } from './benchmarks.ts';

const name = process.argv[2] ?? '';
const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
if (benchmark === undefined) {
  process.stderr.write(`There is no benchmark named ${name}. Known: ${Object.keys(benchmarks).join(', ')}.\n`);
  process.exit(2);
}
const figures = await benchmark();
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);
