/**
 * `node e2e/natlab/self-test.ts`: brings laboratories up and measures from inside that every emulation does what it claims; each check is a line, the last line is
 * `N passed, N failed`. Where a laboratory cannot be built it says what is missing, checks nothing and ends with `0 passed, 0 failed` and exit code 0: a machine that
 * cannot carry one says nothing about the project. About a minute on two cores.
 */
import { existsSync } from 'node:fs';
import { Checks } from '../../scripts/processes/checks.ts';
import { extendPath, missingRequirements } from './lab.ts';
import { namespacesWith } from './system.ts';
import { Bench, firstLab, secondLab, verb } from './self-test/bench.ts';
import { kinds } from './self-test/kinds.ts';
import { links } from './self-test/links.ts';
import { mappings } from './self-test/mappings.ts';
import { tool } from './self-test/tool.ts';

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stdout.write(`\n*** THE NAT LABORATORY WAS NOT TESTED: this machine cannot carry one. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const checks = new Checks();
  const startedMs = performance.now();
  try {
    const bench = await Bench.begin(checks);
    for (const part of [kinds, mappings, links, tool]) await part(bench);
  } catch (error) {
    checks.check('the self-test runs to its end', false, error instanceof Error ? error.stack : String(error));
  }
  for (const lab of [firstLab, secondLab]) verb(lab, ['down']);
  checks.check('nothing is left behind', namespacesWith(`natlab.${firstLab}`).length === 0 && !existsSync(`/run/natlab/${firstLab}`));
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
  process.exitCode = checks.finish();
}
