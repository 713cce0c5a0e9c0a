/**
 * `npm run lab -- [--runs N] [--only PATTERN] [--lanes N] [--warm] [--delay MS] [--slow] [--json]`, as root: real visors and relays in network namespaces, in tables. The first
 * (lab-pair-table.ts) has two visors meet behind every pair of routers there is; the second (lab-fault-table.ts) lets a fault happen to two who write to each other; then friends carry where no relay is left (lab-friend-table.ts). A line a cell; the last one is
 * `N passed, N failed`, over all. The slow faults run in a laboratory beside the others, and floods after all of them (lab-fault-table.ts). Where a laboratory cannot be built it says what is missing, checks nothing and ends with `0 passed, 0 failed` and exit code 0.
 *
 * `--delay` has every router of the first table delay packets so long in each direction; `--slow` has the faults that take minutes as well, as has more than one run.
 */
import { parseArgs } from 'node:util';
import { runSlowAside } from './lab-aside.ts';
import { friendCellsOf, labCells } from './lab-cells.ts';
import { faultLaboratories, faultTitle } from './lab-fault-table.ts';
import { faults as allFaults } from './lab-faults.ts';
import { friendLaboratories, friendTitle } from './lab-friend-table.ts';
import type { TableRow } from './lab-lanes.ts';
import { inLabs } from './lab-laboratory.ts';
import { pairLaboratories, pairTitle } from './lab-pair-table.ts';
import { extendPath, Lab, missingRequirements } from './lab.ts';

const labName = 'natlab-visors';
/** It exists beside the other. */
const slowLabName = 'natlab-slow-visors';
/** Cells at a time, by default: six processes wait for packets most of their time. */
const lanesDefault = 3;
const countMaximum = 1_000;

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

function countOf(text: string, name: string, minimum = 1): number {
  const count = Number(text);
  return Number.isInteger(count) && count >= minimum && count <= countMaximum ? count : fail(`--${name} takes a whole number from ${String(minimum)} to ${String(countMaximum)}.`);
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' }, lanes: { type: 'string', default: String(lanesDefault) }, only: { type: 'string', default: '' }, warm: { type: 'boolean', default: false },
    delay: { type: 'string', default: '0' }, slow: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
  },
});
const options = { runs: countOf(values.runs, 'runs'), lanes: countOf(values.lanes, 'lanes'), isJson: values.json, isWarm: values.warm, delayMs: countOf(values.delay, 'delay', 0) };
const isChosen = (name: string): boolean => values.only.split(',').some((part) => name.includes(part));
const pairs = labCells.filter(({ name }) => isChosen(name));
const faults = allFaults.filter(({ isSlow }) => isSlow !== true || values.slow || options.runs > 1).filter(({ name }) => isChosen(name));
const friends = friendCellsOf(1).filter(({ name }) => isChosen(name));
if (pairs.length + faults.length + friends.length === 0) fail(`No cell has "${values.only}" in its name. Known: ${[...labCells, ...allFaults, ...friendCellsOf(1)].map(({ name }) => name).join(', ')}.`);

const ofPairs = pairLaboratories(pairs, options);
const { together, slow, alone } = faultLaboratories(faults, options);
const ofFriends = friendLaboratories((run) => friendCellsOf(run).filter(({ name }) => isChosen(name)), options);

async function runAll(): Promise<readonly TableRow[]> {
  const head = (title: string, count: number): void => { if (!options.isJson && count > 0) process.stdout.write(`${title}\n`); };
  head(pairTitle, pairs.length);
  const rows = [...await inLabs(labName, ofPairs, options.isJson)];
  head(faultTitle, faults.length);
  const slowNames = faults.filter(({ isSlow }) => isSlow === true).map(({ name }) => name);
  const besides = await Promise.all([inLabs(labName, together, options.isJson), slow.length === 0 ? [] : runSlowAside({ labName: slowLabName, names: slowNames, options })]);
  rows.push(...besides.flat(), ...await inLabs(labName, alone, options.isJson));
  head(friendTitle, friends.length);
  return [...rows, ...await inLabs(labName, ofFriends, options.isJson)];
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stdout.write(`\n*** VISORS WERE NOT TESTED BEHIND REAL ROUTERS: this machine cannot carry a laboratory. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const startedMs = performance.now();
  const callOff = [labName, ...(slow.length > 0 ? [slowLabName] : [])].map((name) => new Lab(name).guard());
  const rows = await runAll();
  // Not after an error: the thread of the slow cells may have a laboratory then.
  await Promise.all(callOff.map((each) => each()));
  const failed = rows.filter(({ problems }) => problems.length > 0).length;
  // One for each laboratory besides: whether somebody was sent more than they may be.
  const laboratories = [ofPairs, together, slow, alone, ofFriends].flat().length;
  const expected = (pairs.length + faults.length + friends.length) * options.runs + laboratories;
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n${String(rows.length - failed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed === 0 && rows.length === expected ? 0 : 1;
}
