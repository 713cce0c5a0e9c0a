/**
 * `node e2e/natlab/self-test.ts [--functional | --timing]`: brings laboratories up and measures from inside that every emulation does what it claims; each check is a
 * line, the last line is `N passed, N failed`. Where a laboratory cannot be built it says what is missing, checks nothing and ends with `0 passed, 0 failed` and exit
 * code 0: a machine that cannot carry one says nothing about the project.
 *
 * The functional part asserts no time, so that it holds on a busy machine too; what it waits for in vain only takes time. Its two laboratories, one driven by the command
 * and one from this process, are worked on side by side. The timing part measures the link emulators and wants the machine for itself: it comes after. Without an
 * argument both are run, in about a minute on two cores. However this process ends, the laboratories are taken down.
 */
import { existsSync } from 'node:fs';
import { Checks } from '../../scripts/processes/checks.ts';
import { extendPath, Lab, missingRequirements } from './lab.ts';
import { namespacesWith } from './system.ts';
import { Bench, firstLab, secondLab, verb } from './self-test/bench.ts';
import { kinds } from './self-test/kinds.ts';
import { cables, links } from './self-test/links.ts';
import { mappings } from './self-test/mappings.ts';
import { matrix } from './self-test/matrix.ts';
import { networks } from './self-test/networks.ts';
import { PolicyBench, policyLab } from './self-test/policy-bench.ts';
import { portControl } from './self-test/port-control.ts';
import { tool } from './self-test/tool.ts';
import { translation } from './self-test/translation.ts';

const labs = [firstLab, secondLab, policyLab];
const parts = ['--functional', '--timing'] as const;
const [only] = process.argv.slice(2);
const runs = (part: (typeof parts)[number]): boolean => only === undefined || only === part;

/** Of the laboratory that the command drives. */
async function commandParts(checks: Checks): Promise<void> {
  const bench = await Bench.begin(checks);
  const policies = runs('--functional') ? policyParts(checks) : Promise.resolve();
  const functional = async (): Promise<void> => { for (const part of [kinds, mappings, cables]) await part(bench); };
  // Both to their end, so that neither goes on in a laboratory that is being taken down.
  const ends = await Promise.allSettled([runs('--functional') ? functional() : undefined, policies]);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (runs('--timing')) await links(bench);
  if (runs('--functional')) await tool(bench);
}

/** Of the laboratory with the programs beside routers, driven from here. */
async function policyParts(checks: Checks): Promise<void> {
  const bench = await PolicyBench.begin(checks);
  for (const part of [matrix, translation, portControl, networks]) await part(bench);
  await bench.lab.down();
}

extendPath();
const missing = missingRequirements();
if (only !== undefined && !parts.some((part) => part === only)) {
  process.stderr.write(`self-test.ts [${parts.join(' | ')}]\n`);
  process.exitCode = 2;
} else if (missing.length > 0) {
  process.stdout.write(`\n*** THE NAT LABORATORY WAS NOT TESTED: this machine cannot carry one. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const checks = new Checks();
  const startedMs = performance.now();
  const guards = labs.map((lab) => new Lab(lab).guard());
  try {
    await commandParts(checks);
  } catch (error) {
    checks.check('the self-test runs to its end', false, error instanceof Error ? error.stack : String(error));
  }
  for (const lab of labs) verb(lab, ['down']);
  await Promise.all(guards.map((callOff) => callOff()));
  const left = [...namespacesWith(`natlab.${firstLab}`), ...labs.flatMap((lab) => [`/run/natlab/${lab}`, `/run/natlab/${lab}.lock`]).filter((file) => existsSync(file))];
  checks.check('nothing is left behind', left.length === 0, left.join(' '));
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
  process.exitCode = checks.finish();
}
