/**
 * `npm run lab -- [--runs N] [--only PATTERN] [--lanes N] [--warm] [--delay MS] [--slow] [--json]`, as root: real visors and relays in network namespaces, in tables. The first
 * (lab-pair-table.ts) has two visors meet behind every pair of routers there is; the second (lab-fault-table.ts) lets a fault happen to two who write to each other; then friends carry where no relay is left (lab-friend-table.ts). A line a cell; the last one is
 * `N passed, N failed`, over all. Where a laboratory cannot be built it says what is missing, checks nothing and ends with `0 passed, 0 failed` and exit code 0.
 *
 * `--delay` has every router of the first table delay packets so long in each direction; `--slow` has the faults that take minutes as well, as has more than one run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { friendCells, labCells } from './lab-cells.ts';
import { cellsOfFaults, faultHosts, faultRelays, faultTitle, faultTopology, runFaults } from './lab-fault-table.ts';
import { friendHosts, friendRelays, friendTitle, friendTopology, runFriends } from './lab-friend-table.ts';
import { pairHosts, pairRelays, pairTitle, pairTopology, runPairs } from './lab-pair-table.ts';
import { openLedger, readLedger } from './lab-ledger.ts';
import { extendPath, Lab, missingRequirements } from './lab.ts';
import type { TableRow } from './lab-lanes.ts';

const labName = 'natlab-visors';
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
const faults = cellsOfFaults(values.slow || options.runs > 1).filter(({ fault }) => isChosen(fault.name));
const friends = friendCells.filter(({ name }) => isChosen(name));
if (pairs.length + faults.length + friends.length === 0) fail(`No cell has "${values.only}" in its name. Known: ${[...labCells, ...cellsOfFaults(true).map(({ fault }) => fault), ...friendCells].map(({ name }) => name).join(', ')}.`);

/** A laboratory for one table, or for one run of it; `hosts` are those on which Waypost runs, and `relays` those of them that are relays. */
interface Laboratory { readonly topology: Parameters<Lab['up']>[0]; readonly hosts: readonly string[]; readonly relays: readonly string[] }

/** What the action finds, and whether anybody was sent more than they may be while it ran. */
async function inLab({ topology, hosts, relays }: Laboratory, action: (lab: Lab, folder: string) => Promise<readonly TableRow[]>): Promise<readonly TableRow[]> {
  const lab = new Lab(labName);
  const folder = mkdtempSync(path.join(tmpdir(), 'natlab-visors-'));
  try {
    await lab.up(topology);
    openLedger(lab, hosts);
    const rows = await action(lab, folder);
    const ledger = readLedger(lab, hosts, relays);
    const passed = ledger.problems.length === 0;
    process.stdout.write(options.isJson ? `${JSON.stringify({ table: 'ledger', passed, ...ledger })}\n` : `${passed ? 'ok    ' : 'FAILED'} nobody is sent more than they asked for: ${ledger.text}${ledger.problems.map((problem) => `\n       ${problem}`).join('')}\n`);
    return [...rows, ledger];
  } finally {
    await lab.down();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runAll(): Promise<readonly TableRow[]> {
  const rows: TableRow[] = [];
  const head = (title: string): void => { if (!options.isJson) process.stdout.write(`${title}\n`); };
  if (pairs.length > 0) {
    head(pairTitle);
    rows.push(...await inLab({ topology: pairTopology(pairs), hosts: pairHosts(pairs), relays: pairRelays }, (lab, folder) => runPairs(lab, folder, pairs, options)));
  }
  if (faults.length > 0) head(faultTitle);
  const laboratory: Laboratory = { topology: faultTopology(faults), hosts: faultHosts(faults), relays: faultRelays(faults) };
  for (let run = 1; run <= options.runs && faults.length > 0; run += 1) rows.push(...await inLab(laboratory, (lab, folder) => runFaults(lab, folder, faults, run, options)));
  if (friends.length > 0) head(friendTitle);
  const amongFriends: Laboratory = { topology: friendTopology(friends), hosts: friendHosts(friends), relays: friendRelays(friends) };
  for (let run = 1; run <= options.runs && friends.length > 0; run += 1) rows.push(...await inLab(amongFriends, (lab, folder) => runFriends(lab, folder, friends, run, options)));
  return rows;
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stdout.write(`\n*** VISORS WERE NOT TESTED BEHIND REAL ROUTERS: this machine cannot carry a laboratory. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const startedMs = performance.now();
  const callOff = new Lab(labName).guard();
  const rows = await runAll().finally(callOff);
  const failed = rows.filter(({ problems }) => problems.length > 0).length;
  // One for each laboratory besides: whether somebody was sent more than they may be.
  const laboratories = (pairs.length > 0 ? 1 : 0) + (faults.length > 0 ? options.runs : 0) + (friends.length > 0 ? options.runs : 0);
  const expected = (pairs.length + faults.length + friends.length) * options.runs + laboratories;
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n${String(rows.length - failed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed === 0 && rows.length === expected ? 0 : 1;
}
